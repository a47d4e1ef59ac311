"""The maps of the document: regions with their links, and what stands on what. The same facts stand in tables beside them."""

from holdfast.document.graph.build import dependencies_of, regions_of
from holdfast.document.graph.mermaid import mermaid
from holdfast.document.graph.svg import svg
from holdfast.document.writing.blocks import Block, Figure, Heading
from holdfast.plan.model import Plan


def region_map(plan: Plan) -> list[Block]:
    """Regions side by side, the primary left, with the data that goes between."""
    graph = regions_of(plan)
    return [Heading(3, "Map of the regions"), Figure(svg(graph), mermaid(graph), graph.caption)]


def dependency_map(plan: Plan) -> list[Block]:
    """Functions, components and outside services, with who stands on whom."""
    graph = dependencies_of(plan)
    return [Heading(3, "Map of dependencies"), Figure(svg(graph), mermaid(graph), graph.caption)]
