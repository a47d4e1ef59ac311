"""HF107: a role hangs on one person: it has no backup, or primary and backup are the same."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF107"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for identifier, role in plan.roles.items():
        name = plan.people[role.primary].name
        if role.backup is None:
            sentence = f"{role.name} has no backup: without {name} nobody fills the role"
            yield Finding(CODE, Severity.WARNING, sentence, (("roles", identifier),), "name a backup")
        elif role.backup == role.primary:
            sentence = f"{role.name} has the same person as primary and backup, {name}: without {name} nobody fills the role"
            places = (("roles", identifier, "primary"), ("roles", identifier, "backup"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "name another person as backup")


RULE = Rule(
    CODE,
    "every role survives the absence of one person",
    _apply,
    Explanation(
        means="A role hangs on one person.",
        why="That person is asleep, ill, or in the region that is lost.",
        computed="A role without `backup`, or with the same person as primary and backup.",
        mend="Name another person as backup.",
        example="primary: aoife-brennan, backup: aoife-brennan",
    ),
)
