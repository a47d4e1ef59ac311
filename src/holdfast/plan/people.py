"""Who fills which role, and who may approve: in an incident primary and backup, in an exercise the stand-ins only.

Never here: who has approved (see `decision`), or who is told (see `communications`).
"""

from collections.abc import Mapping
from enum import StrEnum

from holdfast.plan.model import ApprovalRule, Exercise, Plan, Role


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


def responsible(plan: Plan) -> frozenset[str]:
    """People whom an incident calls for what they do: who fills a role, or takes turns in a rotation, if only once."""
    filling = {person for role in plan.roles.values() for person in fillers(role, Occasion.INCIDENT)}
    turns = {person for rotation in plan.rotations.values() for person in rotation.people}
    once = {one.person for rotation in plan.rotations.values() for one in rotation.overrides if one.person is not None}
    return frozenset(filling | turns | once)


def against_stranger(plan: Plan, person: str, exercise: str | None) -> str | None:
    """Why this person has nothing to say here, or None. `exercise`: which one it is, None when it is real."""
    known = plan.people.get(person)
    if known is None:
        return f"'{person}' is nobody in the plan"
    if known.exercise and exercise is None:
        return f"{person} stands in only in exercises, and this is none"
    return None


def exercises_held(plan: Plan, exercise: str, scenario: str) -> tuple[Exercise, ...]:
    """What of the plan's exercises this one is: the one of this name, else, under a name that was made up for the day, every drill of the
    scenario, and it may do only what each of them may. Empty where the plan schedules none."""
    if exercise in plan.exercises:
        return (plan.exercises[exercise],)
    return tuple(one for one in plan.exercises.values() if one.scenario == scenario)


def enrolled(plan: Plan, exercise: str | None, scenario: str) -> frozenset[str]:
    """People whom this very exercise may reach: who stands in for a role that takes part in it. Nobody, where it is none.

    Where several are held, only who takes part in each. What the plan doesn't schedule, or schedules without an audience, is for every
    stand-in.
    """
    if exercise is None:
        return frozenset()
    found = frozenset(person for role in plan.roles.values() for person in role.stand_ins)
    for one in exercises_held(plan, exercise, scenario):
        found &= {person for name, role in plan.roles.items() if _takes_part(plan, one, name) for person in role.stand_ins}
    return found


def _takes_part(plan: Plan, exercise: Exercise, name: str) -> bool:
    """Whether a role does: the exercise names it, or an audience that holds it or somebody who fills it."""
    if not exercise.audience or name in exercise.audience:
        return True
    fill = set(fillers(plan.roles[name], Occasion.INCIDENT))
    circles = (plan.audiences[one] for one in exercise.audience if one in plan.audiences)
    return any(
        name in circle.roles or fill & {*circle.people, *(person for one in circle.rotations for person in plan.rotations[one].people)}
        for circle in circles
    )


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
