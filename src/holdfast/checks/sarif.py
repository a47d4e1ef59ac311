"""Findings as SARIF 2.1.0, so that a pull request shows them beside the lines they speak of.

A finding's first place is its location, the others are related ones; an ignored finding is suppressed, with its reason.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from holdfast.checks.finding import Finding, Rule
from holdfast.checks.loading import NOT_LOADED
from holdfast.checks.rules import ALL
from holdfast.plan.problems import Position, Problem

SCHEMA_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with where its places are written, and why it is ignored, if it is."""

    finding: Finding
    positions: tuple[Position, ...]
    ignored_because: str | None = None


def sarif(shown: Iterable[Shown], relative: Callable[[str], str]) -> dict[str, Any]:
    """The findings of one check. `relative`: a file's name as the repository knows it."""
    numbers = {rule.code: number for number, rule in enumerate(ALL)}
    return _log([_rule(rule) for rule in ALL], [_result(one, numbers[one.finding.code], relative) for one in shown])


def sarif_of_problems(problems: Iterable[Problem], relative: Callable[[str], str], shown: Iterable[Shown], unlooked: str) -> dict[str, Any]:
    """The problems of a plan that doesn't load, with what was found in it all the same. `unlooked`: what no rule could look for."""
    results = [
        {
            "ruleId": NOT_LOADED.code,
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": problem.message + (f" ({problem.value})" if problem.value else "")},
            "locations": [_location(Position(problem.line, problem.column, problem.path), relative)],
        }
        for problem in problems
    ]
    numbers = {rule.code: number for number, rule in enumerate(ALL, start=1)}
    results += [_result(one, numbers[one.finding.code], relative) for one in shown]
    log = _log([_rule(NOT_LOADED), *(_rule(rule) for rule in ALL)], results)
    if unlooked:
        said = {"level": "warning", "message": {"text": unlooked}}
        log["runs"][0]["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [said]}]
    return log


def _log(rules: list[dict[str, Any]], results: list[dict[str, Any]]) -> dict[str, Any]:
    driver = {"name": "Holdfast", "rules": rules}
    return {
        "$schema": SCHEMA_ADDRESS,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    said = rule.explanation
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": said.means},
        "help": {"text": f"{said.why} {said.computed} {said.mend}"},
    }


def _result(one: Shown, number: int, relative: Callable[[str], str]) -> dict[str, Any]:
    finding = one.finding
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": f"{finding.ended} {finding.hint[0].upper()}{finding.hint[1:]}."},
        "locations": [_location(position, relative) for position in one.positions[:1]],
        "partialFingerprints": {"holdfast/v1": _fingerprint(finding)},
    }
    if len(one.positions) > 1:
        result["relatedLocations"] = [
            {"id": count, **_location(position, relative)} for count, position in enumerate(one.positions[1:], start=1)
        ]
    if one.ignored_because is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": one.ignored_because}]
    return result


def _fingerprint(finding: Finding) -> str:
    """The same for the same finding after lines have moved."""
    return hashlib.sha256(repr((finding.code, finding.places, finding.sentence if not finding.places else "")).encode()).hexdigest()


def _location(position: Position, relative: Callable[[str], str]) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(relative(position.path))},
            "region": {"startLine": position.line, "startColumn": position.column},
        }
    }
