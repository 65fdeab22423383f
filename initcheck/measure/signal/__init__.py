"""The signal of the run as plain numbers."""
