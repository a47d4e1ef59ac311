"""Where a run stands, from its history alone, and which steps may start now.

Rules, in order:
- a step starts when every step it waits for succeeded (or was skipped by a named person);
- `failed` and `unknown` are tried again after a growing pause, up to the step's attempts; then a person is asked;
- `refused` is never tried again: an effector knows a higher order, so a person is asked at once;
- an intent of an earlier controller without an outcome is settled by the block's class: `idempotent` and `compare` start
  again (which begins with the block's check), `once` is only looked at; if the look can't tell, a person is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BlockClass
from holdfast.runbook.graph import PlannedStep, Runbook

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class StepState(StrEnum):
    """Where one step stands."""

    PENDING = "pending"
    RUNNING = "running"
    UNSETTLED = "unsettled"
    """Intended by an earlier controller; its outcome isn't known."""
    TRY_AGAIN = "try-again"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    NEEDS_PERSON = "needs-person"


DONE = frozenset({StepState.SUCCEEDED, StepState.SKIPPED})


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step so far. `not_before_seconds`: earliest moment of the next attempt."""

    state: StepState = StepState.PENDING
    attempts: int = 0
    rounds: int = 0
    """How often a person asked for the attempts to start over."""
    term: int = 0
    not_before_seconds: float = 0.0
    started_seconds: float | None = None
    ended_seconds: float | None = None
    last_outcome: str = ""
    detail: str = ""


Progress = Mapping[str, StepProgress]


@dataclass(frozen=True, slots=True)
class Start:
    """A step to start now. `look_only`: settle it by its check, never act."""

    step: PlannedStep
    attempt: int
    look_only: bool


def pause_seconds(attempts: int) -> float:
    """Pause after this many attempts: doubles from 0.2 s, never longer than 5 s."""
    return min(FIRST_PAUSE_SECONDS * float(2 ** max(attempts - 1, 0)), LONGEST_PAUSE_SECONDS)


def after_record(step: PlannedStep, before: StepProgress, record: Record, term: int) -> StepProgress:
    """A step's progress after one more record about it. `term`: of the controller that reads."""
    body = record.body
    if record.kind == Kind.STEP_INTENDED:
        state = StepState.RUNNING if body["order"][2] == term else StepState.UNSETTLED
        return replace(
            before,
            state=state,
            attempts=body["attempt"],
            term=body["order"][2],
            started_seconds=record.at_seconds if before.started_seconds is None else before.started_seconds,
            ended_seconds=None,
        )
    if record.kind == Kind.STEP_WAITING:
        return replace(before, state=StepState.NEEDS_PERSON, detail=body["reason"])
    if record.kind != Kind.STEP_FINISHED:
        return before
    ended = replace(before, ended_seconds=record.at_seconds, last_outcome=body["outcome"], detail=body["detail"])
    if body["outcome"] in ("succeeded", "settled"):
        return replace(ended, state=StepState.SUCCEEDED)
    if body["outcome"] == "skipped":
        return replace(ended, state=StepState.SKIPPED)
    if body["outcome"] == "again":
        return replace(ended, state=StepState.TRY_AGAIN, not_before_seconds=record.at_seconds, rounds=before.rounds + 1)
    return replace(ended, state=StepState.TRY_AGAIN, not_before_seconds=record.at_seconds + pause_seconds(before.attempts))


def progress(book: Runbook, records: Iterable[Record], run: str, term: int) -> Progress:
    """Where every step of `run` stands after these records (of one incident)."""
    now = {step.id: StepProgress() for step in book.steps}
    planned = {step.id: step for step in book.steps}
    for record in records:
        if record.body.get("run") == run and record.body.get("step") in planned:
            identifier = record.body["step"]
            now[identifier] = after_record(planned[identifier], now[identifier], record, term)
    return now


def must_ask(step: PlannedStep, now: StepProgress) -> str | None:
    """Why a person must be asked before this step is tried again, or None."""
    if now.state is not StepState.TRY_AGAIN or now.last_outcome == "again":
        return None
    if now.last_outcome == "refused":
        return f"the effector refused: {now.detail}"
    if step.block.block_class is BlockClass.ONCE and now.last_outcome == "unknown" and now.attempts > 1:
        return f"it may have happened and can't be told by looking: {now.detail}"
    if now.attempts >= step.attempts * (now.rounds + 1):
        return f"{now.attempts} attempts did not succeed; the last said: {now.detail}"
    return None


def startable(book: Runbook, now: Progress, at_seconds: float) -> tuple[Start, ...]:
    """Steps to start at this moment, in the plan's order."""
    starts = []
    for step in book.steps:
        state = now[step.id]
        if not all(now[name].state in DONE for name in step.after):
            continue
        if state.state is StepState.UNSETTLED:
            starts.append(Start(step, state.attempts + 1, step.block.block_class is BlockClass.ONCE))
        elif state.state is StepState.PENDING:
            starts.append(Start(step, state.attempts + 1, look_only=False))
        elif state.state is StepState.TRY_AGAIN and at_seconds >= state.not_before_seconds and must_ask(step, state) is None:
            doubtful = step.block.block_class is BlockClass.ONCE and state.last_outcome == "unknown"
            starts.append(Start(step, state.attempts + 1, look_only=doubtful))
    return tuple(starts)


def next_moment(now: Progress) -> float | None:
    """When a pause ends and a step may be tried again; None when nothing waits for time."""
    return min((state.not_before_seconds for state in now.values() if state.state is StepState.TRY_AGAIN), default=None)


def is_finished(now: Progress) -> bool:
    """Whether every step succeeded or was skipped by a person."""
    return all(state.state in DONE for state in now.values())
