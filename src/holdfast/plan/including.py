"""A plan over several files: `include: [people.yaml, scenarios/*.yaml]`, merged into one tree whose every value knows its file.

Rules: paths are relative to the file that names them, lie below the folder of the plan's own file, and may hold `*` and `?` in place of
letters. Sections meet by their names: mappings are joined, lists follow each other, and what stands in two files is a problem with both
places. A file is read once; circles, files that aren't there or lie elsewhere, and more than can be meant are problems.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.plan.document import MOST_BYTES, Document, read
from holdfast.plan.problems import Place, PlanError, Position, Positions, Problem

INCLUDE = "include"
MOST_FILES = 200

Reader = Callable[[Path], bytes]
"""The bytes of a file. Raises PlanError for one that can't be read."""


@dataclass(slots=True)
class _Joining:
    """What has been joined so far, of all files."""

    root: Path
    reader: Reader
    data: dict[str, Any] = field(default_factory=dict)
    values: dict[Place, Position] = field(default_factory=dict)
    keys: dict[Place, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    has_holes: bool = False
    seen: dict[Path, str] = field(default_factory=dict)
    """File, resolved → how it is shown."""
    read_bytes: int = 0

    def hole(self, position: Position, message: str, value: str | None, hint: str) -> None:
        """A problem that keeps a file from being taken in."""
        self.has_holes = True
        self.problem(position, message, value, hint)

    def problem(self, position: Position, message: str, value: str | None, hint: str) -> None:
        self.problems.append(Problem(position.path, position.line, position.column, message, value, hint))


def with_included(document: Document, path: Path, reader: Reader) -> Document:
    """The document with everything that it includes. The plan's own positions keep an empty path where nothing is included."""
    if not isinstance(document.data, dict) or INCLUDE not in document.data:
        return document
    joining = _Joining(path.parent.resolve(), reader)
    joining.seen[path.resolve()] = str(path)
    _join(joining, document, path, (path.resolve(),))
    return Document(joining.data, Positions(joining.values, joining.keys), tuple(joining.problems), joining.has_holes)


def _join(joining: _Joining, document: Document, path: Path, above: tuple[Path, ...]) -> None:
    """Take a file's values over, then those of the files that it includes."""
    shown = str(path)
    positions = document.positions
    joining.problems += document.problems
    joining.has_holes |= document.has_holes
    if not isinstance(document.data, dict):
        joining.hole(Position(1, 1, shown), "this must be a mapping of keys to values", None, "a file of a plan holds sections of it")
        return
    wanted = document.data.pop(INCLUDE, [])
    for key, value in document.data.items():
        _merge(joining, positions, shown, (key,), value)
    joining.values.setdefault((), Position(1, 1, shown))
    if not isinstance(wanted, list):
        joining.hole(_at(positions.nearest((INCLUDE,)), shown), "this must be a list of files", None, "write it as [people.yaml]")
        return
    for index, pattern in enumerate(wanted):
        where = _at(positions.nearest((INCLUDE, index)), shown)
        for included in _files(joining, path, pattern, where):
            _take(joining, included, where, above)


def _at(position: Position, path: str) -> Position:
    return Position(position.line, position.column, path)


def _files(joining: _Joining, path: Path, pattern: Any, where: Position) -> list[Path]:
    """The files that an entry means, in the order of their names; none after adding what is wrong with it."""
    if not isinstance(pattern, str) or not pattern.strip():
        joining.hole(where, "this must be the name of a file", None, "such as people.yaml or scenarios/*.yaml")
        return []
    if Path(pattern).is_absolute() or "**" in pattern:
        joining.hole(where, "a file is included by its path from here", f"'{pattern}'", "such as people.yaml or scenarios/*.yaml")
        return []
    try:
        found = sorted(path.parent.glob(pattern)) if any(sign in pattern for sign in "*?[") else [path.parent / pattern]
        outside = [one for one in found if not one.resolve().is_relative_to(joining.root)]
    except (OSError, ValueError, RuntimeError) as error:
        joining.hole(where, f"this can't be looked up: {error}", f"'{pattern}'", "write a plain path, such as people.yaml")
        return []
    if outside:
        joining.hole(where, "this file lies outside of the plan's folder", f"'{pattern}'", "move it beside the plan")
        return []
    if not found:
        joining.hole(where, "no file is meant by this", f"'{pattern}'", f"looked in {path.parent}")
    return found


def _take(joining: _Joining, path: Path, where: Position, above: tuple[Path, ...]) -> None:
    resolved = path.resolve()
    if resolved in above:
        way = " → ".join(joining.seen[one] for one in (*above[above.index(resolved) :], resolved))
        joining.hole(where, "files include each other in a circle", way, "break the circle")
        return
    if resolved in joining.seen:
        joining.hole(where, "this file is included already", f"'{path}'", "include it once")
        return
    if len(joining.seen) >= MOST_FILES:
        joining.hole(where, f"a plan is made of {MOST_FILES} files at most", f"'{path}'", "join some of them")
        return
    joining.seen[resolved] = str(path)
    try:
        content = joining.reader(path)
        joining.read_bytes += len(content)
        if joining.read_bytes > MOST_BYTES:
            most = f"{MOST_BYTES // 1024 // 1024} MiB"
            joining.hole(where, f"the plan's files together are larger than {most}", None, "is it the right file?")
            return
        document = read(content, str(path))
    except PlanError as error:
        first = error.problems[0]
        if not path.is_file():
            first = Problem(where.path, where.line, where.column, first.message, f"'{path}'", "check the path; it counts from this file")
        joining.has_holes = True
        joining.problems += [first, *error.problems[1:]]
        return
    _join(joining, document, path, (*above, resolved))


def _merge(joining: _Joining, positions: Positions, shown: str, place: Place, value: Any) -> None:
    """One section of a file: its entries beside those of the files before, or a problem where both have it."""
    section = str(place[0])
    before = joining.data.get(section)
    if section not in joining.data:
        joining.data[section] = value
        _move(joining, positions, shown, place, place)
    elif isinstance(before, dict) and isinstance(value, dict):
        for name, entry in value.items():
            if name in before:
                _twice(joining, positions, shown, (*place, name))
            else:
                before[name] = entry
                _move(joining, positions, shown, (*place, name), (*place, name))
    elif isinstance(before, list) and isinstance(value, list):
        for index, entry in enumerate(value):
            _move(joining, positions, shown, (*place, index), (*place, len(before)))
            before.append(entry)
    else:
        _twice(joining, positions, shown, place)


def _twice(joining: _Joining, positions: Positions, shown: str, place: Place) -> None:
    first = joining.keys.get(place) or joining.values[place[:1]]
    where = _at(positions.key(place), shown)
    joining.problem(where, f"this stands in {first.path}:{first.line}:{first.column} already", f"'{place[-1]}'", "keep one of the two")


def _move(joining: _Joining, positions: Positions, shown: str, source: Place, target: Place) -> None:
    """Positions of a value and all in it, under the place that it has in the whole."""
    for place, position, kept in positions.below(source):
        found = joining.values if kept == "value" else joining.keys
        found[(*target, *place[len(source) :])] = _at(position, shown)
