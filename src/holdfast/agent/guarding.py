"""The agent's side of the guard: start it, see that it ticks, tell it the deadline. Never here: deciding about the lease."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from holdfast.agent.fence import Target, start_ticks
from holdfast.agent.pulse import Pulse, boot_nanoseconds

_GUARD = Path(__file__).with_name("guard.py")
_START_SECONDS = 2.0
"""How long a new guard may take to its first tick before it counts as dead too."""
_LONGEST_FENCE_SECONDS = 2.5
"""How long the guard may be at a fence before it ticks again."""


class Guarding:
    """One guard process, watched. Used by one thread (the keeper), but for `arm` and `disarm`, which the stores' threads call too."""

    def __init__(self, directory: Path, targets: Sequence[Target], tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self._bits = threading.Lock()  # every store's bit stands in one number: two threads must not write it over each other
        self._targets = list(targets)
        self._places = {target.name: place for place, target in enumerate(targets)}
        self._configuration = directory / "guard.json"
        self.pulse = Pulse(directory / "pulse", create=True)
        self.record_file = directory / "guard.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._write_configuration()
        self._started_at = 0
        self.pulse.put("end", 0)
        self.pulse.put("agent_start", start_ticks(os.getpid()))
        self.pulse.put("agent_pid", os.getpid())

    @property
    def fresh(self) -> bool:
        """Whether the guard has ticked lately."""
        age = boot_nanoseconds() - self.pulse.get("tick")
        return 0 <= age < max(5 * self._tick_seconds, 0.3) * 1e9

    def watch(self) -> bool:
        """See to it that a guard runs; whether it ticks. A dead or stopped one is replaced at once: until then the lease doesn't grow."""
        if self._child is not None:
            self._child.poll()
        if self.fresh:
            return True
        if boot_nanoseconds() - self._started_at > _START_SECONDS * 1e9:
            self._replace()
        return False

    def set_deadline(self, deadline_seconds: float) -> None:
        """No armed store may be alive at or after this moment of CLOCK_BOOTTIME."""
        self.pulse.put("deadline", max(0, int(deadline_seconds * 1e9)))

    def arm(self, store: str) -> None:
        """From now on the store may be a writer: the deadline holds for it."""
        with self._bits:
            self.pulse.put("armed", self.pulse.get("armed") | 1 << self._places[store])

    def disarm(self, store: str) -> None:
        """The store is verified to be no writer, and can't become one. Returns when the guard knows: a fence that it had begun before would
        kill what is started next."""
        with self._bits:
            self.pulse.put("armed", self.pulse.get("armed") & ~(1 << self._places[store]))
        cleared, until = boot_nanoseconds(), time.monotonic() + _LONGEST_FENCE_SECONDS
        while self.pulse.get("tick") < cleared and time.monotonic() < until:
            time.sleep(0.002)

    def armed(self, store: str) -> bool:
        """Whether the deadline holds for the store."""
        return bool(self.pulse.get("armed") >> self._places[store] & 1)

    @property
    def fences(self) -> int:
        """How often the guard has fenced."""
        return self.pulse.get("fences")

    def end(self) -> None:
        """Tell the guard to end and wait for it."""
        self.pulse.put("end", 1)
        self._await_end()

    def _await_end(self) -> None:
        if self._child is not None:
            try:
                self._child.wait(timeout=max(1.0, 4 * self._tick_seconds))
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None

    def _replace(self) -> None:
        self._kill_old()
        # Not `-I`: the guard must find its two neighbours. Its environment keeps what marks a lab's processes.
        self._child = subprocess.Popen(
            [sys.executable, "-S", "-E", "-B", str(_GUARD), str(self._configuration)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self._started_at = boot_nanoseconds()

    def _kill_old(self) -> None:
        if self._child is not None:
            self._child.kill()  # also ends one that was stopped
            self._child.wait()
            self._child = None
            return
        pid = self.pulse.get("guard_pid")
        if pid and _is_guard(pid, self._configuration):
            os.kill(pid, signal.SIGKILL)

    def _write_configuration(self) -> None:
        targets = [
            {
                "name": target.name,
                "directory": str(target.directory),
                "group_kind": target.group.kind if target.group else None,
                "group": str(target.group.path) if target.group else None,
            }
            for target in self._targets
        ]
        content = {
            "pulse": str(self._configuration.with_name("pulse")),
            "record_file": str(self.record_file),
            "tick_seconds": self._tick_seconds,
            "targets": targets,
        }
        text = json.dumps(content)
        if self._configuration.exists() and self._configuration.read_text() == text:
            return  # a guard of an earlier agent goes on with it
        self._kill_old()
        self.pulse.put("tick", 0)
        aside = self._configuration.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self._configuration)


def _is_guard(pid: int, configuration: Path) -> bool:
    try:
        return str(configuration).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
