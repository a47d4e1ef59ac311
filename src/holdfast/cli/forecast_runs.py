"""Reads what real runs measured, from journals or from reports, for `holdfast forecast`. Only reads.

A planned move of a healthy region (graceful) is no loss: it says nothing about how soon service is back after one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.output import CommandError

if TYPE_CHECKING:
    from holdfast.forecast.measured import MeasuredRun
    from holdfast.plan.model import Plan
    from holdfast.report.model import Report

_GOOD = ("succeeded", "settled")


def of_journals(plan: "Plan", files: Sequence[Path]) -> "tuple[MeasuredRun, ...]":
    """The runs in these journals, in their order. Raises CommandError for one that can't be read or that somebody changed."""
    from holdfast.forecast.measured import measured_runs
    from holdfast.ports.journal_store import JournalBroken
    from holdfast.providers.sqlite.journal import JournalReader

    found: list[MeasuredRun] = []
    for file in files:
        try:
            with JournalReader(file) as journal:
                fault = journal.fault()
                records = [] if fault is not None else list(journal.read())
        except JournalBroken as error:
            raise CommandError(str(error)) from error
        if fault is not None:
            raise CommandError(f"{file} is broken, so nothing in it counts: {fault}. Look at it: holdfast journal verify {file}")
        found += measured_runs(plan, records)
    return tuple(found)


def of_reports(plan: "Plan", directory: Path) -> "tuple[MeasuredRun, ...]":
    """The runs of every report.json under a directory, the oldest impact first. Raises CommandError for one that is no report."""
    from pydantic import ValidationError

    from holdfast.report.write import JSON_NAME, read

    if not directory.is_dir():
        raise CommandError(f"{directory} is no directory; name the one that reports were written below, such as var/prove")
    reports = []
    for file in sorted(directory.rglob(JSON_NAME)):
        try:
            reports.append(read(file.parent))
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}") from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{file} is not a report of the format holdfast/report/v1. Take it out of {directory}, or name another directory"
            ) from error
    if not reports:
        raise CommandError(f"there is no {JSON_NAME} below {directory}; a drill writes one: holdfast drill run --directory {directory}")
    ordered = sorted(reports, key=lambda report: report.impact_at)
    return tuple(_measured(report) for report in ordered if report.execution == "ungraceful" and report.scenario in plan.scenarios)


def _measured(report: "Report") -> "MeasuredRun":
    from holdfast.forecast.measured import RUN, MeasuredRun

    steps = [step for step in report.steps if step.run == RUN and step.outcome in _GOOD and step.other_way is None]
    ended = {step.step: step.ended_seconds for step in steps if step.ended_seconds is not None}
    opened = max((part.start_seconds + part.seconds for part in report.time_spent if part.part in ("detection", "hold")), default=None)
    return MeasuredRun(
        name=f"{report.incident} ({report.impact_at[:10]})",
        scenario=report.scenario,
        exercise=report.exercise,
        profile=report.profile,
        succeeded=any(run.run == RUN and run.outcome == "succeeded" for run in report.runs),
        detection_seconds=opened,
        took_seconds={step.step: max(ended[step.step] - step.started_seconds, 0.0) for step in steps if step.step in ended},
        ended_seconds=ended,
    )
