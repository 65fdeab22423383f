"""Tensors to plain numbers."""
