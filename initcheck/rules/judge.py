"""Asks every selected rule, folds consequences into their causes, and orders what remains: cause first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from initcheck.errors import NotKnown, UsageError
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Failure, Finding, Skip, joined, louder, rank
from initcheck.records.settings import Settings
from initcheck.rules import matches, rule_classes
from initcheck.rules.base import LayerRule, ModelRule, Rule
from initcheck.rules.standing import about_trained, left_out, stands, trained

NOT_MEASURED = "signals and gradients were not judged: they depend on trained weights that were not loaded"


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules said: findings ordered cause first, skips, crashed rules, and the codes that were asked."""

    findings: tuple[Finding, ...]
    skips: tuple[Skip, ...]
    failures: tuple[Failure, ...]
    checked: tuple[str, ...]


def judge(evidence: Evidence, settings: Settings) -> Judgement:
    """Asks the selected rules for their findings on one model.

    Raises:
        UsageError: when `select`, `ignore` or an option names no rule.
    """
    findings: list[Finding] = []
    skips: list[Skip] = []
    failures: list[Failure] = []
    every = [_configured(cls, settings) for cls in rule_classes()]
    wanted = {cls.code for cls in selected(settings)}
    for rule in every:
        if rule.code not in wanted and not _explains_wanted(rule, wanted):
            continue
        _ask(rule, evidence, findings, skips, failures)
    absent = left_out(evidence)
    loaded = trained(evidence)
    findings = [finding for finding in findings if stands(finding, absent) and not about_trained(finding, loaded)]
    kept = [finding for finding in _fold(_merge(findings), evidence) if finding.code in wanted]
    order = {layer.weight: index for index, layer in enumerate(evidence.layers)}
    kept.sort(key=lambda finding: (-rank(finding.severity), _is_symptom(finding), _first(finding, order), finding.code))
    told = (Skip("", "", NOT_MEASURED),) if absent else ()
    if loaded:
        told = (*told, Skip("", "", f"{len(loaded):,} parameters hold loaded weights, which are no initialization"))
    return Judgement(
        tuple(kept), (*told, *_distinct(skip for skip in skips if skip.code in wanted)), tuple(failures), tuple(sorted(wanted))
    )


def selected(settings: Settings) -> tuple[type[Rule], ...]:
    """The rules that `select` and `ignore` leave.

    Raises:
        UsageError: when a pattern matches no rule.
    """
    rules = rule_classes()
    for pattern in (*settings.select, *settings.ignore):
        if not any(matches(rule, pattern) for rule in rules):
            raise UsageError(f"no rule matches {pattern!r}", "`initcheck rule --all` lists codes and names")
    chosen = [rule for rule in rules if not settings.select or any(matches(rule, pattern) for pattern in settings.select)]
    return tuple(rule for rule in chosen if not any(matches(rule, pattern) for pattern in settings.ignore))


def _configured(cls: type[Rule], settings: Settings) -> Rule:
    fields = {field.name for field in dataclasses.fields(cls)}
    values = {}
    for key, value in settings.options:
        name, _, option = key.partition(".")
        if name not in (cls.name(), cls.code):
            continue
        field = option.replace("-", "_")
        if field not in fields:
            raise UsageError(f"the rule {name} has no option {option!r}", f"it has: {', '.join(sorted(fields)) or 'none'}")
        values[field] = value
    return cls(**values)


def _explains_wanted(rule: Rule, wanted: set[str]) -> bool:
    # An ignored cause must not bring back its consequences, so the rules that explain a wanted symptom are asked as well.
    return any(cls.code in wanted and cls.name() in rule.explains for cls in rule_classes())


def _ask(rule: Rule, evidence: Evidence, findings: list[Finding], skips: list[Skip], failures: list[Failure]) -> None:
    subjects: tuple[Layer | None, ...] = evidence.layers if isinstance(rule, LayerRule) else (None,)
    for layer in subjects:
        try:
            if isinstance(rule, LayerRule) and layer is not None:
                findings += rule.check(layer, evidence)
            elif isinstance(rule, ModelRule):
                findings += rule.check(evidence)
        except NotKnown as unknown:
            skips.append(Skip(rule.code, layer.weight if layer is not None else "", unknown.reason))
        except Exception as error:  # noqa: BLE001  (a crashed rule becomes a Failure in the report, never silence)
            subject = f"{rule.code} {rule.name()}"
            failures.append(
                Failure("rule", subject, f"{type(error).__name__}: {error}", "please report this with the model", "rule-crashed")
            )


def _merge(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for all layers with the same fault: same code, same message; the gravest speaks for all."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.message, finding.severity), []).append(finding)
    merged = []
    for group in groups.values():
        first = group[0]
        parameters = tuple(dict.fromkeys(name for finding in group for name in finding.parameters))
        fixes = [finding.fix for finding in group if finding.fix is not None]
        fix = joined(fixes) if fixes else None
        merged.append(dataclasses.replace(first, parameters=parameters, fix=fix))
    return merged


def _fold(findings: list[Finding], evidence: Evidence) -> list[Finding]:
    """Folds each symptom into the first finding that explains it; the explaining finding takes over its severity."""
    rules = {cls.code: cls for cls in rule_classes()}
    kept = {_key(finding): finding for finding in findings}
    moved: dict[_Key, _Key] = {}
    # a symptom that explains others is folded before them, so that they can follow it to its cause
    for plain in sorted(findings, key=lambda finding: (rules[finding.code].symptom, not rules[finding.code].explains)):
        symptom = kept.get(_key(plain))
        if symptom is None:
            continue
        near = _neighbourhood(symptom, evidence)
        causes = [
            _last(_key(other), moved)
            for other in (*kept.values(), *(finding for finding in findings if _key(finding) in moved))
            if symptom.name in rules[other.code].explains
            and other.code != symptom.code
            and rank(other.severity) >= rank(rules[other.code].explains_from)
            and (rules[other.code].spreads or near & _neighbourhood(other, evidence, alone=True))
        ]
        cause = next((kept[key] for key in causes if key != _key(symptom)), None)
        if cause is None:
            continue
        moved[_key(symptom)] = _key(cause)
        del kept[_key(symptom)]
        told = (*cause.symptoms, symptom.message, *symptom.symptoms)
        kept[_key(cause)] = dataclasses.replace(cause, severity=louder(cause.severity, symptom.severity), symptoms=told)
    return list(kept.values())


_Key: TypeAlias = tuple[str, tuple[str, ...], str]


def _key(finding: Finding) -> _Key:
    """What tells a finding apart from the others while symptoms are added to it."""
    return finding.code, finding.parameters, finding.message


def _last(key: _Key, moved: Mapping[_Key, _Key]) -> _Key:
    """Where a finding went in the end."""
    while key in moved:
        key = moved[key]
    return key


def _neighbourhood(finding: Finding, evidence: Evidence, *, alone: bool = False) -> set[str]:
    """The weights that a finding is about, and (unless `alone`) those before them and those of every chain that these touch."""
    weights = {_owner(name, evidence) for name in finding.parameters}
    if alone:
        return weights
    near = weights | {layer.weight for layer in evidence.layers if weights & set(layer.outgoing)}
    return near | {weight for chain in evidence.chains if near & set(chain.weights) for weight in chain.weights}


def _owner(name: str, evidence: Evidence) -> str:
    """The weight of the layer that a parameter belongs to: its own, its bias', or that of a recurrent layer with the same suffix."""
    recurrent = name.replace("bias_hh", "weight_hh").replace("bias_ih", "weight_hh")
    return next((layer.weight for layer in evidence.layers if name == layer.bias or recurrent == layer.weight), name)


def _is_symptom(finding: Finding) -> bool:
    return any(cls.code == finding.code and cls.symptom for cls in rule_classes())


def _first(finding: Finding, order: dict[str, int]) -> int:
    return min((order.get(name, len(order)) for name in finding.parameters), default=len(order))


def _distinct(skips: Iterable[Skip]) -> tuple[Skip, ...]:
    return tuple(dict.fromkeys(skips))
