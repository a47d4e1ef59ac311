"""Tables with more columns than a sheet or a phone holds: the short columns stay a table, the long ones become a card a row."""

from holdfast.document.exact.cells import Cell
from holdfast.document.writing.blocks import Column, Table

_SHORT = 26
"""Letters that a column of a wide table may hold."""
_MOST = 7


def split(table: Table) -> tuple[Table | None, Table | None]:
    """The table of short columns and the table whose rows are cards; either may be missing."""
    if len(table.columns) <= _MOST:
        return table, None
    numbers = range(1, len(table.columns))
    short = [number for number in numbers if all(len(row[number].text) <= _SHORT for row in table.rows)][: _MOST - 1]
    if len(short) < 2:
        return None, table
    long = [number for number in numbers if number not in short]
    return _only(table, short), _only(table, long) if long else None


def _only(table: Table, numbers: list[int]) -> Table:
    columns: tuple[Column, ...] = (table.columns[0], *(table.columns[number] for number in numbers))
    rows: tuple[tuple[Cell, ...], ...] = tuple((row[0], *(row[number] for number in numbers)) for row in table.rows)
    return Table(columns, rows, table.place)
