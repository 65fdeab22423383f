"""Tables: zero rows and columns counted exactly, the padding row read."""

import math

import torch
from torch import nn

from initcheck.measure.parameters.tables import table_stats


def only(model):
    found = table_stats(model)
    assert len(found) == 1
    return found[0]


def test_a_fresh_table_has_no_zero_lines():
    table = only(nn.Embedding(40, 6))
    assert (table.rows, table.columns, table.padding, table.zero_rows, table.zero_columns) == (40, 6, -1, 0, 0)


def test_zero_rows_are_counted_even_when_the_first_elements_mislead():
    embedding = nn.Embedding(40, 6)
    with torch.no_grad():
        embedding.weight[3:9].zero_()
        embedding.weight[20, :4].zero_()
        embedding.weight[:, 5].zero_()
        embedding.weight[:4, 2].zero_()
    table = only(embedding)
    assert (table.zero_rows, table.zero_columns) == (6, 1)


def test_the_padding_row_is_measured():
    embedding = nn.Embedding(10, 16, padding_idx=3)
    assert (only(embedding).padding, only(embedding).padding_rms) == (3, 0.0)
    nn.init.constant_(embedding.weight, -0.5)
    assert math.isclose(only(embedding).padding_rms, 0.5)


def test_a_shared_table_counts_once_with_its_padding_row():
    first, second = nn.Embedding(10, 4), nn.EmbeddingBag(10, 4, padding_idx=2)
    second.weight = first.weight
    table = only(nn.ModuleList([first, second]))
    assert (table.parameter, table.padding) == ("0.weight", 2)


def test_half_precision_tables_are_read():
    embedding = nn.Embedding(10, 4, padding_idx=1, dtype=torch.bfloat16)
    nn.init.constant_(embedding.weight, 2.0)
    assert only(embedding).padding_rms == 2.0


def test_empty_and_meta_tables_do_no_harm():
    assert only(nn.Embedding(0, 4)).zero_rows == 0
    assert table_stats(nn.Embedding(4, 4, device="meta")) == ()


def test_a_weight_that_is_no_table_has_no_rows():
    embedding = nn.Embedding(4, 6)
    embedding.weight = nn.Parameter(torch.tensor(1.0))
    assert table_stats(embedding) == ()
