"""A document as typst source, from which the PDF is compiled (see the provider).

Rules: every text of the plan goes in as a string literal, never as markup, so none can command the typesetter. The fonts are those that
the typesetter carries, so the pages are the same on every machine. Name, version, digest and `page n of m` stand on every page.
"""

from holdfast.document.exact.cells import BREAK, Cell, Run
from holdfast.document.exact.form import JOINS
from holdfast.document.writing import blocks
from holdfast.document.writing.blocks import Block, Booklet, Table, Tick
from holdfast.document.writing.values import place_cell
from holdfast.document.writing.wide import Card, headings, split

_PREAMBLE = """\
#set document(title: {title}, author: (), keywords: ({digest},))
#set page(paper: "a4", margin: (x: 16mm, top: 16mm, bottom: 18mm), footer: context [
  #set text(size: 7.5pt, fill: rgb("#4F5B69"))
  #line(length: 100%, stroke: 0.4pt + rgb("#C3CCD8"))
  #v(-6pt)
  #grid(columns: (1fr, auto), {footer}, [page #counter(page).display() of #counter(page).final().first()])
])
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"), size: 9.5pt, lang: "en")
#set par(justify: false, leading: 0.55em)
#show raw: set text(font: "DejaVu Sans Mono", size: 7.6pt)
#show heading: set text(size: 10pt)
#show heading.where(level: 1): set text(size: 20pt)
#show heading.where(level: 2): set text(size: 15pt)
#show heading.where(level: 3): set text(size: 12.5pt)
#show heading.where(level: 4): set text(size: 11pt)
#show heading: set block(above: 1.2em, below: 0.6em, sticky: true)
#show heading.where(level: 2): it => block(
  above: 2em, below: 0.7em, width: 100%, stroke: (bottom: 0.8pt + rgb("#16202E")), inset: (bottom: 3pt), sticky: true, it,
)
#set table(stroke: (x, y) => (bottom: 0.4pt + rgb("#C3CCD8")), inset: (x: 4pt, y: 3pt), align: left + top)
#set table.cell(breakable: false)
#show table.cell.where(y: 0): set text(weight: "bold", fill: rgb("#4F5B69"), size: 8.5pt)
#let box-to-tick = box(width: 8pt, height: 8pt, stroke: 0.8pt, baseline: 1pt)
#let card(body) = block(
  width: 100%, stroke: 0.4pt + rgb("#C3CCD8"), radius: 2pt, inset: 5pt, above: 5pt, below: 5pt, breakable: false, body,
)
#let fact(title, body) = [#text(fill: rgb("#4F5B69"), size: 8pt, title)#h(4pt)#body]
#let facts(..items) = grid(columns: (1fr, 1fr), column-gutter: 8pt, row-gutter: 5pt, ..items)
"""


_UNBROKEN, _MOST_UNBROKEN = 12, 60
"""Letters of a word that may be too long for a narrow column, and of all such columns of a table together."""


def typst(booklet: Booklet) -> str:
    """The whole source."""
    head = _PREAMBLE.format(title=_string(booklet.title), digest=_string(booklet.digest), footer=f"text({_string(booklet.footer)})")
    contents = "#outline(target: heading.where(level: 2), indent: 0pt)\n#pagebreak(weak: true)"
    title, *rest = booklet.blocks
    first_section = next((number for number, block in enumerate(rest) if isinstance(block, blocks.Heading)), len(rest))
    parts = [_block(block) for block in rest]
    whole = [head, _block(title), *parts[:first_section], contents, *parts[first_section:]]
    return "\n".join(whole) + "\n"


def _block(block: Block) -> str:
    match block:
        case blocks.Heading(level, text):
            return f"#heading(level: {level}, {_said(text)})"
        case blocks.Paragraph(text):
            return f"#par({_said(text)})"
        case blocks.Bullets(items, sign):
            marker = "[•]" if sign == "•" else "box-to-tick"
            return f"#list(marker: {marker}, spacing: 0.8em, {', '.join(_said(item) for item in items)})" if items else ""
        case blocks.Table():
            short, cards = split(block)
            return "\n".join([*([_table(short)] if short is not None else []), *(_card(card) for card in cards)])
        case blocks.TickTable(_, ticks):
            return "\n".join(_tick(tick) for tick in ticks)
        case blocks.Restated() | blocks.NewPage():
            return "#pagebreak(weak: true)" if isinstance(block, blocks.NewPage) else ""
        case blocks.Literal(place, text, _):
            body = f"raw(block: true, {_string(text)})"
            return f'#par({_cell(place_cell(place))})\n#block(width: 100%, fill: rgb("#F5F7FA"), inset: 6pt, {body})'
        case blocks.Figure(svg, _, caption):
            picture = f'image(bytes({_string(svg)}), format: "svg", width: 100%, alt: {_string(caption)})'
            return f"#figure({picture}, caption: {_said(caption)}, numbering: none)"


def _table(table: Table) -> str:
    heads = [_said(title) for title in headings(table)]
    widths = ", ".join(_widths(table))
    cells = ", ".join(_cell(cell) for row in table.rows for cell in row)
    return f"#table(columns: ({widths},), table.header({', '.join(heads)}), {cells})"


def _widths(table: Table) -> list[str]:
    """Room by how much is written: a column of long texts gets more, none starves, and none is too narrow for its longest word.

    A column of words that don't break (an address, a number to dial) takes what they need, or they would run into the next one.
    """
    widths, left = [], _MOST_UNBROKEN
    for number, column in enumerate(table.columns):
        texts = [run.text for row in table.rows for run in row[number].runs]
        longest = max([len(column.title), *(len(text) for text in texts), 6])
        word = max((len(word) for text in texts for word in text.split()), default=0)
        if max([len(column.title), *(len(text) for text in texts)]) <= 2:
            widths.append("auto")  # boxes to tick
        elif word >= _UNBROKEN and word >= 0.9 * longest and word <= left:
            left -= word
            widths.append("auto")
        else:
            widths.append(f"{min(60, max(9, longest)) ** 0.7:.2f}fr")
    return widths if any(width != "auto" for width in widths) else ["1fr"] * len(widths)


def _card(card: Card) -> str:
    return f"#card[#strong({_cell(card.name)}) {_facts(card.facts)}]"


def _tick(tick: Tick) -> str:
    return f"#card[#box-to-tick #h(3pt) #raw({_string(tick.name)}) #h(3pt) #strong({_said(tick.words)}) {_facts(tick.facts)}]"


def _facts(facts: tuple[tuple[str, Cell], ...]) -> str:
    items = ", ".join(f"fact({_string(title)}, {_cell(cell)})" for title, cell in facts)
    return f"#facts({items})" if items else ""


def _cell(cell: Cell) -> str:
    """Content of a cell; runs are joined with `+`, which needs no markup."""
    between = _said(JOINS) if cell.between == "place" else "linebreak()" if cell.between == BREAK else _said(", ")
    runs = [_run(run) for run in cell.runs]
    return f" + {between} + ".join(runs) if runs else "[]"


def _run(run: Run) -> str:
    return f"raw({_string(run.text)})" if run.code else _said(run.text)


def _said(text: str) -> str:
    return f"text({_string(text)})" if text else "[]"


def _string(text: str) -> str:
    """A string literal of typst."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return '"' + "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in escaped) + '"'
