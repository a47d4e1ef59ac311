"""A value of a plan ↔ the runs of text that stand for it in a cell.

Rules: what is written reads back as the very same value. Text that would not survive being shown (line breaks, spaces at its ends,
characters that nobody sees) stands as a JSON string in code; identifiers and values without a type of their own stand in code too.
"""

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from holdfast.document.exact.shapes import Kind, Shape
from holdfast.plan.document import plain
from holdfast.plan.values import OPEN, duration_seconds, duration_text, frequency_text

BREAK, COMMA = "break", "comma"
_VISIBLE_JOINERS = "\u200d\ufe0f"
"""Parts of emoji that are not printable alone."""
_PLAIN_KEY = re.compile(r"[\w@+:/.#-]+(?: [\w@+:/.#-]+)*", re.ASCII)
_BY_LINE = frozenset({Kind.TEXT, Kind.TARGET})


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text of one look: plain, or code."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell. More than one run: a list, a line each or with commas between."""

    runs: tuple[Run, ...] = ()
    between: str = COMMA

    @property
    def text(self) -> str:
        """The cell without looks, on one line."""
        return (" · " if self.between == BREAK else ", ").join(run.text for run in self.runs)


def said(text: str) -> Cell:
    """A cell of plain words."""
    return Cell((Run(text),)) if text else Cell()


class CellError(ValueError):
    """A cell that holds no value of its shape; the text says what may stand there."""


def exact_duration(seconds: float) -> str:
    """A duration whose text reads back as the very same number."""
    text = duration_text(seconds)
    return text if duration_seconds(text) == seconds else f"{Decimal(repr(seconds)):f}s"


def code_of(value: Any) -> str:
    """JSON without a character that ends a code span or a cell, or that nobody sees."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        character if character.isprintable() and character not in "`|<\xad" else "".join(f"\\u{unit:04x}" for unit in _utf16(character))
        for character in text
    )


def _utf16(character: str) -> tuple[int, ...]:
    encoded = character.encode("utf-16-be", "surrogatepass")
    return tuple(int.from_bytes(encoded[index : index + 2], "big") for index in range(0, len(encoded), 2))


def key_text(key: str) -> str:
    """A key as it stands in code."""
    return key if _PLAIN_KEY.fullmatch(key) else code_of(key)


def is_tame(text: str) -> bool:
    """Whether text can be shown as it is and still be read back."""
    seen = all(character.isprintable() or character in _VISIBLE_JOINERS for character in text)
    return bool(text) and seen and text == " ".join(text.split())


def encode(shape: Shape, value: Any) -> Cell:
    """A leaf's cell."""
    if shape.kind is Kind.LIST:
        if not value:
            return Cell((Run("[]", code=True),))
        between = BREAK if shape.item().kind in _BY_LINE else COMMA
        return Cell(tuple(_run(shape.item(index), item) for index, item in enumerate(value)), between)
    return Cell((_run(shape, value),))


def _run(shape: Shape, value: Any) -> Run:
    match shape.kind:
        case Kind.NAME:
            return Run(str(value), code=True)
        case Kind.DURATION:
            return Run(exact_duration(value))
        case Kind.WINDOW_END:
            return Run(OPEN if math.isinf(value) else exact_duration(value))
        case Kind.FREQUENCY if not isinstance(value, str):
            text = frequency_text(value)
            return Run(text if text.isalpha() or "-" in text else exact_duration(value))
        case Kind.NUMBER:
            whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
            return Run(str(int(value)) if whole else repr(value))
        case Kind.TRUTH:
            return Run("true" if value else "false")
        case Kind.ANY | Kind.MAPPING | Kind.PART | Kind.LIST:
            return Run(code_of(value), code=True)
        case _:
            text = str(value)
            return Run(text) if is_tame(text) else Run(code_of(text), code=True)


def decode(shape: Shape, cell: Cell) -> Any:
    """A leaf's value as a plan's file would hold it. Raises CellError."""
    if shape.kind is Kind.LIST:
        if cell.runs == (Run("[]", code=True),):
            return []
        return [_value(shape.item(index), run) for index, run in enumerate(cell.runs)]
    if len(cell.runs) != 1:
        raise CellError("one value belongs here, and the cell holds more")
    return _value(shape, cell.runs[0])


def _value(shape: Shape, run: Run) -> Any:
    if run.code and (shape.kind in (Kind.ANY, Kind.MAPPING, Kind.PART, Kind.LIST) or run.text.startswith('"')):
        try:
            value = json.loads(run.text)
        except (ValueError, RecursionError):
            raise CellError("this is no JSON value; text goes in double quotes") from None
        return _finite(value)
    if shape.kind in (Kind.NUMBER, Kind.TRUTH, Kind.ANY):
        return plain(run.text) if shape.kind is not Kind.NUMBER else _number(run.text)
    return run.text


def _number(text: str) -> Any:
    try:
        number = int(text) if re.fullmatch(r"[-+]?\d{1,18}", text, re.ASCII) else float(text)
        return number if math.isfinite(number) else text
    except ValueError:
        return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise CellError("this number has no end; write one that has")
    return value
