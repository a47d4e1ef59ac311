"""Make every process of a store unable to run again: used by the agent and, as a plain file, by the guard.

Standard library only, and as little of it as possible: the guard must start quickly and stay small.

How, and why each step:
1. *Freeze* the store's control group. From here nothing in it acknowledges anything, however many sessions are open and whether or not
   the postmaster itself was stopped.
2. *SIGKILL* every process in it, *thaw* (a v1 freezer holds even the killed), and wait until none is left. A process that dies this way
   runs no instruction of its own any more.
3. *Look for others*: whatever has the store's directory as working directory (any thread of it: the first may have ended), or descends
   from such a process, belongs to the store even outside the group (an orphan of an earlier agent). SIGSTOP until two looks in a row find
   nobody new, then SIGKILL. Without permission for control groups this is all there is.
4. *Verify*: nobody in the group, nobody with that directory, nobody of those that were struck down, twice. Only then `clean`.
5. `close` leaves the empty group frozen, so that a process that was on its way into it stands still until the next fence or `open_group`.

Never here: deciding when. Two fences may run at once (agent and guard): each step can be done twice.
"""

import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
_POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Group:
    """A control group of one store. `kind`: `v1` (freezer) or `v2` (cgroup.freeze)."""

    kind: str
    path: Path

    @property
    def entry(self) -> Path:
        """The file that takes the id of a process that joins."""
        return self.path / "cgroup.procs"

    def processes(self) -> set[int]:
        """Ids of the living processes in it."""
        try:
            found = {int(line) for line in self.entry.read_text().split()}
        except OSError:
            return set()
        return {pid for pid in found if _lives(pid)}

    def freeze(self) -> None:
        """Freeze it and wait, for a moment, until it says so: a process in an uninterruptible wait holds that up, but answers nobody."""
        self._switch("FROZEN", "1")
        for _ in range(50):
            if self._frozen():
                return
            time.sleep(_POLL_SECONDS)

    def thaw(self) -> None:
        """Let its processes run."""
        self._switch("THAWED", "0")

    def _switch(self, first: str, second: str) -> None:
        name, word = ("freezer.state", first) if self.kind == "v1" else ("cgroup.freeze", second)
        try:
            (self.path / name).write_text(word)
        except OSError:
            return  # no group, or no permission any more: the look at the end tells whether anybody is left

    def _frozen(self) -> bool:
        try:
            if self.kind == "v1":
                return (self.path / "freezer.state").read_text().strip() == "FROZEN"
            return "frozen 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return True


@dataclass(frozen=True, slots=True)
class Target:
    """One store as fencing sees it."""

    name: str
    directory: Path
    group: Group | None


@dataclass(frozen=True, slots=True)
class Fenced:
    """What a fence did. `clean`: verified that nobody is left."""

    name: str
    how: str
    killed: int
    seconds: float
    clean: bool
    left: tuple[int, ...]


def fence(target: Target, *, limit_seconds: float = 10.0) -> Fenced:
    """Kill everything that belongs to the store and verify that nobody is left. Raises nothing that a process can cause."""
    started = time.monotonic()
    struck: dict[int, str] = {}
    how = f"cgroup-{target.group.kind}" if target.group is not None else "stop-and-kill"
    while True:
        if target.group is not None:
            struck |= _kill_group(target.group)
        struck |= _stop_and_kill(target.directory)
        _wait_until_gone(target, struck, started + limit_seconds)
        left = _left(target, struck) or _left(target, struck)
        if not left or time.monotonic() - started > limit_seconds:
            return Fenced(target.name, how, len(struck), time.monotonic() - started, not left, tuple(sorted(left)))


def members(target: Target) -> set[int]:
    """Living processes that belong to the store."""
    found = set(_with_directory(target.directory))
    return found | target.group.processes() if target.group is not None else found


def close(target: Target) -> None:
    """Leave the empty group frozen: whoever enters it now stands still."""
    if target.group is not None:
        target.group._switch("FROZEN", "1")


def open_group(target: Target) -> None:
    """Make the group if it is not there, and let its processes run."""
    if target.group is not None:
        target.group.path.mkdir(parents=True, exist_ok=True)
        target.group.thaw()


def _left(target: Target, struck: Mapping[int, str]) -> set[int]:
    """Members, and whoever was struck down and has not ended: one that is on its way out lets go of its directory before its sockets."""
    return members(target) | {pid for pid, born in struck.items() if _lives(pid) and _born(pid) == born}


def _kill_group(group: Group) -> dict[int, str]:
    """Whom it killed, each with when it was started."""
    group.freeze()
    killed: dict[int, str] = {}
    try:
        while new := group.processes() - killed.keys():  # a fork that was under way may have left a child that the first look missed
            killed |= {pid: _born(pid) for pid in new}
            for pid in new:
                _signal(pid, signal.SIGKILL)
    finally:
        group.thaw()
    return killed


def _stop_and_kill(directory: Path) -> dict[int, str]:
    """Whom it killed, each with when it was started."""
    stopped: dict[int, str] = {}
    while new := _family(directory, stopped) - stopped.keys():
        stopped |= {pid: _born(pid) for pid in new}
        for pid in new:
            _signal(pid, signal.SIGSTOP)
    for pid in stopped:
        _signal(pid, signal.SIGKILL)
    return stopped


def _family(directory: Path, known: Iterable[int]) -> set[int]:
    """Processes with the directory, and every descendant of those and of the known."""
    roots = set(_with_directory(directory))
    found = roots | set(known)
    if not found:
        return found
    parents = {pid: parent for pid in _all() if (parent := _parent(pid)) is not None}
    grown = True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in found and pid not in found and _lives(pid)}
        found |= children
        grown = bool(children)
    return found - {os.getpid()}


def _wait_until_gone(target: Target, struck: Mapping[int, str], until: float) -> None:
    """Nobody is waited for who was not struck down: a child of a fork that was under way has to be, first."""
    while (left := _left(target, struck)) and left <= struck.keys() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _with_directory(directory: Path) -> Iterable[int]:
    wanted = str(directory)
    own = os.getpid()
    for pid in _all():
        if pid != own and _is_inside(pid, wanted) and _lives(pid):
            yield pid


def _is_inside(pid: int, wanted: str) -> bool:
    """Whether it works there. A first thread that has ended has no working directory any more: then the others say where they work."""
    try:
        return _leads_inside(f"/proc/{pid}/cwd", wanted)
    except FileNotFoundError:
        return any(_thread_is_inside(pid, thread, wanted) for thread in _threads(pid))
    except OSError:
        return False


def _thread_is_inside(pid: int, thread: str, wanted: str) -> bool:
    try:
        return _leads_inside(f"/proc/{pid}/task/{thread}/cwd", wanted)
    except OSError:
        return False


def _leads_inside(link: str, wanted: str) -> bool:
    """Raises OSError for a link that leads nowhere, or that nobody may read here."""
    place = os.readlink(link).removesuffix(" (deleted)")  # noqa: PTH115  (called for every process, several times a second)
    return place == wanted or place.startswith(wanted + "/")


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  (as above)
    except OSError:
        return []


def _all() -> list[int]:
    return [int(name) for name in os.listdir(PROCESSES) if name.isdigit()]  # noqa: PTH208  (as above)


def _status_line(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  (as above)
            return file.read().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []


def _lives(pid: int) -> bool:
    """Whether any thread of it is left: the first may be a zombie before the others have ended, and they hold its sockets open."""
    fields = _status_line(pid)
    if not fields or fields[0] == "X":
        return False
    return fields[0] != "Z" or int(fields[17]) > 1


def _born(pid: int) -> str:
    """When it was started, also of one that ends: its id may be given to another afterwards. Empty when it is gone."""
    fields = _status_line(pid)
    return fields[19] if fields else ""


def _parent(pid: int) -> int | None:
    fields = _status_line(pid)
    return int(fields[1]) if fields else None


def start_ticks(pid: int) -> int:
    """When the process was started, in ticks since boot: with its id the name of exactly one process. 0 when there is none."""
    fields = _status_line(pid)
    return int(fields[19]) if fields and fields[0] not in ("Z", "X") else 0


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        return  # stays in `left`, so the fence is not clean and says so
