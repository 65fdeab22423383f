"""Faults put into healthy models on purpose: which of them are named, at the right parameter, and what else is said."""
