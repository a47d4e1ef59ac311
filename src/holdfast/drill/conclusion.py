"""From a drill's evidence to its report: built, judged and written."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast import __version__
from holdfast.checks import Severity, check
from holdfast.drill.drilling import DrillResult
from holdfast.drill.settings import DrillSettings
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.loader import LoadedPlan
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Finding, Report
from holdfast.report.write import write


def conclude(settings: DrillSettings, loaded: LoadedPlan, result: DrillResult, directory: Path) -> Report:
    """The judged report, written to `directory`. A drill that ended early can't pass: what it didn't reach is unknown."""
    evidence = result.evidence
    incident = _incident(evidence.records)
    findings = (*evidence.findings, *broken_promises(loaded))
    if result.ended_early is not None:
        findings = (*findings, Finding(about="the drill", result="unknown", sentence=f"It ended before its end: {result.ended_early}"))
    report = build(
        ReportFacts(
            plan=loaded.plan,
            plan_digest=loaded.digest,
            incident=incident,
            kind="exercise",
            scenario=settings.scenario,
            profile=settings.profile,
            replication=settings.replication,
            records=evidence.records,
            ledgers=evidence.ledgers or {},
            after_failover=evidence.after_failover_contents,
            before_reprotect=evidence.before_reprotect_contents,
            before_return=evidence.before_return_contents,
            at_end=evidence.at_end_contents,
            started_seconds=evidence.started_seconds,
            ended_seconds=evidence.ended_seconds,
            generated_seconds=time.time(),
            holdfast_version=__version__,
            observations=evidence.observations,
            findings=findings,
            divergence=evidence.divergence,
            held_there=evidence.held_there,
            divergence_on_return=evidence.divergence_on_return,
            held_on_return=evidence.held_on_return,
            storage=result.storage,
            arrived=evidence.arrived,
        )
    )
    write(report, directory)
    return report


def _incident(records: Sequence[Record]) -> str:
    """The incident that the cut caused; one that a false alarm opened before it is another."""
    cut = next((record.sequence for record in records if record.kind == Kind.EXERCISE_MARK and record.body["what"] == "cut"), 0)
    opened = [record for record in records if record.kind == Kind.INCIDENT_OPENED]
    return next((record.incident for record in opened if record.sequence > cut), opened[0].incident if opened else "")


ITSELF = "The plan contradicts itself"
"""What a finding of `holdfast check` is about: no rule of the drill was missed."""


def broken_promises(loaded: LoadedPlan) -> tuple[Finding, ...]:
    """What the plan promises and can't keep as it is written. It doesn't weigh in the verdict: what was measured does."""
    return tuple(
        Finding(about=ITSELF, result="fail", sentence=f"{found.code}: {found.sentence}")
        for found in check(loaded.plan)
        if found.severity is not Severity.NOTE
    )


def with_targets(loaded: LoadedPlan, **targets: float) -> LoadedPlan:
    """The plan with every function's `rto` or `rpo` replaced: for drills that must miss them."""
    functions = {name: function.model_copy(update=targets) for name, function in loaded.plan.functions.items()}
    return replace(loaded, plan=loaded.plan.model_copy(update={"functions": functions}))
