"""A document as one HTML page that needs nothing else: no outside resource, no script, everything unfolded.

Rules of look.md: readable at 320 pixels, light and dark by the system's wish, black on white in print with the footer and
`page n of m` on every sheet. Every text is escaped here; only drawings, made in this room, go in as they are.
"""

from functools import cache
from html import escape

from jinja2 import Environment, PackageLoader

from holdfast.document.exact.cells import BREAK, Cell, Run
from holdfast.document.exact.form import JOINS, UNFINISHED
from holdfast.document.exact.shapes import title_of
from holdfast.document.writing.blocks import (
    Block,
    Booklet,
    Bullets,
    Figure,
    Heading,
    Literal,
    NewPage,
    Paragraph,
    Restated,
    Table,
    Tick,
    TickTable,
)
from holdfast.document.writing.values import place_cell
from holdfast.document.writing.wide import split


def html(booklet: Booklet) -> str:
    """The whole page."""
    sections = [(number, block) for number, block in enumerate(booklet.blocks) if isinstance(block, Heading) and block.level == 2]
    contents = "".join(f'<li><a href="#s{number}">{escape(block.text)}</a></li>' for number, block in sections)
    body = "\n".join(_block(block, number) for number, block in enumerate(booklet.blocks) if not _is_title(block))
    footer = escape(booklet.footer)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(booklet.title)}</title>\n<style>\n{_style()}\n{_page_footer(booklet.footer)}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">To the plan</a>\n<header><h1>{escape(booklet.title)}</h1><p class="note">{footer}</p>'
        f'<nav aria-label="Sections"><ol>{contents}</ol></nav></header>\n<main id="main">\n{body}\n</main>\n'
        f"<footer><p>{footer}</p></footer>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    source, _, _ = PackageLoader("holdfast.document", "writing").get_source(Environment(autoescape=True), "page.css")
    return source


def _page_footer(footer: str) -> str:
    """What stands on every sheet in print. A string of CSS, so nothing in it can end the style."""
    quoted = "".join(
        character if character.isalnum() or character in " .,:-·" else f"\\{ord(character):x} " for character in " ".join(footer.split())
    )
    return f'@page {{ margin: 16mm 14mm 18mm; @bottom-left {{ content: "{quoted}"; font: 8pt sans-serif; }} }}\n'


def _is_title(block: Block) -> bool:
    return isinstance(block, Heading) and block.level == 1


def _block(block: Block, number: int) -> str:
    match block:
        case Heading(level, text):
            return f'<h{min(level, 6)} id="s{number}">{escape(text)}</h{min(level, 6)}>'
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items, sign):
            look = "" if sign == "•" else ' class="ticks"'
            before = "" if sign == "•" else f'<span class="box" aria-hidden="true">{sign}</span> '
            return f"<ul{look}>{''.join(f'<li>{before}{escape(item)}</li>' for item in items)}</ul>"
        case Table():
            short, long = split(block)
            return (_table(short) if short is not None else "") + (_cards(long) if long is not None else "")
        case TickTable(_, ticks):
            return f'<ol class="ticks">{"".join(_tick(tick) for tick in ticks)}</ol>'
        case Restated() | NewPage():
            return '<div class="new-page"></div>' if isinstance(block, NewPage) else ""
        case Literal(place, text, complete):
            remark = "" if complete else f", {UNFINISHED}"
            return f'<p class="note">{_cell(place_cell(place))}{remark}:</p><pre>{escape(text)}</pre>'
        case Figure(svg, _, caption):
            return f'<figure><div class="drawing" tabindex="0">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'


def _table(table: Table) -> str:
    heads = [escape(column.title) for column in table.columns]
    if table.place is not None:
        heads[0] = escape(title_of(str(table.place[-1])) if table.place and isinstance(table.place[-1], str) else "Plan")
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    rows = "".join(
        f'<tr><th scope="row">{_cell(row[0])}</th>{"".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])}</tr>' for row in table.rows
    )
    head_and_body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="scroll" tabindex="0" role="group" aria-label="table"><table>{head_and_body}</table></div>'


def _cards(table: Table) -> str:
    cards = []
    for row in table.rows:
        if not any(cell.runs for cell in row[1:]):
            continue
        facts = _facts([(column.title, cell) for column, cell in zip(table.columns[1:], row[1:], strict=True) if cell.runs])
        cards.append(f'<div class="card"><p class="name">{_cell(row[0])}</p>{facts}</div>')
    return "".join(cards)


def _tick(tick: Tick) -> str:
    facts = _facts(list(tick.facts))
    words = f'<p class="name"><span class="box" aria-hidden="true">☐</span> <code>{escape(tick.name)}</code> {escape(tick.words)}</p>'
    return f"<li>{words}{facts}</li>"


def _facts(facts: list[tuple[str, Cell]]) -> str:
    return f"<dl>{''.join(f'<div><dt>{escape(title)}</dt><dd>{_cell(cell)}</dd></div>' for title, cell in facts)}</dl>"


def _cell(cell: Cell) -> str:
    between = JOINS if cell.between == "place" else "<br>" if cell.between == BREAK else ", "
    return between.join(_run(run) for run in cell.runs)


def _run(run: Run) -> str:
    return f"<code>{escape(run.text)}</code>" if run.code else escape(run.text)
