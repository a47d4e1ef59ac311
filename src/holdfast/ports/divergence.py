"""What only a lost region holds: who writes it down, one source a component, and who gives chosen parts of it back."""

from collections.abc import Mapping, Sequence
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
    """One component's export. `how`: compared, nothing-lost, same-timeline, or handed-over (it was stopped orderly: nothing is lost, and
    what is different since is the writer's own work or was written after the fence).

    `unexamined`: sentences about what could not be looked at, so that more may be held there alone; `notes`: about how the rest is told.
    """

    how: str
    parts: tuple[ExportedPart, ...] = ()
    unexamined: tuple[str, ...] = ()
    since: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    looked_at: bool = False
    """Whether anybody looked at the store: without that, having no parts says nothing."""


class DivergenceSource(Protocol):
    """One component whose region was lost."""

    async def collect(self, task: Task, into: Path) -> Exported:
        """Write every difference into files below `into`, an empty directory, durably.

        Raises NotExported, and TimeoutError or ConnectionError when nothing is known.

        Repeatable; changes nothing in any store but what its restart as a replica would change too.
        """


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What became, or would become, of one chosen entry.

    applied, already (the writer has the same), conflict (it has something else, which stays), refused (it may not be given back this way),
    withheld (it could be taken, but others of the same wish could not), unknown (no answer).
    """

    result: Literal["applied", "already", "conflict", "refused", "withheld", "unknown"]
    detail: str = ""

    @property
    def fine(self) -> bool:
        """Whether the writer has it afterwards as it was chosen."""
        return self.result in ("applied", "already")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants given back: `only` of the export that a run of an incident made, to this region under this (era, epoch)."""

    incident: str
    run: str
    only: tuple[str, ...]
    objections: Literal["stop", "leave"]
    """What to do where one of them can't be taken: give nothing back, or leave that one out."""
    region: str
    epoch: tuple[int, int]


class StoreGiver(Protocol):
    """One store technology that takes back entries of its exports.

    One answer an entry, in order. Blocking. A store that is silent answers *unknown* for all; where that region is not the writer of that
    (era, epoch), or has no such store, all are *refused*.
    """

    def look(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """What would become of each. Changes nothing."""

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """All of them or none. Writes only under that (era, epoch), only what is absent, and is repeatable."""


class Giver(Protocol):
    """Gives chosen entries of an incident's export back to the region that serves."""

    async def give_back(self, wish: Wish) -> Mapping[str, GivenBack]:
        """What became of each that the wish names. An export that can't be read is *refused* for all; then nothing was done."""
