"""Which stored tensor belongs to which tensor of a model, told from names and shapes alone."""
