"""The numbers that follow from an initializing call and a shape: expected values of the law, nothing measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

from initcheck.discover.static.reader.values import Tensor, Thing, elements
from initcheck.records.recording import ParameterRecord, Recording, Write
from initcheck.records.stats import TableStats, WeightStats
from initcheck.theory.calls.distributions import Distribution
from initcheck.theory.schemes import predicted, predicted_of

KURTOSIS = {"normal": 3.0, "uniform": 1.8, "truncated": 2.4, "orthogonal": 3.0}
"""The kurtosis of each law that numbers are derived for."""
_GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "RNN": 1, "RNNCell": 1}
_EXTREME = 4.0


def statistics(recording: Recording, tensors: Mapping[str, Tensor], model: Thing) -> tuple[WeightStats, ...]:
    """The statistics of every parameter whose law is known for certain."""
    gates = _gates(model)
    found = []
    for record in recording.parameters:
        tensor = tensors[record.name]
        law = _law(record) if tensor.shape is not None and not tensor.doubt and not tensor.derived else None
        if law is not None and elements(record.shape) > 0:
            draw = tensor.deeds[0].draw if tensor.deeds else 0
            stats = _of_constant(record, law.mean) if law.family == "constant" else _of_draw(record, law, draw)
            if stats is not None:
                found.append(_with_blocks(stats, law, gates.get(record.name, 0)))
    return tuple(found)


def tables(model: Thing, recording: Recording, stats: tuple[WeightStats, ...]) -> tuple[TableStats, ...]:
    """The rows of the tables of embedding modules."""
    known = {one.parameter: one for one in stats}
    found = []
    for path, thing in model.tree():
        name = f"{path}.weight" if path else "weight"
        one, record = known.get(name), recording.parameter(name)
        if not thing.dotted.startswith("torch.nn.Embedding") or one is None or record is None or len(one.shape) != 2:
            continue
        row = thing.arguments.get("padding_idx")
        rows, columns = one.shape
        if row is not None and not (isinstance(row, int) and -rows <= row < rows):
            continue
        drawn = one.std if not record.later() else 0.0
        zero = one.second_moment == 0
        found.append(TableStats(name, rows, columns, -1 if row is None else row % rows, drawn, rows if zero else 0, columns if zero else 0))
    return tuple(found)


def _gates(model: Thing) -> dict[str, int]:
    """The row blocks of the hidden-to-hidden matrices and biases of recurrent modules."""
    found: dict[str, int] = {}
    for path, thing in model.tree():
        count = _GATES.get(thing.dotted.rpartition(".")[2], 0)
        for name, _ in thing.tensors() if count else ():
            if name.startswith(("weight_hh", "bias_")):
                found[f"{path}.{name}" if path else name] = count
    return found


def _law(record: ParameterRecord) -> Distribution | None:
    if not all(_arithmetic(write) for write in record.later()):
        ruling = record.ruling()
        padded = all(write.origin == "framework default" for write in record.later())  # the padding row of a table
        if ruling is None or not padded or not ruling.call.known():
            return None
        return predicted(ruling.call.get(), record.shape, ruling.lineage)
    return predicted_of(record)


def _arithmetic(write: Write) -> bool:
    return write.call.known() and write.call.get().name in ("mul", "div", "add", "sub", "neg", "clamp")


def _of_constant(record: ParameterRecord, value: float) -> WeightStats:
    count = elements(record.shape)
    return WeightStats(
        parameter=record.name,
        shape=record.shape,
        dtype=record.dtype,
        numel=count,
        mean=value,
        second_moment=value * value,
        minimum=value,
        maximum=value,
        kurtosis=math.nan,
        zeros=count if value == 0 else 0,
        nonfinite=0 if math.isfinite(value) else count,
        distinct_rows=1,
        distinct_columns=1,
    )


def _of_draw(record: ParameterRecord, law: Distribution, draw: int) -> WeightStats | None:
    if law.family not in KURTOSIS or not math.isfinite(law.std):
        return None
    shape = record.shape
    low, high = (end if math.isfinite(end) else law.mean + way * _EXTREME * law.std for end, way in ((law.low, -1), (law.high, 1)))
    return WeightStats(
        parameter=record.name,
        shape=shape,
        dtype=record.dtype,
        numel=elements(shape),
        mean=law.mean,
        second_moment=law.rms**2,
        minimum=low,
        maximum=high,
        kurtosis=KURTOSIS[law.family],
        zeros=0,
        nonfinite=0,
        distinct_rows=shape[0] if shape else 1,
        distinct_columns=shape[1] if len(shape) > 1 else 1,
        fingerprint=f"draw {draw}" if draw else "",
    )


def _with_blocks(stats: WeightStats, law: Distribution, blocks: int) -> WeightStats:
    """The same for a recurrent matrix or bias, whose gates are judged one by one: independent numbers make no orthogonal matrix."""
    import dataclasses

    if not blocks:
        return stats
    if len(stats.shape) < 2:
        return dataclasses.replace(stats, blocks=blocks, block_mean=(law.mean,) * blocks)
    side, width = stats.shape[0] // blocks, stats.shape[1]
    independent = law.family in ("normal", "uniform", "truncated") and law.mean == 0 and side > 1
    if not independent:
        return dataclasses.replace(stats, blocks=blocks)
    distance, gain = math.sqrt((side + 1) / width), law.std * math.sqrt(width)
    return dataclasses.replace(
        stats, blocks=blocks, block_orthogonality=(distance,) * blocks, block_gain=(gain,) * blocks, block_mean=(0.0,) * blocks
    )
