"""Fans: counting rules, invariants, and what torch says beside them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from initcheck.errors import NotKnown
from initcheck.theory.fans import (
    Fans,
    bilinear,
    contraction,
    conv,
    conv_transpose,
    einsum,
    embedding,
    expert_stack,
    linear,
    live_taps,
    live_taps_transposed,
    packed,
    torch_fans,
    transposed,
)

sizes = st.integers(1, 40)


def used(fans: Fans) -> tuple[float, float]:
    return fans.fan_in, fans.fan_out


def torchs(fans: Fans) -> tuple[int | None, int | None]:
    return fans.torch_fan_in, fans.torch_fan_out


# The whole of the table: what is used, and what torch says of the same tensor.
@pytest.mark.parametrize(
    ("fans", "expected", "torch_says"),
    [
        (linear((48, 96)), (96, 48), (96, 48)),
        (transposed((96, 48)), (96, 48), (48, 96)),
        (conv((32, 16, 3, 3)), (144, 288), (144, 288)),
        (conv((32, 4, 3, 3), 4), (36, 72), (36, 288)),
        (conv((32, 1, 3, 3), 32), (9, 9), (9, 288)),
        (conv((32, 16, 3, 3), 1, 2), (144, 72), (144, 288)),
        (conv((64, 3, 7, 7), 1, (2, 2)), (147, 784), (147, 3136)),
        (conv((96, 3, 16, 16), 1, 16), (768, 96), (768, 24576)),
        (conv_transpose((16, 32, 4, 4), 1, 2), (64, 512), (512, 256)),
        (conv_transpose((16, 32, 3, 3), 1, 2), (36, 288), (288, 144)),
        (
            conv_transpose((100, 512, 4, 4), taps=live_taps_transposed((1, 1), (4, 4), (1, 1), (0, 0), (1, 1), (0, 0))),
            (100, 8192),
            (8192, 1600),
        ),
        (packed((3 * 64, 64), 3), (64, 64), (64, 192)),
        (packed((4 * 32, 24), 4), (24, 32), (24, 128)),
        (expert_stack((8, 24, 48)), (24, 48), (24 * 48, 8 * 48)),
        (expert_stack((8, 48, 24), inputs_first=False), (24, 48), (24 * 48, 8 * 24)),
        (embedding((1000, 64)), (1, 1), (64, 1000)),
        (bilinear((12, 50, 40)), (2000, 600), (2000, 480)),
    ],
)
def test_the_table(fans, expected, torch_says):
    assert used(fans) == expected
    assert torchs(fans) == torch_says


@given(shape=st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_torch_fans_are_torchs(shape):
    fans = torch_fans(shape)
    assert used(fans) == torchs(fans) == nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@given(rows=sizes, columns=sizes)
def test_transposing_swaps_the_fans(rows, columns):
    there, back = linear((rows, columns)), transposed((columns, rows))
    assert used(there) == used(back) == torchs(there)
    assert used(linear((columns, rows))) == used(there)[::-1] == torchs(back)


@given(out=sizes, into=sizes, taps=st.lists(st.integers(1, 5), min_size=1, max_size=3), groups=st.integers(1, 6), step=st.integers(1, 4))
def test_groups_are_that_many_small_convolutions(out, into, taps, groups, step):
    one = conv((out, into, *taps), 1, step)
    many = conv((out * groups, into, *taps), groups, step)
    assert used(many) == pytest.approx(used(one))
    assert many.torch_fan_out == groups * one.torch_fan_out
    assert many.torch_fan_out == pytest.approx(many.fan_out * groups * step ** len(taps))


@given(out=sizes, into=sizes, taps=st.lists(st.integers(1, 5), min_size=1, max_size=3), step=st.integers(1, 4))
def test_a_transposed_convolution_is_a_convolution_backwards(out, into, taps, step):
    forth, back = conv((out, into, *taps), 1, step), conv_transpose((out, into, *taps), 1, step)
    assert used(back) == pytest.approx(used(forth)[::-1])
    assert torchs(back) == torchs(forth)


@given(shape=st.permutations([("i", 5), ("o", 7), ("e", 3), ("h", 2)]), names=st.permutations("abcdefgh"))
def test_neither_the_order_nor_the_names_of_letters_matter(shape, names):
    letters, lengths = "".join(letter for letter, _ in shape), tuple(size for _, size in shape)
    rename = dict(zip("beihotuv", names, strict=True))
    equation = "".join(rename.get(letter, letter) for letter in f"bei,{letters}->beho")
    assert used(einsum(equation, 1, lengths)) == (5, 14)
    assert used(einsum(",".join(reversed(equation.partition("->")[0].split(","))) + "->" + equation.partition("->")[2], 0, lengths)) == (
        5,
        14,
    )


@pytest.mark.parametrize(
    ("equation", "operand", "shape", "expected"),
    [
        ("...i,oi->...o", 1, (7, 5), (5, 7)),
        ("oi,bi->bo", 0, (7, 5), (5, 7)),
        ("bi,io", 1, (5, 7), (5, 7)),
        ("bqhd,hdo->bqo", 1, (4, 8, 32), (32, 32)),
        ("ebi,eio->ebo", 1, (3, 5, 7), (5, 7)),
        ("bi,bj,oij->bo", 2, (7, 5, 4), (20, 7)),
        ("bd,d->bd", 1, (9,), (1, 1)),
        ("bd,d->b", 1, (9,), (9, 1)),
    ],
)
def test_einsum(equation, operand, shape, expected):
    assert used(einsum(equation, operand, shape)) == expected


@pytest.mark.parametrize(
    ("equation", "operand", "shape"), [("bi,...oi->bo", 1, (2, 3, 4)), ("bi,io->bo", 2, (3, 4)), ("bi,io->bo", 1, (3, 4, 5))]
)
def test_what_an_equation_does_not_say(equation, operand, shape):
    with pytest.raises(NotKnown):
        einsum(equation, operand, shape)


def test_letters_must_fit():
    with pytest.raises(NotKnown, match="fit"):
        contraction("oo", (3, 3), "o", "o")
    with pytest.raises(NotKnown, match="nowhere|neither"):
        contraction("oi", (3, 3), "ni", "nz")
    with pytest.raises(NotKnown, match="divide"):
        packed((10, 4), 3)
    with pytest.raises(NotKnown, match="max"):
        embedding((10, 4), 3, "max")


@pytest.mark.parametrize("count", [torch_fans, linear, transposed, embedding])
def test_vectors_have_no_fans(count):
    with pytest.raises(NotKnown, match="1 axes"):
        count((5,))
    assert torchs(linear((3, 4)).stored_as((12,))) == (None, None)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"), [(16, 3, 1, 1, 1), (4, 3, 1, 1, 1), (9, 5, 2, 2, 1), (12, 3, 1, 2, 2)]
)
def test_live_taps_are_those_of_a_convolution_of_ones(size, kernel, stride, padding, dilation):
    ones = F.conv2d(torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel), stride=stride, padding=padding, dilation=dilation)
    pairs = [(value, value) for value in (size, kernel, stride, padding, dilation)]
    assert live_taps(*pairs) == pytest.approx(ones.mean().item())


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation", "extra"),
    [(8, 4, 2, 1, 1, 0), (5, 3, 2, 1, 1, 1), (1, 4, 1, 0, 1, 0), (6, 3, 1, 2, 2, 0)],
)
def test_live_taps_of_a_transposed_convolution_of_ones(size, kernel, stride, padding, dilation, extra):
    ones = F.conv_transpose2d(torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel), None, stride, padding, extra, 1, dilation)
    pairs = [(value, value) for value in (size, kernel, stride, padding, dilation, extra)]
    assert live_taps_transposed(*pairs) == pytest.approx(ones.mean().item())


def test_kernels_that_do_not_fit():
    with pytest.raises(NotKnown, match="fit"):
        live_taps((2,), (5,), (1,), (0,), (1,))
    with pytest.raises(NotKnown, match="no output"):
        live_taps_transposed((1,), (1,), (1,), (3,), (1,), (0,))


def test_whole_fans_are_never_below_one():
    assert conv((1, 1, 1, 1), 1, 4).whole == (1, 1)
    assert embedding((10, 4), 5, "mean").whole == (1, 1)
    assert math.isfinite(conv((3, 1, 1), 3, 1).fan_out)
