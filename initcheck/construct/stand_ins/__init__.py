"""What stands in for packages that a user's file imports, that are not installed, and that the weights of its model do not depend on."""
