"""Pictures of the page as numbers: where bars, ticks and marks stand, in percent of a width that the reader's screen decides.

Rules: a picture never says what its table does not; a bar too short to see is drawn with its outline, its length in words stays true.
Never here: markup.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.report.model import ClientRun, FunctionResult, PhaseResult, StepResult, TimeSpent
from holdfast.report.wording import duration

_MOST_TICKS = 6
_MOST_CELLS = 400
_STATE_RANK = {"idle": 0, "ok": 1, "slow": 2, "failed": 3}


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis with its words; `anchor` keeps words at the edge inside the picture."""

    percent: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a picture."""

    left: float
    width: float
    state: str
    """Which look: a CSS class."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on a picture, numbered for its legend."""

    percent: float
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Knob:
    """A numbered moment; `row` keeps neighbours apart."""

    mark: Mark
    row: int


def apart(marks: Sequence[Mark], least_percent: float = 6.5) -> tuple[Knob, ...]:
    """Each mark in the first row where it lies on no other, on a phone too."""
    ends: list[float] = []
    found = []
    for mark in marks:
        row = next((index for index, end in enumerate(ends) if mark.percent - end >= least_percent), len(ends))
        if row == len(ends):
            ends.append(mark.percent)
        ends[row] = mark.percent
        found.append(Knob(mark, row))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Scale:
    """A stretch of time laid over the whole width."""

    start: float
    end: float

    def percent(self, seconds: float) -> float:
        """Where a moment stands, kept inside."""
        length = max(self.end - self.start, 1e-9)
        return round(min(100.0, max(0.0, (seconds - self.start) / length * 100.0)), 3)

    def bar(self, start: float, end: float, state: str, text: str = "") -> Bar:
        """A stretch; whatever its length it can be seen."""
        left = self.percent(start)
        return Bar(left, round(max(self.percent(end) - left, 0.0), 3), state, text)

    def ticks(self) -> tuple[Tick, ...]:
        """Round moments on the axis."""
        every = _round_step((self.end - self.start) / _MOST_TICKS)
        first = math.ceil(self.start / every - 1e-9)
        moments = [number * every for number in range(first, math.floor(self.end / every + 1e-9) + 1)]
        return tuple(Tick(self.percent(at), duration(at), _anchor(self.percent(at))) for at in moments)


_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)


def _round_step(least: float) -> float:
    return next((step for step in _STEPS if step >= least), math.ceil(least / _STEPS[-1]) * _STEPS[-1])


def _anchor(percent: float) -> str:
    return "start" if percent < 4 else "end" if percent > 96 else "middle"


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase: the planned window above, what happened below."""

    phase: PhaseResult
    planned: Bar
    actual: Bar | None
    late: bool


def phase_scale(phases: Sequence[PhaseResult]) -> Scale:
    """From impact to the end of the last window, or of what took longer."""
    ends = [end or 0.0 for phase in phases for end in (phase.planned_start_seconds, phase.planned_end_seconds, phase.actual_end_seconds)]
    return Scale(0.0, max(ends, default=1.0) or 1.0)


def phase_rows(phases: Sequence[PhaseResult], scale: Scale) -> tuple[PhaseRow, ...]:
    """Rows of the picture of planned windows against actual."""
    rows = []
    for phase in phases:
        start, end = phase.actual_start_seconds, phase.actual_end_seconds
        planned_end = math.inf if phase.planned_end_seconds is None else phase.planned_end_seconds
        late = end is not None and end > planned_end
        actual = None
        if start is not None:
            state = "open" if end is None else "late" if late else "done"
            actual = scale.bar(start, scale.end if end is None else end, state)
        rows.append(PhaseRow(phase, scale.bar(phase.planned_start_seconds, min(planned_end, scale.end), "planned"), actual, late))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as a bar."""

    step: StepResult
    bar: Bar
    state: str
    seconds: float | None


def step_scale(steps: Sequence[StepResult], start: float) -> Scale:
    """From `start` to the end of the last step."""
    ends = [step.ended_seconds if step.ended_seconds is not None else step.started_seconds for step in steps]
    return Scale(start, max([*ends, start + 1.0]))


def step_rows(steps: Sequence[StepResult], scale: Scale) -> tuple[StepRow, ...]:
    """Bars in the order of their beginning."""
    rows = []
    for step in sorted(steps, key=lambda step: (step.started_seconds, step.ended_seconds or math.inf)):
        state = step_state(step)
        end = step.ended_seconds if step.ended_seconds is not None else scale.end
        look = "critical" if state == "done" and step.critical else state
        seconds = None if step.ended_seconds is None else step.ended_seconds - step.started_seconds
        rows.append(StepRow(step, scale.bar(step.started_seconds, end, look), state, seconds))
    return tuple(rows)


def step_state(step: StepResult) -> str:
    """done, failed or unknown: how the rules of the verdict see it."""
    if step.outcome in ("failed", "refused", "skipped") or step.verified == "no":
        return "failed"
    return "done" if step.outcome in ("succeeded", "settled") and step.verified == "yes" else "unknown"


def part_bars(parts: Sequence[TimeSpent]) -> tuple[Bar, ...]:
    """The time between impact and return as one bar."""
    scale = Scale(0.0, sum(part.seconds for part in parts) or 1.0)
    return tuple(scale.bar(part.start_seconds, part.start_seconds + part.seconds, part.part) for part in parts)


@dataclass(frozen=True, slots=True)
class Strip:
    """What clients of one function saw."""

    function: FunctionResult
    cells: tuple[Bar, ...]
    lost: tuple[float, ...]


def strip_scale(functions: Sequence[FunctionResult]) -> Scale | None:
    """The time that any function's clients were watched, or None when none was."""
    runs = [run for function in functions for run in function.clients]
    return Scale(min(run.start_seconds for run in runs), max(run.end_seconds for run in runs)) if runs else None


def strips(functions: Sequence[FunctionResult], scale: Scale) -> tuple[Strip, ...]:
    """One strip per function; too many changes to draw are drawn by the worst in each column."""
    return tuple(
        Strip(
            function,
            tuple(scale.bar(run.start_seconds, run.end_seconds, run.state) for run in _drawable(function.clients, scale)),
            tuple(sorted({round(scale.percent(seconds), 1) for seconds in function.lost_at_seconds})),
        )
        for function in functions
    )


def _drawable(runs: Sequence[ClientRun], scale: Scale) -> Iterable[ClientRun]:
    if len(runs) <= _MOST_CELLS:
        return runs
    width = (scale.end - scale.start) / _MOST_CELLS
    columns: dict[int, ClientRun] = {}
    for run in runs:
        for column in range(
            int((run.start_seconds - scale.start) / width), min(_MOST_CELLS, math.ceil((run.end_seconds - scale.start) / width))
        ):
            before = columns.get(column)
            if before is None or _STATE_RANK[run.state] > _STATE_RANK[before.state]:
                start = scale.start + column * width
                columns[column] = run.model_copy(update={"start_seconds": start, "end_seconds": start + width})
    return [columns[column] for column in sorted(columns)]
