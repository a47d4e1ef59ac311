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


class StandingStep(ReportPart):
    """A step that was being carried out, or waited, at a moment."""

    step: str
    block: str
    state: Literal["running", "waits", "unsettled", "needs-person"]
    for_seconds: Seconds | None = None
    limit_seconds: Seconds | None = None


class Asked(ReportPart):
    """What people had to do at a moment: `needed` of `people`, by `by_seconds` from impact (null: as soon as they can)."""

    what: str
    people: tuple[str, ...]
    """Names with their roles, those who were called first first."""
    needed: int = 1
    by_seconds: Seconds | None = None


class Stand(ReportPart):
    """How it stood at a moment at which people were asked or had decided: what `holdfast top` showed then, from the journal alone."""

    moment: Literal["asked", "decided", "stuck"]
    run: str = "failover"
    seconds: Seconds
    lag_seconds: Seconds | None = None
    """How far the following region's copies were behind then; null where nobody looked, or where nothing followed."""
    expected_back_seconds: Seconds | None = None
    """When functions were expected to be served again, from impact, as forecast then; null where nothing could be forecast."""
    expected_not_before: bool = False
    """Nobody could say when, but not earlier: a step waited for a person, or took longer than it ever had."""
    expected_by: Literal["earlier runs", "the plan's windows"] | None = None
    """What the forecast rested on."""
    doing: tuple[StandingStep, ...] = ()
    acting: tuple[Asked, ...] = ()
    """Empty where nobody had to do anything."""
