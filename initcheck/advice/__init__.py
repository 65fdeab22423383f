"""What each parameter of a model should start with, told from its place in the dataflow; shared by the rules and the fixers."""
