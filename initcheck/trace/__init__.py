"""One real forward and backward pass, as a graph."""
