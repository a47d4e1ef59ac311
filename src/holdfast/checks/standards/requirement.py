"""What a standard asks of a plan, in Holdfast's own words, and where in a plan it is looked for.

A requirement is covered when its evidence is there: what is written can be pointed at; whether it is good, people judge.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.plan.model import Plan
from holdfast.plan.problems import Place

Evidence = Callable[[Plan], tuple[Place, ...]]
"""The places of a plan that cover a requirement; none when it is missing."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked for. `hint`: what to write when it is missing."""

    clause: str
    asks: str
    covered_by: Evidence
    hint: str


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard as far as it speaks of continuity. `identifier`: how the command line names it."""

    identifier: str
    name: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A requirement against a plan."""

    requirement: Requirement
    places: tuple[Place, ...]


def covered(standard: Standard, plan: Plan) -> tuple[Coverage, ...]:
    """Every requirement with the places that cover it, in the standard's order."""
    return tuple(Coverage(requirement, requirement.covered_by(plan)) for requirement in standard.requirements)


def all_of(*parts: Evidence) -> Evidence:
    """Evidence that needs every one of these."""

    def places(plan: Plan) -> tuple[Place, ...]:
        found = [part(plan) for part in parts]
        return tuple(dict.fromkeys(place for part in found for place in part)) if all(found) else ()

    return places
