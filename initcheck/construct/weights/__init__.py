"""Stored weights: files are opened without running anything that stands in them, and read one tensor at a time."""
