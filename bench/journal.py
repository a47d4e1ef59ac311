"""How long a journalled step takes: intent and outcome, each durable on its own, in the folder given (or the current one).

Run: python bench/journal.py [FOLDER]. Exit code 1 when the median of a step is above 5 ms.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from holdfast.journal.record import following
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.providers.sqlite.promises import SqlitePromises

STEPS = 500
LIMIT_MILLISECONDS = 5.0


def milliseconds(durations: list[float]) -> str:
    ordered = sorted(durations)
    middle, late, last = (1000 * value for value in (statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]))
    return f"median {middle:.2f} ms, 99 % {late:.2f} ms, most {last:.2f} ms"


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        journal = SqliteJournal(Path(place) / "journal.db")
        promises = SqlitePromises(journal.database)
        steps, puts = [], []
        for number in range(STEPS):
            started = time.perf_counter()
            for kind in ("step.intended", "step.finished"):
                body = {"run": "failover", "step": f"step-{number}", "attempt": 1, "order": [0, 2, 1, number], "detail": "x" * 200}
                journal.append([following(journal.head(), time.time(), kind, "bench", body)])
            steps.append(time.perf_counter() - started)
            started = time.perf_counter()
            promises.put("eu-west-1", {"until": started, "epoch": 2})
            puts.append(time.perf_counter() - started)
        journal.close()
    print(f"journalled step (two durable appends), {STEPS} steps: {milliseconds(steps)}")
    print(f"promise, {STEPS} times: {milliseconds(puts)}")
    return int(statistics.median(steps) * 1000 > LIMIT_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
