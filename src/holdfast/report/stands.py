"""How it stood when people were asked, when they had decided, and when a step waited for one of them.

Rules: the journal up to that moment alone says it; nothing that came later is known. The forecast is the live view's own, of earlier runs
in the same journal, else of the plan's windows. A record that lacks what its kind holds tells nothing here. Never here: how long clients
lacked a function (their ledgers say that), or a drawing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.communications.oncall import fillers_between
from holdfast.conduct.decisions import waiting_steps
from holdfast.conduct.runs import phases_in
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.model import Phase, Plan, Scenario
from holdfast.plan.people import Occasion
from holdfast.report.decisive import lag_at
from holdfast.report.facts import ReportFacts
from holdfast.report.history import Run, number, run_of
from holdfast.report.people import person_name
from holdfast.report.seen import Asked, Stand, StandingStep
from holdfast.report.timing import Moments
from holdfast.runbook.expectation import Expected, expectation, measured_seconds, proof_of_service
from holdfast.runbook.graph import Runbook, runbook
from holdfast.runbook.progress import Progress, StepState, progress

Moment = Literal["asked", "decided", "stuck"]
_FIELDS: Mapping[str, tuple[str, ...]] = {
    Kind.STEP_INTENDED: ("run", "step", "block", "order", "attempt"),
    Kind.STEP_FINISHED: ("run", "step", "outcome", "detail", "facts"),
    Kind.STEP_WAITING: ("run", "step", "block", "reason", "needs"),
    Kind.OTHER_WAY: ("run", "step", "reason"),
    Kind.RUN_FINISHED: ("run",),
}
"""Kind → what is read of it here."""
_STATES: Mapping[StepState, Literal["running", "waits", "unsettled", "needs-person"]] = {
    StepState.RUNNING: "running",
    StepState.UNSETTLED: "unsettled",
    StepState.TRY_AGAIN: "waits",
    StepState.NEEDS_PERSON: "needs-person",
}


@dataclass(frozen=True, slots=True)
class _Told:
    """An incident as far as its records had been written."""

    scenario: str
    exercise: str | None
    records: tuple[Record, ...]


def stands(facts: ReportFacts, at: Moments, scenario: Scenario | None, regions: tuple[str, str]) -> tuple[Stand, ...]:
    """Those that there were, in order. `regions`: the source and the target of the failover."""
    mine = [record for record in facts.records if record.incident == facts.incident and _is_whole(record)]
    earlier = _earlier(facts)
    found = []
    for moment, length in _lengths(mine):
        last = mine[length - 1]
        run = run_of(last)
        told, phases = _told(mine[:length]), phases_in(scenario, run)
        book = runbook(phases)
        now = _progress(facts, told, run, book)
        expected = _expected(at, told, phases, book, now, measured_seconds(earlier, told.scenario, run, book, told.exercise))
        follower = None if run != "failover" else regions[1]
        found.append(
            Stand(
                moment=moment,
                run=run,
                seconds=last.at_seconds - at.impact,
                lag_seconds=None if follower is None else lag_at(facts.observations, follower, last.at_seconds),
                expected_back_seconds=None if expected is None else expected.ends_seconds - at.impact,
                expected_not_before=expected is not None and expected.not_before,
                expected_by=None if expected is None else "the plan's windows" if expected.by_plan else "earlier runs",
                doing=tuple(_doing(book, now, last.at_seconds)),
                acting=tuple(_acting(facts, at, told)),
            )
        )
    return tuple(found)


def _is_whole(record: Record) -> bool:
    return all(name in record.body for name in _FIELDS.get(record.kind, ()))


def _lengths(mine: Sequence[Record]) -> Iterator[tuple[Moment, int]]:
    """Each moment with how many of the incident's records had been written by then."""
    places: dict[Moment, int] = {}
    for length, record in enumerate(mine, start=1):
        if record.kind == Kind.PROPOSED and run_of(record) == "failover":
            places.setdefault("asked", length)
        elif record.kind == Kind.STEP_INTENDED and _is_carried_out(record) and any(r.kind == Kind.DECIDED for r in mine[:length]):
            places.setdefault("decided", length)  # what was decided is begun
        elif record.kind == Kind.STEP_WAITING and record.body["block"] != "manual" and run_of(record) != "turn-back":
            places.setdefault("stuck", length)
    yield from sorted(places.items(), key=lambda place: place[1])


def _is_carried_out(record: Record) -> bool:
    block = BLOCKS.get(str(record.body["block"]))
    return run_of(record) == "failover" and block is not None and block.actor is Actor.PROVIDER


def _told(records: Sequence[Record]) -> _Told:
    opened = next((record for record in records if record.kind == Kind.INCIDENT_OPENED), None)
    body: Mapping[str, Any] = opened.body if opened is not None else {}
    return _Told(str(body.get("scenario", "")), body.get("exercise"), tuple(records))


def _progress(facts: ReportFacts, told: _Told, run: Run, book: Runbook) -> Progress:
    """Where each of the run's steps stood."""
    starts = [place for place, record in enumerate(told.records) if record.kind == Kind.RUN_STARTED and run_of(record) == run]
    last = told.records[-1].sequence
    terms = [record.body.get("term") for record in facts.records if record.kind == Kind.CONTROLLER_STARTED and record.sequence <= last]
    return progress(book, told.records[starts[-1] if starts else 0 :], run, int(number(terms[-1]) or 0) if terms else 0)


def _expected(
    at: Moments, told: _Told, phases: Sequence[Phase], book: Runbook, now: Progress, measured: Mapping[str, float]
) -> Expected | None:
    """When functions were expected to be proved to be served; None where the run has no such step."""
    run = run_of(told.records[-1])
    proof = proof_of_service(book)
    if proof is None:
        return None
    started = [record.at_seconds for record in told.records if record.kind == Kind.RUN_STARTED and run_of(record) == run]
    counted_from = at.impact if run == "failover" or not started else started[-1]
    return expectation(book, phases, now, measured, counted_from, told.records[-1].at_seconds)[proof]


def _earlier(facts: ReportFacts) -> list[_Told]:
    """Incidents that were opened before this one: no two are open at a time."""
    by_incident: dict[str, list[Record]] = {}
    for record in facts.records:
        if record.incident == facts.incident:
            break
        if record.incident and _is_whole(record):
            by_incident.setdefault(record.incident, []).append(record)
    return [_told(records) for records in by_incident.values()]


def _doing(book: Runbook, now: Progress, here_seconds: float) -> Iterator[StandingStep]:
    for step in book.all_steps:
        state = _STATES.get(now[step.id].state)
        if state is not None:
            started = now[step.id].started_seconds
            yield StandingStep(
                step=step.id,
                block=step.block.name,
                state=state,
                for_seconds=None if started is None else here_seconds - started,
                limit_seconds=step.time_limit_seconds,
            )


def _acting(facts: ReportFacts, at: Moments, told: _Told) -> Iterator[Asked]:
    proposal = _open_proposal(told)
    if proposal is not None:
        yield Asked(
            what=f"approve the {proposal.get('action', 'failover')} {proposal.get('source', '')} → {proposal.get('target', '')}",
            people=_people(facts, told, [str(role) for role in proposal.get("roles", ())], str(proposal.get("requester", ""))),
            needed=int(number(proposal.get("count")) or 1),
            by_seconds=None if (ends := number(proposal.get("expires_seconds"))) is None else ends - at.impact,
        )
    for step, asked in waiting_steps(told).items():
        what = f"do {step} and tick it off" if asked["block"] == "manual" else f"say how {step} goes on: {asked['reason']}"
        yield Asked(what=what, people=_people(facts, told, [str(asked["needs"])], ""))


def _open_proposal(told: _Told) -> Mapping[str, Any] | None:
    """What people were asked last, unless that was decided or void."""
    ends = (Kind.DECIDED, Kind.PROPOSAL_VOID, Kind.APPROVAL_REOPENED, Kind.PROPOSED)
    last = next((record for record in reversed(told.records) if record.kind in ends), None)
    return last.body if last is not None and last.kind == Kind.PROPOSED else None


def _people(facts: ReportFacts, told: _Told, roles: Sequence[str], barred: str) -> tuple[str, ...]:
    """Who filled these roles then, by name with the role."""
    plan: Plan = facts.plan
    occasion = Occasion.of(told.exercise)
    span = told.records[0].at_seconds, told.records[-1].at_seconds
    found: dict[str, str] = {}
    for role in roles:
        for person in fillers_between(plan, plan.roles[role], occasion, *span) if role in plan.roles else ():
            found.setdefault(person, plan.roles[role].name)
    return tuple(f"{person_name(plan, person)} ({role})" for person, role in found.items() if person != barred)
