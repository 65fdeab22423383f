"""Models with the forward signatures that people write; each runs on an input that nobody gave."""
