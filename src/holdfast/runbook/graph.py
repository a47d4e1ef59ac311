"""A run's steps as a graph: every step with the steps it waits for, in the plan's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.plan.blocks import BLOCKS, BlockSpecification
from holdfast.plan.model import Phase, Step


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


@dataclass(frozen=True, slots=True)
class Runbook:
    """The steps of one run; `after` names only steps of the same run, without cycles (the loader checks both)."""

    steps: tuple[PlannedStep, ...]

    def step(self, identifier: str) -> PlannedStep:
        """The step with this identifier. Raises KeyError when there is none."""
        for step in self.steps:
            if step.id == identifier:
                return step
        raise KeyError(identifier)


def _planned(step: Step, phase: Phase, before: Sequence[str]) -> PlannedStep:
    block = BLOCKS[step.block]
    return PlannedStep(
        id=step.id,
        phase=phase.name,
        block=block,
        component=step.component,
        after=tuple(before) if step.after is None else step.after,
        parameters=step.parameters,
        time_limit_seconds=block.time_limit_seconds if step.time_limit is None else step.time_limit,
        attempts=block.attempts if step.attempts is None else step.attempts,
    )


def runbook(phases: Sequence[Phase]) -> Runbook:
    """The graph of these phases: without `after`, a step waits for every step of the phase before."""
    steps: list[PlannedStep] = []
    before: tuple[str, ...] = ()
    for phase in phases:
        steps += [_planned(step, phase, before) for step in phase.steps]
        before = tuple(step.id for step in phase.steps)
    return Runbook(tuple(steps))


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
