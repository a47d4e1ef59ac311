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

    @classmethod
    def of(cls, exercise: str | None) -> "Occasion":
        """What it is for something that belongs to that exercise, or to none."""
        return cls.INCIDENT if exercise is None else cls.EXERCISE


def fillers(role: Role, occasion: Occasion) -> tuple[str, ...]:
    """Identifiers of the people who fill a role, in the order in which they are called; nobody twice."""
    if occasion is Occasion.EXERCISE:
        return tuple(dict.fromkeys(role.stand_ins))
    return tuple(dict.fromkeys((role.primary,) if role.backup is None else (role.primary, role.backup)))


TECHNICAL_LEAD = "technical-lead"
"""Role that is asked about a step for which the plan names nobody."""


def asked_role(plan: Plan, by: str | None) -> str:
    """The role that is asked about a step: the one the plan names for it, else the technical lead, else the plan's first."""
    if by is not None:
        return by
    return TECHNICAL_LEAD if TECHNICAL_LEAD in plan.roles else next(iter(plan.roles), TECHNICAL_LEAD)


def ticks_off(plan: Plan, needs: str) -> str | None:
    """Who ticks off, in an exercise, what a person of this role has done by hand; None when nobody stands in for the role."""
    role = plan.roles.get(needs)
    return next(iter(fillers(role, Occasion.EXERCISE)), None) if role is not None else None


def approvers(plan: Plan, rule: ApprovalRule, occasion: Occasion) -> Mapping[str, tuple[str, ...]]:
    """Person → those of the rule's roles that the person fills, in the rule's order. Who isn't in it can't approve."""
    filled: dict[str, tuple[str, ...]] = {}
    for identifier in rule.of:
        for person in fillers(plan.roles[identifier], occasion):
            filled[person] = (*filled.get(person, ()), identifier)
    return filled
