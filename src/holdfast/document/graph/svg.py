"""A graph as SVG: columns of boxes and arrows between them, black on white, without style sheets, scripts or outside resources.

Rules: the picture says nothing that the tables and `graph.text` don't; every text is escaped; long words are cut with `…`, and stand
whole in the box's title. Sizes in pixels of the drawing.
"""

import unicodedata
from dataclasses import dataclass
from html import escape

from holdfast.document.graph.build import Edge, Graph, Node
from holdfast.plan.problems import shortened

_BOX_WIDTH, _BOX_HEIGHT = 176, 44
_GAP_ACROSS, _GAP_DOWN = 92, 20
_MARGIN, _HEAD = 14, 34
_LETTER, _SMALL_LETTER = 6.6, 5.6
_LOOKS = {
    "function": ("#E7F0FA", "#0B5CAD"),
    "component": ("#E6F4F1", "#00695C"),
    "outside": ("#FFF4DF", "#8A5300"),
    "region": ("#EDEFF2", "#16202E"),
    "monitor": ("#F1EBFA", "#6A3FB5"),
}
_FONT = "DejaVu Sans, system-ui, sans-serif"


@dataclass(frozen=True, slots=True)
class _Box:
    node: Node
    left: float
    top: float

    @property
    def middle(self) -> float:
        return self.top + _BOX_HEIGHT / 2


def svg(graph: Graph) -> str:
    """The drawing as one element `svg` with a title and a description."""
    boxes = {box.node.name: box for box in _boxes(graph)}
    tallest = max((len(column.nodes) for column in graph.columns), default=0)
    width = _MARGIN * 2 + len(graph.columns) * (_BOX_WIDTH + _GAP_ACROSS) - _GAP_ACROSS + 40
    height = _MARGIN + _HEAD + tallest * (_BOX_HEIGHT + _GAP_DOWN)
    heads = [
        _text(_MARGIN + number * (_BOX_WIDTH + _GAP_ACROSS), _MARGIN + 12, _cut(column.title, _BOX_WIDTH + 60, 7.2), 12, "bold")
        for number, column in enumerate(graph.columns)
    ]
    edges = [_edge(boxes[edge.source], boxes[edge.target], edge) for edge in graph.edges if edge.source in boxes and edge.target in boxes]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' font-family="{_FONT}" fill="#16202E">',
        f"<title>{_clean(graph.title)}</title><desc>{_clean(graph.caption)}</desc>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#4F5B69"/></marker></defs>',
        f'<rect x="0" y="0" width="{width}" height="{height}" fill="#FFFFFF"/>',
        *heads,
        '<g fill="none" stroke="#4F5B69" stroke-width="1.2" marker-end="url(#tip)">',
        *(line for line, _ in edges),
        "</g>",
        *(words for _, words in edges if words),
        *(_drawn(box) for box in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts)


def _boxes(graph: Graph) -> list[_Box]:
    found = []
    for number, column in enumerate(graph.columns):
        left = _MARGIN + number * (_BOX_WIDTH + _GAP_ACROSS)
        for row, node in enumerate(column.nodes):
            found.append(_Box(node, left, _MARGIN + _HEAD + row * (_BOX_HEIGHT + _GAP_DOWN)))
    return found


def _drawn(box: _Box) -> str:
    fill, line = _LOOKS[box.node.sort]
    whole = f"{box.node.title}. {box.node.note}" if box.node.note else box.node.title
    return (
        f"<g><title>{_clean(whole)}</title>"
        f'<rect x="{box.left:g}" y="{box.top:g}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="5" fill="{fill}" stroke="{line}"/>'
        + _text(box.left + 8, box.top + 18, _cut(box.node.title, _BOX_WIDTH - 16, _LETTER), 11, "bold")
        + _text(box.left + 8, box.top + 34, _cut(box.node.note, _BOX_WIDTH - 16, _SMALL_LETTER), 9.5)
        + "</g>"
    )


def _edge(source: _Box, target: _Box, edge: Edge) -> tuple[str, str]:
    """The line, and the words beside it."""
    dash = ' stroke-dasharray="5 4"' if edge.look == "dashed" else ""
    if source.left == target.left:  # within a column: a bow on its right
        x = source.left + _BOX_WIDTH
        path = f"M{x:g} {source.middle:g} C{x + 34:g} {source.middle:g} {x + 34:g} {target.middle:g} {x + 2:g} {target.middle:g}"
        across, down = x + 28.0, (source.middle + target.middle) / 2
    else:
        forward = target.left > source.left
        x, end = (source.left + _BOX_WIDTH, target.left) if forward else (source.left, target.left + _BOX_WIDTH)
        half = (x + end) / 2
        path = f"M{x:g} {source.middle:g} C{half:g} {source.middle:g} {half:g} {target.middle:g} {end:g} {target.middle:g}"
        across, down = half, (source.middle + target.middle) / 2
    words = ""
    if edge.words:
        kind, _, rest = edge.words.partition(", ")
        lines = [(kind, -5), (rest, 11)] if rest else [(kind, -5)]
        words = "".join(_text(across, down + shift, line, 8.5, anchor="middle") for line, shift in lines)
    return f'<path d="{path}"{dash}/>', words


def _text(x: float, y: float, words: str, size: float, weight: str = "normal", anchor: str = "start") -> str:
    if not words:
        return ""
    bold = ' font-weight="bold"' if weight == "bold" else ""
    at = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}"{bold}{at}>{_clean(words)}</text>'


def _clean(words: str) -> str:
    """Escaped, and without characters that XML can't hold."""
    return escape("".join(" " if unicodedata.category(character) in ("Cc", "Cs", "Cn") else character for character in words))


def _cut(words: str, width: float, letter: float) -> str:
    most = int(width / letter)
    flat = " ".join(words.split())
    return shortened(flat, most)
