"""What the clocks of an open incident cost its controller, and whether messages leave in time: the product's own loop in virtual time.

The reference exercise is played with the incident open for 70 minutes of the plan. The loop looks at everything that is owed four times a
second and more often where something happens; each look is timed. The first and the last fifth of the looks show how the cost grows with
the journal. Deadlines are the plan's, divided by the scale.

A controller conducts one incident at a time; what the clocks of a thousand would cost is `bench.incident_clocks`.

Run: python -m bench.clocks [SCALE]. Exit code 1 when one open incident takes 5 % of a core or more, or something is a second late.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.conduct.policy import next_moves
from holdfast.conduct.situation import Move, Situation
from holdfast.controller import loop
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.loader import load
from holdfast.simulation.exercise import exercise
from holdfast.simulation.stage import StageSettings

PLAN = Path("examples/voicehive/plan.yaml")
SCALE = 20.0
LIMIT_PERCENT, LIMIT_LATE_SECONDS = 5.0, 1.0


def timed(look: Callable[[Situation], tuple[Move, ...]], found: list[float]) -> Callable[[Situation], tuple[Move, ...]]:
    """The loop's look, with the processor's seconds of each one at an open incident kept."""

    def looked(situation: Situation) -> tuple[Move, ...]:
        begun = time.process_time()
        moves = look(situation)
        if situation.installation.open_incident() is not None:
            found.append(time.process_time() - begun)
        return moves

    return looked


def ahead_seconds(records: Sequence[Record]) -> list[float]:
    """For every message that fell due and was handed over: the wall's seconds that were left until its deadline. Below 0: late."""
    due = {record.body["key"]: record.body["due_seconds"] for record in records if record.kind == Kind.NOTIFICATION_DUE}
    sent: dict[str, float] = {}
    for record in records:
        if record.kind == Kind.NOTIFICATION_SENT:
            sent.setdefault(record.body["key"], record.at_seconds)
    return [due_seconds - sent[key] for key, due_seconds in due.items() if key in sent]


def main() -> int:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else SCALE
    loaded, looks = load(PLAN), list[float]()
    asked = loaded.plan.exercises["regional-outage"]
    settings = StageSettings(loaded, seed=3, scale=scale, decide_after_seconds=asked.decide_after or 0.0, open_for_seconds=70 * 60.0)
    setattr(loop, "next_moves", timed(next_moves, looks))  # noqa: B010 - the loop's own name for it, which has no other way in
    found = exercise(settings)
    records = found.facts.records
    opened = next(record.at_seconds for record in records if record.kind == Kind.INCIDENT_OPENED)
    open_seconds = records[-1].at_seconds - opened
    ahead, fifth = ahead_seconds(records), max(1, len(looks) // 5)
    percent = 100 * sum(looks) / open_seconds
    first, last = (1000 * statistics.median(part) for part in (looks[:fifth], looks[-fifth:]))
    print(f"open for {open_seconds:.0f} s on the wall, {len(records):,} records, {len(ahead)} messages fell due and were handed over")
    print(f"looks        {len(looks):,}, {len(looks) / open_seconds:.1f} a second, {percent:.2f} % of a core")
    print(f"one look     median {first:.2f} ms in the first fifth, {last:.2f} ms in the last; most {1000 * max(looks):.1f} ms")
    print(f"in time      by {min(ahead):.1f} s at least, median {statistics.median(ahead):.1f} s")
    return int(found.ended_early is not None or percent >= LIMIT_PERCENT or min(ahead) <= -LIMIT_LATE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
