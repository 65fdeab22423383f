"""Weights that a recurrence multiplies again and again."""
