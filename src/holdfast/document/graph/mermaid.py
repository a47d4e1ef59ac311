"""A graph as Mermaid: for editors and places that draw it themselves."""

import re

from holdfast.document.graph.build import Graph


def mermaid(graph: Graph) -> str:
    """A flow chart from left to right."""
    names = {node.name: f"n{number}" for number, node in enumerate(node for column in graph.columns for node in column.nodes)}
    lines = ["graph LR"]
    for number, column in enumerate(graph.columns):
        lines.append(f'  subgraph c{number}["{_words(column.title)}"]')
        lines += [f'    {names[node.name]}["{_words(node.title)}"]' for node in column.nodes]
        lines.append("  end")
    for edge in graph.edges:
        if edge.source in names and edge.target in names:
            arrow = "-.->" if edge.look == "dashed" else "-->"
            words = f'|"{_words(edge.words)}"|' if edge.words else ""
            lines.append(f"  {names[edge.source]} {arrow}{words} {names[edge.target]}")
    return "\n".join(lines)


def _words(text: str) -> str:
    """Text that ends no quote and no line, with Mermaid's own escapes."""
    return re.sub(r"[^\w\s.,:;/()+%·→-]", lambda found: f"#{ord(found[0])};", " ".join(text.split()))
