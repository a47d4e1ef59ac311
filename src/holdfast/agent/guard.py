"""The guard: fences at the deadline when the agent can't. Run as a file (`python guard.py CONFIGURATION`); imports nothing of Holdfast but
its neighbours `fence` and `pulse`, which import only the standard library.

Rules: it looks at the deadline at every tick, and exactly at the deadline; from then on everything that belongs to an armed store is
killed, for as long as the deadline is not moved on. It goes on when the agent is frozen or dead. It ends when told to, or when the agent
is gone and nothing is armed or all is fenced. A signal to end makes it fence first: no guard, no lease.

Never here: network, the lease's arithmetic, starting anything.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.agent import fence, pulse
else:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import fence
    import pulse

_LOOK_EVERY_SECONDS = 1.0
"""How often the whole of /proc is searched again while fenced; the control group is looked at on every tick."""


class Guard:
    """One guard process."""

    def __init__(self, configuration: dict[str, object]) -> None:
        self.shared = pulse.Pulse(Path(str(configuration["pulse"])), create=False)
        self.tick_seconds = float(str(configuration["tick_seconds"]))
        self.record_file = Path(str(configuration["record_file"]))
        given = configuration["targets"]
        assert isinstance(given, list)
        self.targets = [_target(each) for each in given]
        self.fenced = False
        self.looked = 0.0
        self.asked_to_end = False

    def run(self) -> None:
        """Tick until there is nothing left to guard."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.shared.put("guard_pid", os.getpid())
        while True:
            self.shared.put("tick", pulse.boot_nanoseconds())
            armed, left = self._armed(), self.shared.get("deadline") - pulse.boot_nanoseconds()
            if armed and (left <= 0 or self.asked_to_end):
                self._fence(armed)
                left = 0
            else:
                self.fenced = False
            if self.shared.get("end") or self.asked_to_end:
                return
            if (not armed or self.fenced) and not self._agent_lives():
                return
            pause = self.tick_seconds if not armed or left <= 0 else min(self.tick_seconds, left / 1e9)
            time.sleep(max(pause, 0.0005))

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_end = True

    def _armed(self) -> list["fence.Target"]:
        bits = self.shared.get("armed")
        return [target for place, target in enumerate(self.targets) if bits >> place & 1]

    def _agent_lives(self) -> bool:
        pid = self.shared.get("agent_pid")
        return pid != 0 and fence.start_ticks(pid) == self.shared.get("agent_start")

    def _fence(self, armed: list["fence.Target"]) -> None:
        now = time.monotonic()
        if self.fenced and now - self.looked < _LOOK_EVERY_SECONDS:
            if not any(target.group and target.group.processes() for target in armed):
                return
        elif self.fenced and not any(fence.members(target) for target in armed):
            self.looked = now
            return
        done = []
        for target in armed:
            done.append(fence.fence(target, limit_seconds=2.0))
            if done[-1].clean:
                fence.close(target)
        self.fenced = all(each.clean for each in done)
        self.looked = time.monotonic()
        killed = sum(each.killed for each in done)
        if killed or not self.fenced:
            self._say(done)
        self.shared.put("clean", int(self.fenced))
        self.shared.put("fenced_at", pulse.boot_nanoseconds())
        self.shared.put("fences", self.shared.get("fences") + (1 if killed else 0))

    def _say(self, done: list["fence.Fenced"]) -> None:
        said = [{"store": f.name, "how": f.how, "killed": f.killed, "seconds": round(f.seconds, 4), "clean": f.clean} for f in done]
        line = json.dumps({"at_seconds": time.time(), "deadline": self.shared.get("deadline"), "fenced": said})
        with contextlib.suppress(OSError), self.record_file.open("a") as file:  # a full disk must not stop a fence
            file.write(line + "\n")


def _target(given: dict[str, str | None]) -> "fence.Target":
    kind, path = given.get("group_kind"), given.get("group")
    group = fence.Group(kind, Path(path)) if kind and path else None
    return fence.Target(str(given["name"]), Path(str(given["directory"])), group)


def _stay_ready() -> None:
    """Ask for what helps to run in time: real-time priority, memory that is not swapped out, not being killed for want of memory."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-1000")
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mlockall(3)


def main() -> None:
    """Read the configuration that the agent wrote, and guard."""
    configuration = json.loads(Path(sys.argv[1]).read_text())
    os.chdir("/")
    _stay_ready()
    Guard(configuration).run()


if __name__ == "__main__":
    main()
