"""A run's steps as a graph: every step with the steps it waits for, in the plan's order, and the other ways round a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.plan.blocks import BLOCKS, BlockSpecification
from holdfast.plan.model import OtherWay, Phase, Step, WayStep

LONGEST_PATIENCE_SECONDS = float("inf")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, with everything resolved. Times in seconds."""

    id: str
    phase: str
    block: BlockSpecification
    component: str | None
    after: tuple[str, ...]
    parameters: Mapping[str, Any]
    time_limit_seconds: float
    attempts: int
    patience_seconds: float = LONGEST_PATIENCE_SECONDS
    """How long it is tried before something else is done: the length of the phase's window."""
    by: str | None = None
    """Role that does it or is asked about it, where the plan names one."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is done instead of the step `instead_of`, one after the other, and whether Holdfast goes there by itself."""

    instead_of: str
    when: Literal["automatic", "ask"]
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, slots=True)
class Runbook:
    """The steps of one run; `after` names only steps of the same run, without cycles (the loader checks both)."""

    steps: tuple[PlannedStep, ...]
    ways: Mapping[str, Way] = field(default_factory=dict)
    """Step → its other way, where the plan binds one."""

    @property
    def all_steps(self) -> tuple[PlannedStep, ...]:
        """Every step, each followed by those of its other way."""
        return tuple(one for step in self.steps for one in (step, *(self.ways[step.id].steps if step.id in self.ways else ())))

    def step(self, identifier: str) -> PlannedStep:
        """The step with this identifier, also of another way. Raises KeyError when there is none."""
        for step in self.all_steps:
            if step.id == identifier:
                return step
        raise KeyError(identifier)

    @property
    def stand_ins(self) -> dict[str, str]:
        """Step of another way → the step that it stands in for."""
        return {step.id: way.instead_of for way in self.ways.values() for step in way.steps}


def _planned(step: WayStep, phase: Phase, after: Sequence[str]) -> PlannedStep:
    block = BLOCKS[step.block]
    window_seconds = phase.window[1] - phase.window[0]
    return PlannedStep(
        id=step.id,
        phase=phase.name,
        block=block,
        component=step.component,
        after=tuple(after),
        parameters=step.parameters,
        time_limit_seconds=block.time_limit_seconds if step.time_limit is None else step.time_limit,
        attempts=block.attempts if step.attempts is None else step.attempts,
        patience_seconds=window_seconds if window_seconds > 0 else LONGEST_PATIENCE_SECONDS,
        by=step.by,
    )


def _way(step: Step, phase: Phase, after: Sequence[str], other: OtherWay) -> Way:
    steps: list[PlannedStep] = []
    waits = tuple(after)
    for one in other.steps:
        steps.append(_planned(one, phase, waits))
        waits = (one.id,)
    loses = any(one.block.may_lose_data for one in steps)
    return Way(step.id, other.when or ("ask" if loses else "automatic"), tuple(steps))


def runbook(phases: Sequence[Phase]) -> Runbook:
    """The graph of these phases: without `after`, a step waits for every step of the phase before."""
    steps: list[PlannedStep] = []
    ways: dict[str, Way] = {}
    before: tuple[str, ...] = ()
    for phase in phases:
        for step in phase.steps:
            after = before if step.after is None else step.after
            steps.append(_planned(step, phase, after))
            if step.other_way is not None:
                ways[step.id] = _way(step, phase, after, step.other_way)
        before = tuple(step.id for step in phase.steps)
    return Runbook(tuple(steps), ways)


def critical_path(book: Runbook, duration_seconds: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """Length in seconds and steps of the longest chain of steps that wait for each other (critical path method)."""
    longest: dict[str, tuple[float, tuple[str, ...]]] = {}

    remaining = list(book.steps)
    while remaining:
        ready = [step for step in remaining if all(name in longest for name in step.after)]
        for step in ready:
            length, path = max((longest[name] for name in step.after), default=(0.0, ()), key=lambda entry: entry[0])
            longest[step.id] = (length + duration_seconds.get(step.id, 0.0), (*path, step.id))
        remaining = [step for step in remaining if step.id not in longest]
    return max(longest.values(), default=(0.0, ()), key=lambda entry: entry[0])
