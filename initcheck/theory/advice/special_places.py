"""The rows of the recommendation table for heads, tables, gates and named architectures."""

from __future__ import annotations

import math

from initcheck.records.recording import InitCall
from initcheck.theory.advice.records import GPT2, Place, Recommendation, normal, orthogonal, siren, zeros

SPECIAL_PLACES: tuple[Place, ...] = (
    Place(
        "forget_gate",
        "forget gate of an LSTM",
        Recommendation(
            "constant_(1.0) on the forget gate's quarter of one bias (torch adds bias_ih and bias_hh)",
            InitCall("constant_", (("val", 1.0),)),
            None,
            "an open gate carries the memory, and its gradient, across many steps",
            "Jozefowicz et al. 2015",
            ("chrono: ln U(1, T - 1) for memories of T steps (Tallec & Ollivier 2018, arXiv:1804.11188)", "2"),
        ),
        "any value from 0 to 5",
    ),
    Place(
        "gate",
        "carry gate of a highway layer",
        Recommendation(
            "constant_(-1.0)",
            InitCall("constant_", (("val", -1.0),)),
            None,
            "a gate that starts by carrying its input lets gradients through a deep stack",
            "Srivastava et al. 2015, arXiv:1505.00387",
            ("any value from -3 to 0",),
        ),
        "a negative bias down to -3",
    ),
    Place(
        "detection",
        "sigmoid head with rare positives (detection, focal loss)",
        Recommendation(
            "constant_(-log((1 - p) / p)) on the bias, p = 0.01 the share of positives",
            InitCall("constant_", (("val", -math.log(99.0)),)),
            None,
            "the first loss is then not ruled by the many negatives",
            "Lin et al. 2017, arXiv:1708.02002, section 4.1",
            ("p = 1 / (classes + 1)",),
        ),
        "a constant negative bias",
    ),
    Place(
        "policy",
        "last layer of a policy",
        Recommendation(
            *orthogonal("orthogonal_(gain=0.01)", 0.01),
            "the first policy should not depend on what is seen",
            "Andrychowicz et al. 2021, arXiv:2006.05990, section 3.2",
            ("normal_(std=0.01)", "value head with gain 1"),
        ),
        "a small policy head, a constant log standard deviation",
    ),
    Place(
        "embedding",
        "embedding table",
        Recommendation(
            *normal(0.02),
            "a row is read as it is, so no fan enters; tied to an output layer, unit rows would make logits of size sqrt(width)",
            GPT2,
            ("normal_(std=width ** -0.5)", "normal_(std=1) when it is not tied to the output layer"),
        ),
        "N(0, 1) in a table that is not tied, a zero row at padding_idx",
    ),
    Place(
        "position",
        "learned positions, class, mask and register tokens",
        Recommendation(
            *normal(0.02),
            "they are added to the tokens and should not drown them",
            "Dosovitskiy et al. 2021, arXiv:2010.11929",
            ("zeros_()", "sinusoids", "normal_(std=1) (DETR)"),
        ),
        "zeros, 1e-6, N(0, 1), sinusoids",
    ),
    Place("siren", "layer that feeds sin(30 x)", siren(), "exactly these bounds; the first layer's pre-activations are large on purpose"),
    Place(
        "deep",
        "ten or more layers in a row without normalization",
        Recommendation(
            "orthogonal_() with gain² 1 / E[φ′²], biases N(0, q - E[φ²] / E[φ′²])",
            None,
            None,
            "at the smallest stable second moment q of that line signal and gradient both keep their size; rectifiers need no biases",
            "Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; Hayou et al. 2019, arXiv:1902.06853",
            ("a normalization layer in between",),
        ),
        "small random biases",
    ),
    Place(
        "plain_conv",
        "deep plain convolutions without normalization",
        Recommendation(
            "delta-orthogonal kernels",
            None,
            1.0,
            "an orthogonal matrix at the centre of each kernel keeps the norm of every signal, at any depth",
            "Xiao et al. 2018, arXiv:1806.05393",
            ("kaiming_normal_()", "dirac_()"),
        ),
        "zero taps around the centre",
    ),
    Place(
        "sub_pixel",
        "convolution in front of a pixel shuffle",
        Recommendation(
            "He, each kernel repeated factor² times (ICNR)",
            None,
            math.sqrt(2.0),
            "the upscaled image then starts without a checkerboard",
            "Aitken et al. 2017, arXiv:1707.02937",
            ("kaiming_normal_()",),
        ),
        "equal rows in groups of factor²",
    ),
    Place(
        "gan",
        "convolutions of a DCGAN",
        Recommendation(
            *normal(0.02),
            "the batch normalization that follows sets the scale",
            "Radford et al. 2016, arXiv:1511.06434",
            ("orthogonal_()", "N(0, 1) where the forward pass multiplies by gain / sqrt(fan_in)"),
        ),
        "normalization weights drawn from N(1, 0.02²)",
    ),
    Place(
        "lora",
        "low-rank adapter",
        Recommendation(
            "kaiming_uniform_(a=sqrt(5)) on A, zeros_() on B",
            None,
            None,
            "with exactly one zero factor the adapter starts as nothing and still learns",
            "Hu et al. 2022, arXiv:2106.09685",
            ("normal_() on A", "A zero and B random"),
        ),
        "exactly one zero factor",
    ),
    Place(
        "modulation",
        "adaLN modulation, zero convolution, flow coupling",
        Recommendation(
            *zeros(),
            "the block starts as the identity (or as the frozen network that it steers)",
            "Peebles & Xie 2023, arXiv:2212.09748; Zhang et al. 2023, arXiv:2302.05543",
            ("a small gain",),
        ),
        "zeros",
    ),
    Place(
        "state_space",
        "state-space parameters (Mamba, S4D)",
        Recommendation(
            "A_log = log(1 … N) in every row, D = 1, dt_bias = softplus⁻¹ of exp(U(ln 0.001, ln 0.1))",
            None,
            None,
            "the time constants then cover one step to a thousand",
            "Gu & Dao 2023, arXiv:2312.00752",
            ("one constant per head (Mamba-2)",),
        ),
        "identical rows, ramps, biases from -7 to -2",
    ),
    Place(
        "router",
        "router of a mixture of experts",
        Recommendation(
            *normal(0.02),
            "small logits spread the tokens over all experts",
            "Fedus et al. 2021, arXiv:2101.03961, section 2.4",
            ("trunc_normal_ with std sqrt(0.1 / fan_in)",),
        ),
        "a small router",
    ),
)
"""Places that call for a scheme of their own."""
