"""The report as one page that needs nothing else: no outside resource, no script, inline style and drawings.

Rules of look.md: state is colour, icon and word; the same facts as a table beside every picture; an exercise says so in title, stripe
and icon; light and dark by the system's wish; black on white and whole in print. All text goes through Jinja2's escaping.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from holdfast.report import boards, drawing, pictures, wording
from holdfast.report.model import PhaseResult, Report, StepResult
from holdfast.report.summary import SIGNS, headline, next_on_page, sign_of
from holdfast.report.terminal import PARTS

_ICONS = {
    "exercise": "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEVqP7X///8FayIeAAAAG0lEQVR42mNggAH5ByAkwQBC8g0g"
    "BGWDxWEAAITtBZtt5eqLAAAAAElFTkSuQmCC",
    "incident": "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEULXK3///+N/IwMAAAAFklEQVR42mNggAGJBASSfwBCyCIwAACI"
    "HwW/RWGIuAAAAABJRU5ErkJggg==",
}
"""Sixteen pixels square: a white E on the stripe's violet, a white H on blue."""
_ORDER = ("fail", "unknown", "pass")
_STRIP_EVENTS = ("impact", "decided", "recovered", "return")
_RUN_NAMES = {
    "failover": "Failover",
    "reprotect": "Making the old side a replica again",
    "way-back": "The way back",
    "turn-back": "Turning back",
}


@dataclass(frozen=True, slots=True)
class Windows:
    """Planned windows against actual, drawn."""

    title: str
    rows: tuple[drawing.PhaseRow, ...]
    ticks: tuple[drawing.Tick, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one run, drawn."""

    run: str
    title: str
    rows: tuple[drawing.StepRow, ...]
    ticks: tuple[drawing.Tick, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Clients:
    """What clients saw, drawn."""

    strips: tuple[drawing.Strip, ...]
    ticks: tuple[drawing.Tick, ...]
    knobs: tuple[drawing.Knob, ...]


def page(report: Report) -> str:
    """The text of report.html."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            icon=_ICONS[report.kind],
            digest=report.plan.digest if report.plan.digest.isalnum() else "",
            sign=SIGNS[report.verdict],
            writer=sign_of(_writer_met(report)),
            signs=SIGNS,
            headline=headline(report),
            next_command=next_on_page(report),
            rules=sorted(report.rules, key=lambda rule: _ORDER.index(rule.result)),
            windows=_all_windows(report),
            steps=_all_steps(report),
            clients=_clients(report),
            sides=pictures.sides_of(report),
            scenes=pictures.scenes(report),
            boards=boards.boards(report),
            request_windows=pictures.request_windows(report),
            parts=tuple(zip(report.time_spent, drawing.part_bars(report.time_spent), strict=True)),
            part_names=PARTS,
        )
    )


def _writer_met(report: Report) -> bool | None:
    check = report.single_writer
    if check.violations:
        return False
    return True if check.checked and check.violations == 0 else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("holdfast.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=wording.duration,
        count=wording.count,
        moment=wording.moment_text,
        listing=wording.listing,
        met=sign_of,
        step_state=drawing.step_state,
    )
    return environment


def _all_windows(report: Report) -> tuple[Windows, ...]:
    found = [_windows("There", report.phases, "impact")]
    if report.failback.phases and any(phase.actual_start_seconds is not None for phase in report.failback.phases):
        found.append(_windows("And back", report.failback.phases, "the start of the way back"))
    return tuple(found)


def _windows(title: str, phases: Sequence[PhaseResult], origin: str) -> Windows:
    scale = drawing.phase_scale(phases)
    return Windows(title, drawing.phase_rows(phases, scale), scale.ticks(), origin)


def _all_steps(report: Report) -> tuple[Steps, ...]:
    found = []
    for run, title in _RUN_NAMES.items():
        mine = [step for step in report.steps if step.run == run]
        if mine:
            found.append(_steps(report, run, title, mine))
    return tuple(found)


def _steps(report: Report, run: str, title: str, steps: Sequence[StepResult]) -> Steps:
    start = 0.0 if run == "failover" else min(step.started_seconds for step in steps)
    scale = drawing.step_scale(steps, start)
    outcome = next((result.outcome for result in report.runs if result.run == run), "unknown")
    return Steps(run, title, drawing.step_rows(steps, scale), scale.ticks(), outcome)


def _clients(report: Report) -> Clients | None:
    scale = drawing.strip_scale(report.functions)
    if scale is None:
        return None
    shown = [event for event in report.events if event.name in _STRIP_EVENTS and scale.start <= event.seconds <= scale.end]
    marks = tuple(drawing.Mark(scale.percent(event.seconds), number, event.sentence) for number, event in enumerate(shown, start=1))
    return Clients(drawing.strips(report.functions, scale), scale.ticks(), drawing.apart(marks))
