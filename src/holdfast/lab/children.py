"""The processes that the supervisor starts: each marked as the lab's, dying with the supervisor, its output in a file of its own.

A child is started through `setpriv --pdeathsig KILL`, which becomes the program itself, so the kernel ends it when the supervisor dies.
Its end is seen through a pidfd. Never here: what the programs are, or starting one again.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.lab.layout import Layout
from holdfast.lab.processes import start_ticks

_INHERITED = ("HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "HOLDFAST_TRACEBACK")
_LAST_LINES = 8


def environment(mark: Mapping[str, str], path: str) -> dict[str, str]:
    """What a lab's process inherits: no proxies, no credentials, no settings of database clients; `mark` besides."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # The working directory must not be searched for modules: a site's folder holds one called `redis`.
    return {**inherited, "PATH": path, "LC_ALL": "C.UTF-8", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", **mark}


def last_lines(log: Path) -> str:
    """The end of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"(the log can't be read: {error.strerror})"
    return "\n".join(lines[-_LAST_LINES:]) or "(it said nothing)"


@dataclass(frozen=True, slots=True)
class Ended:
    """How and when a child ended."""

    status: int
    at_seconds: float

    def __str__(self) -> str:
        return f"killed by {signal.Signals(-self.status).name}" if self.status < 0 else f"ended with status {self.status}"


class Child:
    """One started process."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path, on_end: Callable[["Child"], None]) -> None:
        self.name = name
        self.pid = process.pid
        self.started_ticks = start_ticks(process.pid)
        self.started_seconds = time.time()
        self.log = log
        self.ended: Ended | None = None
        self.gone = asyncio.Event()
        self._process = process
        self._on_end = on_end
        self._pidfd = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def _reap(self) -> None:
        status = self._process.poll()
        if status is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.ended = Ended(status, time.time())
        self.gone.set()
        self._on_end(self)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        if self.ended is None:
            self._process.send_signal(number)


def start_sweeper(
    identity: str,
    layout: Layout,
    *,
    standard_input: int,
    kept: Sequence[int],
    environment: Mapping[str, str],
    on_end: Callable[[Child], None],
) -> Child:
    """Start the sweeper: outside the lab's mark, outliving the supervisor, holding the descriptors `kept`."""
    log = layout.log_of("sweeper")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.lab.sweeper", "--lab", identity, "--directory", str(layout.directory)],
            stdin=standard_input,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environment),
            pass_fds=kept,
            start_new_session=True,
        )
    return Child("sweeper", process, log, on_end)


def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    working_directory: Path,
    environment: Mapping[str, str],
    on_end: Callable[[Child], None],
) -> Child:
    """Start a program that goes on. Call from the main thread: the kernel's death signal comes when the starting thread ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=working_directory,
            env=dict(environment),
        )
    return Child(name, process, log, on_end)
