"""What the recorder promises beyond the single idioms: it changes nothing, costs little, and forgets in time."""

import copy
import gc
import pathlib
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest
import torch
from torch import nn

from initcheck.construct.recording import poison
from initcheck.construct.recording.coverage import covered
from initcheck.construct.recording.history import Region
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder
from initcheck.records.recording import Recording
from initcheck.records.serial import from_plain, to_plain


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.attention = nn.MultiheadAttention(8, 2)
        self.rnn = nn.LSTM(8, 4, num_layers=2)
        self.embed = nn.Embedding(11, 8, padding_idx=0)
        self.scale = nn.Parameter(torch.randn(8) * 0.02)
        self.head = nn.Linear(8, 3)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.sparse_(self.embed.weight, 0.5)


def test_random_stream_is_untouched():
    torch.manual_seed(7)
    plain = Mixed()
    state = torch.get_rng_state()
    torch.manual_seed(7)
    with Recorder():
        recorded = Mixed()
    assert torch.equal(state, torch.get_rng_state())
    for one, other in zip(plain.state_dict().values(), recorded.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert all(p.grad_fn is None and p._version == q._version for p, q in zip(plain.parameters(), recorded.parameters(), strict=True))


def test_resnet_is_the_same_to_the_bit():
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(3)
    plain = torchvision.models.resnet18()
    torch.manual_seed(3)
    with Recorder() as recorder:
        recorded = torchvision.models.resnet18()
    assert all(torch.equal(p, q) for p, q in zip(plain.parameters(), recorded.parameters(), strict=True))
    recording = recorder.resolve(recorded)
    assert len(recording.parameters) == 62
    assert all(record.unwritten == 0 and record.ruling().call.known() for record in recording.parameters)
    assert recording.parameter("conv1.weight").ruling().call.get().argument("mode") == "fan_out"


def test_dynamo_is_not_imported():
    code = """
        import sys
        import torch
        from initcheck.construct.recording.recorder import Recorder
        with Recorder() as recorder:
            model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
        recording = recorder.resolve(model)
        assert len(recording.parameters) == 4
        print("torch._dynamo" in sys.modules)
    """
    root = pathlib.Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


def test_every_parameter_of_a_mixed_model_is_known():
    with Recorder() as recorder:
        model = Mixed()
    recording = recorder.resolve(model)
    assert recording.watched
    assert recording.notes == ()
    assert [record.name for record in recording.parameters] == [name for name, _ in model.named_parameters()]
    for record in recording.parameters:
        assert record.ruling().call.known(), record.name
        assert record.ruling().location.known(), record.name
        assert record.created.path == __file__


def test_recording_survives_json():
    with Recorder() as recorder:
        model = Mixed()
    recording = recorder.resolve(model)
    assert from_plain(Recording, to_plain(recording)) == recording


def test_entered_twice():
    recorder = Recorder()
    with recorder:
        model = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    with recorder:
        model(torch.ones(2, 5))
    names = [record.ruling().call.get().name for record in recorder.resolve(model).parameters]
    assert names == ["kaiming_uniform_", "uniform_"] * 2


def test_the_users_error_passes_and_everything_is_restored():
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError), recorder:
        nn.Linear(2, 2)
        1 / 0  # noqa: B018
    assert threading.getprofile() is None
    before = dict(recorder._slots)
    nn.Linear(2, 2)
    assert recorder._slots == before


def test_a_foreign_thread_profile_stays():
    def profile(*_):
        return None

    threading.setprofile(profile)
    try:
        with Recorder():
            assert threading.getprofile() is profile
        assert threading.getprofile() is profile
    finally:
        threading.setprofile(None)


def test_data_of_temporaries_is_freed():
    with Recorder() as recorder:
        for _ in range(50):
            torch.ones(1000).mul(2)
        gone = torch.ones(10)
        watcher = weakref.ref(gone)
        del gone
        gc.collect()
        assert watcher() is None
    assert sum(not slot.reference.expired() for slot in recorder._slots.values()) == 0


def test_gone_memory_is_forgotten_and_addresses_are_not_confused():
    with Recorder() as recorder:
        recorder._sweep_at = 50
        for _ in range(300):
            torch.randn(4)
        model = nn.Linear(4, 4)
        for _ in range(300):
            torch.zeros(16)
    assert recorder.resolve(model).parameter("weight").ruling().call.get().name == "kaiming_uniform_"
    assert len(recorder._slots) < 4200


def test_the_mark_stays_and_is_noted():
    with Recorder() as recorder:
        model = nn.ParameterList([nn.Parameter(torch.empty(3, 2)), nn.Parameter(torch.ones(2))])
    recording = recorder.resolve(model)
    assert torch.isnan(model[0]).all()
    assert recording.notes == ("0: 6 of 6 elements hold NaN in place of whatever was in memory",)


def test_a_nan_of_the_user_is_no_mark():
    with Recorder() as recorder:
        model = nn.ParameterList([nn.Parameter(torch.full((4,), float("nan")))])
    record = recorder.resolve(model).parameters[0]
    assert record.unwritten == 0
    assert record.ruling().call.get().name == "full"


@pytest.mark.parametrize("dtype", poison.PATTERNS)
def test_marks_are_counted(dtype):
    tensor = torch.empty(5, 3, dtype=dtype)
    assert poison.mark(tensor)
    assert poison.marked(tensor) == 15
    assert torch.isnan(tensor).all()
    tensor[2] = 1
    assert poison.marked(tensor) == 12
    assert poison.marked(tensor.t()) == 12


def test_integers_cannot_be_marked():
    assert not poison.mark(torch.empty(3, dtype=torch.int64))
    assert not poison.mark(torch.empty(3, device="meta"))


def test_columns_of_a_call_over_several_lines():
    with Recorder() as recorder:
        model = nn.Sequential(
            nn.Linear(
                2,
                3,
            ),
        )
    created = recorder.resolve(model).parameters[0].created
    text = pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()[created.line - 1]
    assert text[created.column - 1 :] == "nn.Linear("
    assert created.end_column == 0
    assert created.function == "test_columns_of_a_call_over_several_lines"


def test_columns_count_characters():
    with Recorder() as recorder:
        größe, model = "ß", nn.Linear(2, 3)
    assert größe == "ß"
    created = recorder.resolve(model).parameters[0].created
    text = pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()[created.line - 1]
    assert text[created.column - 1 : created.end_column - 1] == "nn.Linear(2, 3)"


def test_code_without_a_file():
    space = {"nn": nn}
    with Recorder() as recorder:
        exec(compile("model = nn.Linear(2, 2)", "notebook cell 4", "exec"), space)
    created = recorder.resolve(space["model"]).parameters[0].created
    assert (created.path, created.line, created.column) == ("notebook cell 4", 1, 9)


def test_unwatched_model():
    model = nn.Sequential(nn.Linear(2, 3), nn.LazyLinear(2))
    model[0].bias.requires_grad_(False)
    recording = unwatched(model)
    assert not recording.watched
    weight, bias = recording.parameters
    assert (weight.name, weight.shape, weight.dtype, weight.trainable, weight.module, weight.owner) == (
        "0.weight",
        (3, 2),
        "float32",
        True,
        "0",
        "Linear",
    )
    assert weight.writes == ()
    assert weight.ruling() is None
    assert not bias.trainable
    assert "1.weight is lazy" in recording.notes[0]


def test_under_fake_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(), Recorder() as recorder:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        nn.init.orthogonal_(model[0].weight)
        model.free = nn.Parameter(torch.empty(3))
    recording = recorder.resolve(model)
    assert recording.parameter("0.weight").ruling().call.get().name == "orthogonal_"
    assert recording.parameter("1.weight").ruling().origin == "framework default"
    assert recording.parameter("free").unwritten == 3


def test_sparse_tensors_do_not_disturb():
    with Recorder() as recorder:
        torch.eye(3).to_sparse()
        torch.eye(3).to_sparse().mul(2).to_dense()
        model = nn.Linear(2, 2)
    assert recorder.resolve(model).parameter("weight").ruling().origin == "framework default"


def test_forward_and_backward_under_the_recorder():
    with Recorder() as recorder:
        model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5))
        model(torch.randn(3, 2, 9)).sum().backward()
    recording = recorder.resolve(model)
    assert [len(record.writes) for record in recording.parameters] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ([Region(0, (4, 6), (6, 1), 4)], 24),
        ([Region(0, (2, 6), (6, 1), 4), Region(6, (2, 6), (6, 1), 4)], 18),
        ([Region(0, (4, 2), (6, 1), 4), Region(2, (4, 4), (6, 1), 4)], 24),
        ([Region(0, (4,), (7,), 4)], 4),
        ([Region(0, (4,), (7,), 2)], 0),
        ([Region(24, (9,), (1,), 4)], 0),
        ([], 0),
    ],
)
def test_coverage_is_exact(parts, count):
    assert covered(Region(0, (4, 6), (6, 1), 4), parts) == count


def test_copies_of_unwritten_memory_point_at_the_allocation():
    def build():
        scale = nn.Module()
        scale.weight = nn.Parameter(torch.empty(8))
        return nn.Sequential(scale, copy.deepcopy(scale))

    recorder = Recorder()
    with recorder:
        model = build()
    first, second = recorder.resolve(model).parameters
    assert first.unwritten == second.unwritten == 8
    assert first.ruling().location == second.ruling().location
