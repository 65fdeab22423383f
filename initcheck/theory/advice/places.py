"""THE recommendation table: what to write in each place of a network."""

from __future__ import annotations

from initcheck.records.recording import InitCall
from initcheck.theory.advice.records import GPT2, Place, Recommendation, normal, orthogonal, residual, zeros
from initcheck.theory.advice.special_places import SPECIAL_PLACES

GENERAL_PLACES: tuple[Place, ...] = (
    Place(
        "norm",
        "in front of a normalization",
        Recommendation(
            "any scheme",
            None,
            None,
            "the normalization that follows removes the scale; only the effective learning rate depends on it",
            "van Laarhoven 2017, arXiv:1706.05350",
            ("kaiming_normal_(nonlinearity='relu')", "torch's default"),
        ),
        "any scale within a factor of 10, fan_out with the wrong groups, any bias before a batch or instance normalization",
    ),
    Place("residual", "residual branch without normalization", residual(), "a zero last layer, a zero gate"),
    Place(
        "residual_norm",
        "residual branch that ends in a normalization",
        Recommendation(
            *zeros(" on the last normalization's weight"),
            "the network starts as its shortcuts, which keeps early training stable at large batches",
            "Goyal et al. 2017, arXiv:1706.02677, section 5.1",
            ("ones_(), the framework's default",),
        ),
        "a zero weight on the last normalization of a branch",
    ),
    Place(
        "layer_scale",
        "per-channel scale at the end of a branch (LayerScale)",
        Recommendation(
            "constant_(0.1) up to 18 blocks, 1e-5 up to 24, 1e-6 beyond",
            InitCall("constant_", (("val", 1e-5),)),
            None,
            "a small branch keeps a deep stack close to the identity",
            "Touvron et al. 2021, arXiv:2103.17239",
            ("any small positive constant",),
        ),
        "any constant between 1e-6 and 1",
    ),
    Place(
        "transformer",
        "pre-norm transformer",
        Recommendation(
            *normal(0.02),
            "normalization sets the scale of every branch; small weights keep the residual stream close to the identity",
            GPT2,
            ("xavier_uniform_()", "trunc_normal_(std=0.02)", "residual projections divided by sqrt(2 layers)", "pretrained weights"),
        ),
        "a standard deviation of 0.02 at any width, no residual scaling, zero residual projections",
    ),
    Place(
        "transformer_post",
        "post-norm transformer",
        Recommendation(
            "xavier_uniform_() with warm-up",
            InitCall("xavier_uniform_", (("gain", 1.0),)),
            1.0,
            "gradients grow towards the last block, so the first steps must be small",
            "Xiong et al. 2020, arXiv:2002.04745",
            ("normal_(std=0.02)", "xavier with gain (8 layers)^-1/4 and a scaled shortcut (DeepNorm)"),
        ),
        "DeepNorm's small gains",
    ),
    Place(
        "query_key",
        "query and key projections",
        Recommendation(
            "xavier_uniform_() on each of q, k and v",
            InitCall("xavier_uniform_", (("gain", 1.0),)),
            1.0,
            "the variance of the attention logits should stay near or below 1; beyond 10 the softmax picks single tokens from the start",
            "Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1",
            ("normal_(std=0.02)", "zero queries (muP)"),
        ),
        "zeros in one of query and key, the scale of a query-key normalization",
    ),
    Place(
        "recurrent",
        "hidden-to-hidden weight of an RNN, LSTM or GRU",
        Recommendation(
            *orthogonal("orthogonal_() on each gate's block of weight_hh, xavier_uniform_() on weight_ih, forget bias 1"),
            "an orthogonal matrix keeps the length of the state over every step; on the packed matrix it holds for no single gate",
            "Saxe et al. 2014, arXiv:1312.6120",
            ("identity for a ReLU cell (Le et al. 2015, arXiv:1504.00941)",),
        ),
        "identity, orthogonal",
    ),
    Place(
        "output",
        "classification head",
        Recommendation(
            *normal(0.01),
            "logits near zero start the loss at ln(classes)",
            "Goyal et al. 2017, arXiv:1706.02677, section 5.1",
            ("zeros_()", "xavier_uniform_()", "torch's default", "1 / fan_in (muP)"),
        ),
        "a zero head, one bias for all classes, biases that are log priors",
    ),
    Place(
        "norm_weight",
        "weight and bias of a normalization",
        Recommendation(
            "ones_() and zeros_()",
            None,
            None,
            "the normalized signal passes as it is; where the layer computes 1 + weight the weight starts at 0",
            "Ioffe & Szegedy 2015, arXiv:1502.03167",
            ("N(1, 0.02²)",),
        ),
        "0 at the end of a residual branch, 0 where 1 + weight is used",
    ),
    Place(
        "bias",
        "bias of a hidden layer",
        Recommendation(*zeros(), "a bias adds the same to every sample", "He et al. 2015, arXiv:1502.01852", ("0.01", "torch's default")),
        "0 to 1 in front of a rectifier, N(0, 1), anything before a batch normalization",
    ),
    Place(
        "small_data",
        "few training samples",
        Recommendation(
            "pretrained weights, and a new head",
            None,
            None,
            "no random start makes up for what a large data set has taught",
            "Yosinski et al. 2014, arXiv:1411.1792",
        ),
    ),
)
"""Places that most networks have."""

PLACES: tuple[Place, ...] = (*GENERAL_PLACES, *SPECIAL_PLACES)
"""Every place with an advice of its own; a weight in no such place is advised by the nonlinearity that it feeds."""
