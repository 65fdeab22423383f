"""The reader itself: values, expressions, statements and calls of one file."""
