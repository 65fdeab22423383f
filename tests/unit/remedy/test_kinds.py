"""Models of every make: started and healed where they can be written, refused with the reason where they cannot."""

import pytest
import torch
from torch import nn

import initcheck

X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))


def small():
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))


def reasons(result):
    return {one.parameter: one.reason for one in result.left}


def test_lazy_layers_are_listed():
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 4))
    told = reasons(initcheck.initialize(model, X))
    assert "lazy" in told["0.weight"] and "did not run" in told["2.weight"]
    fixed = initcheck.fix(model, inputs=X, unsafe=True)
    assert not fixed.ok and "lazy" in str(fixed)


def test_meta_models_are_refused():
    with torch.device("meta"):
        model = small()
    assert all("meta" in reason for reason in reasons(initcheck.initialize(model, X)).values())


def test_models_made_in_inference_mode_are_refused():
    with torch.inference_mode():
        model = small()
    assert all("inference" in reason for reason in reasons(initcheck.initialize(model, X)).values())


@pytest.mark.filterwarnings("ignore")
def test_quantized_layers_are_refused():
    quantization = pytest.importorskip("torch.ao.quantization")
    model = quantization.quantize_dynamic(small(), {nn.Linear}, dtype=torch.qint8)
    assert all("quantized" in reason for reason in reasons(initcheck.initialize(model, X)).values())
    assert set(reasons(initcheck.initialize(model, X))) == {"0.weight", "2.weight"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, torch.jit.script], ids=["parallel", "compiled", "scripted"])
def test_wrapped_models_are_started_under_their_own_names(wrap):
    model = wrap(small())
    result = initcheck.initialize(model, X)
    assert set(result.written) == {name for name, _ in model.named_parameters()} and not result.left


def test_pruned_weights_are_drawn_under_their_mask():
    from torch.nn.utils import prune

    model = small()
    prune.l1_unstructured(model[0], "weight", 0.5)
    mask = model[0].weight_mask.clone()
    result = initcheck.initialize(model, X)
    model(X)
    assert "0.weight_orig" in result.written or "0.weight_orig" in reasons(result)
    assert torch.equal(model[0].weight_mask, mask) and not model[0].weight[mask == 0].any()


def test_an_input_that_does_not_fit_is_said():
    result = initcheck.initialize(small(), torch.randn(3, 5))
    assert not result.written and "wants last dimension 8" in str(result)
    assert "wants last dimension 8" in str(initcheck.fix(small(), inputs=torch.randn(3, 5)))


def test_low_precision_is_balanced_too():
    model = small().bfloat16()
    result = initcheck.initialize(model, X.bfloat16(), "lsuv")
    assert model[0].weight.dtype == torch.bfloat16 and all(abs(moment - 1) < 0.1 for _, moment in result.moments)
