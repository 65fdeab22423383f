"""How data run through the graph: roles, regions, sums, cells."""
