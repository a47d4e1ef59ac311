"""Run a store's program as its operating-system user, also where that user can't pass a folder above the one that it works in.

A home of 0700 (root's, on Debian) keeps every other user out of all that lies below. There the program is given a `View`: a mount
namespace of its own, in which an empty folder stands in place of the closed one, and in it, at the same path, only the folder that it works
in. All paths stay as they are; no folder's mode changes; no other process sees anything of it; it ends with the program. The user gains
nothing else: of the closed folder it sees less than after `chmod o+x`, and it gets no capability. Needs root, and a machine that lets
root mount.

Never here: finding out whether a user can pass (the lab does), starting anything.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# The folder is opened before the empty one covers the way to it. Without `--no-canonicalize` mount would look its path up anew.
_SHOW = (
    'exec 9<"$1" && mount -t tmpfs -o mode=0755,size=1m holdfast "$0" && (umask 022 && mkdir -p "$1") && '
    'mount --no-canonicalize --bind /proc/self/fd/9 "$1" && exec 9<&- && shift && exec "$@"'
)


@dataclass(frozen=True, slots=True)
class View:
    """What a program sees of a folder that its user can't pass."""

    closed: Path
    """The topmost folder that the user can't pass."""
    opened: Path
    """The one below it that the program works in, with all that it holds; the user can enter this one itself."""

    @classmethod
    def from_json(cls, section: object) -> Self | None:
        """As it stands in the agent's configuration file, or None. Raises ValueError for anything else."""
        if section is None:
            return None
        given = [section.get(key) for key in ("closed", "opened")] if isinstance(section, Mapping) else []
        paths = [Path(path) for path in given if isinstance(path, str) and path.startswith("/")]
        if len(paths) != 2:
            raise ValueError(f"it must be an object with closed and opened, both whole paths, not {section!r}")
        return cls(*paths)

    def as_json(self) -> dict[str, str]:
        """For the agent's configuration file."""
        return {"closed": str(self.closed), "opened": str(self.opened)}

    def of(self, command: Sequence[str]) -> list[str]:
        """The command, so that it has this view. It becomes the program itself: the same process id, the same working directory."""
        # `slave`: what is unmounted on the machine is not held by a program with a view; nothing of the view gets out.
        return ["unshare", "--mount", "--propagation", "slave", "--", "/bin/sh", "-c", _SHOW, str(self.closed), str(self.opened), *command]


def as_user(command: Sequence[str], os_user: str | None, view: View | None = None) -> list[str]:
    """The command as that user; unchanged without one, or where this process is not root and so can't become another."""
    if os_user is None or os.geteuid() != 0:
        return list(command)
    becoming = ["setpriv", "--reuid", os_user, "--regid", os_user, "--init-groups", "--", *command]
    return becoming if view is None else view.of(becoming)
