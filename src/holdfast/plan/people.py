"""Who fills which role, and who may approve: in an incident primary and backup, in an exercise the stand-ins only.

Never here: who has approved (see `decision`), or who is told (see `communications`).
"""

from collections.abc import Mapping
from enum import StrEnum

from holdfast.plan.model import ApprovalRule, Plan, Role


class Occasion(StrEnum):
    """Whether it is real. A drill reaches nobody who isn't enrolled as a stand-in."""

    INCIDENT = "incident"
    EXERCISE = "exercise"


def fillers(role: Role, occasion: Occasion) -> tuple[str, ...]:
    """Identifiers of the people who fill a role, in the order in which they are called; nobody twice."""
    if occasion is Occasion.EXERCISE:
        return tuple(dict.fromkeys(role.stand_ins))
    return tuple(dict.fromkeys((role.primary,) if role.backup is None else (role.primary, role.backup)))


def approvers(plan: Plan, rule: ApprovalRule, occasion: Occasion) -> Mapping[str, tuple[str, ...]]:
    """Person → those of the rule's roles that the person fills, in the rule's order. Who isn't in it can't approve."""
    filled: dict[str, tuple[str, ...]] = {}
    for identifier in rule.of:
        for person in fillers(plan.roles[identifier], occasion):
            filled[person] = (*filled.get(person, ()), identifier)
    return filled
