"""One weight and its surroundings."""
