"""A plan → the graphs that are drawn of it. Nodes stand in columns; an edge goes from what needs to what is needed."""

from dataclasses import dataclass

from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration


@dataclass(frozen=True, slots=True)
class Node:
    """A box. `sort` is its look: function, component, outside, region, monitor. `note`: a second, smaller line."""

    name: str
    title: str
    sort: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Nodes under one title, from top to bottom."""

    title: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow with words. `look`: `solid`, or `dashed` for what is copied now and then or only watched."""

    source: str
    target: str
    words: str = ""
    look: str = "solid"


@dataclass(frozen=True, slots=True)
class Graph:
    """Columns from left to right, edges, and in a sentence what it shows."""

    title: str
    columns: tuple[Column, ...]
    edges: tuple[Edge, ...]
    caption: str


def dependencies_of(plan: Plan) -> Graph:
    """Functions left, then components by how deep they stand, then what others provide."""
    functions = tuple(
        Node(f"function/{name}", found.name, "function", f"{found.priority}, back in {spoken_duration(found.rto)}")
        for name, found in plan.functions.items()
    )
    depths = _depths(plan)
    layers: list[Column] = []
    for depth in range(max(depths.values(), default=-1) + 1):
        nodes = tuple(_component(plan, name) for name in plan.components if depths[name] == depth)
        layers.append(Column("Components" if depth == 0 else "that stand on", nodes))
    outside = tuple(_outside(plan, name) for name in plan.dependencies)
    columns = [Column("Functions", functions), *layers, *([Column("Provided by others", outside)] if outside else [])]
    edges = [
        Edge(f"function/{name}", f"component/{on}") for name, found in plan.functions.items() for on in _nearest(plan, found.stands_on)
    ]
    edges += [Edge(f"component/{name}", f"component/{on}") for name, found in plan.components.items() for on in found.needs]
    edges += [
        Edge(f"{'function' if by in plan.functions else 'component'}/{by}", f"dependency/{name}", look="dashed")
        for name, found in plan.dependencies.items()
        for by in found.needed_by
    ]
    caption = f"{_count(len(plan.functions), 'function')}, {_count(len(plan.components), 'component')}, " + (
        f"{_count(len(plan.dependencies), 'outside service')}; an arrow goes from what needs to what is needed."
    )
    return Graph(f"{plan.name}: what stands on what", tuple(columns), tuple(edges), caption)


def regions_of(plan: Plan) -> Graph:
    """Each region a column with its components, the primary left; the links between them; then the witness and what watches."""
    ordered = sorted(plan.regions.items(), key=lambda pair: pair[1].role != "primary")
    columns = []
    for name, region in ordered:
        here = [component for component, found in plan.components.items() if found.only_in in (None, name)]
        zones = f"zones {', '.join(region.zones)}" if region.zones else "no zones named"
        head = Node(f"region/{name}", region.name or name, "region", zones)
        role = "Primary region" if region.role == "primary" else "DR region"
        nodes = (head, *(Node(f"{name}/{one}", plan.components[one].name, "component", _copy_note(plan, one)) for one in here))
        columns.append(Column(f"{role}: {name}", nodes))
    edges = [
        Edge(f"{link.source}/{link.component}", f"{link.target}/{link.component}", _link_words(plan, name))
        for name, link in plan.replication_links.items()
    ]
    watchers = [Node(f"monitor/{name}", found.name, "monitor", ", ".join(found.runs_in)) for name, found in plan.monitoring.items()]
    observers = [Node(f"observer/{name}", name, "monitor", "observer, one vote") for name in plan.observers if name not in plan.regions]
    columns.append(Column("Watching", (*observers, *watchers)))
    edges += [Edge(f"monitor/{name}", f"monitor/{to}", look="dashed") for name, found in plan.monitoring.items() for to in found.feeds]
    caption = f"Regions {' and '.join(name for name, _ in ordered)}; arrows carry data from where it is written to where it is copied."
    return Graph(f"{plan.name}: regions and links", tuple(columns), tuple(edges), caption)


def _depths(plan: Plan) -> dict[str, int]:
    """How deep each component stands: one more than the deepest that needs it. Circles (a finding of `check`) end the count."""
    depths = dict.fromkeys(plan.components, 0)
    for _ in plan.components:
        before = dict(depths)
        for name, found in plan.components.items():
            for on in found.needs:
                if on in depths:
                    depths[on] = min(max(depths[on], depths[name] + 1), len(depths))
        if before == depths:
            break
    return depths


def _nearest(plan: Plan, stands_on: tuple[str, ...]) -> list[str]:
    """Of what a function stands on, that which no other of it needs: the rest follows from there."""
    needed = {on for name in stands_on if name in plan.components for on in plan.components[name].needs}
    return [name for name in stands_on if name not in needed] or list(stands_on)


def _component(plan: Plan, name: str) -> Node:
    found = plan.components[name]
    return Node(f"component/{name}", found.name, "component", f"{found.kind}, back in {spoken_duration(found.rto)}")


def _outside(plan: Plan, name: str) -> Node:
    found = plan.dependencies[name]
    vendor = plan.vendors.get(found.vendor) if found.vendor is not None else None
    return Node(f"dependency/{name}", found.name, "outside", vendor.name if vendor is not None else "no vendor named")


def _copy_note(plan: Plan, name: str) -> str:
    return plan.components[name].kind


def _link_words(plan: Plan, name: str) -> str:
    link = plan.replication_links[name]
    if link.every is not None:
        return f"{link.how}, every {spoken_duration(link.every)}"
    return f"{link.how}, within {spoken_duration(link.lag_within)}" if link.lag_within is not None else link.how


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
