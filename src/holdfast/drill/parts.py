"""The processes that a drill adds to a lab: the controller and the clients. Each is a child that dies with the drill.

The lab's sweeper kills them too when everything else fails, because they carry the lab's mark in their environment.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.lab.children import last_lines


class PartFailed(Exception):
    """A process that the drill needs ended or never became ready. The text holds its last lines."""


@dataclass
class Part:
    """One running process and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self, grace_seconds: float = 5.0) -> None:
        """End it orderly, or at once after the grace."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()


def start(name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> Part:
    """Start `python -m …` in a session of its own, so that a Ctrl-C reaches only the drill, which stops everything in order."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    return Part(name, process, log)


def wait_until(condition: Callable[[], bool], seconds: float, what: str, parts: Sequence[Part] = ()) -> None:
    """Wait for a condition, bounded; a part that ends meanwhile is said at once. Raises PartFailed."""
    deadline = time.monotonic() + seconds
    while not condition():
        for part in parts:
            if not part.alive():
                raise PartFailed(
                    f"{part.name} ended with status {part.process.returncode} while waiting for {what}:\n{last_lines(part.log)}"
                )
        if time.monotonic() > deadline:
            raise PartFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
