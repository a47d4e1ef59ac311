"""The two pictures of what happened: the regions at each moment that decided, and every request of every function beside those moments.

Rules: the plan's primary stands left, its DR region right, whoever serves. A state is a shape, a word and a colour. What the report doesn't
say isn't drawn. Never here: markup.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from holdfast.report.drawing import Mark, Scale, Tick
from holdfast.report.model import Event, FunctionResult, Report, RequestMarks
from holdfast.report.wording import count, duration

_NAMES: Mapping[str, str] = {
    "impact": "Impact",
    "detected": "Detected",
    "decided": "Decided",
    "fenced": "Old writer fenced",
    "promoted": "Promoted",
    "traffic": "Traffic moved",
    "served": "Served again",
    "return-decided": "Way back decided",
    "return-fenced": "DR's writer fenced",
    "return-promoted": "Home writes",
    "return-traffic": "Traffic is home",
    "return-served": "Served from home",
}
_OF_WINDOW: Mapping[str, Sequence[str]] = {
    "failover": ("impact", "detected", "decided", "fenced", "promoted", "traffic", "served"),
    "way-back": ("return-decided", "return-fenced", "return-promoted", "return-traffic", "return-served"),
}
_TITLES: Mapping[str, str] = {"failover": "Around the failover", "way-back": "Around the way home"}
SCENE_PIXELS = 78
_WIDTH = 10_000
"""Units across a picture of requests."""
_TOPS: Mapping[str, tuple[int, int]] = {"ok": (31, 8), "slow": (31, 15), "failed": (31, 22), "lost": (8, 7)}
"""State → (foot, height) of its mark: the shape says the state, whatever the colours."""


@dataclass(frozen=True, slots=True)
class Place:
    """One region in one scene."""

    state: str
    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment that decided."""

    at: str
    name: str
    left: Place
    right: Place
    link: str
    arrow: str
    """right, left, or none while neither follows the other."""
    clocks: str
    top: int
    """Where it begins in the picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The requests of one function in one window: state → drawing, and the same in words."""

    function: FunctionResult
    paths: tuple[tuple[str, str], ...]
    words: str


@dataclass(frozen=True, slots=True)
class Knob:
    """A numbered moment; `row` keeps neighbours apart."""

    mark: Mark
    row: int


@dataclass(frozen=True, slots=True)
class Window:
    """All functions' requests in one window, with the moments as lines."""

    name: str
    title: str
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]
    knobs: tuple[Knob, ...]
    rows: int


_SERVES = Place("done", "✓", "serves")
_FOLLOWS = Place("done", "✓", "follows")
_FENCED = Place("fenced", "■", "fenced")
_WRITES = Place("running", "▶", "writes")
_GETS_TRAFFIC = Place("running", "▶", "gets traffic")


def scenes(report: Report) -> tuple[Scene, ...]:
    """The regions before it happened and at each moment that decided, there and back."""
    if not report.source or not report.target or not report.events:
        return ()
    places = {report.source: _SERVES, report.target: _FOLLOWS}
    follower: str | None = report.target
    found: list[Scene] = []
    top = 24
    for event in report.events:
        if event.name not in _NAMES and event.name != "return":
            continue
        follower = _after(event.name, report, places, follower)
        if event.name in _NAMES:
            left, right = (places[side] for side in sides_of(report))
            link, arrow = _link(event, report, follower)
            clocks = _clocks(event, report)
            found.append(Scene(duration(event.seconds), _NAMES[event.name], left, right, link, arrow, clocks, top))
            top += SCENE_PIXELS if clocks else SCENE_PIXELS - 16
    return tuple(found)


def sides_of(report: Report) -> tuple[str, str]:
    """Left and right: the plan's primary and its DR region. An older report doesn't say, and only ever failed over from home."""
    return (report.sides[0], report.sides[1]) if len(report.sides) == 2 else (report.source, report.target)


def _after(name: str, report: Report, places: dict[str, Place], follower: str | None) -> str | None:
    """Put the regions as they are from this event on; returns who follows."""
    source, target = report.source, report.target
    planned = report.execution == "graceful"
    match name:
        case "impact" if not planned:
            places[source] = Place("failed", "✕", "lost")
        case "fenced":
            places[source] = _FENCED
        case "promoted":
            places[target] = _WRITES
            return None
        case "traffic" if places[target] != _SERVES:
            places[target] = _GETS_TRAFFIC
        case "served":
            places[target] = _SERVES
        case "return":
            places[source] = _FOLLOWS
            return source
        case "return-fenced":
            places[target] = _FENCED
        case "return-promoted":
            places[source] = _WRITES
            return None
        case "return-traffic" if places[source] != _SERVES:
            places[source] = _GETS_TRAFFIC
        case "return-served":
            places[source] = _SERVES
    return follower


def _link(event: Event, report: Report, follower: str | None) -> tuple[str, str]:
    if follower is None:
        return "no copy", ""
    arrow = "right" if follower == sides_of(report)[1] else "left"
    if event.lag_seconds is None:
        return "lag unknown" if event.name in ("impact", "detected", "decided") else "", arrow
    return f"{duration(event.lag_seconds)} behind", arrow


def _clocks(event: Event, report: Report) -> str:
    """How many functions were out then, and how much of the strictest promise among them was used up; the way back has its strip only."""
    if event.name.startswith("return"):
        return ""
    out = [function for function in report.functions if _is_out(function, event.seconds)]
    total = f"{len(out)} of {count(len(report.functions), 'function')} out"
    if not out:
        return total
    strictest = min(out, key=lambda function: (function.rto_target_seconds, function.first_failed_seconds or 0.0))
    since = event.seconds - (strictest.first_failed_seconds or 0.0)
    return f"{total}, {duration(max(since, 0.0))} of {duration(strictest.rto_target_seconds)}"


def _is_out(function: FunctionResult, seconds: float) -> bool:
    failed, back = function.first_failed_seconds, function.recovered_seconds
    return failed is not None and failed <= seconds and (back is None or back > seconds)


def request_windows(report: Report) -> tuple[Window, ...]:
    """Every request of every function, window by window."""
    found = []
    for window in report.request_windows:
        scale = Scale(window.start_seconds, window.end_seconds)
        shown = [event for event in report.events if event.name in _OF_WINDOW[window.window] and _inside(event, scale)]
        texts = [f"{_NAMES[event.name]}, {duration(event.seconds)} after impact" for event in shown]
        places = [scale.percent(event.seconds) for event in shown]
        knobs = _apart([Mark(place, number, text) for number, (place, text) in enumerate(zip(places, texts, strict=True), start=1)])
        strips = tuple(_strip(function, window.window, scale) for function in report.functions)
        rows = max((knob.row for knob in knobs), default=0) + 1
        found.append(Window(window.window, _TITLES[window.window], strips, scale.ticks(), knobs, rows))
    return tuple(found)


def _inside(event: Event, scale: Scale) -> bool:
    return scale.start <= event.seconds <= scale.end


def _apart(marks: Sequence[Mark], least_percent: float = 6.5) -> tuple[Knob, ...]:
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


def _strip(function: FunctionResult, window: str, scale: Scale) -> Strip:
    mine = [marks for marks in function.marks if marks.window == window]
    paths = tuple((marks.state, _path(marks, scale)) for marks in mine)
    counted = {marks.state: marks.requests for marks in mine}
    slow = function.slow_above_seconds
    parts = [
        f"{count(counted.get('ok', 0))} answered in time",
        f"{count(counted.get('slow', 0))} slow{'' if slow is None else f' (over {duration(slow)})'}",
        f"{count(counted.get('failed', 0))} failed",
        f"{count(counted.get('lost', 0))} of the acknowledged lost",
    ]
    return Strip(function, paths, f"{function.name}: {', '.join(parts)}")


def _path(marks: RequestMarks, scale: Scale) -> str:
    """One upright stroke a mark. Lost ones stand in a lane of their own on top."""
    foot, height = _TOPS[marks.state]
    unit = marks.grid_milliseconds / 1000.0 / max(scale.end - scale.start, 1e-9) * _WIDTH
    places = [round((place + 0.5) * unit) for place in accumulate(marks.gaps)]
    if not places:
        return ""
    moves = (f"m{after - before} {height}v-{height}" for before, after in pairwise(places))
    return f"M{places[0]} {foot}v-{height}" + "".join(moves)
