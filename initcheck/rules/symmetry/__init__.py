"""Units that cannot differ, and memory without content."""
