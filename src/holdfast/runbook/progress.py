"""Where a run stands, from its history alone, and which steps may start now.

Rules, in order:
- a step starts when every step it waits for succeeded (or was skipped by a named person);
- `failed` and `unknown` are tried again after a growing pause, up to the step's attempts and its phase's window; then a person is asked;
- `refused` is never tried again: an effector knows a higher order, so a person is asked at once;
- an intent of an earlier controller without an outcome is settled by the block's class: `idempotent` and `compare` start
  again (which begins with the block's check), `once` is only looked at; if the look can't tell, a person is asked;
- on another way its steps run one after the other, and at its end the step itself is proved by its own block, never done again.
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
    OTHER_WAY = "other-way"
    """The plan's other way is gone instead; at its end this step is proved."""
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
    round_started_seconds: float | None = None
    """First intent of the attempts that count now: since a person asked for them to start over, or the other way was taken."""
    on_other_way: bool = False
    ways_taken: int = 0
    """How often the other way was taken."""


Progress = Mapping[str, StepProgress]


@dataclass(frozen=True, slots=True)
class Start:
    """A step to start now. `look_only`: settle it by its check, never act. `prove_only`: another way was gone, prove it."""

    step: PlannedStep
    attempt: int
    look_only: bool
    prove_only: bool = False


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
            round_started_seconds=record.at_seconds if before.round_started_seconds is None else before.round_started_seconds,
            ended_seconds=None,
        )
    if record.kind == Kind.STEP_WAITING:
        return replace(before, state=StepState.NEEDS_PERSON, detail=body["reason"])
    if record.kind == Kind.OTHER_WAY:
        fresh = replace(before, state=StepState.OTHER_WAY, on_other_way=True, ways_taken=before.ways_taken + 1, rounds=before.rounds + 1)
        return replace(fresh, ended_seconds=None, last_outcome="", detail=body["reason"], round_started_seconds=None)
    if record.kind != Kind.STEP_FINISHED:
        return before
    ended = replace(before, ended_seconds=record.at_seconds, last_outcome=body["outcome"], detail=body["detail"])
    if body["outcome"] in ("succeeded", "settled"):
        return replace(ended, state=StepState.SUCCEEDED)
    if body["outcome"] == "skipped":
        return replace(ended, state=StepState.SKIPPED)
    if body["outcome"] == "again":
        again = replace(ended, state=StepState.TRY_AGAIN, not_before_seconds=record.at_seconds, rounds=before.rounds + 1)
        return replace(again, round_started_seconds=None, on_other_way=False)
    return replace(ended, state=StepState.TRY_AGAIN, not_before_seconds=record.at_seconds + pause_seconds(before.attempts))


def progress(book: Runbook, records: Iterable[Record], run: str, term: int) -> Progress:
    """Where every step of `run` stands after these records (of one incident)."""
    planned = {step.id: step for step in book.all_steps}
    now = {name: StepProgress() for name in planned}
    for record in records:
        if record.body.get("run") == run and record.body.get("step") in planned:
            identifier = record.body["step"]
            now[identifier] = after_record(planned[identifier], now[identifier], record, term)
            if record.kind == Kind.OTHER_WAY and identifier in book.ways:
                now |= {step.id: StepProgress() for step in book.ways[identifier].steps}  # each time it is gone from its beginning
    return now


def must_ask(step: PlannedStep, now: StepProgress) -> str | None:
    """Why a person must be asked before this step is tried again, or None."""
    if now.state is not StepState.TRY_AGAIN or now.last_outcome == "again":
        return None
    if now.on_other_way:
        return f"the other way was gone to its end, but what the step is for is not proved: {now.detail}"
    if now.last_outcome == "refused":
        return f"refused: {now.detail}"
    if step.block.block_class is BlockClass.ONCE and now.last_outcome == "unknown" and now.attempts > 1:
        return f"it may have happened and can't be told by looking: {now.detail}"
    if now.attempts >= step.attempts * (now.rounds + 1):
        return f"{now.attempts} attempts did not succeed; the last said: {now.detail}"
    tried_seconds = (now.ended_seconds or 0.0) - (now.round_started_seconds or now.ended_seconds or 0.0)
    if tried_seconds >= step.patience_seconds:
        return f"{tried_seconds:.0f} s of attempts used up the window of its phase; the last said: {now.detail}"
    return None


def startable(book: Runbook, now: Progress, at_seconds: float) -> tuple[Start, ...]:
    """Steps to start at this moment, in the plan's order."""
    starts = []
    for step in under_way(book, now):
        state = now[step.id]
        if not all(now[name].state in DONE for name in step.after):
            continue
        if state.on_other_way:
            if state.state is StepState.UNSETTLED or (state.state is StepState.OTHER_WAY and _gone(book, now, step.id)):
                starts.append(Start(step, state.attempts + 1, look_only=False, prove_only=True))
        elif state.state is StepState.UNSETTLED:
            starts.append(Start(step, state.attempts + 1, step.block.block_class is BlockClass.ONCE))
        elif state.state is StepState.PENDING:
            starts.append(Start(step, state.attempts + 1, look_only=False))
        elif state.state is StepState.TRY_AGAIN and at_seconds >= state.not_before_seconds and must_ask(step, state) is None:
            doubtful = step.block.block_class is BlockClass.ONCE and state.last_outcome == "unknown"
            starts.append(Start(step, state.attempts + 1, look_only=doubtful))
    return tuple(starts)


def under_way(book: Runbook, now: Progress) -> tuple[PlannedStep, ...]:
    """The steps that count now: those of the plan's first way, and those of each other way that is being gone."""
    first = book.stand_ins
    return tuple(step for step in book.all_steps if step.id not in first or now[first[step.id]].state is StepState.OTHER_WAY)


def _gone(book: Runbook, now: Progress, step: str) -> bool:
    """Whether every step of this step's other way is done."""
    return step in book.ways and all(now[one.id].state in DONE for one in book.ways[step].steps)


def goes_by_itself(book: Runbook, step: PlannedStep, now: StepProgress) -> bool:
    """Whether the plan lets Holdfast take the step's other way without asking: once, and never when the step may have happened once."""
    doubtful = step.block.block_class is BlockClass.ONCE and now.last_outcome == "unknown"
    return step.id in book.ways and book.ways[step.id].when == "automatic" and now.ways_taken == 0 and not doubtful


def next_moment(now: Progress) -> float | None:
    """When a pause ends and a step may be tried again; None when nothing waits for time."""
    return min((state.not_before_seconds for state in now.values() if state.state is StepState.TRY_AGAIN), default=None)


def is_finished(book: Runbook, now: Progress) -> bool:
    """Whether every step of the plan's first way succeeded, on it or on another, or was skipped by a person."""
    return all(now[step.id].state in DONE for step in book.steps)
