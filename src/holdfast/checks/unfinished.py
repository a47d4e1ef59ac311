"""Rules on a plan that lacks keys: each goes as far as it gets, and says what stopped it.

Rules: a finding counts when it was found before its rule read anything that is missing, so it is true whatever is written later. A rule
that needs what is missing is silent from there on, and is named with the key that stopped it: silence of it means nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from holdfast.checks import sorted_worst_first
from holdfast.checks.facts import Facts
from holdfast.checks.finding import Finding, Rule
from holdfast.checks.ignoring import Judged, judged
from holdfast.checks.rules import ALL, ignore_unused
from holdfast.plan.comments import Ignore
from holdfast.plan.part import NotSaidError
from holdfast.plan.problems import Place, Positions
from holdfast.plan.unfinished import Unfinished


@dataclass(frozen=True, slots=True)
class Stopped:
    """A rule that didn't get to its end, and the missing key that it needed."""

    rule: Rule
    lacks: Place


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in an unfinished plan, worst first, and which rules have not looked at all of it."""

    findings: tuple[Finding, ...]
    stopped: tuple[Stopped, ...]


def check_unfinished(found: Unfinished, today: date | None = None) -> Looked:
    """Every rule, as far as what is said carries it."""
    facts = Facts(found.plan, today)
    findings: list[Finding] = []
    stopped: list[Stopped] = []
    for rule in ALL:
        try:
            for finding in rule.apply(facts):
                findings.append(finding)  # noqa: PERF402 - what came before a stop is kept, which extend() of a list would lose
        except NotSaidError as error:
            stopped.append(Stopped(rule, found.place(error)))
    return Looked(sorted_worst_first(findings), tuple(stopped))


def judged_so_far(looked: Looked, ignores: Iterable[Ignore], positions: Positions) -> Judged:
    """As `judged`; that a comment has nothing to ignore is said only when every rule got to its end."""
    found = judged(looked.findings, ignores, positions)
    if not looked.stopped:
        return found
    return replace(found, remarks=tuple(remark for remark in found.remarks if remark.finding.code != ignore_unused.CODE))
