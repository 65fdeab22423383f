"""What the recorder says of writes that came to nothing."""

import pytest
import torch
from torch import nn

from initcheck.construct.recording.recorder import Recorder
from initcheck.records.recording import Recording
from initcheck.records.serial import from_plain, to_plain


def recorded(build):
    with Recorder() as recorder:
        model = build()
    return recorder.resolve(model)


def on(*deeds):
    def build():
        model = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 4))
        for deed in deeds:
            deed(model)
        return model

    return build


def calls(build):
    return [(found.parameter, found.lost.call.get().name, found.by.call.get().name) for found in recorded(build).undone]


def how(build):
    return [(found.how, found.parameter, found.call.name) for found in recorded(build).discarded]


def kaiming(model):
    nn.init.kaiming_normal_(model[0].weight)


def xavier(model):
    nn.init.xavier_normal_(model[0].weight)


def in_place(model):
    model[0].weight.data.normal_(0, 0.1)


def copied(model):
    with torch.no_grad():
        model[0].weight.copy_(torch.randn(4, 6) * 0.1)


def data(model):
    model[0].weight.data = torch.randn(4, 6)


def reset(model):
    model[0].reset_parameters()


@pytest.mark.parametrize(
    ("later", "name"),
    [(xavier, "xavier_normal_"), (in_place, "normal_"), (copied, "randn"), (data, "randn"), (reset, "kaiming_uniform_")],
)
def test_undone_by_every_kind_of_write(later, name):
    assert calls(on(kaiming, later)) == [("0.weight", "kaiming_normal_", name)]


@pytest.mark.parametrize("first", [in_place, copied])
def test_writes_without_an_initializer_count(first):
    assert len(calls(on(first, xavier))) == 1


def test_a_chain_tells_every_step():
    assert [call[1:] for call in calls(on(kaiming, xavier, in_place))] == [
        ("kaiming_normal_", "xavier_normal_"),
        ("xavier_normal_", "normal_"),
    ]


def rescale(model):
    with torch.no_grad():
        model[0].weight.mul_(2)


def rows(model):
    nn.init.zeros_(model[0].weight[:2])


def cast(model):
    model.double()


def used_elsewhere(model):
    with torch.no_grad():
        model[1].weight.copy_(model[0].weight[:, :4])


@pytest.mark.parametrize("deeds", [(kaiming,), (kaiming, rescale), (kaiming, rows), (kaiming, cast), (kaiming, used_elsewhere, xavier)])
def test_not_undone(deeds):
    assert calls(on(*deeds)) == []


def test_the_value_that_a_parameter_was_made_with_is_no_initialization():
    class Made(nn.Module):
        def __init__(self):
            super().__init__()
            self.free = nn.Parameter(torch.randn(4, 4))
            self.drawn = nn.Parameter(torch.empty(4, 4).normal_())
            nn.init.xavier_normal_(self.free)
            nn.init.xavier_normal_(self.drawn)

    assert calls(Made) == []


def test_one_line_that_runs_twice_is_one_deed():
    def again(model):
        for _ in range(2):
            nn.init.xavier_normal_(model[0].weight)

    assert calls(on(again)) == []


def test_where_lines_stand():
    class Inner(nn.Linear):
        def __init__(self):
            super().__init__(4, 4)
            nn.init.orthogonal_(self.weight)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.other = nn.Linear(4, 4)
            self.apply(self._init)
            nn.init.zeros_(self.other.weight)

        def _init(self, module):
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)

    inner, other = recorded(Outer).undone
    assert (inner.parameter, inner.elsewhere, inner.refined, inner.inherited) == ("inner.weight", True, False, False)
    assert (other.parameter, other.elsewhere, other.refined, other.inherited) == ("other.weight", False, True, False)


def test_a_subclass_that_begins_anew():
    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)
            nn.init.orthogonal_(self.fc.weight)

    class Second(First):
        def __init__(self):
            super().__init__()
            nn.init.xavier_normal_(self.fc.weight)

    (found,) = recorded(Second).undone
    assert found.inherited


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (lambda model: nn.init.xavier_normal_(model[0].weight.data.clone()), ("copy", "0.weight", "xavier_normal_")),
        (lambda model: nn.init.xavier_normal_(model[0].weight.detach().to(torch.float64)), ("copy", "0.weight", "xavier_normal_")),
        (lambda model: nn.init.orthogonal_(model[0].weight.t().contiguous()), ("copy", "0.weight", "orthogonal_")),
        (lambda model: model[0].weight.data.clone().uniform_(-1, 1), ("copy", "0.weight", "uniform_")),
    ],
)
def test_a_copy_was_initialized(deed, expected):
    assert how(on(deed)) == [expected]


def multiplied(model):
    model[0].weight.data * 0.5


def clamped(model):
    model[0].weight.data.clamp(-1, 1)


def masked(model):
    torch.masked_fill(model[0].weight, model[0].weight > 1, 0.0)


@pytest.mark.parametrize(("deed", "name"), [(multiplied, "mul"), (clamped, "clamp"), (masked, "masked_fill")])
def test_a_result_was_dropped(deed, name):
    assert how(on(deed)) == [("dropped", "0.weight", name)]


def kept_in_place(model):
    model[0].weight.data *= 0.5


def looked_at(model):
    assert (model[0].weight * 2).abs().max() > 0


def drawn_and_added(model):
    noise = model[0].weight.data.clone().normal_()
    model[0].weight.data += noise


def drawn_and_copied(model):
    fresh = model[0].weight.data.clone()
    nn.init.orthogonal_(fresh)
    model[0].weight.data = fresh


def views(model):
    nn.init.orthogonal_(model[0].weight.view(2, 12))
    nn.init.orthogonal_(model[1].weight.t())


def throwaway(model):
    nn.init.orthogonal_(torch.empty(4, 4))
    torch.empty(3).normal_()


def other_model(model):
    nn.init.orthogonal_(nn.Linear(4, 4).weight)


def forward(model):
    model(torch.randn(2, 6)).clone().normal_().sum()


@pytest.mark.parametrize("deed", [kept_in_place, looked_at, drawn_and_added, drawn_and_copied, views, throwaway, other_model, forward])
def test_nothing_was_discarded(deed):
    assert how(on(deed)) == []


def test_a_layer_was_replaced():
    def swap(model):
        nn.init.orthogonal_(model[1].weight)
        model[1] = nn.Linear(4, 2)

    (found,) = recorded(on(swap)).discarded
    assert (found.how, found.shape, found.by.line - found.location.line, found.elsewhere) == ("replaced", (4, 4), 1, False)


def test_a_layer_was_wrapped_or_belonged_to_a_pass():
    def wrap(model):
        nn.init.orthogonal_(model[1].weight)
        model[1] = nn.Sequential(model[1])

    def init_all_then_swap(model):
        for layer in model:
            nn.init.orthogonal_(layer.weight)
        model[1] = nn.Linear(4, 2)

    def tie(model):
        nn.init.orthogonal_(model[1].weight)
        model[1].weight = nn.Parameter(model[1].weight * 2)

    assert how(on(wrap)) == how(on(init_all_then_swap)) == how(on(tie)) == []


def test_losses_survive_the_sweep_of_gone_memory():
    with Recorder() as recorder:
        recorder._sweep_at = 20
        model = nn.Sequential(nn.Linear(6, 4))
        nn.init.xavier_normal_(model[0].weight.data.clone())
        for _ in range(200):
            torch.randn(3)
    assert [found.how for found in recorder.resolve(model).discarded] == ["copy"]


def test_a_recording_with_losses_survives_json():
    recording = recorded(on(kaiming, xavier, clamped))
    assert recording.undone and recording.discarded
    assert from_plain(Recording, to_plain(recording)) == recording


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm], ids=["hooks", "parametrization"])
def test_a_draw_into_what_a_weight_norm_computes_is_lost(norm):
    def build():
        layer = norm(nn.Linear(6, 4))
        layer.weight.data.normal_(0, 0.01)
        return layer

    ((kind, parameter, call),) = how(build)
    assert (kind, call) == ("computed", "normal_")
    assert parameter.endswith(("weight_v", "original1"))
