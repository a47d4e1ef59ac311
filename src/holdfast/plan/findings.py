"""Looking at a plan's values as they were read: what is wrong is collected with its place, and what has the wrong shape is passed over.

Rules that hold between values look here and not at the typed plan, so that all problems of a plan come out in one run; of a wrong shape
the types complain. Never here: a rule itself (see `references`, `consistency`, `steps`).
"""

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.plan.document import Document
from holdfast.plan.problems import Place, Position, Problem, shown


@dataclass(slots=True)
class Findings:
    """Collects problems of one document by the place of the value or of its key."""

    document: Document
    path: str
    problems: list[Problem] = field(default_factory=list)

    def at(self, place: Place, message: str, value: Any = None, hint: str | None = None) -> None:
        """A problem with the value at `place`."""
        self._add(self.document.positions.nearest(place), message, value, hint)

    def at_key(self, place: Place, message: str, value: Any = None, hint: str | None = None) -> None:
        """A problem with the key at `place`."""
        self._add(self.document.positions.key(place), message, value, hint)

    def _add(self, position: Position, message: str, value: Any, hint: str | None) -> None:
        where = position.path or self.path
        self.problems.append(Problem(where, position.line, position.column, message, None if value is None else shown(value), hint))


def entries(data: Any, section: str) -> dict[str, dict[str, Any]]:
    """The mappings of a section by name; what isn't one is left out."""
    found = data.get(section) if isinstance(data, dict) else None
    return {name: value for name, value in found.items() if isinstance(value, dict)} if isinstance(found, dict) else {}


def names(data: Any, section: str) -> frozenset[str]:
    """The names in a section, whatever they stand for."""
    found = data.get(section) if isinstance(data, dict) else None
    return frozenset(found) if isinstance(found, dict) else frozenset()


def items(value: Any) -> Iterator[tuple[int, Any]]:
    """Items of a list with their index; nothing for anything else."""
    return enumerate(value) if isinstance(value, list) else iter(())


def values_at(data: Any, pattern: tuple[str, ...], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that a pattern leads to, with its place; `*` stands for every entry of a mapping and every item of a list."""
    if not pattern:
        yield place, data
        return
    first, rest = pattern[0], pattern[1:]
    if first != "*":
        if isinstance(data, dict) and first in data:
            yield from values_at(data[first], rest, (*place, first))
        return
    inside: Iterator[tuple[str | int, Any]] = iter(data.items()) if isinstance(data, dict) else items(data)
    for key, value in inside:
        yield from values_at(value, rest, (*place, key))


def circles(edges: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Circles among names, each once, written with its first name again at its end. Names without edges of their own are ends."""
    remaining = {name: targets & edges.keys() for name, targets in edges.items()}
    while True:
        try:
            graphlib.TopologicalSorter(remaining).prepare()
        except graphlib.CycleError as error:
            found = list(reversed(error.args[1]))  # graphlib names predecessors first; here an edge points at what is needed
            first = min(found[:-1], key=list(edges).index)
            turn = found.index(first)
            circle = [*found[turn:-1], *found[:turn], first]
            yield circle
            remaining = {name: targets - set(circle) for name, targets in remaining.items() if name not in circle}
        else:
            return
