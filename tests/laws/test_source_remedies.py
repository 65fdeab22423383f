"""What holds for every remedy in a source: it heals the bad example of its rule, or says why not; a second fix changes nothing."""

import sys

import pytest

from initcheck.records.settings import Settings
from initcheck.rules import catalogue
from tests.laws.test_rules import sample
from tests.mending import checker, mended

EXAMPLES = [(rule, example) for rule in catalogue() for example in rule.examples]
IDS = [f"{rule.name}-{i}" for i, (rule, _) in enumerate(EXAMPLES)]
BY_HAND = {"IC103", "IC105", "IC109", "IC111"}
"""Rules whose remedy is the author's alone: no start of the weights mends what the forward pass does."""
UNSEEN = "data * 0.1"
"""What is in the one example that the slicing of a file leaves out, since it has no effect: `initcheck run` sees it."""


@pytest.fixture(scope="module")
def table():
    rows = []
    yield rows
    sys.stdout.write("\n" + "\n".join(f"{code}  {name:<32} {state}" for code, name, state in rows) + "\n")


@pytest.mark.parametrize(("rule", "example", "name"), [(*pair, name) for pair, name in zip(EXAMPLES, IDS, strict=True)], ids=IDS)
def test_the_bad_example_is_healed_in_its_source_or_declined(rule, example, name, tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "model.py"
    file.write_text(example.bad, encoding="utf-8")
    settings = Settings(**dict(example.settings))
    result = mended("model.py", sample(example), settings=settings)
    assert not result.restored and not result.failed, result
    healed = {row.code for row in result.rows if row.state == "fixed"}
    declined = {one.finding.code: one.reason for one in result.declined}
    table.append((rule.code, name, "healed" if rule.code in healed else declined.get(rule.code, "not seen in a file")))
    if rule.code not in healed | set(declined) and rule.family == "pretrained":
        return  # its weights are stored by the example itself, which the slicing of a file leaves out
    if rule.code in BY_HAND or (rule.mends == "display" and rule.code not in healed):
        assert declined[rule.code]
        assert file.read_text(encoding="utf-8") == example.bad
        return
    if UNSEEN in example.bad:
        assert rule.code not in {one.code for one in result.remaining}
        return
    assert rule.code in healed, declined
    after = file.read_bytes()
    assert after.decode() != example.bad
    again = mended("model.py", sample(example), settings=settings)
    assert not again.files and not again.rows
    assert file.read_bytes() == after


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=IDS)
def test_without_leave_only_safe_remedies_are_made(rule, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(example.bad, encoding="utf-8")
    settings = Settings(**dict(example.settings))
    unsafe = {
        (finding.code, finding.parameters)
        for report in checker("model.py", sample(example), settings=settings)({})
        for finding in report.findings
        if finding.fix is None or finding.fix.safety != "safe"
    }
    result = mended("model.py", sample(example), unsafe=False, settings=settings)
    assert not unsafe & {(row.code, row.parameters) for row in result.rows}
    assert all(one.reason for one in (*result.declined, *result.failed))
    if not result.rows:
        assert (tmp_path / "model.py").read_text(encoding="utf-8") == example.bad
