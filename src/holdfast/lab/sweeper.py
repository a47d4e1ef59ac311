"""The last one of a lab: waits until the supervisor is gone, however it went, and ends everything that is left.

Run as `python -m holdfast.lab.sweeper --lab ID --directory DIRECTORY` with a pipe of the supervisor as standard input. It lives in a
session of its own, ignores the signals that a terminal sends, carries no mark of the lab, and holds the lab's number and directory
(inherited descriptors) until nothing of the lab lives. It never decides anything: the end of the pipe is all it knows.
"""

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from holdfast.lab.processes import sweep


def wait_for_the_end() -> None:
    """Return when nobody holds the other end of standard input any more."""
    while os.read(0, 1024):
        pass


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="End what a lab leaves behind.")
    parser.add_argument("--lab", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wait_for_the_end()
    left = sweep(arguments.lab, arguments.directory)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    if left:
        print(f"{now} could not end: {', '.join(f'{process.pid} ({process.command})' for process in left)}", flush=True)
        sys.exit(1)
    print(f"{now} nothing of the lab is left", flush=True)


if __name__ == "__main__":
    main()
