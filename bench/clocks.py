"""What the plan's clocks of many open incidents cost one process, and how late their messages and calls fall due.

Each incident is looked at only when its next message or call is due (`next_change_seconds`, the answer time of its last call). The same
looked at every incident four times a second is measured beside it: that is what the pure functions save.

Run: python -m bench.clocks [SECONDS]. Exit code 1 when 1,000 incidents take 5 % of a core or more, or fall due a second late.
"""

import heapq
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.communications import IncidentFacts, due, next_change_seconds
from holdfast.communications.escalation import Called, next_call, row_of
from holdfast.plan.loader import load
from holdfast.plan.model import Escalation, Plan

PLAN = Path("examples/voicehive/plan.yaml")
MATRIX = {"answer_within": "5m", "level": "Executive team", "audience": ["executives"], "channels": ["phone", "sms", "email"]}
COUNTS = (100, 1000, 5000)
AIM = 1000
LIMIT_PERCENT, LIMIT_LATE_SECONDS = 5.0, 1.0
SPREAD_SECONDS = 3600.0


@dataclass
class Clock:
    """One open incident: its facts, and the last call that was made."""

    facts: IncidentFacts
    last: Called | None = None
    seen: int = 0


def _clocks(count: int, now: float) -> list[Clock]:
    """Incidents that began at any moment of the last hour."""
    base = IncidentFacts("inc", now, "eu-west-1", "eu-central-1", severity="P1", functions=("voice", "pms"), aware_seconds=now)
    starts = (now - SPREAD_SECONDS * number / count for number in range(count))
    return [Clock(replace(base, incident=f"inc-{number}", started_seconds=start)) for number, start in enumerate(starts)]


def _look(plan: Plan, clock: Clock, now: float) -> float:
    """What is due now; returns when to look again."""
    clock.seen = len(due(plan, "regional-outage", clock.facts, now))
    call = next_call(plan, clock.facts, frozenset(), clock.last, now)
    if call is not None:
        clock.last = Called(call.number, call.round, call.place, now)
    row = row_of(plan, clock.facts.severity)
    answer = float("inf") if clock.last is None or row is None else clock.last.at_seconds + row.answer_within
    return min(next_change_seconds(plan, "regional-outage", clock.facts, now), answer)


def _measured(plan: Plan, count: int, seconds: float) -> tuple[float, float, int, float]:
    """Percent of a core, greatest lateness in seconds, moments that fell due, and seconds of one round over all of them."""
    clocks = _clocks(count, time.time())
    begun = time.process_time()
    heap = [(_look(plan, clock, time.time()), number) for number, clock in enumerate(clocks)]
    round_seconds = time.process_time() - begun
    for number, clock in enumerate(clocks):  # calls of incidents that have been open for a while don't all fall due at once
        if clock.last is not None:
            clock.last = replace(clock.last, at_seconds=time.time() - 300.0 * number / count)
    heap = [(_look(plan, clock, time.time()), number) for number, clock in enumerate(clocks)]
    heapq.heapify(heap)
    ready = time.time()  # what fell due while they were all looked at for the first time is late by that, and by nothing else
    late, fell_due, before, end = 0.0, 0, time.process_time(), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        pause = min(heap[0][0] - time.time(), left)
        if pause > 0:
            time.sleep(pause)
        while heap[0][0] <= time.time():
            moment, number = heap[0]
            late, fell_due = max(late, time.time() - max(moment, ready)), fell_due + 1
            heapq.heapreplace(heap, (_look(plan, clocks[number], time.time()), number))
    return 100 * (time.process_time() - before) / seconds, late, fell_due, round_seconds


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    plan = load(PLAN).plan
    plan = plan.model_copy(update={"escalation": {"P1": Escalation.model_validate(MATRIX)}})
    missed = False
    print("open incidents   % of a core   greatest lateness   fell due   one round over all   the same, 4 times a second")
    for count in COUNTS:
        percent, late, fell_due, round_seconds = _measured(plan, count, seconds)
        print(
            f"{count:14,}{percent:12.2f} %{late * 1000:17.1f} ms{fell_due:11}{round_seconds * 1000:18.0f} ms{400 * round_seconds:24.0f} %",
            flush=True,
        )
        missed |= count == AIM and (percent >= LIMIT_PERCENT or late >= LIMIT_LATE_SECONDS)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
