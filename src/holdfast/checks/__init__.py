"""Pure: what is wrong with a plan, and where it cannot keep its promise."""

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.rules import ALL
from holdfast.plan.model import Plan

__all__ = ["ALL", "Finding", "Rule", "Severity", "check"]

_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def check(plan: Plan) -> tuple[Finding, ...]:
    """Every finding of every rule, worst first, then by code. The plan must come from the loader: its references hold."""
    findings = [finding for rule in ALL for finding in rule.apply(plan)]
    return tuple(sorted(findings, key=lambda finding: (_WORST_FIRST.index(finding.severity), finding.code)))
