"""Judgements of loaded weights: did they arrive, are they still there, and what stayed random beside them."""
