"""IC806."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import TensorRecord
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule

PRODUCTS = (
    "addmm",
    "mm",
    "bmm",
    "baddbmm",
    "addbmm",
    "addmv",
    "mv",
    "dot",
    "linear",
    "_trilinear",
    "convolution",
    "embedding",
    "embedding_bag",
)
MULTIPLYING = (*PRODUCTS, "mul", "div", "addcmul")
DRAWN = (
    "rand",
    "randn",
    "rand_like",
    "randn_like",
    "normal",
    "normal_",
    "uniform_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
)
DRAWN_TOO = ("trunc_normal_", "orthogonal_", "sparse_", "bernoulli", "bernoulli_")


@dataclass(frozen=True)
class UnregisteredTensor(ModelRule):
    """The forward pass uses a tensor as a weight that the module does not know as a parameter or buffer.

    Why: a plain tensor attribute, or a parameter in a plain list, is missing from `parameters()` and from the state dict: no optimizer trains it, `.to()` does
        not move it, and a reloaded model draws other numbers.
    Silent when: it is a buffer, shares the memory of a parameter, is only added or compared (masks, offsets), is deterministic and only scales elementwise
        (image statistics, rotary tables), the run does not reach it, or it belongs to a hidden module that is frozen (a teacher kept out of the state dict on purpose).
        Info when it is deterministic: a fixed filter.
    Source: torch.nn.Module registers parameters and modules on attribute assignment only, https://pytorch.org/docs/stable/notes/modules.html.
    """

    code: ClassVar[str] = "IC806"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "display"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.weight = torch.randn(16, 16) * 0.25\n        self.head = nn.Linear(16, 4)\n\n    def forward(self, x):\n        return self.head(torch.tanh(x @ self.weight))\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.randn(16, 16) * 0.25)\n        self.head = nn.Linear(16, 4)\n\n    def forward(self, x):\n        return self.head(torch.tanh(x @ self.weight))\n\n\nmodel = Net()\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        uses = {use.tensor: use.operations for use in evidence.constants}
        hidden: dict[str, list[TensorRecord]] = {}
        for tensor in evidence.recording.tensors:
            if tensor.kind == "buffer":
                continue
            if tensor.kind == "hidden" and tensor.trainable and uses.get(tensor.name):
                hidden.setdefault(_holder(tensor), []).append(tensor)
            elif tensor.kind == "attribute":
                severity = _severity(tensor, uses.get(tensor.name, ()), ran=evidence.batch > 0)
                if severity is not None:
                    yield self._say(tensor, severity)
        for holder, members in hidden.items():
            yield self._hidden(holder, members)

    def _say(self, tensor: TensorRecord, severity: Severity) -> Finding:
        what = "requires a gradient" if tensor.trainable else "was drawn at random" if _drawn(tensor) else "is fixed"
        remedy = "nn.Parameter(...)" if severity == "warning" else "self.register_buffer(...)"
        return self.finding(
            (tensor.name,),
            "a plain tensor attribute is used as a weight",
            severity=severity,
            observed=f"{tensor.dtype} [{'x'.join(map(str, tensor.shape))}] in {tensor.owner}; it {what}, and parameters() and state_dict() lack it",
            expected="nn.Parameter if it is to be trained, a buffer if not",
            location=tensor.created,
            fix=Fix((tensor.name,), None, "display", f"register it: {remedy}"),
            note="neither parameter nor buffer",
            why="No optimizer sees it, `.to(device)` leaves it behind, and it is lost when the model is saved.",
        )

    def _hidden(self, holder: str, members: list[TensorRecord]) -> Finding:
        return self.finding(
            tuple(member.name for member in members),
            "the parameters of modules in a plain list, tuple or dictionary are not registered",
            observed=f"{len(members)} trainable parameters under {holder} that parameters() and state_dict() lack",
            expected="nn.ModuleList, nn.ModuleDict or nn.ParameterList",
            location=members[0].created,
            fix=Fix(tuple(member.name for member in members), None, "display", "hold them in nn.ModuleList or nn.ModuleDict"),
            note="not registered",
            why="No optimizer sees them, `.to(device)` leaves them behind, and they are lost when the model is saved.",
        )


def _severity(tensor: TensorRecord, operations: tuple[str, ...], *, ran: bool) -> Severity | None:
    if tensor.trainable and (operations or not ran):
        return "warning"
    if _drawn(tensor) and set(operations) & set(MULTIPLYING):
        return "warning"
    return "info" if set(operations) & set(PRODUCTS) else None


def _drawn(tensor: TensorRecord) -> bool:
    return any(call.name in (*DRAWN, *DRAWN_TOO) for write in tensor.writes for call in write.lineage)


def _holder(tensor: TensorRecord) -> str:
    """The attribute that hides a module: `blocks` of `blocks[2].fc.weight`."""
    path = f"{tensor.module}." if tensor.module else ""
    return path + tensor.name[len(path) :].split("[")[0].split(".")[0]
