"""Lines of the exact form → its tables and fenced texts, each with its place in the file. Everything else is left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.plan.problems import Position

_FENCE = re.compile(r"(`{3,}|~{3,})[^`]*")
_DIVIDER = re.compile(r"\s*:?-+:?\s*")
_CUT = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class RowLine:
    """A line of a table, cut into cells."""

    cells: tuple[str, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class TableLines:
    """A table, its heading first and the divider left out."""

    rows: tuple[RowLine, ...]


@dataclass(frozen=True, slots=True)
class FencedText:
    """A fenced text without its fences, and the last line of text before it."""

    caption: str
    text: str
    position: Position


def unescaped(text: str) -> str:
    """Plain words without the backslashes before what would mean something."""
    return _ESCAPED.sub(r"\1", text.strip())


def blocks_of(text: str) -> Iterator[TableLines | FencedText]:
    """Tables and fenced texts in the file's order."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    number = 0
    caption = ""
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.fullmatch(line.strip())
        if fence is not None:
            end = next((at for at in range(number + 1, len(lines)) if lines[at].strip() == fence[1]), len(lines))
            yield FencedText(caption, "\n".join(lines[number + 1 : end]), Position(number + 2, 1))
            number, caption = end + 1, ""
        elif line.lstrip().startswith("|"):
            end = next((at for at in range(number, len(lines)) if not lines[at].lstrip().startswith("|")), len(lines))
            yield TableLines(tuple(_rows(lines, number, end)))
            number, caption = end, ""
        else:
            caption = line if line.strip() else caption
            number += 1


def _rows(lines: list[str], start: int, end: int) -> Iterator[RowLine]:
    for number in range(start, end):
        line = lines[number]
        cells = _cells(line)
        if number == start + 1 and all(_DIVIDER.fullmatch(cell) for cell in cells):
            continue
        yield RowLine(cells, Position(number + 1, len(line) - len(line.lstrip()) + 1))


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip()[1:]
    parts = _CUT.split(inner)
    # Of each cut the backslashes before it belong to the cell on its left.
    cells = [parts[index] + (parts[index + 1] if index + 1 < len(parts) else "") for index in range(0, len(parts), 2)]
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return tuple(cell.strip() for cell in cells)
