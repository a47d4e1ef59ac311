"""Pure: what of a plan stands on what, as a graph, and the graph as SVG, Mermaid or text."""
