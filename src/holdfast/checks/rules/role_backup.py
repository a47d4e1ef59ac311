"""HF107: a role hangs on one person: it has no backup, or primary and backup are the same."""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.plan.model import Plan

CODE = "HF107"


def _apply(plan: Plan) -> Iterator[Finding]:
    for identifier, role in plan.roles.items():
        name = plan.people[role.primary].name
        if role.backup is None:
            sentence = f"{role.name} has no backup: without {name} nobody fills the role"
            yield Finding(CODE, Severity.WARNING, sentence, (("roles", identifier),), "name a backup")
        elif role.backup == role.primary:
            sentence = f"{role.name} has the same person as primary and backup, {name}: without {name} nobody fills the role"
            places = (("roles", identifier, "primary"), ("roles", identifier, "backup"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "name another person as backup")


RULE = Rule(CODE, "every role survives the absence of one person", _apply)
