"""Building a model and recording who wrote each parameter."""
