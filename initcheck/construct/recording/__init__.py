"""Who wrote each parameter, and when."""
