"""What clients saw: outages per function, and the strip of half-second buckets.

Rules: a request colours every bucket from its sending to its answer when it failed or was slow, else only the one it was sent in. No answer
is a failure to the client, whatever became of it at the server. Where states change too often to be kept, buckets are longer, and
each has the worst that was in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import Outage, Request, outages, requests, worst
from holdfast.report.model import ClientRun

BUCKET_SECONDS = 0.5
MOST_BUCKETS = 20_000
MOST_RUNS = 1_000
"""Of all functions together: a report stays small however often the states change."""
FEWEST_RUNS = 40
State = Literal["ok", "slow", "failed", "idle"]
_RANK: dict[State, int] = {"idle": 0, "ok": 1, "slow": 2, "failed": 3}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of wall-clock time."""

    start_seconds: float
    end_seconds: float


def outage_in(entries: Sequence[LedgerEntry], window: Window) -> tuple[float | None, Outage | None, int]:
    """(seconds, the worst outage, how many): 0 seconds when every request was answered, None when nothing was asked or it has not ended."""
    found = outages(entries, window.start_seconds, window.end_seconds)
    if not found:
        vouched = [request for request in requests(entries) if not request.own_fault]
        asked = any(window.start_seconds <= r.answered_seconds and r.sent_seconds < window.end_seconds for r in vouched)
        return (0.0 if asked else None), None, 0
    longest = worst(found)
    return (longest.duration_seconds if longest else None), longest, len(found)


def strip(
    entries: Sequence[LedgerEntry], window: Window, impact_seconds: float, slow_seconds: float, functions: int
) -> tuple[ClientRun, ...]:
    """Buckets in a row with the same state, counted from impact. `functions`: how many have to share the room."""
    most = max(FEWEST_RUNS, MOST_RUNS // max(functions, 1))
    inside = [r for r in requests(entries) if not r.own_fault and window.start_seconds <= r.sent_seconds < window.end_seconds]
    size = BUCKET_SECONDS
    while (window.end_seconds - window.start_seconds) / size > MOST_BUCKETS:
        size *= 2
    while len(runs := _strip(inside, window, impact_seconds, slow_seconds, size)) > most:
        size *= 2
    return runs


def _strip(asked_for: Sequence[Request], window: Window, impact_seconds: float, slow_seconds: float, size: float) -> tuple[ClientRun, ...]:
    total = max(1, math.ceil((window.end_seconds - window.start_seconds) / size))
    states: list[State] = ["idle"] * total
    asked, failed = [0] * total, [0] * total
    for request in asked_for:
        first = int((request.sent_seconds - window.start_seconds) // size)
        state = _state(request, slow_seconds)
        asked[first] += 1
        failed[first] += state == "failed"
        last = first if state == "ok" else min(total - 1, int((request.answered_seconds - window.start_seconds) // size))
        for bucket in range(first, last + 1):
            states[bucket] = max(states[bucket], state, key=_RANK.__getitem__)
    return _runs(states, asked, failed, window.start_seconds - impact_seconds, size)


def _state(request: Request, slow_seconds: float) -> State:
    if request.result is not RequestResult.ACKNOWLEDGED:
        return "failed"
    return "slow" if request.answered_seconds - request.sent_seconds > slow_seconds else "ok"


def _runs(states: Sequence[State], asked: Sequence[int], failed: Sequence[int], start_seconds: float, size: float) -> tuple[ClientRun, ...]:
    runs = []
    first = 0
    for index in range(1, len(states) + 1):
        if index == len(states) or states[index] != states[first]:
            runs.append(
                ClientRun(
                    state=states[first],
                    start_seconds=round(start_seconds + first * size, 3),
                    end_seconds=round(start_seconds + index * size, 3),
                    requests=sum(asked[first:index]),
                    failed=sum(failed[first:index]),
                )
            )
            first = index
    return tuple(runs)
