"""The one server process of a store: started by this agent or found again after the agent itself was restarted.

A process counts as the store's only while it is alive, has the store's directory as working directory, and is the expected program: a
pid file alone proves nothing after a reboot. Never here: killing (that is the fence's), and any knowledge of what the server is.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from holdfast.agent.store import Launcher, StoreFailure


class ServerProcess:
    """Start, find, signal and await the server of one directory."""

    def __init__(self, launcher: Launcher, directory: Path, pid_file: Path, program: str, log: Path) -> None:
        self._launcher = launcher
        self._directory = directory
        self._pid_file = pid_file
        self._program = program
        self._child: subprocess.Popen[bytes] | None = None
        self.log = log

    def start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start it; returns at once. Raises StoreFailure when the program cannot be started."""
        self._child = self._launcher.start(arguments, log=self.log, environment=environment)

    def pid(self) -> int | None:
        """Its process identifier while it is alive."""
        child = self._child
        if child is not None:
            if child.poll() is None:
                return child.pid
            self._child = None
        try:
            pid = int(self._pid_file.read_text(encoding="ascii").split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if pid > 0 and self._is_ours(pid) else None

    def alive(self) -> bool:
        """Whether it exists."""
        return self.pid() is not None

    def wait_until(self, condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
        """Ask `condition` until it is true. Raises StoreFailure when the server ends first (with its last words) or time runs out."""
        for _ in until(timeout_seconds):
            if condition():
                return
            if not self.alive():
                raise StoreFailure(
                    f"{self._program} in {self._directory} ended before {what}; its log {self.log} ends with: {self.last_words()}"
                )
        raise StoreFailure(f"{self._program} in {self._directory}: {what} did not happen within {timeout_seconds:g} s; see {self.log}")

    def stop(self, signal_number: signal.Signals, timeout_seconds: float) -> None:
        """Send a signal and wait for the end; sent again now and then, because Redis ignores it while it first writes its files.

        Raises StoreFailure when it still runs after the time limit.
        """
        pid = self.pid()
        if pid is None:
            return
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            deadline = time.monotonic() + timeout_seconds
            ended = False
            while not ended and time.monotonic() < deadline:
                signal.pidfd_send_signal(handle, signal_number)
                ended = bool(poll.poll(min(200.0, max(0.0, deadline - time.monotonic()) * 1000)))
            if not ended:
                where = f"{self._program} in {self._directory}"
                raise StoreFailure(f"{where} still runs {timeout_seconds:g} s after it was asked to stop; fence it")
        except ProcessLookupError:
            return
        finally:
            os.close(handle)
        if self._child is not None:
            self._child.wait(timeout=1)

    def last_words(self) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 1500))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError as error:
            return f"(unreadable: {error})"
        return " | ".join(lines[-6:])

    def _is_ours(self, pid: int) -> bool:
        process = Path("/proc") / str(pid)
        try:
            return (process / "cwd").readlink() == self._directory and (process / "comm").read_text().strip() == self._program
        except OSError:
            return False


def until(timeout_seconds: float, every_seconds: float = 0.02) -> Iterator[float]:
    """Yield the seconds gone by, at once and then every `every_seconds`, until the time is up: for what can only be asked, not awaited."""
    start = time.monotonic()
    while (gone := time.monotonic() - start) <= timeout_seconds:
        yield gone
        time.sleep(every_seconds)


def make_durable(path: Path) -> None:
    """Flush a file and its directory's entry to disk."""
    for name in (path, path.parent):
        handle = os.open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
