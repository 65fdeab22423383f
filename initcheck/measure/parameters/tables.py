"""The rows of embedding tables: which are zero, and what stands in the padding row."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from initcheck.measure.parameters.weights import unmeasurable
from initcheck.measure.signal.moments import real, sum_of_squares
from initcheck.records.stats import TableStats


def table_stats(model: nn.Module) -> tuple[TableStats, ...]:
    """Reads the table of every embedding module; a shared one counts once, under its first name, with the first padding row."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found: dict[str, TableStats] = {}
    for module in model.modules():
        if not isinstance(module, (nn.Embedding, nn.EmbeddingBag)) or module.weight.dim() != 2 or unmeasurable(module.weight):
            continue
        name = names.get(id(module.weight), "")
        if name and (name not in found or found[name].padding < 0):
            found[name] = _table(name, module.weight, -1 if module.padding_idx is None else module.padding_idx)
    return tuple(found.values())


def _table(name: str, weight: Tensor, padding: int) -> TableStats:
    rows, columns = weight.shape
    zero_rows, zero_columns = _zero_lines(weight.detach())
    row = real(weight[padding]) if padding >= 0 and columns else None
    rms = math.sqrt(sum_of_squares(row) / columns) if row is not None else 0.0
    return TableStats(name, rows, columns, padding, rms, zero_rows, zero_columns)


def _zero_lines(weight: Tensor) -> tuple[int, int]:
    """The numbers of rows and columns without a nonzero element; the few that a first look leaves over are read in full."""
    if not weight.numel():
        return 0, 0
    with torch.no_grad():
        rows = (weight[:, :4] == 0).all(dim=1).nonzero().flatten()
        columns = (weight[:4] == 0).all(dim=0).nonzero().flatten()
        zero_rows = int((weight[rows] == 0).all(dim=1).sum()) if len(rows) else 0
        zero_columns = int((weight[:, columns] == 0).all(dim=0).sum()) if len(columns) else 0
    return zero_rows, zero_columns
