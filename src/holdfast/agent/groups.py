"""Find a place where this process may make control groups that freeze: one per store.

Tried in turn: the v1 freezer, then v2 with `cgroup.freeze`; at the root of the hierarchy, then (a delegated subtree) under the
group that this process is in. A place counts only when a group could be made and frozen there. No place means that fencing goes by SIGSTOP.
"""

import time
from contextlib import suppress
from pathlib import Path

from holdfast.agent.fence import PROCESSES, Group

_REMOVE_SECONDS = 2.0


def find_group(name: str, mode: str = "auto", processes: Path = PROCESSES) -> Group | None:
    """Make the group `name` in the first place that works. `mode`: auto, v1, v2, none."""
    for kind, parent in places(mode, processes):
        group = Group(kind, parent / name)
        if _works(group):
            return group
    return None


def remove_group(group: Group | None) -> bool:
    """Take an empty group away; whether it is gone. One that is in use stays; the kernel takes a moment to let go of the killed."""
    if group is None:
        return True
    group.thaw()
    until = time.monotonic() + _REMOVE_SECONDS
    while group.path.exists():
        with suppress(OSError):
            group.path.rmdir()
            return True
        if group.processes() or time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _works(group: Group) -> bool:
    try:
        group.path.mkdir(exist_ok=True)
        if group.processes():
            return True  # an earlier agent's store still runs in it: not to be frozen for a trial
        group.freeze()
        group.thaw()
        return group.entry.exists() and ((group.path / "freezer.state").exists() or (group.path / "cgroup.freeze").exists())
    except OSError:
        return False


def places(mode: str, processes: Path = PROCESSES) -> list[tuple[str, Path]]:
    """Where a group could be made, with the kind of each, in the order in which they are tried. `processes`: where /proc is mounted."""
    if mode == "none":
        return []
    own = _own_groups(processes / "self" / "cgroup")
    found: list[tuple[str, Path]] = []
    for line in (processes / "mounts").read_text().splitlines():
        _, mount, system, options, *_ = line.split()
        if system == "cgroup" and "freezer" in options.split(",") and mode in ("auto", "v1"):
            found += [("v1", Path(mount)), ("v1", Path(mount) / own.get("freezer", ""))]
        if system == "cgroup2" and mode in ("auto", "v2"):
            found += [("v2", Path(mount)), ("v2", Path(mount) / own.get("", ""))]
    return sorted(dict.fromkeys(found), key=lambda place: place[0])


def _own_groups(file: Path) -> dict[str, str]:
    """Controller (empty for v2) → this process's path in that hierarchy, without the leading slash."""
    groups: dict[str, str] = {}
    for line in file.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path.lstrip("/")
    return groups
