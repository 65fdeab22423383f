"""Stored weights for a model: where they come from, how they are loaded, and the proof that they arrived."""
