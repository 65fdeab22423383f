"""Plumbing: initializations that are lost on the way, and the healthy idioms that look like it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.verdicts import lost_starts
from tests.verdicts.builders import Residual
from tests.verdicts.lost_starts import (
    ApplyOverBlocks,
    Buffered,
    ChildrenOnly,
    HeadThenApply,
    Language,
    Listed,
    Plain,
    after_old_weight_norm,
    after_weight_norm,
    before_replacement,
    cached,
    double_copy,
    drawn_into_a_clone,
    dropped,
    net,
    no_match,
    no_match_by_name,
    on_a_copy,
    reset_afterwards,
    reshaped,
    state_copied,
    swapped_data,
    tie,
    twice,
    untied_by_a_new_head,
    untied_by_assignment,
    untied_by_to_empty,
)
from tests.verdicts.verdict import SILENT, judge, says
from tests.verdicts.whole_starts import (
    ApplyThenHead,
    ByHand,
    Masked,
    OneEmbedding,
    ParentAfterChild,
    Refined,
    Teacher,
    averaged_copy,
    before_weight_norm,
    built_from_blocks,
    freezing,
    identity_head,
    new_head_of_another_size,
    noise,
    overruled_default,
    scaled_by_what_was_measured,
    sub_pixel,
    tied_and_copied,
    trained_a_little,
)

LOST = [
    ("head-then-apply", HeadThenApply, says("warning", at="head.weight", by="init-overwritten")),
    ("block-then-apply", ApplyOverBlocks, says("warning", at="blocks.1.down.weight", by="init-overwritten")),
    ("data-swapped", swapped_data, says("warning", at="0.weight", by="init-overwritten")),
    ("reset-afterwards", reset_afterwards, says("warning", at="4.weight", by="init-overwritten")),
    (
        "kaiming-then-xavier",
        twice(lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), nn.init.xavier_normal_),
        says("warning", at="0.weight", by="init-overwritten"),
    ),
    (
        "xavier-then-kaiming",
        twice(nn.init.xavier_normal_, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        says("info", at="0.weight", by="init-overwritten"),
    ),
    (
        "the-same-twice",
        twice(lambda w: nn.init.kaiming_normal_(w), lambda w: nn.init.kaiming_normal_(w)),
        says("info", at="0.weight", by="init-overwritten"),
    ),
    ("overruled-default", overruled_default, SILENT),
    ("double", on_a_copy(double_copy), says("warning", at="0.weight", by="init-discarded")),
    ("reshaped", on_a_copy(reshaped), says("warning", at="0.weight", by="init-discarded")),
    ("state-copied", on_a_copy(state_copied), says("warning", at="0.weight", by="init-discarded")),
    ("clone-drawn", on_a_copy(drawn_into_a_clone), says("warning", at="0.weight", by="init-discarded")),
    ("result-dropped", on_a_copy(dropped), says("warning", at="0.weight", by="init-discarded")),
    ("before-replacement", before_replacement, says("warning", by="init-discarded")),
    ("after-weight-norm", after_weight_norm, says("warning", by="init-discarded")),
    ("after-old-weight-norm", after_old_weight_norm, says("warning", by="init-discarded")),
    ("no-match", no_match, says("warning", at="0.weight", by="init-without-effect")),
    ("no-match-by-name", no_match_by_name, says("warning", at="0.weight", by="init-without-effect")),
    ("children-only", ChildrenOnly, says("warning", at="deep.0.weight", by="init-in-wrong-place")),
    ("list-of-layers", lambda: Listed(list), says("warning", by="unregistered-tensor")),
]

HEALTHY = [
    ApplyThenHead,
    ParentAfterChild,
    ByHand,
    OneEmbedding,
    Refined,
    before_weight_norm,
    freezing,
    identity_head,
    lambda: Listed(nn.ModuleList),
    Teacher,
    sub_pixel,
    scaled_by_what_was_measured,
    averaged_copy,
    noise,
    trained_a_little,
    built_from_blocks,
    lambda: nn.Sequential(nn.Linear(64, 64), Residual(net(width=64)[:3]), nn.Linear(64, 10)),
]
FAMILY = {
    "init-overwritten",
    "init-discarded",
    "init-without-effect",
    "init-in-wrong-place",
    "untied-weights",
    "unregistered-tensor",
    "buffer-never-written",
}


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_lost(build, expected):
    judge(build, expected, torch.randn(32, 64))


@pytest.mark.parametrize("build", HEALTHY, ids=lambda build: build.__name__)
def test_healthy_idioms(build):
    report = judge(build, says("nothing", "info", "warning"), torch.randn(32, 64))
    assert not {f.name for f in report.at_least("warning")} & FAMILY, report.findings


def test_an_init_undone_by_another_is_told_at_its_own_line():
    report = judge(HeadThenApply, says("warning", by="init-overwritten"), torch.randn(32, 64))
    lines = Path(lost_starts.__file__).read_text(encoding="utf-8").splitlines()
    finding = report.at_least("warning")[0]
    assert "nn.init.zeros_(self.head.weight)" in lines[finding.location.line - 1]


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (lambda: torch.randn(16, 16) * 0.25, says("warning", at="weight", by="unregistered-tensor")),
        (lambda: torch.randn(16, 16).mul(0.25).requires_grad_(True), says("warning", at="weight", by="unregistered-tensor")),
        (lambda: nn.init.orthogonal_(torch.empty(16, 16)), says("warning", at="weight", by="unregistered-tensor")),
        (lambda: torch.eye(16).roll(1, 0), says("info", at="weight", by="unregistered-tensor")),
        (lambda: nn.Parameter(torch.randn(16, 16) * 0.25), says("nothing")),
    ],
)
def test_plain_tensors(tensor, expected):
    judge(lambda: Plain(tensor()), expected, torch.randn(32, 16))


def test_a_buffer_is_no_plain_tensor():
    def build():
        model = Plain(None)
        del model.weight
        model.register_buffer("weight", torch.randn(16, 16) * 0.25)
        return model

    judge(build, says("nothing"), torch.randn(32, 16))


def test_tables_and_masks_in_attributes():
    judge(Masked, says("nothing"), torch.randn(32, 16))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Buffered(lambda: torch.empty(16), lambda module, x: x * module.kept), says("error", at="kept", by="buffer-never-written")),
        (lambda: Buffered(lambda: torch.empty(64, 16), cached), says("info", at="kept", by="buffer-never-written")),
        (lambda: Buffered(lambda: torch.empty(16), lambda module, x: x), says("info", at="kept", by="buffer-never-written")),
        (lambda: Buffered(lambda: torch.empty(16).fill_(2.0), lambda module, x: x * module.kept), says("nothing")),
        (lambda: Buffered(lambda: torch.empty(0), lambda module, x: x), says("nothing")),
        (lambda: Buffered(lambda: torch.empty(16, dtype=torch.int64), lambda module, x: x), says("nothing")),
    ],
    ids=["read", "cache", "unread", "written", "no-elements", "integers"],
)
def test_buffers(build, expected):
    judge(build, expected, torch.randn(32, 16))


@pytest.mark.parametrize("build", [untied_by_a_new_head, untied_by_assignment, untied_by_to_empty])
def test_untied(build):
    report = judge(build, says("warning", by="untied-weights", at="head.weight"), torch.randint(0, 50, (32, 8)))
    assert [f.name for f in report.at_least("warning")] == ["untied-weights"]


@pytest.mark.parametrize("build", [lambda: tie(Language()), tied_and_copied, new_head_of_another_size])
def test_tied(build):
    report = judge(build, says("nothing", "info"), torch.randint(0, 50, (32, 8)))
    assert not {f.name for f in report.findings} & FAMILY
