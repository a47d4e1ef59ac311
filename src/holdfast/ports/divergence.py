"""What only a lost region holds: who writes it down, one source a component, and who gives chosen parts of it back."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

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


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What became of one chosen entry.

    applied, already (the writer has the same), conflict (it has something else, which stays), refused (it may not be given back this way),
    unknown (no answer).
    """

    result: Literal["applied", "already", "conflict", "refused", "unknown"]
    detail: str = ""


class StoreGiver(Protocol):
    """One store technology that takes back entries of its exports."""

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> Iterator[GivenBack]:
        """One answer an entry, in order. Blocking. Writes only under that (era, epoch), only what is absent, and is repeatable."""


class Giver(Protocol):
    """Gives chosen entries of an incident's export back to the region that serves."""

    def give_back(self, incident: str, only: Sequence[str], region: str, epoch: tuple[int, int]) -> AsyncIterator[tuple[str, GivenBack]]:
        """Identifier and what became of it, for those that the export has."""
