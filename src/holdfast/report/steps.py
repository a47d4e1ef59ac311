"""Steps, phases and runs out of the journal's intents and outcomes, and the path that the time hung on.

Rules: an intent without an outcome is *unknown*, and so is a step that waits for a person; a step counts as verified only when its
record says so, save for people's own steps, which are their own proof once a person calls them done.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from holdfast.decision.approval import REQUESTER_HOLDFAST
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.model import Phase
from holdfast.report.history import History, Run, run_of
from holdfast.report.model import Answer, PhaseResult, RunResult, StepResult

Outcome = Literal["succeeded", "settled", "skipped", "refused", "failed", "unknown"]
_OUTCOMES = ("succeeded", "settled", "skipped", "refused", "failed", "unknown")
DONE = ("succeeded", "settled")


def step_results(history: History, run: Run, phases: Sequence[Phase], impact_seconds: float) -> tuple[StepResult, ...]:
    """Every step that the journal knows an intent of, in order of its first intent; the critical path is marked."""
    phase_of = {step.id: phase.name for phase in phases for step in phase.steps}
    first = {one.id: step for phase in phases for step in phase.steps if step.other_way for one in step.other_way.steps}
    phase_of |= {name: phase_of[step.id] for name, step in first.items()}
    told: dict[str, list[Record]] = {}
    for record in history.of(Kind.STEP_INTENDED, Kind.STEP_WAITING, Kind.STEP_FINISHED):
        if run_of(record) == run:
            told.setdefault(str(record.body["step"]), []).append(record)
    ways = {str(record.body["step"]): _why_other_way(record) for record in history.of(Kind.OTHER_WAY) if run_of(record) == run}
    found = tuple(
        _step(run, step, phase_of.get(step, ""), records, impact_seconds).model_copy(
            update={"instead_of": first[step].id if step in first else None, "other_way": ways.get(step)}
        )
        for step, records in told.items()
    )
    asked = history.first_of_run(Kind.PROPOSED, run)
    if asked is not None:
        # People's answer is journalled in one go when it is complete; the step began when they were asked.
        asked_seconds = round(asked.at_seconds - impact_seconds, 3)
        found = tuple(
            step.model_copy(update={"started_seconds": min(step.started_seconds, asked_seconds)}) if step.block == "approve" else step
            for step in found
        )
    critical = critical_path(phases, found)
    return tuple(step.model_copy(update={"critical": step.step in critical}) for step in found)


def _step(run: Run, step: str, phase: str, records: Sequence[Record], impact_seconds: float) -> StepResult:
    first = records[0]
    last = records[-1] if records[-1].kind == Kind.STEP_FINISHED else None
    intents = [record for record in records if record.kind == Kind.STEP_INTENDED]
    block = str(first.body.get("block", ""))
    outcome = str(last.body.get("outcome", "unknown")) if last else "unknown"
    outcome = outcome if outcome in _OUTCOMES else "unknown"
    return StepResult(
        run=run,
        step=step,
        block=block,
        phase=phase,
        component=cast("str | None", first.body.get("component")),
        started_seconds=first.at_seconds - impact_seconds,
        ended_seconds=last.at_seconds - impact_seconds if last else None,
        outcome=cast("Outcome", outcome),
        attempts=max(1, len(intents), *(int(record.body.get("attempt", 1)) for record in records)),
        verified=_verified(block, outcome, last.body if last else {}),
        detail=str(last.body.get("detail", "")) if last else _why_open(records[-1]),
        by=_by(last),
    )


def _by(last: Record | None) -> str | None:
    """Identifier of the person whose word ended the step."""
    facts = last.body.get("facts") if last is not None else None
    person = facts.get("person") if isinstance(facts, Mapping) else None
    return str(person) if person is not None else None


def _why_other_way(record: Record) -> str:
    by = record.body["by"]
    return f"{'by itself, as the plan says' if by == REQUESTER_HOLDFAST else f'said by {by}'}: {record.body['reason']}"


def _why_open(last: Record) -> str:
    if last.kind == Kind.STEP_WAITING:
        return f"it waits for {last.body.get('needs', 'a person')}: {last.body.get('reason', '')}".rstrip(": ")
    return "no outcome was recorded after the last intent"


def _verified(block: str, outcome: str, body: Mapping[str, Any]) -> Answer:
    said = body.get("verified")
    if said in (False, "no"):
        return "no"
    if said in (True, "yes"):
        return "yes"
    specification = BLOCKS.get(block)
    by_person = specification is not None and specification.actor is Actor.PERSON
    own_proof = outcome in DONE and (by_person or (said is None and specification is not None and specification.actor is Actor.CONTROLLER))
    # A provider's step with no word on its verification was not verified.
    return "yes" if own_proof else "unknown"


def phase_results(phases: Sequence[Phase], steps: Sequence[StepResult], start_seconds: float = 0.0) -> tuple[PhaseResult, ...]:
    """Planned windows against the first intent and the last outcome of each phase's steps, counted from `start_seconds`."""
    results = []
    for phase in phases:
        mine = [step for step in steps if step.phase == phase.name]
        ends = [step.ended_seconds for step in mine]
        results.append(
            PhaseResult(
                name=phase.name,
                planned_start_seconds=phase.window[0],
                planned_end_seconds=phase.window[1] if math.isfinite(phase.window[1]) else None,
                actual_start_seconds=min(step.started_seconds for step in mine) - start_seconds if mine else None,
                actual_end_seconds=max(_known(ends)) - start_seconds if mine and None not in ends else None,
            )
        )
    return tuple(results)


def run_result(history: History, run: Run, phases: Sequence[Phase], steps: Sequence[StepResult], impact_seconds: float) -> RunResult | None:
    """How a run ended and which of the plan's steps never began; None when the run never began."""
    started, finished = history.first_of_run(Kind.RUN_STARTED, run), history.last_of_run(Kind.RUN_FINISHED, run)
    if started is None and not steps:
        return None
    outcome = str(finished.body.get("outcome")) if finished else "unknown"
    ran = {step.step for step in steps}
    return RunResult(
        run=run,
        outcome=cast("Any", outcome if outcome in ("succeeded", "failed", "abandoned") else "unknown"),
        reason=str(finished.body.get("reason", "")) if finished else "the journal holds no end of this run",
        started_seconds=started.at_seconds - impact_seconds if started else steps[0].started_seconds,
        ended_seconds=finished.at_seconds - impact_seconds if finished else None,
        missing_steps=tuple(step.id for phase in phases for step in phase.steps if step.id not in ran),
    )


def critical_path(phases: Sequence[Phase], steps: Sequence[StepResult]) -> frozenset[str]:
    """Steps that the end of the run hung on: from the last outcome back, each time to the latest of what was waited for."""
    waits = _waits(phases)
    ended = {step.step: step.ended_seconds for step in steps if step.ended_seconds is not None}
    path: set[str] = set()
    here = max(ended, key=lambda step: ended[step], default=None)
    while here is not None and here not in path:
        path.add(here)
        here = max((before for before in waits.get(here, ()) if before in ended), key=lambda step: ended[step], default=None)
    return frozenset(path)


def _waits(phases: Sequence[Phase]) -> dict[str, tuple[str, ...]]:
    waits: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for phase in phases:
        for step in phase.steps:
            waits[step.id] = waited = before if step.after is None else tuple(step.after)
            for one in step.other_way.steps if step.other_way else ():
                waits[one.id] = waited
                waited = (one.id,)
            if step.other_way:
                waits[step.id] = (*waits[step.id], *waited)
        before = tuple(step.id for step in phase.steps) or before
    return waits


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
