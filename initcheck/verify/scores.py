"""The numbers that trainings and verdict rest on, each with its reason."""

from __future__ import annotations

MARGIN = 2.0
"""Points within which two variants count as the same: smaller effects were within noise in trainings of this length."""

SMALLEST = 1.0
"""Points that a difference must have to be called one: less is not worth a change, however sure it is."""

DECIDES = 2
"""Seeds that are needed for a verdict at all; with two the interval is very wide."""

NINE_TENTHS = 0.9
"""The share of held-back images by which speed is told."""

PARTS = 24
"""Stretches of a run whose mean losses make its curve."""

LOOKS = 8
"""Times that held-back images are looked at in the course of a run, the last time at its end."""
