"""What the pictures of the report are drawn from: its moments, and the clients' requests. Part of holdfast/report/v1."""

from typing import Literal

from holdfast.report.part import ReportPart, Seconds


class Event(ReportPart):
    """A moment that the pictures mark, from impact."""

    name: str
    seconds: Seconds
    sentence: str
    lag_seconds: Seconds | None = None
    """How far the following region's copies were behind then; null where nobody looked, or where it no longer follows."""


class RequestWindow(ReportPart):
    """A stretch, counted from impact, in which every request is drawn."""

    window: Literal["failover", "way-back"]
    start_seconds: Seconds
    end_seconds: Seconds


class RequestMarks(ReportPart):
    """Requests of one function, one window and one state, as places on a grid that begins with the window.

    `gaps`: the first place, then how much further each next one is. `counts`: requests at each place; empty when there is one at each."""

    window: Literal["failover", "way-back"]
    state: Literal["ok", "slow", "failed", "lost"]
    requests: int
    grid_milliseconds: int
    gaps: tuple[int, ...]
    counts: tuple[int, ...] = ()
