"""How digits get into any model and classes out of it, in words that the user can check."""
