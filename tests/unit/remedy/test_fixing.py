import pytest

from initcheck.errors import TargetError
from initcheck.records.finding import Failure
from initcheck.remedy.fixing import Order, mend
from initcheck.report import fixed
from tests.mending import checker, mended
from tests.unit.report.trained import sample

SICK = "from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\nnn.init.xavier_uniform_(model[0].weight)\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.py"
    path.write_text(SICK, encoding="utf-8")
    return path


class Late:
    """A check that says something else once the file was written."""

    def __init__(self, path, then):
        self.check, self.path, self.then = checker(path.name), path, then
        self.first = None

    def __call__(self, drafts):
        if drafts or self.path.read_text(encoding="utf-8") == SICK:
            found = self.check(drafts)
            self.first = self.first or found
            return found
        return self.then(self.first)


def interrupted(_):
    raise KeyboardInterrupt


def broken(_):
    raise TargetError("it does not build any more", "", name="build-failed")


def test_a_proof_that_fails_after_writing_gives_the_old_bytes_back(file):
    result = mend(Order(("net.py",), unsafe=True), Late(file, lambda first: first))
    assert result.restored and not result.written and not result.files and not result.rows
    assert "IC201" in result.reason and result.failed[0].finding.code == "IC201"
    assert file.read_text(encoding="utf-8") == SICK
    assert [path.name for path in file.parent.iterdir()] == ["net.py"]


def test_a_model_that_no_longer_builds_gives_the_old_bytes_back(file):
    result = mend(Order(("net.py",), unsafe=True), Late(file, broken))
    assert result.restored and "does not build" in result.reason
    assert file.read_text(encoding="utf-8") == SICK


def test_an_interruption_gives_the_old_bytes_back(file):
    with pytest.raises(KeyboardInterrupt):
        mend(Order(("net.py",), unsafe=True), Late(file, interrupted))
    assert file.read_text(encoding="utf-8") == SICK


def test_a_remedy_that_does_not_help_is_taken_back_and_told(file):
    plain = checker("net.py")
    before = plain({})
    result = mend(Order(("net.py",), unsafe=True), lambda drafts: before)
    assert not result.files and not result.written and not result.restored
    assert [one.finding.code for one in result.failed] == ["IC201"]
    assert "tried and taken back" in result.failed[0].reason and "nn.init" in result.failed[0].snippet
    assert file.read_text(encoding="utf-8") == SICK


def test_a_file_that_changed_since_the_check_is_refused(file):
    plain = checker("net.py")

    def check(drafts):
        found = plain(drafts)
        file.write_text(SICK + "# edited\n", encoding="utf-8")
        return found

    with pytest.raises(TargetError, match="changed while") as caught:
        mend(Order(("net.py",), unsafe=True), check)
    assert caught.value.name == "changed"
    assert file.read_text(encoding="utf-8") == SICK + "# edited\n"


def test_one_of_several_remedies_that_breaks_the_model_does_not_cost_the_others(file):
    file.write_text(
        "from torch import nn\n\n"
        "model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\n"
        "nn.init.xavier_uniform_(model[0].weight)\nnn.init.constant_(model[2].weight, 0.1)\n",
        encoding="utf-8",
    )
    plain = checker("net.py")

    def check(drafts):
        if any(b"constant_" not in text for text in drafts.values()):
            raise TargetError("it does not build any more", "", name="build-failed")
        return plain(drafts)

    result = mend(Order(("net.py",), unsafe=True), check)
    assert {row.code for row in result.rows} == {"IC201"}
    assert "IC302" in {one.finding.code for one in result.failed}
    assert "kaiming_uniform_(model[0]" in file.read_text(encoding="utf-8")


def test_what_is_only_said_of_others_is_left_out(file):
    assert not mended("net.py", only=("IC3",)).rows
    assert mended("net.py", only=("scheme-nonlinearity-mismatch",)).rows


def test_a_class_that_two_models_need_differently_stays(tmp_path, monkeypatch):
    from tests.marks import MODELS

    monkeypatch.chdir(tmp_path)
    text = (MODELS / "shapes" / "two_models.py").read_text(encoding="utf-8")
    (tmp_path / "two.py").write_text(text, encoding="utf-8")
    result = mended("two.py")
    assert not result.failed and not result.remaining
    after = (tmp_path / "two.py").read_text(encoding="utf-8")
    assert "nn.init.xavier_normal_(layer.weight)" in after and "critic.first" not in after
    assert "nn.init.kaiming_normal_(actor.first.weight" in after or "(actor.first, actor.second)" in after


def test_a_remedy_with_which_a_model_trains_worse_is_not_written(file):
    asked = []

    def trial(old, new, specs):
        asked.append((old, new, specs))
        return [sample("WORSE", -12.0)]

    result = mend(Order(("net.py",), unsafe=True), checker("net.py"), trial)
    ((old, new, specs),) = asked
    assert specs == ("net.py::model",)
    assert old == {str(file): SICK.encode()} and b"kaiming_uniform_" in new[str(file)]
    assert result.restored and not result.files and not result.rows and "WORSE by 12.0 points" in result.reason
    assert [one.finding.code for one in result.failed] == ["IC201"] and "IC201" in {one.code for one in result.remaining}
    assert file.read_text(encoding="utf-8") == SICK
    shown = fixed.render(result, color=False, ascii_only=False, width=100)
    assert "Nothing was changed: the files hold their old bytes." in shown and "Trained before and after:" in shown


@pytest.mark.parametrize("outcome", [sample(), sample("NO DIFFERENCE", 0.1), Failure("verify", "net.py", "too large", "", "over-budget")])
def test_any_other_outcome_of_the_trainings_is_told_and_written(file, outcome):
    result = mend(Order(("net.py",), unsafe=True), checker("net.py"), lambda *_: [outcome])
    assert result.written and result.rows and (*result.trials, *result.untried) == (outcome,)
    assert "kaiming_uniform_" in file.read_text(encoding="utf-8")
    shown = fixed.render(result, color=False, ascii_only=False, width=100)
    assert ("over-budget" if isinstance(outcome, Failure) else outcome.verdict) in shown


def test_nothing_is_trained_where_nothing_would_change(file):
    file.write_text(SICK.replace("nn.init.xavier_uniform_(model[0].weight)", ""), encoding="utf-8")
    result = mend(Order(("net.py",), unsafe=True), checker("net.py"), lambda *_: pytest.fail("trained"))
    assert not result.trials and not result.files
