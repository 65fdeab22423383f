"""What a model is, read from its source: nothing is executed, and what the text leaves open is said to be open."""
