"""Which images are trained on, and how they are read."""
