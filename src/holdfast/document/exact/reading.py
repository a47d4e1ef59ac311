"""An exported plan's Markdown → plain plan values with the place of each, as if they came from YAML.

Rules: a table whose first heading is a place of the plan in backticks holds values, and so does a fenced text below such a place; their
edits are followed, added rows too. Columns in italics, other tables and running text are drawn from the plan and not read. What stands
in a table of values and can't be understood is a problem with its line, never dropped.
Recursion goes by the plan's types and by depth-bounded places, so no file makes it deep.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast.document.exact.cells import BREAK, COMMA, Cell, CellError, Run, decode
from holdfast.document.exact.form import FRONT, JOINS, UNFINISHED
from holdfast.document.exact.lines import FencedText, TableLines, blocks_of, unescaped
from holdfast.document.exact.shapes import PLAN, Kind, Shape, below, fields_of, shape_at, title_of
from holdfast.plan.document import DEEPEST, Document
from holdfast.plan.problems import Place, Position, Positions, Problem, did_you_mean, shown

_SCHEMA = "holdfast/plan/v1"
_KEY = re.compile(r"`([^`]+)`|(\d{1,6})")
_BOX = "☐"


def is_exported(text: str) -> bool:
    """Whether this is a document that Holdfast wrote."""
    head = text.removeprefix("\ufeff").replace("\r\n", "\n")[:2000]
    return head.startswith("---\n") and FRONT in head.split("\n---", 1)[0].split("\n")


def read_exported(text: str, path: str = "plan.md") -> Document:
    """The values of an exported document, ready for the plan's loader. `path` is only shown."""
    reader = _Reader(path)
    reader.set((), ("schema",), _SCHEMA, Position(2, 1))
    for block in blocks_of(text):
        if isinstance(block, FencedText):
            reader.literal(block)
        else:
            reader.table(block)
    return reader.document()


class _Missing(Exception):
    """A place that the plan doesn't know: the key that is not known, and the known ones."""

    def __init__(self, key: str, known: list[str]) -> None:
        super().__init__(key)
        self.key, self.known = key, known


@dataclass(slots=True)
class _Reader:
    path: str
    root: dict[str | int, Any] = field(default_factory=dict)
    marks: dict[Place, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, position: Position, message: str, value: str | None = None, hint: str | None = None) -> None:
        self.problems.append(Problem(self.path, position.line, position.column, message, value, hint))

    def set(self, place: Place, rest: Place, value: Any, position: Position) -> None:
        """Put a value where it belongs; a second one for the same place is a problem."""
        whole = (*place, *rest)
        if whole in self.marks and not (value == {} and isinstance(value, _Row)):
            self.problem(position, f"this stands here a second time, after line {self.marks[whole].line}", None, "keep one of the two")
            return
        node = self.root
        for depth, key in enumerate(whole[:-1]):
            inner = node.setdefault(key, {})
            if not isinstance(inner, dict):
                self.problem(position, f"'{whole[depth]}' holds one value already, and here it holds more", None, "keep one of the two")
                return
            node = inner
            self.marks.setdefault(whole[: depth + 1], position)
        self.marks[whole] = position
        if isinstance(value, _Row):
            node.setdefault(whole[-1], {})
        else:
            node[whole[-1]] = value

    def literal(self, block: FencedText) -> None:
        """A fenced text: the value of the place above it, if there is one."""
        caption = block.caption.strip().removesuffix(":")
        unfinished = caption.endswith(f", {UNFINISHED}")
        place = _place(caption.removesuffix(f", {UNFINISHED}"))
        if not place:
            return
        if _shape_or_problem(self, place, block.position) is not None:
            self.set((), place, block.text + ("" if unfinished else "\n"), block.position)

    def table(self, table: TableLines) -> None:
        """A table of values, or one that is only drawn."""
        heading, *titles = table.rows[0].cells if table.rows else ("",)
        place = _place(heading)
        if place is None:
            return
        shape = _shape_or_problem(self, place, table.rows[0].position)
        if shape is None:
            return
        is_settings = [unescaped(title) for title in titles] == ["Value"]
        columns = [] if is_settings else self._columns(shape, titles, table.rows[0].position)
        for row in table.rows[1:]:
            rest = _place(row.cells[0])
            if not rest:
                self.problem(
                    row.position, "this row does not say what it is about", shown(row.cells[0]), "begin it with a name in backticks"
                )
            elif is_settings:
                self._value((), (*place, *rest), row.cells[1] if len(row.cells) > 1 else "", row.position)
            else:
                if _shape_or_problem(self, (*place, *rest), row.position) is None:
                    continue
                self.set(place, rest, _Row(), row.position)
                for column, text in zip(columns, row.cells[1:], strict=False):
                    if column is not None and text.strip():
                        self._value((*place, *rest), (column,), text, row.position)

    def _columns(self, shape: Shape, titles: list[str], position: Position) -> list[str | None]:
        """Key of each column; None for one that is only drawn."""
        parts = shape.item().parts if shape.is_collection else ()
        known = {title_of(key): key for part in parts for key in fields_of(part)}
        columns: list[str | None] = []
        for title in titles:
            words = unescaped(title)
            is_drawn = words == _BOX or (title.startswith("*") and title.endswith("*"))
            columns.append(None if is_drawn else known.get(words))
            if not is_drawn and words not in known:
                hint = did_you_mean(words, known) + "; put it in *italics* if it is only a remark"
                self.problem(position, "the plan knows no such column here", shown(words), hint)
        return columns

    def _value(self, place: Place, rest: Place, text: str, position: Position) -> None:
        shape = _shape_or_problem(self, (*place, *rest), position)
        if shape is None:
            return
        try:
            value = decode(shape, _cell(shape, text))
        except CellError as error:
            self.problem(position, str(error), shown(text))
            return
        self.set(place, rest, value, position)

    def document(self) -> Document:
        """Everything that was read, lists as lists."""
        positions: dict[Place, Position] = {(): Position(1, 1)}
        data = _finished(PLAN, self.root, (), (), (self.marks, positions))
        return Document(data, Positions(positions, positions), tuple(self.problems))


class _Row(dict[str, Any]):
    """Says that an entry exists, whatever it holds."""


def _shape_or_problem(reader: _Reader, place: Place, position: Position) -> Shape | None:
    """Shape of a place, or None after saying that the plan knows no such place."""
    if len(place) >= DEEPEST:
        reader.problem(position, f"values are nested deeper than {DEEPEST} levels", None, "no plan needs that")
        return None
    for length in range(1, len(place) + 1):
        if shape_at(place[:length]) is None:
            outer = shape_at(place[: length - 1])
            known = [key for part in outer.parts for key in fields_of(part)] if outer is not None else []
            reader.problem(position, "the plan knows no such place", shown(str(place[length - 1])), did_you_mean(place[length - 1], known))
            return None
    return shape_at(place)


def _place(text: str) -> Place | None:
    """A place, or None where the text is none: keys in backticks and numbers, joined."""
    words = [word.strip() for word in text.strip().split(JOINS.strip())]
    keys: list[str | int] = []
    for number, word in enumerate(words):
        found = _KEY.fullmatch(word)
        if found is None:
            return None
        if found[2] is not None:
            keys.append(int(found[2]) - 1)
        elif not (number == 0 and len(words) == 1 and found[1] == "plan"):
            keys.append(str(decode(Shape(Kind.TEXT), Cell((Run(found[1], code=True),)))))
    return tuple(keys) if all(not isinstance(key, int) or key >= 0 for key in keys) else None


def _cell(shape: Shape, text: str) -> Cell:
    """The runs of a cell, split as its shape is."""
    if shape.kind is not Kind.LIST:
        return Cell((_run(text),))
    by_line = shape.item().kind in (Kind.TEXT, Kind.TARGET)
    parts = re.split(r"<br\s*/?>", text) if by_line else text.split(",")
    return Cell(tuple(_run(part) for part in parts), BREAK if by_line else COMMA)


def _run(text: str) -> Run:
    stripped = text.strip()
    if len(stripped) > 2 and stripped.startswith("`") and stripped.endswith("`") and "`" not in stripped[1:-1]:
        return Run(stripped[1:-1], code=True)
    return Run(unescaped(stripped))


def _finished(shape: Shape | None, node: Any, place: Place, at: Place, marks: tuple[dict[Place, Position], dict[Place, Position]]) -> Any:
    """A node with its lists made lists. `place`: as the document numbers it, `at`: as it comes to stand."""
    read, final = marks
    if place in read:
        final[at] = read[place]
    if not isinstance(node, dict):
        return node
    if shape is not None and shape.kind is Kind.LIST:
        return [_finished(shape.item(at_), node[key], (*place, key), (*at, at_), marks) for at_, key in enumerate(_in_order(node))]
    return {
        str(key): _finished(below(shape, key) if shape is not None else None, inner, (*place, key), (*at, key), marks)
        for key, inner in node.items()
    }


def _in_order(node: dict[str | int, Any]) -> Iterator[str | int]:
    return iter(sorted(node, key=lambda key: key if isinstance(key, int) else -1))
