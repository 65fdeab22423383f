"""Inputs changed as a failed run asks: what reached the failing operation, where it came from, and which sizes would have done."""

from initcheck.construct.inputs.repair.changes import changed
from initcheck.construct.inputs.repair.probe import Setback, probe
from initcheck.construct.inputs.repair.propose import proposals

__all__ = ["Setback", "changed", "probe", "proposals"]
