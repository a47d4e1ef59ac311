"""Pure: what is wrong with a plan, and where it cannot keep its promise."""

from datetime import date

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.rules import ALL
from holdfast.checks.rules.review_due import overdue
from holdfast.plan.model import Plan

__all__ = ["ALL", "Finding", "Rule", "Severity", "check"]

_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def check(plan: Plan, today: date | None = None) -> tuple[Finding, ...]:
    """Every finding of every rule, worst first, then by code. The plan must come from the loader: its references hold.

    `today`: what has a day of its own is judged only when this is known.
    """
    findings = [finding for rule in ALL for finding in rule.apply(plan)]
    if today is not None:
        findings.extend(overdue(plan, today))
    return tuple(sorted(findings, key=lambda finding: (_WORST_FIRST.index(finding.severity), finding.code)))
