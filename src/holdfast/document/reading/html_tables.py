"""HTML tables → header cells and rows, with merged cells (`colspan`, `rowspan`) filled in wherever they reach.

Bounds: a span reaches at most 50 columns or 500 rows, a table holds at most 100,000 cells and, with what merged cells repeat, 4 million
characters; what goes beyond is an error with its line.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from holdfast.document.reading.problems import DocumentError
from holdfast.document.reading.tree import Leaf, Table, plain

_WIDEST, _TALLEST, _MOST_CELLS, _MOST_TEXT = 50, 500, 100_000, 4_000_000


@dataclass(slots=True)
class _Cell:
    text: list[str] = field(default_factory=list)
    header: bool = False
    columns: int = 1
    rows: int = 1


@dataclass(slots=True)
class _Row:
    line: int
    cells: list[_Cell] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the rows of one table; a table inside of a cell is read as the cell's text."""

    def __init__(self, line: int) -> None:
        super().__init__(convert_charrefs=True)
        self._first = line
        self.rows: list[_Row] = []
        self.caption: list[str] = []
        self._in_caption = self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self._first + self.getpos()[0] - 1
        if tag == "tr":
            self.rows.append(_Row(line))
            self._in_cell = False
        elif tag in ("td", "th"):
            if not self.rows:
                self.rows.append(_Row(line))
            spans = dict(attrs)
            cell = _Cell([], tag == "th", _span(spans.get("colspan"), _WIDEST), _span(spans.get("rowspan"), _TALLEST))
            self.rows[-1].cells.append(cell)
            self._in_cell, self._in_caption = True, False
        elif tag == "caption":
            self._in_caption = True
        elif tag in ("br", "p", "li", "div") and self._in_cell:
            self._add(" " if tag != "br" else " ; ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self._in_cell = False
        elif tag == "caption":
            self._in_caption = False

    def handle_data(self, data: str) -> None:
        self._add(data)

    def _add(self, text: str) -> None:
        if self._in_cell and self.rows and self.rows[-1].cells:
            self.rows[-1].cells[-1].text.append(text)
        elif self._in_caption:
            self.caption.append(text)


def _span(text: str | None, most: int) -> int:
    return min(max(int(text), 1), most) if text is not None and text.strip().isdecimal() and len(text.strip()) < 9 else 1


def read_table(html: str, line: int) -> Table | None:
    """The table of a piece of HTML that begins on `line`, or None when it holds no cell."""
    reader = _Reader(line)
    reader.feed(html)
    reader.close()
    grid = _filled(reader.rows)
    if not grid:
        return None
    heads = 0
    while heads < len(grid) and (all(cell.header for cell in reader.rows[heads].cells) and reader.rows[heads].cells):
        heads += 1
    heads = min(max(heads, 1), len(grid))
    width = max(len(row) for row in grid)
    headers = tuple(
        " ".join(dict.fromkeys(row[column] for row in grid[:heads] if column < len(row) and row[column])) for column in range(width)
    )
    rows = [
        Leaf("row", " | ".join(cells), source.line, cells=tuple(cells))
        for cells, source in zip(grid[heads:], reader.rows[heads:], strict=True)
        if any(cells)
    ]
    return Table(headers, rows, line)


def _filled(rows: list[_Row]) -> list[list[str]]:
    """Every row with the text of each of its columns, merged cells repeated."""
    hanging: dict[int, tuple[str, int]] = {}
    grid: list[list[str]] = []
    cells_seen = characters = 0
    for row in rows:
        texts: list[str] = []
        waiting = list(reversed(row.cells))
        while waiting or len(texts) in hanging:
            if len(texts) in hanging:
                text, left = hanging.pop(len(texts))
                if left > 1:
                    hanging[len(texts)] = (text, left - 1)
                texts.append(text)
            else:
                cell = waiting.pop()
                text = plain("".join(cell.text)).strip("; ")
                for _ in range(cell.columns):
                    if cell.rows > 1:
                        hanging[len(texts)] = (text, cell.rows - 1)
                    texts.append(text)
            cells_seen += 1
            if len(texts) > _MOST_CELLS or cells_seen > _MOST_CELLS:
                raise DocumentError("this table has too many cells", row.line, f"at most {_MOST_CELLS} are read")
        characters += sum(map(len, texts))
        if characters > _MOST_TEXT:
            raise DocumentError("merged cells of this table repeat too much text", row.line, "write long texts beside the table")
        grid.append(texts)
    return grid
