"""The schemes that are in use, each with the law and the std that it gives a weight of this shape: what identification chooses from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from initcheck.errors import NotKnown
from initcheck.records.recording import InitCall
from initcheck.theory.calls.predict import predicted
from initcheck.theory.fans import torch_fans
from initcheck.theory.sampling import NORMAL, TRUNCATED_2, TRUNCATED_3, UNIFORM, Family

_SQRT_2, _TANH = math.sqrt(2.0), 5.0 / 3.0
_SAME = 1e-9
"""Relative difference of std below which two schemes are one law."""
_SIREN = 30.0
"""Frequency of the sine in SIREN; Sitzmann et al. 2020, arXiv:2006.09661, section 3.2."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scheme that the statistics do not contradict; no probability is implied. `std` is what it predicts."""

    label: str
    call: InitCall
    std: float


@dataclass(frozen=True, slots=True)
class Group:
    """Schemes that are one and the same law on this weight: no number of elements tells them apart."""

    candidates: tuple[Candidate, ...]
    law: Family
    std: float

    @property
    def label(self) -> str:
        """The first scheme's, torch's own functions first."""
        return self.candidates[0].label


@lru_cache(maxsize=512)
def groups(shape: tuple[int, ...], fan_in: int, fan_out: int) -> tuple[Group, ...]:
    """All schemes in use for a weight of this shape, those that coincide together.

    Args:
        shape: of the weight (or of one block of it), from which torch takes its fans.
        fan_in: fan_in as the weight is used.
        fan_out: fan_out as the weight is used.
    """
    found: list[tuple[Family, float, list[Candidate]]] = []
    for label, call, law, std in _entries(shape, fan_in, fan_out):
        home = next((members for other, value, members in found if other is law and math.isclose(value, std, rel_tol=_SAME)), None)
        if home is None:
            found.append((law, std, home := []))
        if all(label != candidate.label for candidate in home):
            home.append(Candidate(label, call, std))
    return tuple(Group(tuple(members), law, std) for law, std, members in found)


def _entries(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Iterator[tuple[str, InitCall, Family, float]]:
    """Label, call, law and std; torch's own functions first."""
    for label, call, law in _torch_calls():
        found = predicted(call, shape)
        if found is not None:
            yield label, call, law, found.std
    own = _differs(shape, fan_in, fan_out)
    for text, std in _used(fan_in, fan_out):
        yield f"truncated normal, std {text}", _cut_call(std), TRUNCATED_2, std
        if own:
            yield f"normal, std {text}", _normal_call(std), NORMAL, std
            yield f"uniform, std {text}", _uniform_call(math.sqrt(3.0) * std), UNIFORM, std
    yield from _special(shape, fan_in, fan_out)


def _used(fan_in: int, fan_out: int) -> tuple[tuple[str, float], ...]:
    return (
        (f"1/sqrt(fan_in {fan_in})", 1.0 / math.sqrt(fan_in)),
        (f"sqrt(2/fan_in {fan_in})", math.sqrt(2.0 / fan_in)),
        (f"sqrt(2/fan_out {fan_out})", math.sqrt(2.0 / fan_out)),
        (f"sqrt(2/(fan_in {fan_in} + fan_out {fan_out}))", math.sqrt(2.0 / (fan_in + fan_out))),
    )


def _special(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Iterator[tuple[str, InitCall, Family, float]]:
    """What single libraries and single layers do."""
    for label, bound in (
        (f"uniform(±1/sqrt(hidden size {fan_out}))", 1.0 / math.sqrt(fan_out)),
        (f"uniform(±1/fan_in {fan_in})", 1.0 / fan_in),
        (f"uniform(±sqrt(6/fan_in {fan_in})/30)", math.sqrt(6.0 / fan_in) / _SIREN),
    ):
        yield label, _uniform_call(bound), UNIFORM, bound / math.sqrt(3.0)
    if len(shape) == 3:
        # nn.Bilinear counts its first input only.
        bound = 1.0 / math.sqrt(shape[1])
        yield f"uniform(±1/sqrt({shape[1]}))", _uniform_call(bound), UNIFORM, bound / math.sqrt(3.0)
    # Transformers' own lecun_normal_ corrects for a truncation that its bounds never make.
    wide = 1.0 / (TRUNCATED_2.shrink * math.sqrt(fan_in))
    yield "lecun_normal without its truncation", _normal_call(wide), NORMAL, wide


def _torch_calls() -> Iterator[tuple[str, InitCall, Family]]:
    for name, law in (("uniform", UNIFORM), ("normal", NORMAL)):
        for mode, nonlinearity in (("fan_in", "relu"), ("fan_out", "relu"), ("fan_in", "linear")):
            kaiming = (("a", 0.0), ("mode", mode), ("nonlinearity", nonlinearity))
            text = nonlinearity if mode == "fan_in" else f"{mode}, {nonlinearity}"
            yield f"kaiming_{name}({text})", InitCall(f"kaiming_{name}_", kaiming), law
        for text, gain in (("", 1.0), ("(gain=√2)", _SQRT_2), ("(gain=5/3)", _TANH)):
            yield f"xavier_{name}{text}", InitCall(f"xavier_{name}_", (("gain", gain),)), law
    default = (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
    yield "kaiming_uniform(a=√5)", InitCall("kaiming_uniform_", default), UNIFORM
    for std in (0.001, 0.01, 0.02, 1.0):
        yield f"normal(0, {std:g})", _normal_call(std), NORMAL
    for reach, law in ((0.04, TRUNCATED_2), (0.06, TRUNCATED_3)):
        cut = (("mean", 0.0), ("std", 0.02), ("a", -reach), ("b", reach))
        yield f"trunc_normal(0, 0.02, -{reach}…{reach})", InitCall("trunc_normal_", cut), law
    yield "uniform(-0.05, 0.05)", _uniform_call(0.05), UNIFORM


def _normal_call(std: float) -> InitCall:
    return InitCall("normal_", (("mean", 0.0), ("std", std)))


def _uniform_call(bound: float) -> InitCall:
    return InitCall("uniform_", (("a", -bound), ("b", bound)))


def _cut_call(std: float) -> InitCall:
    """A normal cut at two standard deviations and widened so that `std` is what is left, as Keras and JAX do it."""
    before = std / TRUNCATED_2.shrink
    return InitCall("trunc_normal_", (("mean", 0.0), ("std", before), ("a", -2.0 * before), ("b", 2.0 * before)))


def _differs(shape: tuple[int, ...], fan_in: int, fan_out: int) -> bool:
    try:
        counted = torch_fans(shape)
    except NotKnown:
        return True
    return (counted.fan_in, counted.fan_out) != (fan_in, fan_out)
