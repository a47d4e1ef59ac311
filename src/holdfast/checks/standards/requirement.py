"""What a standard asks of a plan, in Holdfast's own words, and what a plan has of it and lacks.

A requirement is covered when nothing of its evidence lacks: what is written can be pointed at; whether it is good, people judge.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.plan.model import Plan
from holdfast.plan.problems import Place


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing. `write`: what to do; `places`: where it belongs, when that is in the plan already."""

    write: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plan has of a piece of evidence, with its places, and what it lacks."""

    has: tuple[Place, ...]
    lacks: tuple[Lack, ...] = ()


Evidence = Callable[[Plan], Answer]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked for. `source`: the public name of what asks for it, with the article or section, for looking it up."""

    clause: str
    source: str
    asks: str
    evidence: Evidence


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
    answer: Answer

    @property
    def is_whole(self) -> bool:
        """Whether nothing lacks."""
        return not self.answer.lacks


def covered(standard: Standard, plan: Plan) -> tuple[Coverage, ...]:
    """Every requirement with what the plan says to it, in the standard's order."""
    return tuple(Coverage(requirement, requirement.evidence(plan)) for requirement in standard.requirements)


def all_of(*parts: Evidence) -> Evidence:
    """Evidence that needs every one of these."""

    def answer(plan: Plan) -> Answer:
        answers = [part(plan) for part in parts]
        has = tuple(dict.fromkeys(place for one in answers for place in one.has))
        return Answer(has, tuple(dict.fromkeys(lack for one in answers for lack in one.lacks)))

    return answer
