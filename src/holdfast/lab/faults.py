"""Faults of one component of a lab, besides cut links: a host that hangs, instances that die, a server that answers nothing.

Rules: only processes of this lab are touched, each by its id; whatever was frozen is thawed by `thaw`, which may be called at any time and
again. What was killed stays dead until whoever owns it starts it again. Never here: why.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from holdfast.lab.ground import LabProblem
from holdfast.lab.processes import start_ticks
from holdfast.lab.running import Lab

_ZYGOTE = "holdfast.lab.cluster.zygote"


class Faults:
    """The faults that were put into one lab, so that they can be taken out again."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._frozen: list[tuple[int, int]] = []
        """(pid, start in clock ticks) of every process that stands still."""

    def hang_database_host(self, region: str) -> None:
        """The writer of a region dies, and its agent stands still, so that nobody starts it again or answers for it.

        The guard is a process of its own and keeps its word: it fences what is left when the lease has run out.
        """
        self._freeze(self._part(f"agent.{region}"))
        configuration = json.loads(self._lab.agent_configuration(region).read_text(encoding="utf-8"))
        self._kill(f"the PostgreSQL of {region}", Path(configuration["postgres"]["data_directory"]) / "postmaster.pid")

    def hang_cache_host(self, region: str) -> None:
        """A region's Redis dies, and its agent stands still, so that nobody starts it again."""
        self._freeze(self._part(f"agent.{region}"))
        configuration = json.loads(self._lab.agent_configuration(region).read_text(encoding="utf-8"))
        self._kill(f"the Redis of {region}", Path(configuration["redis"]["directory"]) / "redis.pid")

    def kill_application(self, region: str) -> None:
        """Every instance of a region dies and none can be started: what forks them stands still."""
        cluster = self._part(f"cluster.{region}")
        zygote = next((pid for pid in _children(cluster) if _ZYGOTE in _command(pid)), None)
        if zygote is None:
            raise LabProblem(f"the cluster of {region} runs no zygote; see {self._lab.layout.log_of(f'cluster.{region}')}")
        self._freeze(zygote)
        for instance in _children(zygote):
            with suppress(ProcessLookupError):
                os.kill(instance, signal.SIGKILL)

    def hang_storage(self, region: str) -> None:
        """A region's object storage answers nothing and takes nothing; what it holds is still there afterwards."""
        server = self._part(f"storage.{region}")
        for pid in (server, *_descendants(server)):
            self._freeze(pid)

    def thaw(self) -> None:
        """Everything that stands still goes on."""
        while self._frozen:
            pid, started = self._frozen.pop()
            if start_ticks(pid) == started:  # never a stranger's that got the same number
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _kill(self, server: str, pid_file: Path) -> None:
        try:
            os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
        except (OSError, ValueError, IndexError) as error:
            raise LabProblem(f"{server} can't be killed by {pid_file}: {error}; start the drill again") from error

    def _freeze(self, pid: int) -> None:
        started = start_ticks(pid)
        if started is None:
            raise LabProblem(f"process {pid} of the lab is gone before it could be stopped; see the logs in {self._lab.layout.log}")
        self._frozen.append((pid, started))
        os.kill(pid, signal.SIGSTOP)

    def _part(self, name: str) -> int:
        found = next((part for part in self._lab.status()["parts"] if part["name"] == name and part["state"] == "up"), None)
        if found is None or found["pid"] is None:
            raise LabProblem(f"the lab runs no part '{name}', so nothing can be done to it")
        return int(found["pid"])


def _children(parent: int) -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit() and _parent(int(entry.name)) == parent]


def _descendants(parent: int) -> Iterator[int]:
    for child in _children(parent):
        yield child
        yield from _descendants(child)


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
    except OSError:
        return ""
