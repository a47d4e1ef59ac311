"""Finding and ending the processes of a lab, whoever started them and whatever user they run as.

A process belongs to a lab when its environment says so (`HOLDFAST_LAB`), when it sits in a control group that an agent of the lab
made, or when it is a PostgreSQL or Redis whose working directory lies in the lab's (both overwrite their environment). Each is ended
through a pidfd whose process was looked at again, so that a reused pid is never hit. Never by name alone.
"""

import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "HOLDFAST_LAB"
_OVERWRITERS = ("postgres", "redis-server", "redis-check-rdb")
_REMOVE = 0
"""IPC_RMID of shmctl(2)."""
_STORES = ("postgres", "redis")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class LabProcess:
    """A process, told apart from a later one with the same pid by its start time (clock ticks since boot)."""

    pid: int
    start_ticks: int
    command: str


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when it is gone or dead already."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def is_alive(pid: int, started: int) -> bool:
    """Whether this very process still lives."""
    return start_ticks(pid) == started


def find(lab: str, directory: Path) -> list[LabProcess]:
    """Every living process of a lab but this one."""
    found = []
    groups = _group_names(directory)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            process = _look_at(int(entry.name))
            if process is not None and _belongs(process.pid, lab, directory, groups):
                found.append(process)
    return found


def _look_at(pid: int) -> LabProcess | None:
    started = start_ticks(pid)
    if started is None:
        return None
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return None
    return LabProcess(pid, started, " ".join(words).strip())


def _belongs(pid: int, lab: str, directory: Path, groups: frozenset[str]) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        if f"{VARIABLE}={lab}".encode() in (process / "environ").read_bytes().split(b"\0"):
            return True
        if any(not groups.isdisjoint(line.rpartition(":")[2].split("/")) for line in (process / "cgroup").read_text().splitlines()):
            return True
        if (process / "exe").readlink().name.removesuffix(" (deleted)") in _OVERWRITERS:
            return (process / "cwd").readlink().is_relative_to(directory)
    except OSError:
        return False  # gone in the meantime, or another user's whom this one may not look at
    return False


def kill(process: LabProcess, signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to this very process, if it still lives."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if is_alive(process.pid, process.start_ticks):
            signal.pidfd_send_signal(handle, signal_number)
    except (ProcessLookupError, PermissionError):
        return  # gone in the meantime, or no more ours: the caller looks again and reports what is left
    finally:
        os.close(handle)


def sweep(lab: str, directory: Path, timeout_seconds: float = 10.0) -> list[LabProcess]:
    """End every process of a lab and remove its control groups. Returns those that could not be ended in time."""
    deadline = time.monotonic() + timeout_seconds
    ended: set[int] = set()
    thaw_control_groups(directory)
    while (left := find(lab, directory)) and time.monotonic() < deadline:
        ended |= {process.pid for process in left}
        for process in left:
            kill(process)
        time.sleep(0.02)
        thaw_control_groups(directory)
    remove_control_groups(directory)
    release_shared_memory(directory, frozenset(ended))
    return left


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of System V shared memory: PostgreSQL has one for each server that runs, and a killed one leaves it in the kernel."""

    number: int
    key: int
    creator: int
    attached: int
    """How many processes use it."""
    user: int
    """Id of the user that made it."""
    made_seconds: int
    """When it was made or last changed, in whole seconds since 1970."""


def release_shared_memory(directory: Path, ended: frozenset[int] = frozenset()) -> None:
    """Remove the shared memory that killed PostgreSQLs left in the kernel: those that worked anywhere below a directory, and those
    whose ids are given. To be called before the directory is removed: nothing else knows them afterwards. What is in use is let alone."""
    known = claimed_segments(directory)
    for segment in segments():
        if segment.attached == 0 and ((segment.key, segment.number) in known or segment.creator in ended):
            ctypes.CDLL(None).shmctl(segment.number, _REMOVE, None)


def claimed_segments(directory: Path) -> frozenset[tuple[int, int]]:
    """(key, number) of the shared memory of every PostgreSQL below a directory: each writes both into its `postmaster.pid`."""
    found: set[tuple[int, int]] = set()
    for base, _, files in os.walk(directory):
        if "postmaster.pid" in files:
            try:
                key, number = (Path(base) / "postmaster.pid").read_text(encoding="ascii").splitlines()[6].split()
                found.add((int(key), int(number)))
            except (OSError, ValueError, IndexError):
                continue  # gone in the meantime, or killed before it had any
    return frozenset(found)


def segments() -> list[Segment]:
    """All that are in the kernel now."""
    try:
        rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return []
    return [Segment(int(row[1]), int(row[0]), int(row[4]), int(row[6]), int(row[9]), int(row[13])) for row in rows]


def _group_names(directory: Path) -> frozenset[str]:
    """What agents call the control groups of a lab's stores: after the store's directory, so each name is a lab's alone."""
    sites = sorted((directory / "sites").glob("*"))
    places = [(store, str((site / store).resolve())) for site in sites for store in _STORES]
    return frozenset(f"holdfast-{store}-{hashlib.sha256(place.encode()).hexdigest()[:12]}" for store, place in places)


def control_groups(directory: Path) -> list[Path]:
    """The control groups that agents of the lab in this directory made, innermost first."""
    return sorted(_named(_group_names(directory), _CONTROL_GROUPS, 4), key=lambda path: len(path.parts), reverse=True)


def _named(names: frozenset[str], folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for entry in entries:
        if entry.name in names:
            yield from (Path(base) for base, _, _ in os.walk(entry))
        elif depth > 1:
            yield from _named(names, entry, depth - 1)


def thaw_control_groups(directory: Path) -> None:
    """Let frozen processes run, so that a kill reaches them (version 1 of control groups holds it back)."""
    for group in control_groups(directory):
        for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            control = group / name
            try:
                if control.exists():
                    control.write_text(value)
            except OSError:
                continue  # not ours to write; the caller reports whatever is left alive


def remove_control_groups(directory: Path) -> None:
    """Remove the lab's control groups, which must be empty for that."""
    for group in control_groups(directory):
        try:
            group.rmdir()
        except OSError:
            continue  # somebody is still in it: reported as a process that is left
