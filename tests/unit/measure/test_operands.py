"""What is measured of the two sides of a sum or product."""

import pytest
import torch

from initcheck.measure.signal.signals import SignalObserver
from tests.unit.measure.test_signals import one


def test_operands_of_sums_and_broadcast_products():
    x, p = torch.full((4, 3), 2.0), torch.full((3,), 3.0)
    assert one("add", x + p, x, p).operands == (pytest.approx(4.0), pytest.approx(9.0))
    assert one("mul", x * p, p, None).operands == (pytest.approx(9.0), None)
    assert one("mul", x * p, x, p).second_moment == pytest.approx(36.0)
    for inputs in ((x, x), (x,)):
        observer = SignalObserver(4)
        observer.forward(0, "mul", x, inputs)
        assert observer.results() == ()
