"""Eight architectures of transformers, saved here: into fresh models, by its own loader, and recognised in a live model."""

import pytest
import torch

import initcheck
from initcheck.pretrained.recognising import recognised

transformers = pytest.importorskip("transformers")

SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ARCHITECTURES = {
    "bert": ("BertModel", "BertForSequenceClassification", SMALL),
    "roberta": ("RobertaModel", "RobertaForTokenClassification", SMALL),
    "distilbert": (
        "DistilBertModel",
        "DistilBertForSequenceClassification",
        {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    ),
    "gpt2": (
        "GPT2LMHeadModel",
        "GPT2LMHeadModel",
        {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0},
    ),
    "llama": ("LlamaForCausalLM", "LlamaForCausalLM", {**SMALL, "num_key_value_heads": 2}),
    "mixtral": ("MixtralForCausalLM", "MixtralForCausalLM", {**SMALL, "num_key_value_heads": 2, "num_local_experts": 4}),
    "t5": (
        "T5ForConditionalGeneration",
        "T5ForConditionalGeneration",
        {"vocab_size": 99, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2},
    ),
    "vit": (
        "ViTModel",
        "ViTForImageClassification",
        {**{k: v for k, v in SMALL.items() if k != "vocab_size"}, "image_size": 32, "patch_size": 8},
    ),
}


def config(kind):
    return transformers.AutoConfig.for_model(kind, **ARCHITECTURES[kind][2])


@pytest.fixture(params=list(ARCHITECTURES))
def kind(request):
    return request.param


@pytest.fixture
def folder(tmp_path, kind):
    torch.manual_seed(0)
    model = getattr(transformers, ARCHITECTURES[kind][0])(config(kind))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape))
    model.save_pretrained(tmp_path / kind)
    return str(tmp_path / kind)


def test_into_a_fresh_model(kind, folder):
    model = getattr(transformers, ARCHITECTURES[kind][1])(config(kind))
    report = initcheck.load(model, f"hf:{folder}")
    heads = {"classifier", "pre_classifier", "pooler"}
    assert {one.name.split(".")[0] for one in report.missing} <= heads, report.missing
    assert not report.mismatched and not report.arrival.of("changed", "overwritten")
    assert {finding.name for finding in report.model.findings} <= {"head-left-random", "unexpected-in-checkpoint"}
    reference = getattr(transformers, ARCHITECTURES[kind][1]).from_pretrained(folder)
    missing = {one.name for one in report.missing}
    for name, value in reference.state_dict().items():
        assert name in missing or torch.equal(value, model.state_dict()[name]), name


def test_into_a_model_that_holds_it(kind, folder):
    class Holder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = getattr(transformers, ARCHITECTURES[kind][0])(config(kind))
            self.top = torch.nn.Linear(32, 3)

    report = initcheck.load(Holder(), folder)
    assert {one.name for one in report.missing} == {"top.weight", "top.bias"}
    assert report.random_share < 0.05


def test_by_its_own_loader_while_a_model_is_built(kind, folder):
    report = initcheck.check(lambda: getattr(transformers, ARCHITECTURES[kind][1]).from_pretrained(folder))
    (arrival,) = report.models[0].recording.arrivals
    assert arrival.how == "from_pretrained" and len(arrival.of("loaded")) > 10
    assert not arrival.of("overwritten", "changed", "mismatched")
    assert {finding.name for finding in report.findings} <= {"head-left-random", "unexpected-in-checkpoint", "missing-in-checkpoint"}, (
        report.findings
    )


def test_in_a_live_model(kind, folder):
    model = getattr(transformers, ARCHITECTURES[kind][1]).from_pretrained(folder)
    (arrival,) = recognised(model)
    assert len(arrival.of("loaded")) > 10 and arrival.source == folder
    assert recognised(getattr(transformers, ARCHITECTURES[kind][1])(config(kind))) == ()
    report = initcheck.check(model)
    assert not report.at_least("warning"), report.findings


def test_mismatched_sizes_are_told(tmp_path):
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config("bert")).save_pretrained(tmp_path / "two")
    build = lambda: transformers.BertForSequenceClassification.from_pretrained(tmp_path / "two", num_labels=7, ignore_mismatched_sizes=True)
    report = initcheck.check(build)
    assert [(finding.name, finding.severity) for finding in report.findings] == [("mismatched-in-checkpoint", "info")]
    assert "2 classes in the file, 7 in the model" in report.findings[0].message
