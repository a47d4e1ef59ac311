"""What real runs took, as the journal tells it: how long until the incident was opened, how long each step, when each ended.

Rules: a step counts from its first intent to its success, a person's approval from when people were asked; a step that a person settled
or skipped, or that went another way, was not measured. Detection counts from the exercise's cut, else from the impact that the incident was
opened with; what a person declared was not detected by Holdfast and counts for nothing.
A planned move of a healthy region is no loss, and is left out.
Never here: reading journals.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.decision.replay import IncidentState, replayed
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Plan
from holdfast.runbook.expectation import took_seconds
from holdfast.runbook.graph import runbook

RUN = "failover"
_BY_A_PERSON = "command"


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run of a scenario that really happened. Times in seconds; moments count from impact."""

    name: str
    scenario: str
    exercise: bool
    profile: str | None
    succeeded: bool
    """False: it failed, was given up, or is not over."""
    detection_seconds: float | None
    took_seconds: Mapping[str, float]
    ended_seconds: Mapping[str, float]


def measured_runs(plan: Plan, records: Iterable[Record]) -> tuple[MeasuredRun, ...]:
    """Every run there of every scenario of the plan that one journal holds, the oldest first."""
    listed = list(records)
    installation = replayed(plan.primary_region(), listed)
    profiles = _profiles(listed)
    cuts = [record.at_seconds for record in listed if record.kind == Kind.EXERCISE_MARK and record.body["what"] == "cut"]
    found = []
    before = 0.0
    for incident in installation.incidents.values():
        if incident.scenario in plan.scenarios and RUN in incident.runs_started and incident.mode != "graceful":
            impact = max((at for at in cuts if before < at <= incident.opened_seconds), default=incident.impact_seconds)
            found.append(_measured(plan, incident, impact, _profile_at(profiles, incident.opened_seconds)))
        before = incident.opened_seconds
    return tuple(found)


def _profiles(records: Iterable[Record]) -> list[tuple[float, str]]:
    return [(record.at_seconds, str(record.body["profile"])) for record in records if record.kind == Kind.CONTROLLER_STARTED]


def _profile_at(profiles: list[tuple[float, str]], at_seconds: float) -> str | None:
    return next((name for since, name in reversed(profiles) if since <= at_seconds), None)


def _measured(plan: Plan, incident: IncidentState, impact: float, profile: str | None) -> MeasuredRun:
    took, ended = {}, {}
    for step in runbook(plan.scenarios[incident.scenario].phases).steps:
        measured = took_seconds(incident, RUN, step)
        if measured is not None:
            took[step.id], ended[step.id] = measured[0], measured[1] - impact
    return MeasuredRun(
        name=incident.incident,
        scenario=incident.scenario,
        exercise=incident.exercise is not None,
        profile=profile,
        succeeded=incident.runs_finished.get(RUN) == "succeeded",
        detection_seconds=None if incident.trigger == _BY_A_PERSON else max(incident.opened_seconds - impact, 0.0),
        took_seconds=took,
        ended_seconds=ended,
    )
