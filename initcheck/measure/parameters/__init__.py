"""Parameters as plain numbers."""
