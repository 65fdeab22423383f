"""The sample input of the measured run: given by the user, declared by the model, or inferred from its layers."""

from initcheck.construct.inputs.attempts import first_that_runs
from initcheck.construct.inputs.grammar import normalise, parse
from initcheck.construct.inputs.guesses import candidates, choose_batch
from initcheck.construct.inputs.lively import lively
from initcheck.construct.inputs.samples import Guess, describe

__all__ = ["Guess", "candidates", "choose_batch", "describe", "first_that_runs", "lively", "normalise", "parse"]
