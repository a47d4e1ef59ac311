"""The raw floor of an outage: a writer is cut off, its replica is promoted in the same moment, a client goes over. Nobody detects anything.

Run: python -m bench.floor [TIMES]. Two real PostgreSQL servers on loopback; the writer's processes are stopped (as behind a cut link, it
holds everything and answers nothing), `pg_promote()` is ordered at once, and a client that writes all the time gives each server 0.1 s.
Prints the seconds from the cut to the next acknowledged write. What Holdfast takes beyond this: detection, decision, fence, traffic.
"""

import os
import signal
import statistics
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from holdfast.agent.postgres_wire import Connection
from lab.postgres_store_rig import Pair, Side, pair, processes_in

PATIENCE_SECONDS = 0.1
PAUSE_SECONDS = 0.01
BOUND_SECONDS = 30.0


class Client:
    """Writes to one server as long as it answers, else to the other."""

    def __init__(self, both: Pair) -> None:
        self._sides, self._ended = [both.west, both.east], threading.Event()
        self.acknowledged: list[tuple[float, bool]] = []
        """(moment, whether the second server did it)."""
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._ended.is_set():
            for second, side in enumerate(self._sides):
                with suppress(Exception):  # whatever the reason, the other server is asked
                    number = self._to(side, bool(second), number)
            time.sleep(PAUSE_SECONDS)

    def _to(self, side: Side, second: bool, number: int) -> int:
        with Connection(side.configuration.address(), PATIENCE_SECONDS) as session:
            while not self._ended.is_set():
                number += 1
                session.query(f"INSERT INTO call (id) VALUES ({number + 10_000_000 * second})", PATIENCE_SECONDS)
                self.acknowledged.append((time.monotonic(), second))
                time.sleep(PAUSE_SECONDS)
        return number

    def until_second(self) -> float:
        """When the second server acknowledged for the first time."""
        end = time.monotonic() + BOUND_SECONDS
        while time.monotonic() < end:
            found = next((moment for moment, second in self.acknowledged if second), None)
            if found is not None:
                return found
            time.sleep(0.005)
        raise RuntimeError(f"the promoted server took no write within {BOUND_SECONDS:g} s")

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def floor() -> float:
    """Seconds from the cut to the next acknowledged write."""
    with pair() as both:
        both.west.store.start_writer(0, 1)
        both.east.store.start_replica()
        client = Client(both)
        try:
            time.sleep(1.0)  # load, and a replica that follows it
            cut = time.monotonic()
            for process in processes_in(both.west.launcher.directory):
                os.kill(process, signal.SIGSTOP)
            both.east.ask("SELECT pg_promote(true, 10)")
            return client.until_second() - cut
        finally:
            client.stop()


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found = [floor() for _ in range(times)]
    print(f"raw floor of {times}: minimum {min(found):.2f} s, median {statistics.median(found):.2f} s, maximum {max(found):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
