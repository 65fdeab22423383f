import pytest

from initcheck.fix.source.calls import literal, rewritten, twin, written
from initcheck.records.recording import InitCall

HE = InitCall("kaiming_normal_", (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "relu")))


@pytest.mark.parametrize(
    ("before", "call", "after"),
    [
        ("nn.init.kaiming_normal_(w, nonlinearity='tanh')", HE, "nn.init.kaiming_normal_(w, nonlinearity='relu')"),
        ("f(w, 0, 'fan_out', 'relu')", HE, 'f(w, nonlinearity="relu")'),
        ("kaiming_normal_(w, 0, 'fan_out', 'relu')", HE, "kaiming_normal_(w, 0, 'fan_in', 'relu')"),
        ("kaiming_normal_(w, mode='fan_out', a=math.sqrt(5))", HE, "kaiming_normal_(w, mode='fan_in', nonlinearity=\"relu\")"),
        ("xavier_normal_(w, gain=gain)", HE, 'xavier_normal_(w, nonlinearity="relu")'),
        ("xavier_normal_(tensor=w, generator=g)", HE, 'xavier_normal_(tensor=w, generator=g, nonlinearity="relu")'),
        ("constant_(w, 0.1)", InitCall("zeros_"), "constant_(w)"),
        ("zeros_(w)", InitCall("constant_", (("val", 1.0),)), "zeros_(w, 1.0)"),
        ("normal_(w)", InitCall("normal_", (("mean", 0.0), ("std", 0.02))), "normal_(w, std=0.02)"),
        ("normal_(w, 0, 1)", InitCall("normal_", (("mean", 0.0), ("std", 0.02))), "normal_(w, 0, 0.02)"),
        (
            "trunc_normal_(\n    w,  # here\n    std=1,\n)",
            InitCall("trunc_normal_", (("std", 0.02),)),
            "trunc_normal_(\n    w,  # here\n    std=0.02,\n)",
        ),
        ("xavier_normal_(\n    w,\n)", HE, 'xavier_normal_(\n    w, nonlinearity="relu",\n)'),
    ],
)
def test_an_existing_call_keeps_what_need_not_change(before, call, after):
    function = before[: before.index("(")]
    assert rewritten(before, call, function, "", '"') == after


def test_defaults_are_left_out():
    assert written(HE, "init.kaiming_normal_", "self.w", "'") == "init.kaiming_normal_(self.w, nonlinearity='relu')"
    assert written(InitCall("constant_", (("val", -4.599999904632568),)), "constant_", "b", '"') == "constant_(b, -4.6)"
    assert written(InitCall("xavier_normal_", (("gain", 1.0),)), "xavier_normal_", "w", '"') == "xavier_normal_(w)"


def test_the_distribution_of_the_author_stays():
    assert twin("xavier_uniform_", HE).name == "kaiming_uniform_"
    assert twin("normal_", HE) == HE
    assert twin("xavier_uniform_", InitCall("orthogonal_")).name == "orthogonal_"


@pytest.mark.parametrize(
    ("value", "text"), [(2**0.5, "2**0.5"), (1.414, "2**0.5"), (0.02, "0.02"), (1.0, "1.0"), (3, "3"), (0.1768, "0.1768"), (3.0, "3")]
)
def test_numbers_are_short(value, text):
    assert literal(value) == text
