"""What the judge sees: layers with their surroundings, chains between normalizations, and the measured run."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.records.fact import Fact, Unknown
from initcheck.records.lookup import find
from initcheck.records.recording import ParameterRecord, Recording
from initcheck.records.stats import GradientFlow, OutputStats, TableStats, WeightStats
from initcheck.records.target import Target

NOT_NONLINEAR = (
    "weight_layer",
    "attention",
    "recurrent",
    "residual_add",
    "gate_multiply",
    "output",
    "embedding",
    "input",
    "softmax",
    "log_softmax",
)
"""Role words of what is no nonlinearity."""


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    """The nonlinearity that a layer's pre-activation goes through.

    `role` is a role word (`relu`, `tanh`, `custom:<name>` …); `parameter` its hyper-parameters as it was called with them (negative
    slope, alpha, beta and threshold …), empty where it has none or they could not be read. `square_ratio` is E[phi(z)^2] / E[z^2] as
    measured in the run, when it was.
    """

    role: str
    parameter: tuple[float, ...] = ()
    square_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One weight (a matrix, a kernel, a table, a norm's scale) and its surroundings.

    name: path of the owning module; weight: the parameter; bias: the bias parameter of the same layer, or empty.
    kind: linear, conv, conv_transpose, embedding, recurrent, bilinear, matmul, norm, scale (elementwise), bias
        (added, belongs to no layer), opaque (a vector inside an operation that cannot be looked into), unused.
    fan_in, fan_out: the fans that the use of the weight implies (not always what torch computes), per gate if packed.
    torch_fans: fan_in and fan_out as torch's initializing functions count them from the shape of the tensor.
    packed: widths of the parts of the output that go separate ways (gates; q, k and v; gate and up), in the order in which they are
        stored; empty where the output is one.
    feeds, fed_by: sorted role words of the nearest non-transparent consumers and producers, over all uses.
    then: what comes after the nonlinearity or norm of `feeds` (roles again), over all uses.
    merges: how the output is combined on its way to `feeds`: `sum` (added to another pre-activation or a
        data tensor), `residual_add`, `concat`, `gate_multiply`, `noise` (random numbers are added); empty when it is alone.
    nonlinearity: the first nonlinearity after the layer, looking through a normalization; Unknown when there is none or several.
    norm: the role word of the normalization that the output enters directly, empty for none.
    closes_branch: the output enters a residual add (perhaps through a norm or a scale) without another weight layer between.
    inside_branch: the layer lies on a branch that a residual add closes.
    gates: the nonlinearity's result multiplies other data (a gate).
    gate: root mean square of what such a gate lets through, 0 closed and 1 open; of sigmoids only.
    gated: weights that reach the model's outputs through nothing but this gate.
    kinds: the kinds of all uses (a table that is also the output head is `embedding` and `linear`).
    derived: the weight is computed from parameters at run time by more than views and casts (weight_norm, equalised learning rate).
    gain: std * sqrt(fan_in), dimensionless.
    second_moment, gradient, sample_fraction: of the pre-activation (weights) as in `SignalStats`, first use.
    input_second_moment: E[x^2] of what the weight multiplies.
    dead, saturated: of the nonlinearity's output, the largest over uses.
    outgoing: weights that the output reaches next through nothing but nonlinearities, norms and transparent operations.
    beside: the other readers of what this weight multiplies: their weights, or an empty name for anything else.
    depth: number of weight layers before this one on the longest path; uses: how often it was applied.
    affine: the numbers (a, b) such that the data meet a * w + b: (1, 0) for a plain use, (1, 1) for a scale used as 1 + w.
    value: for a scale with one value (one element, or a constant), what it multiplies the data by after exp, clamp and the like;
        the reciprocal where it divides.
    applied_second_moment: E[p^2] of what a scale or an added table puts to the data, as it arrived there.
    part, partner: what the parameter is in a larger mechanism, told from the dataflow alone, and the other parameter of that mechanism:
        `state_decay` (exp(-exp(w) * softplus(...)); partner: the bias inside the softplus), `router` (its scores choose or weight
        experts), `recurrent_matrix` (U in a step h = phi(W x + U h) that was written out), `logit_scale` and `score_scale` (one number
        that scales what is returned, or what a softmax reads), `low_rank_up` (partner: the weight whose output it adds to),
        `low_rank_down` (partner: its `low_rank_up`).
    """

    name: str
    weight: str
    kind: str
    shape: tuple[int, ...]
    bias: str = ""
    fan_in: Fact[int] = Unknown("not used in the run")
    fan_out: Fact[int] = Unknown("not used in the run")
    torch_fans: Fact[tuple[int, int]] = Unknown("not used in the run")
    packed: tuple[int, ...] = ()
    feeds: Fact[tuple[str, ...]] = Unknown("not used in the run")
    fed_by: Fact[tuple[str, ...]] = Unknown("not used in the run")
    then: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    nonlinearity: Fact[Nonlinearity] = Unknown("not used in the run")
    norm: str = ""
    closes_branch: bool = False
    inside_branch: bool = False
    gates: bool = False
    gate: Fact[float] = Unknown("no sigmoid gate")
    gated: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    derived: bool = False
    groups: int = 1
    blocks: int = 1
    cell: str = ""
    gain: Fact[float] = Unknown("not measured")
    second_moment: Fact[float] = Unknown("no forward pass")
    input_second_moment: Fact[float] = Unknown("no forward pass")
    gradient: Fact[float] = Unknown("no backward pass")
    sample_fraction: Fact[float] = Unknown("no forward pass")
    mean_square: Fact[float] = Unknown("no forward pass")
    dead: Fact[float] = Unknown("no forward pass")
    saturated: Fact[float] = Unknown("no forward pass")
    outgoing: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    depth: int = 0
    uses: int = 0
    tied: tuple[str, ...] = ()
    affine: Fact[tuple[float, float]] = Unknown("not used in the run")
    value: Fact[float] = Unknown("not used in the run")
    applied_second_moment: Fact[float] = Unknown("no forward pass")
    part: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """The step from the pre-activation of one weight to that of the next in a chain.

    forward: ln(E[z_next^2] / E[z^2]); backward: ln(gradient at z / gradient at z_next); padding: ln of the share of live
    taps that zero padding costs (<= 0), already removed from both; width: fan_in of the weight at the end of the hop.
    """

    source: str
    weight: str
    forward: Fact[float]
    backward: Fact[float]
    padding: float = 0.0
    width: int = 1


@dataclass(frozen=True, slots=True)
class Chain:
    """Successive weights between which stands no normalization and no residual add; `weights` has one more entry than `hops`.

    `batch_norm` says that a batch normalization lies inside the stretch of network that this chain's gradient came through.
    """

    weights: tuple[str, ...]
    hops: tuple[Hop, ...]
    sample_fraction: Fact[float] = Unknown("no forward pass")
    batch_norm: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """One output of the model, read as logits, and what makes it.

    weights: the weights whose results reach the output through nothing but views, scalings by constants and sums.
    others: role words of whatever else ends there (`relu`, `layer_norm`, `residual_add` …).
    bias_share: share of the logits' variance over the classes that these weights' biases make, which one step corrects.
    """

    output: OutputStats
    weights: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    bias_share: float = 0.0


@dataclass(frozen=True, slots=True)
class ResidualSum:
    """One residual add.

    closing: the weights that end its branch; branch: all weights on it; growth: ln(E[sum^2] / E[shortcut^2]), that is ln(1 + r) for a
    branch of relative second moment r; net: ln of the ratio to the sum before it in the stream (to the shortcut for the first one), so
    that a nonlinearity in between counts. bounded: on every path of the branch stands a normalization or a bounded nonlinearity, so
    that it does not grow with the stream.
    """

    closing: tuple[str, ...]
    branch: tuple[str, ...]
    growth: Fact[float]
    net: Fact[float]
    bounded: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """Residual adds whose shortcuts follow each other; `normed` when each shortcut passes a normalization (post-norm)."""

    sums: tuple[ResidualSum, ...]
    normed: bool = False


@dataclass(frozen=True, slots=True)
class Attention:
    """One softmax attention.

    projections: the weights that make its queries and keys (the scales of their normalization, if they have one), and learned scales of
    the logits; logit_variance: mean variance of the content logits along a row, scale included, position biases and masks left out;
    keys: entries of a row.
    biased: position biases could not be told apart and are part of the variance.
    """

    projections: tuple[str, ...]
    logit_variance: Fact[float]
    keys: int
    biased: bool = False


@dataclass(frozen=True, slots=True)
class Blockage:
    """Why a parameter never receives gradient.

    cause: `flat` (a nonlinearity that is flat at every element), `zeros` (zero parameters in series: gradient arrives once they hold
    something else), `zero factor` (a constant or data that are zero), `selected` (a mask, an index or an empty batch chose other values
    in this run), or `unknown`. by: the module or parameter that blocks it.
    """

    parameter: str
    cause: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ConstantUse:
    """A tensor of a module that entered the run without being a parameter.

    `tensor` is the name of its `TensorRecord`; `operations` are the operations in which it (or what is computed from it alone)
    first meets data from the input.
    """

    tensor: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NonFinite:
    """The operation that first made what is not finite in a layer or an output.

    weights: the weights whose results it reads (its own, for a layer). kind: `NaN` or `infinity` out of finite operands; `masked` when a
    softmax got a row without a finite entry; `given` when it came in with an input or a buffer.
    """

    op: str
    module: str
    weights: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a rule may look at."""

    target: Target
    recording: Recording
    layers: tuple[Layer, ...]
    chains: tuple[Chain, ...]
    weights: tuple[WeightStats, ...]
    streams: tuple[Stream, ...] = ()
    attentions: tuple[Attention, ...] = ()
    blockages: tuple[Blockage, ...] = ()
    nonfinite: NonFinite | None = None
    arguments: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    flows: tuple[GradientFlow, ...] = ()
    outputs: tuple[OutputStats, ...] = ()
    heads: tuple[Head, ...] = ()
    tables: tuple[TableStats, ...] = ()
    batch: int = 0
    constants: tuple[ConstantUse, ...] = ()

    def layer(self, weight: str) -> Layer | None:
        """The layer of one weight parameter."""
        return find(self.layers, _weight, weight)

    def stats(self, parameter: str) -> WeightStats | None:
        """The statistics of one parameter."""
        return find(self.weights, _parameter, parameter)

    def record(self, parameter: str) -> ParameterRecord | None:
        """The provenance of one parameter."""
        return self.recording.parameter(parameter)

    def flow(self, parameter: str) -> str:
        """The gradient flow of one parameter: `flows`, `late`, `dead`, `unreached` or `unknown`."""
        found = find(self.flows, _parameter, parameter)
        return found.state if found is not None else "unknown"


def _weight(layer: Layer) -> tuple[str]:
    return (layer.weight,)


def _parameter(record: WeightStats | GradientFlow) -> tuple[str]:
    return (record.parameter,)
