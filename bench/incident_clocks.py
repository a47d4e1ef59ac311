"""What the clocks of many open incidents cost, and how late they are looked at: 10, 100 and 1,000 of them on one core, on the real clock.

Each began at some moment of the last two hours. Whoever keeps them sleeps until the next one owes another message
(`next_change_seconds`), then asks what it owes (`due`): the two pure functions that the controller asks too. What a controller does beside
(its journal, its observers, handing messages over) is measured by `bench.clocks`; it conducts one incident at a time.

Run: python -m bench.incident_clocks [SECONDS]. Exit code 1 when a thousand take 5 % of a core or more, or one is looked at a second late.
"""

import heapq
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from holdfast.communications import due, next_change_seconds
from holdfast.communications.facts import IncidentFacts
from holdfast.plan.loader import load
from holdfast.plan.model import Plan

PLAN, SCENARIO = Path("examples/voicehive/plan.yaml"), "regional-outage"
SIZES = (10, 100, 1000)
SECONDS = 30.0
OPEN_SECONDS = 2 * 3600.0
LIMIT_PERCENT, LIMIT_LATE_SECONDS = 5.0, 1.0


@dataclass(frozen=True)
class Kept:
    """What keeping so many clocks came to."""

    looks: int
    fell_due: int
    percent: float
    """Of a core."""
    latest_seconds: float


def made(plan: Plan, number: int, began_seconds: float) -> IncidentFacts:
    """An open incident that hits everything."""
    return IncidentFacts(
        f"inc-1-{number}",
        began_seconds,
        plan.primary_region(),
        plan.dr_region(),
        severity="P1",
        functions=tuple(plan.functions),
        aware_seconds=began_seconds,
    )


def kept(plan: Plan, many: int, seconds: float) -> Kept:
    """Keep so many clocks for so long."""
    chance, now = random.Random(many), time.time()
    facts = [made(plan, number, now - chance.uniform(0.0, OPEN_SECONDS)) for number in range(many)]
    known = [{message.key for message in due(plan, SCENARIO, one, now)} for one in facts]
    waiting = [(next_change_seconds(plan, SCENARIO, one, now), number) for number, one in enumerate(facts)]
    heapq.heapify(waiting)
    looks, fell_due, latest = 0, 0, 0.0
    ends, begun = time.time() + seconds, time.process_time()
    while waiting[0][0] < ends:
        moment, number = waiting[0]
        time.sleep(max(moment - time.time(), 0.0))
        now = time.time()
        owed = {message.key for message in due(plan, SCENARIO, facts[number], now)}
        looks, fell_due, latest = looks + 1, fell_due + len(owed - known[number]), max(latest, time.time() - moment)
        known[number] = owed
        heapq.heapreplace(waiting, (next_change_seconds(plan, SCENARIO, facts[number], now), number))
    time.sleep(max(ends - time.time(), 0.0))
    return Kept(looks, fell_due, 100 * (time.process_time() - begun) / seconds, latest)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    plan = load(PLAN).plan
    print(f"for {seconds:g} s each\n{'open incidents':>14}{'looks':>8}{'fell due':>10}{'of a core':>11}{'latest look':>13}")
    for many in SIZES:
        found = kept(plan, many, seconds)
        late = f"{1000 * found.latest_seconds:.0f} ms"
        print(f"{many:14,}{found.looks:8}{found.fell_due:10}{found.percent:10.2f} %{late:>13}", flush=True)
    return int(found.percent >= LIMIT_PERCENT or found.latest_seconds >= LIMIT_LATE_SECONDS or not found.fell_due)


if __name__ == "__main__":
    sys.exit(main())
