"""Tables as a sheet or a phone shows them: of those too wide for it the short columns stay a table, the long ones become a card a row."""

from dataclasses import dataclass

from holdfast.document.exact.cells import Cell
from holdfast.document.exact.shapes import title_of
from holdfast.document.writing.blocks import Column, Table

_SHORT = 26
"""Letters that a column of a wide table may hold."""
_MOST = 7


@dataclass(frozen=True, slots=True)
class Card:
    """A row's name, and what its long columns say, each with the column's title."""

    name: Cell
    facts: tuple[tuple[str, Cell], ...]


def headings(table: Table) -> list[str]:
    """Titles of the columns for people: where the first holds places of the plan, it is called by what they are of."""
    titles = [column.title for column in table.columns]
    if table.place is not None:
        last = table.place[-1] if table.place else None
        titles[0] = title_of(last) if isinstance(last, str) else "Plan"
    return titles


def split(table: Table) -> tuple[Table | None, tuple[Card, ...]]:
    """The table of short columns, which may be missing, and the cards of the rows that say more."""
    if len(table.columns) <= _MOST:
        return table, ()
    numbers = range(1, len(table.columns))
    short = [number for number in numbers if all(len(row[number].text) <= _SHORT for row in table.rows)][: _MOST - 1]
    if len(short) < 2:
        return None, _cards(table)
    long = [number for number in numbers if number not in short]
    return _only(table, short), _cards(_only(table, long)) if long else ()


def _cards(table: Table) -> tuple[Card, ...]:
    cards = (
        Card(row[0], tuple((column.title, cell) for column, cell in zip(table.columns[1:], row[1:], strict=True) if cell.runs))
        for row in table.rows
    )
    return tuple(card for card in cards if card.facts)


def _only(table: Table, numbers: list[int]) -> Table:
    columns: tuple[Column, ...] = (table.columns[0], *(table.columns[number] for number in numbers))
    rows: tuple[tuple[Cell, ...], ...] = tuple((row[0], *(row[number] for number in numbers)) for row in table.rows)
    return Table(columns, rows, table.place)
