"""From what was read to the records that rules judge."""
