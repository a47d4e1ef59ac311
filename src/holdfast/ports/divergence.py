"""What only a lost region holds: who writes it down, one source a component."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from holdfast.ports.action import Task


class NotExported(Exception):
    """It can't be written down: the effector said so. One sentence: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class ExportedPart:
    """One file of an export: all entries of a table, or of a kind of key. `file` is relative to the directory it was collected into."""

    name: str
    file: str
    bytes: int
    sha256: str
    only_here: int
    differs: int
    deleted_here: int
    same: int


@dataclass(frozen=True, slots=True)
class Exported:
    """One component's export. `how`: compared, nothing-lost, same-timeline, or handed-over (it was stopped orderly: nothing is lost)."""

    how: str
    parts: tuple[ExportedPart, ...] = ()
    unexamined: tuple[str, ...] = ()
    since: dict[str, Any] = field(default_factory=dict)


class DivergenceSource(Protocol):
    """One component whose region was lost."""

    async def collect(self, task: Task, into: Path) -> Exported:
        """Write every difference into files below `into`, an empty directory, durably.

        Raises NotExported, and TimeoutError or ConnectionError when nothing is known.

        Repeatable; changes nothing in any store but what its restart as a replica would change too.
        """
