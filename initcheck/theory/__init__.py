"""The mathematics of initialization: floats in, floats out, every number with its source."""
