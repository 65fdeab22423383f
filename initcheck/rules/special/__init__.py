"""Weights that work by other rules than a matrix: norms, gates, temperatures, positions, state spaces, routers."""
