"""Recurrent cells written by hand feed `recurrent`; gates that only look like them do not."""

import pytest
import torch
import torch.nn.functional as F

from tests.unit.infer.dataflow import expect, x
from tests.unit.infer.test_dataflow_branches import net


def gates(m, x, h):
    return torch.sigmoid(m.wz(x) + m.uz(h)), torch.sigmoid(m.wr(x) + m.ur(h))


def blend(m, x, h):
    z, r = gates(m, x, h)
    n = torch.tanh(m.wn(x) + r * m.un(h))
    return m.head((1 - z) * n + z * h)


def reset_inside(m, x, h):
    z, r = gates(m, x, h)
    n = torch.tanh(m.wn(x) + m.un(r * h))
    return m.head(n + z * (h - n))


@pytest.mark.parametrize(("body", "candidate"), [(blend, "input"), (reset_inside, "recurrent")])
def test_one_step_of_a_gated_unit(body, candidate):
    names = ("wz", "uz", "wr", "ur", "wn", "un")
    expect(
        net(body, **dict.fromkeys(names, (8, 8)), head=(8, 2)),
        (x(3, 8), x(3, 8)),
        {f"{name}.weight": "recurrent <- input" for name in names}
        | {"un.weight": f"recurrent <- {candidate}", "head.weight": "output <- recurrent"},
    )


def test_gated_unit_on_concatenations():
    def body(m, x):
        h = torch.tanh(m.start(x[:, 0]))
        for step in range(3):
            both = torch.cat([x[:, step], h], -1)
            z, r = torch.sigmoid(m.z(both)), torch.sigmoid(m.r(both))
            h = torch.lerp(torch.tanh(m.n(torch.cat([x[:, step], r * h], -1))), h, z)
        return m.head(h)

    expect(
        net(body, start=(8, 8), z=(16, 8), r=(16, 8), n=(16, 8), head=(8, 2)),
        x(3, 3, 8),
        {
            "start.weight": "tanh <- input",
            "z.weight": "recurrent <- input recurrent tanh",
            "r.weight": "recurrent <- input recurrent tanh",
            "n.weight": "recurrent <- input recurrent",
            "head.weight": "output <- recurrent",
        },
    )


def test_long_short_term_memory():
    def body(m, x):
        h = c = torch.zeros(x.shape[0], 8)
        for step in range(x.shape[1]):
            i, f, g, o = (m.w(x[:, step]) + m.u(h)).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return m.head(h)

    expect(
        net(body, w=(8, 32), u=(8, 32), head=(8, 2)),
        x(3, 4, 8),
        {"w.weight": "recurrent <- input", "u.weight": "recurrent <- recurrent", "head.weight": "output <- recurrent"},
    )


def test_highway_is_none():
    def body(m, x):
        t = torch.sigmoid(m.t(x))
        return m.head(t * F.relu(m.h(x)) + (1 - t) * x)

    expect(
        net(body, h=(8, 8), t=(8, 8), head=(8, 2)),
        x(3, 8),
        {"h.weight": "relu <- input", "t.weight": "sigmoid <- input", "head.weight": "output <- gate_multiply"},
    )
