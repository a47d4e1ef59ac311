"""A graph as lines of text: for a terminal, and for a person who hears the page."""

from holdfast.document.graph.build import Graph, Node


def text(graph: Graph) -> str:
    """Each node with what it points at, column by column."""
    titles = {node.name: node.title for column in graph.columns for node in column.nodes}
    lines = [graph.title, graph.caption]
    for column in graph.columns:
        lines += ["", column.title]
        for node in column.nodes:
            lines.append(f"  {_named(node)}")
            for edge in graph.edges:
                if edge.source == node.name and edge.target in titles:
                    lines.append(f"    → {titles[edge.target]}" + (f" ({edge.words})" if edge.words else ""))
    return "\n".join(" ".join(line.split("\n")) for line in lines) + "\n"


def _named(node: Node) -> str:
    return f"{node.title} ({node.note})" if node.note else node.title
