"""With which arguments the thing that a target names is called."""
