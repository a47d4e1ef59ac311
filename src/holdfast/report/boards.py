"""The boards: how it stood when people were asked, when they had decided, and when a step waited for one, as a picture each.

Rules: regions stand as in every picture; elapsed times are the clients' own, forecasts are those of that moment, what came of them stands
beside. Only words that were measured or recorded; what nobody knew is *unknown*. Lines are broken here, since SVG breaks none.
Never here: markup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from holdfast.report.clock import verdict
from holdfast.report.model import FunctionResult, Report
from holdfast.report.pictures import Regions, regions_at, sides_of
from holdfast.report.seen import Asked, Stand, StandingStep
from holdfast.report.wording import count, duration

MOST_CLOCKS = 12
"""More than that are in the table only: those with the least time left are drawn."""
CLOCK_PIXELS, LINE_PIXELS = 66, 17
_CLOCKS_TOP = 96
_CHARACTERS = 38
"""What a phone of 320 pixels has room for in a line of the picture's letters."""
_TITLES: Mapping[str, str] = {"asked": "People are asked", "decided": "Decided, and begun", "stuck": "A step waits for a person"}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a board and its state."""

    state: str
    text: str
    lines: tuple[tuple[int, str], ...] = ()
    """The same, broken for the picture: (top, words)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One function's clock at that moment. Percents are of the promised time."""

    function: FunctionResult
    state: str
    elapsed: str
    """How long clients had lacked it, of how much: `out 5.2 s of 15 min`."""
    verdict: str
    forecast: str
    came: str
    """What the clock really came to."""
    percent: float
    forecast_percent: float | None
    top: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """One moment. `height` in pixels; tops are counted from the board's own."""

    moment: str
    at: str
    title: str
    regions: Regions
    clocks: tuple[Clock, ...]
    drawn: tuple[Clock, ...]
    """Those of the clocks that the picture has room for, in the report's order."""
    doing: tuple[Said, ...]
    acting: tuple[Said, ...]
    left_out: str
    words: str
    """The picture in words, for who hears it."""
    height: int


def boards(report: Report) -> tuple[Board, ...]:
    """Every moment that is known of."""
    if not report.source or not report.target:
        return ()
    return tuple(_board(report, stand) for stand in report.stands)


def _board(report: Report, stand: Stand) -> Board:
    clocks = tuple(_clock(function, stand) for function in report.functions)
    pressing = sorted(clocks, key=lambda clock: (clock.state == "done", -clock.percent, clock.function.rto_target_seconds))[:MOST_CLOCKS]
    kept = [clock for clock in clocks if clock in pressing]
    drawn = tuple(replace(clock, top=_CLOCKS_TOP + place * CLOCK_PIXELS) for place, clock in enumerate(kept))
    top = _CLOCKS_TOP + len(drawn) * CLOCK_PIXELS
    left_out = f"and {count(len(clocks) - len(drawn), 'function')} more: see the table" if len(drawn) < len(clocks) else ""
    top += LINE_PIXELS if left_out else 0
    doing = tuple(_placed(_doing(stand), top))
    acting = tuple(_placed(_acting(stand), _end(doing)))
    regions = regions_at(report, stand.seconds, stand.lag_seconds)
    return Board(
        moment=stand.moment,
        at=duration(stand.seconds),
        title=_TITLES[stand.moment],
        regions=regions,
        clocks=clocks,
        drawn=drawn,
        doing=doing,
        acting=acting,
        left_out=left_out,
        words=_words(report, regions, clocks, (*doing, *acting)),
        height=_end(acting) + LINE_PIXELS // 2,
    )


def _clock(function: FunctionResult, stand: Stand) -> Clock:
    target, came = function.rto_target_seconds, f"was out {duration(function.rto_actual_seconds)}"
    since, back = function.first_failed_seconds, function.recovered_seconds
    if function.rto_actual_seconds is None and since is None:
        return Clock(function, "unknown", "not measured", "", "", "", 0.0, None)
    if function.rto_actual_seconds == 0 or since is None or since > stand.seconds:
        later = "never away" if function.rto_actual_seconds == 0 or since is None else came
        return Clock(function, "done", f"served; promised {duration(target)}", "", "", later, 0.0, None)
    until = stand.seconds if back is None else min(back, stand.seconds)
    out, is_back = until - since, back is not None and back <= stand.seconds
    expected = None if stand.expected_back_seconds is None or is_back else max(stand.expected_back_seconds - since, out)
    words, state = verdict(out, target, back=is_back, expected_seconds=expected)
    came = "had not ended when watching ended" if back is None else came
    return Clock(
        function,
        state,
        f"{'was out' if is_back else 'out'} {duration(out)} of {duration(target)}",
        words,
        "" if is_back else _forecast(stand, expected),
        came,
        _percent(out, target),
        None if expected is None else _percent(expected, target),
    )


def _forecast(stand: Stand, expected_seconds: float | None) -> str:
    if expected_seconds is None:
        return "forecast unknown"
    if stand.expected_not_before:
        return f"forecast: not before {duration(expected_seconds)}"
    return f"forecast {duration(expected_seconds)}{' by earlier runs' if stand.expected_by == 'earlier runs' else ' by plan'}"


def _percent(seconds: float, target_seconds: float) -> float:
    return round(min(100.0, 100.0 * max(seconds, 0.0) / max(target_seconds, 1e-9)), 2)


def _doing(stand: Stand) -> Iterator[Said]:
    if not stand.doing:
        yield Said("unknown", "No step was under way")
    for step in stand.doing:
        yield _step(step)


def _step(step: StandingStep) -> Said:
    took = "" if step.for_seconds is None else f" for {duration(step.for_seconds)}"
    limit = "" if step.limit_seconds is None else f", at most {duration(step.limit_seconds)}"
    match step.state:
        case "running":
            return Said("running", f"{step.step} {f'runs{took}' if step.for_seconds else 'begins'}{limit}")
        case "waits":
            return Said("running", f"{step.step} is tried again{took}")
        case "unsettled":
            return Said("unknown", f"{step.step}: its outcome is unknown")
        case "needs-person":
            return Said("needs-person", f"{step.step} waits for a person")


def _acting(stand: Stand) -> Iterator[Said]:
    if not stand.acting:
        yield Said("done", "Nobody had to act")
    for asked in stand.acting:
        yield Said("needs-person", _asked(asked, stand.seconds))


def _asked(asked: Asked, now_seconds: float) -> str:
    people = ", ".join(asked.people) or "nobody of the plan"
    who = f"{asked.needed} of {people}" if asked.needed > 1 else people
    until = "" if asked.by_seconds is None else f", within {duration(max(asked.by_seconds - now_seconds, 0.0))}"
    return f"{who}: {asked.what}{until}"


def _placed(said: Iterable[Said], top: int) -> Iterator[Said]:
    """Each with its lines, one below the other from `top` on."""
    for one in said:
        broken = wrap(one.text, _CHARACTERS)
        yield replace(one, lines=tuple((top + (number + 1) * LINE_PIXELS, text) for number, text in enumerate(broken)))
        top += len(broken) * LINE_PIXELS


def _end(said: Sequence[Said]) -> int:
    return said[-1].lines[-1][0]


def _words(report: Report, regions: Regions, clocks: Sequence[Clock], said: Sequence[Said]) -> str:
    left, right = sides_of(report)
    functions = "; ".join(f"{clock.function.name} {clock_words(clock)}" for clock in clocks)
    sentences = " ".join(f"{one.text}." for one in said)
    return f"{left} {regions.left.text}, {right} {regions.right.text}, {regions.link}. {functions}. {sentences}"


def clock_words(clock: Clock) -> str:
    """One clock in words."""
    return ", ".join(part for part in (clock.elapsed, clock.verdict, clock.forecast, clock.came) if part)
