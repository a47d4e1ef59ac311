"""What a document is made of, whatever it is rendered as.

A table with a `place` holds values of the plan and is read back; one without is drawn from them.
"""

from dataclasses import dataclass

from holdfast.document.exact.cells import Cell
from holdfast.plan.problems import Place


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` 1 is the document's title, 2 a section."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two of the document's own words."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list drawn from the plan; `sign` stands before each item."""

    items: tuple[str, ...]
    sign: str = "•"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading. `drawn`: its cells say in words what others hold, and are not read back."""

    title: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. With a place, the first column holds the rest of each value's place and has no heading of its own."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A step as a person ticks it: name, what it does in words, and what else there is to know, titled."""

    name: str
    words: str
    facts: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class TickTable:
    """Steps to tick, and the table that holds the same values."""

    table: Table
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Restated:
    """Values that printed pages show with their step already; only Markdown, which is read back, has them as a table."""

    table: Table


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows can be handed out by itself: printed, it begins a page."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text of several lines. `complete`: its last line is ended."""

    place: Place
    text: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: as SVG, as Mermaid for places that show only text, and what it shows in words."""

    svg: str
    mermaid: str
    caption: str


Block = Heading | Paragraph | Bullets | Table | TickTable | Restated | NewPage | Literal | Figure


@dataclass(frozen=True, slots=True)
class Booklet:
    """A whole document. `footer` stands on every page, before the page's number."""

    title: str
    footer: str
    digest: str
    blocks: tuple[Block, ...]
