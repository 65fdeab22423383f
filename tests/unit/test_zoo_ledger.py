"""The zoo's ledger: readable, speaks of rules that exist, and is matched as it says."""

from benchmarks.zoo.ledger import Verdict, judged, verdicts
from initcheck.rules import catalogue

FINDING = {"code": "IC601", "severity": "warning", "parameters": ["a.norm.weight"], "message": ""}
ENTRY = Verdict("hf/some/*", "IC601", "*norm.weight", "true", "why", "where")


def test_every_entry_names_a_rule_and_a_reason():
    known = {rule.code for rule in catalogue()}
    entries = verdicts()
    assert entries
    for entry in entries:
        assert entry.rule in known
        assert entry.reason
        assert entry.seen


def test_verdicts_are_matched_by_model_rule_and_parameter():
    results = [{"model": name, "findings": [FINDING]} for name in ("hf/some/Model", "hf/other/Model")]
    assert [one.verdict for one in judged(results, [ENTRY])] == ["true", "unread"]


def test_info_needs_no_verdict():
    assert judged([{"model": "hf/some/Model", "findings": [FINDING | {"severity": "info"}]}], [ENTRY]) == []
