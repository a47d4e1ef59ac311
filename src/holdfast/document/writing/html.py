"""A document as one HTML page that needs nothing else: no outside resource, no script, everything unfolded.

Rules of look.md: readable at 320 pixels, light and dark by the system's wish, black on white in print with the footer and
`page n of m` on every sheet. Every text is escaped here; only drawings, made in this room, go in as they are. End tags that HTML lets go
(of cells, rows, items, terms) are left out, and the style sheet draws the boxes to tick and keeps them from being read aloud: a fifth of
the page, and no reader misses it.
"""

from functools import cache
from html import escape

from jinja2 import Environment, PackageLoader

from holdfast.document.exact.cells import BREAK, Cell, Run
from holdfast.document.exact.form import JOINS, UNFINISHED
from holdfast.document.writing import blocks
from holdfast.document.writing.blocks import Block, Booklet, Table, Tick
from holdfast.document.writing.values import place_cell
from holdfast.document.writing.wide import Card, headings, split


def html(booklet: Booklet) -> str:
    """The whole page."""
    sections = [(number, block) for number, block in enumerate(booklet.blocks) if isinstance(block, blocks.Heading) and block.level == 2]
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
    return isinstance(block, blocks.Heading) and block.level == 1


def _block(block: Block, number: int) -> str:
    match block:
        case blocks.Heading(level, text):
            return f'<h{min(level, 6)} id="s{number}">{_text(text)}</h{min(level, 6)}>'
        case blocks.Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case blocks.Bullets(items, sign):
            look = "" if sign == "•" else ' class="ticks"'
            return f"<ul{look}>{''.join(f'<li>{_text(item)}' for item in items)}</ul>"
        case blocks.Table():
            short, cards = split(block)
            return (_table(short) if short is not None else "") + "".join(_card(card) for card in cards)
        case blocks.TickTable(_, ticks):
            return f'<ol class="ticks">{"".join(_tick(tick) for tick in ticks)}</ol>'
        case blocks.Restated() | blocks.NewPage():
            return '<div class="new-page"></div>' if isinstance(block, blocks.NewPage) else ""
        case blocks.Literal(place, text, complete):
            remark = "" if complete else f", {UNFINISHED}"
            return f'<p class="note">{_cell(place_cell(place))}{remark}:</p><pre>{_text(text)}</pre>'
        case blocks.Figure(svg, _, caption):
            return f'<figure><div class="drawing" tabindex="0">{svg}</div><figcaption>{_text(caption)}</figcaption></figure>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(title)}' for title in headings(table))
    rows = "".join(f'<tr><th scope="row">{_cell(row[0])}{"".join(f"<td>{_cell(cell)}" for cell in row[1:])}' for row in table.rows)
    return f'<div class="scroll" tabindex="0" role="group" aria-label="table"><table><thead><tr>{head}<tbody>{rows}</table></div>'


def _card(card: Card) -> str:
    return f'<div class="card"><p class="name">{_cell(card.name)}{_facts(card.facts)}</div>'


def _tick(tick: Tick) -> str:
    return f'<li><p class="name"><code>{_text(tick.name)}</code> {_text(tick.words)}{_facts(tick.facts)}'


def _facts(facts: tuple[tuple[str, Cell], ...]) -> str:
    return f"<dl>{''.join(f'<div><dt>{_text(title)}<dd>{_cell(cell)}</div>' for title, cell in facts)}</dl>"


def _cell(cell: Cell) -> str:
    between = JOINS if cell.between == "place" else "<br>" if cell.between == BREAK else ", "
    return between.join(_run(run) for run in cell.runs)


def _run(run: Run) -> str:
    return f"<code>{_text(run.text)}</code>" if run.code else _text(run.text)


def _text(text: str) -> str:
    """Words between tags, where a quote means nothing."""
    return escape(text, quote=False)
