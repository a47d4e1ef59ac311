"""Every request that clients made while it mattered, small enough to draw: a row of marks per function and state.

Rules: around the failover and around the way home each request is one mark; where there are more than can be drawn, marks of one state
that stand on the same place of a coarser grid become one mark with their count. A failed or a lost request never disappears behind another,
because every state has marks of its own. Slow is what the plan's own numbers for the function call slow. What the client itself can't
vouch for is neither.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import Request, requests
from holdfast.plan.blocks import BLOCKS
from holdfast.report.model import FunctionResult, StepResult
from holdfast.report.seen import RequestMarks, RequestWindow
from holdfast.report.timing import Moments

State = Literal["ok", "slow", "failed", "lost"]
STATES: tuple[State, ...] = ("ok", "slow", "failed", "lost")
MOST_MARKS = 12_000
"""In one report, over all functions, windows and states: about 110 KB of drawing."""
FEWEST_MARKS = 40
_GRIDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 300_000, 3_600_000, 86_400_000)
_BEFORE_SECONDS, _AFTER_SECONDS = 2.0, 3.0
_LONGEST_UNENDED_SECONDS = 120.0
"""How much is shown of an outage that did not end."""


def windows(
    at: Moments, steps: Sequence[StepResult], functions: Sequence[FunctionResult], started_seconds: float
) -> tuple[RequestWindow, ...]:
    """The stretches in which every request is drawn: around the failover, and around the way home where there was one."""
    last = at.end - at.impact
    away = [function for function in functions if function.first_failed_seconds is not None]
    ends = [function.recovered_seconds for function in away if function.recovered_seconds is not None]
    end = max([*ends, *_moved(steps, "failover")], default=10.0)
    if len(ends) < len(away):
        end = max(end, _LONGEST_UNENDED_SECONDS)
    lost = min((seconds for function in functions for seconds in function.lost_at_seconds), default=0.0)
    # Lost writes belong into the picture, but what came before never takes more than half of it.
    begin = min(-_BEFORE_SECONDS, max(lost - _BEFORE_SECONDS / 2, -end))
    begin = max(started_seconds - at.impact, begin)
    found = [RequestWindow(window="failover", start_seconds=begin, end_seconds=min(end + _AFTER_SECONDS, last))]
    home = [step for step in steps if step.run == "way-back" and step.block not in ("approve", "postgres.reprotect", "redis.reprotect")]
    if home:
        start = min(step.started_seconds for step in home) - _BEFORE_SECONDS
        until = max(_moved(steps, "way-back"), default=start + 10.0) + _AFTER_SECONDS
        found.append(RequestWindow(window="way-back", start_seconds=start, end_seconds=min(until, last)))
    return tuple(window for window in found if window.end_seconds > window.start_seconds)


def _moved(steps: Sequence[StepResult], run: str) -> list[float]:
    """When traffic was moved in a run."""
    mine = [step for step in steps if step.run == run and step.block in BLOCKS and BLOCKS[step.block].moves_traffic]
    return [step.ended_seconds for step in mine if step.ended_seconds is not None]


def marks(
    entries: Sequence[LedgerEntry],
    lost: Iterable[LedgerEntry],
    shown: Sequence[RequestWindow],
    impact_seconds: float,
    slow_seconds: float,
    functions: int,
) -> tuple[RequestMarks, ...]:
    """The marks of one function, by window and state; states without a request are left out."""
    most = max(FEWEST_MARKS, MOST_MARKS // max(len(shown) * len(STATES) * functions, 1))
    asked = [request for request in requests(entries) if not request.own_fault]
    gone = {entry.request: entry.answered_seconds for entry in lost}
    found = []
    for window in shown:
        moments: dict[State, list[float]] = {state: [] for state in STATES}
        for request in asked:
            moments[_state(request, slow_seconds)].append(request.sent_seconds - impact_seconds)
        moments["lost"] = [seconds - impact_seconds for seconds in gone.values()]
        for state in STATES:
            inside = [moment for moment in moments[state] if window.start_seconds <= moment < window.end_seconds]
            if inside:
                found.append(_marks(window, state, inside, most))
    return tuple(found)


def _state(request: Request, slow_seconds: float) -> State:
    if request.result is not RequestResult.ACKNOWLEDGED:
        return "failed"
    return "slow" if request.answered_seconds - request.sent_seconds > slow_seconds else "ok"


def _marks(window: RequestWindow, state: State, moments: Sequence[float], most: int) -> RequestMarks:
    milliseconds = [round((moment - window.start_seconds) * 1000) for moment in moments]
    for grid in _GRIDS:
        places = Counter(moment // grid for moment in milliseconds)
        if len(places) <= most:
            break
    ordered = sorted(places)
    gaps = [ordered[0], *(after - before for before, after in pairwise(ordered))]
    counts = tuple(places[place] for place in ordered)
    alone = all(count == 1 for count in counts)
    return RequestMarks(
        window=window.window, state=state, requests=len(moments), grid_milliseconds=grid, gaps=tuple(gaps), counts=() if alone else counts
    )
