"""The user's own program, run as it is up to its first training step, and the models that it trains."""
