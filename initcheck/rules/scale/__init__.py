"""Weights whose scale does not fit their surroundings."""
