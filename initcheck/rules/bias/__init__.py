"""Biases that stand in the way."""
