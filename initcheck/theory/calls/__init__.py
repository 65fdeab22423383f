"""What initializing calls draw, and how they are read."""
