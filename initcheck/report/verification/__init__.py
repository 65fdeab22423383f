"""The voices of a verification: table, page and words."""
