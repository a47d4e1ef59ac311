"""A document as Markdown: for people in any editor, and the only form that is read back (see `exact.reading`)."""

import re

from holdfast.document.exact.cells import BREAK, Cell, Run
from holdfast.document.exact.form import FRONT, JOINS, UNFINISHED
from holdfast.document.writing import blocks
from holdfast.document.writing.blocks import Block, Booklet, Table
from holdfast.document.writing.values import place_cell
from holdfast.plan.problems import Place

_MEANS_SOMETHING = re.compile(r"([\\`*_{}\[\]<>|&~#$])")


def markdown(booklet: Booklet) -> str:
    """The whole document."""
    head = f"---\n{FRONT}\ndigest: {booklet.digest}\n---\n"
    return "\n".join([head, *(_block(block) for block in booklet.blocks)])


def escaped(text: str) -> str:
    """Plain words, with a backslash before what would mean something."""
    return _MEANS_SOMETHING.sub(r"\\\1", text)


def _block(block: Block) -> str:
    match block:
        case blocks.Heading(level, text):
            return f"{'#' * min(level, 6)} {escaped(' '.join(text.split()))}\n"
        case blocks.Paragraph(text):
            return f"{escaped(text)}\n"
        case blocks.Bullets(items, sign):
            before = "- " if sign == "•" else f"- {sign} "
            return "".join(f"{before}{escaped(' '.join(item.split()))}\n" for item in items)
        case blocks.Table():
            return _table(block)
        case blocks.TickTable(table) | blocks.Restated(table):
            return _table(table)
        case blocks.NewPage():
            return ""
        case blocks.Literal(place, text, complete):
            return _literal(place, text, "" if complete else f", {UNFINISHED}")
        case blocks.Figure(_, mermaid, caption):
            return f"```mermaid\n{mermaid}\n```\n\n*{escaped(caption)}*\n"


def _table(table: Table) -> str:
    titles = [f"*{column.title}*" if column.drawn and table.place is not None else escaped(column.title) for column in table.columns]
    if table.place is not None:
        titles[0] = _place(table.place)
    lines = [titles, ["---"] * len(titles), *([_cell(cell) for cell in row] for row in table.rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _place(place: Place) -> str:
    return _cell(place_cell(place)) if place else "`plan`"


def _cell(cell: Cell) -> str:
    between = JOINS if cell.between == "place" else "<br>" if cell.between == BREAK else ", "
    return between.join(_run(run) for run in cell.runs)


def _run(run: Run) -> str:
    return f"`{run.text}`" if run.code else escaped(run.text.replace("\n", " ").replace("\r", " "))


def _literal(place: Place, text: str, remark: str) -> str:
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{_place(place)}{remark}:\n\n{fence}text\n{text}\n{fence}\n"
