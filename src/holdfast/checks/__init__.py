"""Pure: what is wrong with a plan, and where it cannot keep its promise."""

from collections.abc import Iterable
from datetime import date

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.rules import ALL
from holdfast.plan.model import Plan

__all__ = ["ALL", "Explanation", "Finding", "Rule", "Severity", "check", "sorted_worst_first"]

_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def check(plan: Plan, today: date | None = None) -> tuple[Finding, ...]:
    """Every finding of every rule, worst first, then by code. The plan must come from the loader: its references hold.

    `today`: what has a day of its own is judged only when this is known.
    """
    facts = Facts(plan, today)
    return sorted_worst_first(finding for rule in ALL for finding in rule.apply(facts))


def sorted_worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order in which people read them."""
    return tuple(sorted(findings, key=lambda finding: (_WORST_FIRST.index(finding.severity), finding.code)))
