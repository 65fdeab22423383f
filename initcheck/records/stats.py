"""Plain numbers measured on weights and on the signal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.records.fact import Fact


@dataclass(frozen=True, slots=True)
class WeightStats:
    """One pass over one parameter (after its runtime parametrization, if there is one).

    `second_moment` is E[w^2]; `kurtosis` E[(w-mean)^4]/var^2, NaN below 8 elements. Rows are slices along the first
    axis, columns along the second, flattened. `rank_one` says that all rows are multiples of one row (never true for one row or
    one column). `fingerprint` hashes the bytes of a tensor that is not constant, empty for a constant one.
    `block_orthogonality` holds, for each of the equal row blocks (`blocks` of them: 4 gates in an LSTM, 1 in a plain matrix),
    `||G - I||_F / sqrt(r)` with `G = B B^T r / ||B||_F^2` for the smaller side r; an estimate from a few rows where those rule an
    orthogonal matrix out; empty if it was not measured. `block_gain` is `||B||_F / sqrt(r)` of each block, `block_mean` its mean;
    `block_growth`, for a square matrix of one block, the factor by which it multiplies the length of a vector at each of many steps (its
    spectral radius, to about 2 %).
    `row_dispersion` is the variance of the row mean squares over the square of their mean, rows of zeros left out (dimensionless, NaN
    for fewer than two rows or one column); `zero_rows` counts those. `row_profile` holds E[w^2] of equal row segments: 12, 6, 4, 3 or 2,
    the most that divide the rows. `centre_tap` says that only the centre of a kernel is not zero. `diagonal` is c where the weight is
    c times an identity (or Dirac kernel) of `diagonal_groups` blocks. `outliers` counts the elements farther from the mean than half of the
    farthest one, where that lies beyond 8 std (all three are 0 elsewhere); `inner_std` is the std of the others, `inner_largest` their largest |w - mean|.
    """

    parameter: str
    shape: tuple[int, ...]
    dtype: str
    numel: int
    mean: float
    second_moment: float
    minimum: float
    maximum: float
    kurtosis: float
    zeros: int
    nonfinite: int
    distinct_rows: int
    distinct_columns: int
    rank_one: bool = False
    fingerprint: str = ""
    blocks: int = 1
    block_orthogonality: tuple[float, ...] = ()
    block_gain: tuple[float, ...] = ()
    block_mean: tuple[float, ...] = ()
    block_growth: tuple[float, ...] = ()
    row_dispersion: float = math.nan
    zero_rows: int = 0
    row_profile: tuple[float, ...] = ()
    centre_tap: bool = False
    diagonal: float | None = None
    diagonal_groups: int = 0
    outliers: int = 0
    inner_std: float = 0.0
    inner_largest: float = 0.0

    @property
    def std(self) -> float:
        """The standard deviation, sqrt(E[w^2] - mean^2)."""
        return math.sqrt(max(self.second_moment - self.mean**2, 0.0))

    @property
    def constant(self) -> bool:
        """Whether all elements are equal (trivially true for one element)."""
        return self.numel > 0 and self.nonfinite == 0 and self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class SignalStats:
    """The signal at the output of one node of the graph.

    `second_moment` is E[z^2] over everything; `sample_fraction` = E||z - mean over the batch||^2 / E||z||^2;
    `gradient` is the second moment of the gradient with respect to this output: mean over units, sum over
    positions, mean over the batch, under a standard normal cotangent at the model's outputs.
    `dead` is the share of units that are zero on the whole batch, `saturated` the share of elements where the
    nonlinearity is flat (|tanh| > 0.97 and the like). `mean_square` is E[unit mean^2] / E[z^2], the share of the constant part.
    `derivative` is E[phi'(z)^2] where it is known in closed form. `input_second_moment` is E[x^2] of the first factor of a weight
    operation (`x` in `x @ w`, the input of a convolution), to about 2 %; `operands` E[x^2] of each tensor operand of a sum, or of a
    product or quotient that broadcasts, to about 2 %, None for one that was overwritten. `row_variance` is the mean variance along a
    row of attention logits, from 64 rows, masked entries left out: q k^T before its scale for a fused attention, the input for a
    softmax, the output for a batched product. `lifted` says that zero weights hide this place from the outputs: the gradient is then
    one that arrives when they are replaced by tiny noise, and only its ratio to that of another lifted place means anything.
    """

    node: int
    numel: int
    second_moment: float
    nonfinite: bool = False
    sample_fraction: Fact[float] | None = None
    gradient: Fact[float] | None = None
    dead: float | None = None
    saturated: float | None = None
    mean_square: float | None = None
    derivative: float | None = None
    input_second_moment: float | None = None
    operands: tuple[float | None, ...] = ()
    row_variance: float | None = None
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class BrokenValue:
    """The result of one operation that holds NaN or infinity; `from_finite` says that none of its operands does."""

    node: int
    nan: bool
    infinite: bool
    from_finite: bool


@dataclass(frozen=True, slots=True)
class GradientFlow:
    """Whether a parameter receives gradient: at once, only after temporary steps, or never (`dead`)."""

    parameter: str
    state: str
    """`flows`, `late` (zero at first, not after two temporary steps), `dead`, `unreached` (not part of the run)."""
    steps: int = 0
    """Temporary steps after which the gradient of a `late` one arrived: 1 or 2; 0 for the others."""


@dataclass(frozen=True, slots=True)
class OutputStats:
    """One float output, read as logits over its class axis.

    `excess_loss` is the cross-entropy under random labels minus ln C, in nats.
    """

    node: int
    shape: tuple[int, ...]
    classes: int
    excess_loss: float
    logit_std: float


@dataclass(frozen=True, slots=True)
class TableStats:
    """The rows of an embedding module's table.

    `padding` is the index of the row that the module never trains (`padding_idx`), -1 for none; `padding_rms` its root mean square.
    `zero_rows` counts the rows that are zero throughout, `zero_columns` the columns.
    """

    parameter: str
    rows: int
    columns: int
    padding: int = -1
    padding_rms: float = 0.0
    zero_rows: int = 0
    zero_columns: int = 0


@dataclass(frozen=True, slots=True)
class RunStats:
    """Everything measured in one forward and backward pass (and the temporary steps, if they were needed).

    `arguments` are the names of the forward arguments that hold tensors, `ignored` those that no output depends on.
    """

    signals: tuple[SignalStats, ...]
    flows: tuple[GradientFlow, ...]
    outputs: tuple[OutputStats, ...]
    batch: int
    notes: tuple[str, ...] = ()
    broken: tuple[BrokenValue, ...] = ()
    arguments: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
