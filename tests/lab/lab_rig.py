"""What the tests of the lab share: a folder that PostgreSQL may enter, and a look at what a lab has left on the machine."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from holdfast.lab import processes
from holdfast.lab.running import Lab, start_lab
from lab.removal import remove
from lab.traces import left_since

PLAN = Path(__file__).resolve().parents[2] / "examples" / "voicehive" / "plan.yaml"
QUICK = frozenset({"dns", "copying", "loadbalancer.eu-west-1"})
"""Parts that are up in a second or two and cover network, DNS, storage and load balancer."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own below /tmp, open to other users."""
    made = Path(tempfile.mkdtemp(prefix="holdfast-lab-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        remove(made)


@contextmanager
def running(
    directory: Path,
    only: frozenset[str] | None = QUICK,
    profile: str = "fast",
    storage: str | None = None,
    replication: Literal["asynchronous", "synchronous"] | None = None,
    plan: Path = PLAN,
) -> Iterator[Lab]:
    """A lab that is taken down whatever the test does."""
    lab = start_lab(directory, plan, profile, replication, only=only, storage=storage)
    try:
        yield lab
    finally:
        lab.down()


def left_of(lab: Lab) -> list[str]:
    """Processes, control groups and shared memory that a lab has left."""
    living = [process.command for process in processes.find(lab.identifier, lab.directory)]
    groups = [str(group) for group in processes.control_groups(lab.directory)]
    return living + groups + left_since(lab.description["started_seconds"], lab.directory)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.02)
