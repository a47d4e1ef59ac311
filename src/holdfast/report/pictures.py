"""The two pictures of what happened: the regions at each moment that decided, and every request of every function beside those moments.

Rules: the plan's primary stands left, its DR region right, whoever serves. A state is a shape, a word and a colour. What the report doesn't
say isn't drawn. Never here: markup.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from holdfast.report.drawing import Knob, Mark, Scale, Tick, apart
from holdfast.report.model import FunctionResult, Report
from holdfast.report.seen import Event, RequestMarks, RequestWindow
from holdfast.report.wording import count, duration, listing

_NAMES: Mapping[str, str] = {
    "impact": "Impact",
    "detected": "Detected",
    "decided": "Decided",
    "fenced": "Old writer fenced",
    "promoted": "Promoted",
    "traffic": "Traffic moved",
    "turned-back": "Turned back",
    "served": "Served again",
    "followed": "Old side follows",
    "return-decided": "Way back decided",
    "return-fenced": "DR's writer fenced",
    "return-promoted": "Home writes",
    "return-traffic": "Traffic is home",
    "return-turned-back": "Way back turned back",
    "return-served": "Served from home",
    "return-followed": "DR follows again",
}
_OF_WINDOW: Mapping[str, Sequence[str]] = {
    "failover": ("impact", "detected", "decided", "fenced", "promoted", "traffic", "turned-back", "served"),
    "way-back": ("return-decided", "return-fenced", "return-promoted", "return-traffic", "return-turned-back", "return-served"),
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
    look: str
    """runs, or stale while nothing proves that the copy goes on."""
    clocks: str
    top: int
    """Where it begins in the picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Both regions and what lies between them; `arrow` and `look` as of a scene."""

    left: Place
    right: Place
    link: str
    arrow: str
    look: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The requests of one function in one window: state → drawing, and the same in words."""

    function: FunctionResult
    paths: tuple[tuple[str, str], ...]
    words: str


@dataclass(frozen=True, slots=True)
class Window:
    """All functions' requests in one window, with the moments as lines."""

    name: str
    title: str
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]
    knobs: tuple[Knob, ...]
    notes: tuple[str, ...]
    """Sentences: what a mark stands for where it is not one request, and what is not in the picture."""


_SERVES = Place("done", "✓", "serves")
_FOLLOWS = Place("done", "✓", "follows")
_STANDS_BY = Place("held", "●", "stands by")
_FAILS = Place("failed", "✕", "failing")
_FENCED = Place("fenced", "■", "fenced")
_WRITES = Place("running", "▶", "writes")
_GETS_TRAFFIC = Place("running", "▶", "gets traffic")


def scenes(report: Report) -> tuple[Scene, ...]:
    """The regions before it happened and at each moment that decided, there and back."""
    if not report.source or not report.target:
        return ()
    left, right = sides_of(report)
    found: list[Scene] = []
    top = 24
    for event, told in _course(report):
        if event.name in _NAMES:
            clocks = _clocks(event, report)
            link, arrow = _link(event.lag_seconds, told.follower, right)
            look = _look(event.lag_seconds, told, report)
            name, at = _NAMES[event.name], duration(event.seconds)
            found.append(Scene(at, name, told.places[left], told.places[right], link, arrow, look, clocks, top))
            top += SCENE_PIXELS if clocks else SCENE_PIXELS - 16
    return tuple(found)


def regions_at(report: Report, seconds: float, lag_seconds: float | None) -> Regions:
    """The regions as the moments up to this one had put them."""
    left, right = sides_of(report)
    told = _at_first(report)
    for event, after in _course(report):
        if event.seconds > seconds:
            break
        told = after
    link, arrow = _link(lag_seconds, told.follower, right)
    return Regions(told.places[left], told.places[right], link, arrow, _look(lag_seconds, told, report))


def _at_first(report: Report) -> "_Regions":
    return _Regions({report.source: _SERVES, report.target: _FOLLOWS}, report.target)


def _course(report: Report) -> "Iterator[tuple[Event, _Regions]]":
    """Each event with the regions as they were from it on."""
    told = _at_first(report)
    for event in report.events:
        if event.name in _NAMES:
            told.after(event, report)
        yield event, _Regions(dict(told.places), told.follower)


def _look(lag_seconds: float | None, told: "_Regions", report: Report) -> str:
    return "stale" if lag_seconds is None or told.places[report.source] == _FAILS else "runs"


def sides_of(report: Report) -> tuple[str, str]:
    """Left and right: the plan's primary and its DR region. An older report doesn't say, and only ever failed over from home."""
    return (report.sides[0], report.sides[1]) if len(report.sides) == 2 else (report.source, report.target)


@dataclass(slots=True)
class _Regions:
    """The regions as the events told so far have put them."""

    places: dict[str, Place]
    follower: str | None

    def after(self, event: Event, report: Report) -> None:
        """Put them as they are from this event on."""
        home, other = report.source, report.target
        if event.name.startswith("return-"):
            self._move(event, report, event.name.removeprefix("return-"), other, home)
        elif event.name == "followed":
            self.places[home], self.follower = _FOLLOWS, home
        elif event.name == "impact" and report.execution != "graceful":
            self.places |= {home: _FAILS, other: _STANDS_BY}
        else:
            self._move(event, report, event.name, home, other)

    def _move(self, event: Event, report: Report, name: str, left: str, taken: str) -> None:
        """Service leaves one region and is taken up by the other."""
        took = self.places[taken] in (_WRITES, _GETS_TRAFFIC, _SERVES)
        match name:
            case "fenced":
                self.follower = None if self.places[left] == _FAILS else self.follower
                self.places[left] = _FENCED
            case "promoted":
                self.places[taken], self.follower = _WRITES, None
            case "traffic":
                self.places[taken] = _GETS_TRAFFIC if _awaited(event, report) else _SERVES
            case "turned-back":
                self.places |= {left: _WRITES, taken: _STANDS_BY}
                self.follower = taken
            case "served":
                # Without a promotion it came back where it had been.
                self.places[taken if took else left] = _SERVES
            case "followed":
                self.places[left], self.follower = _FOLLOWS, left


def _link(lag_seconds: float | None, follower: str | None, right: str) -> tuple[str, str]:
    if follower is None:
        return "no copy", ""
    lag = "lag unknown" if lag_seconds is None else f"lag {duration(lag_seconds)}"
    return lag, "right" if follower == right else "left"


def _clocks(event: Event, report: Report) -> str:
    """How many functions were out then, and how much of the strictest promise among them was used up; the way back has its strips only."""
    if event.name == "followed" or event.name.startswith("return-"):
        return ""
    out = _out(event, report)
    to_come = [function.first_failed_seconds for function in report.functions if function.first_failed_seconds is not None]
    if event.name == "impact" and not out and to_come:
        return f"first failed request {duration(min(to_come) - event.seconds)} later"
    total = f"{len(out)} of {count(len(report.functions), 'function')} out"
    if not out:
        return total
    strictest = min(out, key=lambda function: (function.rto_target_seconds, function.first_failed_seconds or 0.0))
    since = event.seconds - (strictest.first_failed_seconds or 0.0)
    return f"{total}, {duration(max(since, 0.0))} of RTO {duration(strictest.rto_target_seconds)}"


def _awaited(event: Event, report: Report) -> bool:
    """Whether clients are still to be seen served when traffic has been moved."""
    if event.name.startswith("return-"):
        later = any(other.name == "return-served" and other.seconds > event.seconds for other in report.events)
        return later or report.failback.outage_seconds is None
    return bool(_out(event, report)) or any(function.rto_actual_seconds is None for function in report.functions)


def _out(event: Event, report: Report) -> list[FunctionResult]:
    """Functions out at a moment of the failover."""
    return [function for function in report.functions if _is_out(function, event.seconds)]


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
        knobs = apart([Mark(place, number, text) for number, (place, text) in enumerate(zip(places, texts, strict=True), start=1)])
        strips = tuple(_strip(function, window.window, scale) for function in report.functions)
        last = window == report.request_windows[-1]
        notes = (*_bins(report, window.window), *_before(report, window), *(_outside(report) if last else ()))
        found.append(Window(window.window, _TITLES[window.window], strips, scale.ticks(), knobs, notes))
    return tuple(found)


def _bins(report: Report, window: str) -> tuple[str, ...]:
    binned = [marks for function in report.functions for marks in function.marks if marks.window == window and marks.counts]
    if not binned:
        return ()
    length = duration(max(marks.grid_milliseconds for marks in binned) / 1000.0)
    most = max(max(marks.counts) for marks in binned)
    return (
        f"Too many to draw one by one: a mark stands for all requests of one state within {length} or less, at most {count(most)} of them.",
    )


def _before(report: Report, window: RequestWindow) -> tuple[str, ...]:
    if window.window != "failover":
        return ()
    early = [f.name for f in report.functions if any(seconds < window.start_seconds for seconds in f.lost_at_seconds)]
    if not early:
        return ()
    return (f"Lost writes of {listing(early)} were acknowledged before this picture begins: all are counted under Data.",)


def _outside(report: Report) -> tuple[str, ...]:
    """Whoever failed while no picture of requests was drawn is named, so that nobody takes the pictures for all of it."""
    drawn = [(window.start_seconds, window.end_seconds) for window in report.request_windows]
    failed = [
        function.name
        for function in report.functions
        if any(run.failed and all(run.end_seconds <= start or run.start_seconds >= end for start, end in drawn) for run in function.clients)
    ]
    return (f"Requests of {listing(failed)} failed at other times too: see the whole time.",) if failed else ()


def _inside(event: Event, scale: Scale) -> bool:
    return scale.start <= event.seconds <= scale.end


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
