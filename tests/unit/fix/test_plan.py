"""A plan holds nothing twice and nothing that was not allowed; whatever is left out has a reason."""

from initcheck.fix.plan import WAITS, plan
from initcheck.records.fact import Unknown
from initcheck.records.finding import Finding, Fix, Step, joined, remedy
from initcheck.records.recording import InitCall, ParameterRecord, Recording, Write
from initcheck.records.report import ModelReport
from initcheck.records.target import Target

DRAW, ZERO = InitCall("normal_", (("std", 0.1),)), InitCall("zeros_")


def finding(code, names, fix):
    return Finding(code, f"rule-{code.lower()}", "warning", names, "said", fix=fix)


def fix(names, call=DRAW, safety="safe", **more):
    return Fix(names, call, safety, "a title", **more)


def report(*findings, records=()):
    return ModelReport(Target("m", "", "m", "module"), findings=findings, recording=Recording(records))


def record(name, origin="framework default", **more):
    write = Write(name, Unknown("not seen"), Unknown("not seen"), origin)
    return ParameterRecord(name, (2, 2), "float32", **({"trainable": True} | more), module="", owner="Linear", writes=(write,))


def test_one_parameter_gets_one_remedy_and_the_first_finding_wins():
    made = plan(report(finding("IC101", ("a",), fix(("a",))), finding("IC201", ("a", "b"), fix(("a", "b"), ZERO))), unsafe=False)
    assert [one.code for one in made.applied] == ["IC101"]
    assert "IC101" in made.declined[0].reason and "`a`" in made.declined[0].reason


def test_the_same_change_is_said_to_be_made_already():
    made = plan(report(finding("IC101", ("a",), fix(("a",))), finding("IC201", ("a",), fix(("a",)))), unsafe=False)
    assert "same change" in made.declined[0].reason


def test_unsafe_remedies_need_leave():
    findings = (finding("IC101", ("a",), fix(("a",), safety="unsafe")), finding("IC105", ("b",), fix(("b",), safety="display")))
    careful, free = plan(report(*findings), unsafe=False), plan(report(*findings), unsafe=True)
    assert not careful.applied and "unsafe=True" in careful.declined[0].reason
    assert [one.code for one in free.applied] == ["IC101"]
    assert "only the author" in free.declined[0].reason


def test_loaded_frozen_and_tied_weights_need_leave():
    for made, word in (
        (record("a", "loaded"), "loaded"),
        (record("a", trainable=False), "frozen"),
        (record("a", tied=("c",)), "tied"),
    ):
        careful = plan(report(finding("IC101", ("a",), fix(("a",))), records=(made,)), unsafe=False)
        assert word in careful.declined[0].reason
        assert plan(report(finding("IC101", ("a",), fix(("a",))), records=(made,)), unsafe=True).applied


def test_only_picks_by_code_beginning_and_name():
    findings = (finding("IC101", ("a",), fix(("a",))), finding("IC201", ("b",), fix(("b",))), finding("IC301", ("c",), None))
    assert [one.code for one in plan(report(*findings), unsafe=True, only=("IC1",)).applied] == ["IC101"]
    assert [one.code for one in plan(report(*findings), unsafe=True, only=("rule-ic201",)).applied] == ["IC201"]
    assert plan(report(*findings), unsafe=True).declined[0].finding.code == "IC301"


def test_equal_steps_become_one_and_the_order_of_one_parameter_stays():
    made = remedy([Step(("a",), DRAW), Step(("a",), ZERO, 2, 1), Step(("b",), DRAW), Step(("b",), ZERO, 2, 1)], "safe", "t")
    assert made is not None
    assert made.steps == (Step(("a", "b"), DRAW), Step(("a", "b"), ZERO, 2, 1))
    assert made.touched == ("a", "b")
    assert remedy([], "safe", "t") is None


def test_a_fix_for_several_findings_keeps_every_call_and_the_least_free_safety():
    made = joined([fix(("a",)), fix(("b",), ZERO, safety="unsafe")])
    assert made.steps == (Step(("a",), DRAW), Step(("b",), ZERO)) and made.safety == "unsafe"
    told = joined([fix(("a",)), Fix(("b",), None, "display", "by hand")])
    assert not told.steps and told.parameters == ("a", "b")


def test_a_factor_waits_until_the_draws_are_made_and_then_goes_alone():
    scaled = [finding(f"IC10{index}", (name,), fix((name,), InitCall("mul_", (("factor", 0.1),)))) for index, name in enumerate("ab")]
    drawn = finding("IC201", ("c",), fix(("c",)))
    made = plan(report(*scaled, drawn), unsafe=True)
    assert [one.code for one in made.applied] == ["IC201"]
    assert all(one.reason.startswith(WAITS) and "IC201" in one.reason for one in made.declined)
    assert [one.code for one in plan(report(*scaled), unsafe=True).applied] == ["IC100"]
