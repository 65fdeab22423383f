"""Loads of stored weights while a model is built: what went in, and whether it is still there when the model is done."""
