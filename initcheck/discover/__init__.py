"""What is there to check, found without importing it."""
