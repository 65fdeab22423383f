"""What the reader knows of Python and torch without looking into them."""
