"""How far a run has come, and when it is expected to be through: what the console shows and what messages say of it.

Rules: a forecast names what it rests on, and is *not before* where nobody can say how long a step still takes. What was measured runs on
the wall's clock; the plan's windows run on the clock that the reader has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.communications.facts import ExpectedBack
from holdfast.conduct.runs import FAILOVER, current_run, phases_of, since_start
from holdfast.conduct.situation import Situation
from holdfast.conduct.undoing import book_of
from holdfast.decision.replay import IncidentState
from holdfast.plan.model import Phase
from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock
from holdfast.runbook.expectation import Expected, chain_to, expectation, measured_seconds, proof_of_service
from holdfast.runbook.graph import Runbook
from holdfast.runbook.progress import DONE, Progress, progress


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of the run that is under way. Moments in wall-clock seconds since 1970."""

    run: str
    served: Expected | None
    """When its functions are proved to be served; None for a run that proves nothing."""
    through: Expected | None
    chain: tuple[str, ...]
    """The steps to come that its end hangs on, first to last."""
    steps: Mapping[str, Expected]
    """Those to come."""
    measured_steps: int


def run_progress(situation: Situation, incident: IncidentState, run: str) -> tuple[Runbook, Progress]:
    """The run's graph and where each step stands. A run that was abandoned and is taken up again starts with fresh history."""
    book = book_of(situation.plan, incident, run)
    return book, progress(book, since_start(incident, run), run, situation.installation.term)


def run_started_seconds(incident: IncidentState, run: str) -> float | None:
    """When this run was started last, or None."""
    return next((float(record.at_seconds) for record in since_start(incident, run)), None)


def forecast(situation: Situation, incident: IncidentState, clock: PlanClock = AS_ON_THE_WALL) -> Forecast | None:
    """What is expected of the run that is under way; None between runs. `clock`: of whoever reads the plan's windows."""
    run = current_run(incident)
    phases = () if run is None else phases_of(situation.plan, incident.scenario, run)
    if run is None or not phases:
        return None  # Turning back has no window in the plan to measure it by.
    book, now = run_progress(situation, incident, run)
    earlier = [known for known in situation.installation.incidents.values() if known.incident != incident.incident]
    measured = measured_seconds(earlier, incident.scenario, run, book, incident.exercise)
    started = run_started_seconds(incident, run)
    counted_from = incident.impact_seconds if run == FAILOVER or started is None else started
    found = expectation(book, [_on(clock, phase) for phase in phases], now, measured, counted_from, situation.now)
    proof = proof_of_service(book)
    last = max(found, key=lambda step: found[step].ends_seconds, default=None)
    chain = chain_to(found, proof or last) if last is not None else ()
    return Forecast(
        run=run,
        served=None if proof is None else found[proof],
        through=None if last is None else found[last],
        chain=tuple(step for step in chain if now[step].state not in DONE),
        steps={step: expected for step, expected in found.items() if now[step].state not in DONE},
        measured_steps=len(measured),
    )


def expected_back(situation: Situation, incident: IncidentState) -> ExpectedBack | None:
    """When service is expected back, as messages say it: on the plan's clock. None where no failover is under way."""
    ahead = forecast(situation, incident, incident.clock)
    found = None if ahead is None or ahead.run != FAILOVER else ahead.served or ahead.through
    return None if found is None else ExpectedBack(found.ends_seconds, found.not_before, found.by_plan)


def _on(clock: PlanClock, phase: Phase) -> Phase:
    """The phase with its window as a reader of that clock has it."""
    start, end = phase.window
    return phase if clock.scale == 1 else phase.model_copy(update={"window": (clock.wall_seconds(start), clock.wall_seconds(end))})
