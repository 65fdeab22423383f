"""Remedies with proof: applied, checked again, and taken back where they did not help."""
