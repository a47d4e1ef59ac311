"""When a run's steps are expected to end: what earlier runs took, and where nothing was measured the plan's own windows.

Rules
- A step counts with the median of its last five successful runs of the same scenario. A person's step counts only runs of the same
  occasion: stand-ins decide within seconds, and that says nothing about people who are called at night.
- A step that never ran ends with its phase's window; a phase that begins after its window has one window's length from there.
- What waits for a person, goes the plan's other way, or takes longer than it ever took has no known end: it is taken to end now at the
  earliest, and everything behind it is *not before*. A forecast never claims to know more than that.

Pure: it never decides anything, and no promise is judged by it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import Actor
from holdfast.plan.model import Phase
from holdfast.runbook.graph import PlannedStep, Runbook
from holdfast.runbook.progress import DONE, Progress, StepProgress, StepState

RUNS_COUNTED = 5
"""Older runs say little about the servers of today."""
_GOOD = ("succeeded", "settled")


class Conducted(Protocol):
    """What an expectation needs to know of an incident, whoever tells it."""

    @property
    def scenario(self) -> str:
        """Identifier of its scenario."""

    @property
    def exercise(self) -> str | None:
        """The exercise that it belongs to; None when it is real."""

    @property
    def records(self) -> Sequence[Record]:
        """Its records, in order."""


@dataclass(frozen=True, slots=True)
class Expected:
    """When a step is expected to end. `not_before`: nobody can say, but not earlier. `by_plan`: the plan's windows went into it."""

    ends_seconds: float
    not_before: bool
    by_plan: bool
    waits_for: str | None
    """The step before it that ends last, or None when it waits for none."""


def measured_seconds(incidents: Iterable[Conducted], scenario: str, run: str, book: Runbook, exercise: str | None) -> Mapping[str, float]:
    """Step → how long it took in earlier runs. `exercise`: of the incident that the expectation is for."""
    took: dict[str, list[float]] = {}
    for incident in incidents:
        if incident.scenario != scenario:
            continue
        same_occasion = (incident.exercise is None) == (exercise is None)
        for step in book.steps:
            if step.block.actor is Actor.PERSON and not same_occasion:
                continue
            measured = took_seconds(incident, run, step)
            if measured is not None:
                took.setdefault(step.id, []).append(measured[0])
    return {step: median(lengths[-RUNS_COUNTED:]) for step, lengths in took.items()}


def took_seconds(incident: Conducted, run: str, step: PlannedStep) -> tuple[float, float] | None:
    """How long a step took, from its first intent to its success, and the moment of that; people's approval from when they were asked.

    None where it did not succeed by itself.
    """
    first = done = None
    begins = Kind.PROPOSED if step.block.name == "approve" else Kind.STEP_INTENDED
    for record in incident.records:
        body = record.body
        if body.get("run") != run or body.get("step") != step.id:
            continue
        if record.kind == begins and first is None:
            first = record.at_seconds
        elif record.kind == Kind.STEP_FINISHED and body["outcome"] in _GOOD and body["facts"].get("person") is None:
            done = record.at_seconds
    return None if first is None or done is None else (max(done - first, 0.0), done)


def expectation(
    book: Runbook, phases: Sequence[Phase], now: Progress, measured: Mapping[str, float], counted_from_seconds: float, at_seconds: float
) -> Mapping[str, Expected]:
    """Step → when it is expected to end. `counted_from_seconds`: the moment that the plan's windows count from."""
    windows = {phase.name: phase.window for phase in phases}
    ends: dict[str, float] = {}
    found: dict[str, Expected] = {}
    remaining = list(book.steps)
    while remaining:
        ready = [step for step in remaining if all(name in found for name in step.after)]
        for step in ready:
            begins = _begins(step, now[step.id], found, at_seconds)
            start, end = windows[step.phase]
            end += counted_from_seconds
            ends.setdefault(step.phase, end if begins <= end else begins + end - counted_from_seconds - start)
            found[step.id] = _expected(step, now[step.id], found, measured.get(step.id), ends[step.phase], at_seconds)
        remaining = [step for step in remaining if step.id not in found]
    return found


def _begins(step: PlannedStep, now: StepProgress, found: Mapping[str, Expected], at_seconds: float) -> float:
    """When the step began, or could."""
    if now.started_seconds is not None:
        return now.started_seconds
    return max((found[name].ends_seconds for name in step.after), default=at_seconds)


def _expected(
    step: PlannedStep,
    now: StepProgress,
    found: Mapping[str, Expected],
    measured: float | None,
    phase_ends_seconds: float,
    at_seconds: float,
) -> Expected:
    before = max(step.after, key=lambda name: found[name].ends_seconds, default=None)
    if now.state in DONE and now.ended_seconds is not None:
        return Expected(now.ended_seconds, not_before=False, by_plan=False, waits_for=before)
    behind = [found[name] for name in step.after]
    begins = _begins(step, now, found, at_seconds)
    not_before = any(one.not_before for one in behind)
    by_plan = any(one.by_plan for one in behind) or measured is None
    ends = begins + measured if measured is not None else max(begins, phase_ends_seconds)
    if now.state in (StepState.NEEDS_PERSON, StepState.OTHER_WAY) or ends <= at_seconds or math.isinf(ends):  # an open window ends never
        return Expected(max(at_seconds, begins), not_before=True, by_plan=by_plan, waits_for=before)
    return Expected(ends, not_before, by_plan, before)


def chain_to(found: Mapping[str, Expected], step: str) -> tuple[str, ...]:
    """The steps that this one's end hangs on, first to last: what the time is being spent on."""
    chain: list[str] = []
    here: str | None = step
    while here is not None:
        chain.append(here)
        here = found[here].waits_for
    return tuple(reversed(chain))


def proof_of_service(book: Runbook) -> str | None:
    """The step after which functions are known to be served: the last one that carries out their transactions, else that moves traffic."""
    proving = [step.id for step in book.steps if step.block.name == "smoke.test"]
    moving = [step.id for step in book.steps if step.block.moves_traffic]
    return next(reversed(proving or moving), None)
