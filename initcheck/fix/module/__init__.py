"""Remedies put into live modules: seeded, block by block, and refused with a reason where a parameter cannot be written."""
