"""Initializations that did not arrive: undone, dropped, or meant for something else."""
