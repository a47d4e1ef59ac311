"""The drills that a plan's schedule asks for: what each must show, when it ran last by the reports that are found, and when it is due.

Rules: only a report of an exercise of the same plan (by its name) and the same scenario counts; one that can't be read is named, never
taken for a drill. A drill that never ran is due now, and so is one whose last run did not pass: a failed test is to be done again.
"""

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.plan.model import Drill, Exercise, Plan
from holdfast.plan.values import spoken_duration
from holdfast.report.format import read_report
from holdfast.report.model import Report, Verdict

REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Due:
    """One drill and its dates. Moments in seconds since 1970."""

    name: str
    title: str
    scenario: str
    takes_away: str
    criteria: str
    every: str
    lasts: str | None
    participants: str
    last_at: str | None
    """When its last run ended, as the report says."""
    verdict: Verdict | None
    report: str | None
    """Where that report stands."""
    due_seconds: float
    due: bool
    unreadable: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def due_drills(plan: Plan, directory: Path, now: float) -> tuple[Due, ...]:
    """Every drill of the plan, in its order; `directory` is searched for reports."""
    found, unreadable = _reports(directory)
    return tuple(_due(plan, name, drill, found, unreadable, now) for name, drill in plan.drills().items())


def _due(plan: Plan, name: str, drill: Drill, found: list[tuple[Path, Report]], unreadable: tuple[str, ...], now: float) -> Due:
    exercise = drill.exercise
    every = math.inf if exercise.every is None else exercise.every  # nobody has said how often: once is what can be asked for
    mine = [(path, report) for path, report in found if report.plan.name == plan.name and report.scenario == drill.scenario]
    path, last = max(mine, key=lambda one: _ended(one[1]), default=(None, None))
    due_seconds = now if last is None or last.verdict != "pass" else _ended(last) + every
    return Due(
        name=name,
        title=exercise.name,
        scenario=drill.scenario,
        takes_away=drill.takes_away,
        criteria=_criteria(plan, exercise),
        every="not said" if exercise.every is None else spoken_duration(exercise.every),
        lasts=None if exercise.lasts is None else spoken_duration(exercise.lasts),
        participants=exercise.participants,
        last_at=None if last is None else last.ended_at,
        verdict=None if last is None else last.verdict,
        report=None if path is None else str(path),
        due_seconds=due_seconds,
        due=due_seconds <= now,
        unreadable=unreadable,
    )


def _ended(report: Report) -> float:
    return datetime.fromisoformat(report.ended_at).timestamp()


def _reports(directory: Path) -> tuple[list[tuple[Path, Report]], tuple[str, ...]]:
    found, unreadable = [], []
    for path in sorted(directory.rglob(REPORT)) if directory.is_dir() else ():
        try:
            report = read_report(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            unreadable.append(f"{path} can't be read as a report and was left out: {type(error).__name__}")
            continue
        if report.exercise:
            found.append((path, report))
    return found, tuple(unreadable)


def _criteria(plan: Plan, exercise: Exercise) -> str:
    what = ", ".join(exercise.components) or "everything"
    spared = [name for name, function in plan.functions.items() if _spared(exercise, function.stands_on)]
    back = f"{what} back within {spoken_duration(exercise.within)}" if exercise.within is not None else f"{what} back within its RTO"
    return f"{back}; RPOs kept; nothing noticed by {', '.join(spared)}" if spared else f"{back}; RPOs kept"


def _spared(exercise: Exercise, stands_on: tuple[str, ...]) -> bool:
    return bool(exercise.components) and not set(exercise.components) & set(stands_on)
