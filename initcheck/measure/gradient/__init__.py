"""Whether gradients arrive, and what the inputs have to do with it."""
