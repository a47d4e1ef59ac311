"""Regions, components, replication links and monitoring from Mermaid diagrams; recovery strategies from sections and tables."""

import re
from dataclasses import dataclass, field, replace

from holdfast.document.reading.columns import Row, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said, slug, unique
from holdfast.document.reading.problems import DocumentError
from holdfast.document.reading.quantities import Reading, duration, frequency
from holdfast.document.reading.things.impact import promised_in_row
from holdfast.document.reading.things.promise_names import RPO, RTO
from holdfast.document.reading.things.resources import kind_of, kind_said, resource_places
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, says
from holdfast.plan.values import FREQUENCIES

_REGION = re.compile(r"\(([a-z]{2}(?:-[a-z]+)+-\d[a-z]?)\)|\b([a-z]{2}-[a-z]+-\d)\b")
_STRATEGY = {
    "backup": ("backup strategy", "secondary strategy", "alternate strategy", "fallback", "backup method", "alternative"),
    "strategy": ("primary strategy", "recovery strategy", "strategy", "recovery method", "approach", "how"),
    "rto": RTO,
    "rpo": RPO,
    "name": ("component", "system", "asset", "resource", "service", "technology", "application"),
}
_NEEDED = Reading(unclear="it says that there is none, and a plan needs one for each component: how soon must it be back?")
"""What is asked where a component is said to have no RTO."""
_HOW = (
    ("synchronous", r"(?<!a)\bsync(?:hronous)?\b"),
    ("continuous", r"continuous|streaming"),
    ("asynchronous", r"\basync"),
    ("cross-region", r"cross[- ]region"),
    ("periodic", r"periodic|snapshot|nightly|daily|hourly"),
)


@dataclass(slots=True)
class _Group:
    title: str
    line: int
    nodes: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A line from one node to another. `arrow`: as it is drawn, `---` for one without a direction."""

    source: str
    target: str
    text: str
    line: int
    arrow: str = "-->"


@dataclass(slots=True)
class _Diagram:
    groups: list[_Group] = field(default_factory=list)
    edges: list[_Edge] = field(default_factory=list)
    strange: list[tuple[str, int]] = field(default_factory=list)


_GROUP = re.compile(r"^subgraph\s+(?:[\w-]+\s*\[\s*)?\"?([^\"\]]+)\"?\]?\s*$")
_NODE = r"([A-Za-z][\w-]*)\s*(?:(?:\[\(?|\(+|\{+|>)\s*\"?([^\"\[\](){}]*)\"?\s*(?:\)?\]|\)+|\}+))?"
_NODE_LINE = re.compile(rf"^{_NODE}\s*;?$")
_EDGE = re.compile(rf"^{_NODE}\s*(--+>|--+|-\.+->|==+>)\s*(?:\|\s*\"?([^|\"]*)\"?\s*\|)?\s*{_NODE}\s*;?$")
_EDGE_TEXT = re.compile(rf"^{_NODE}\s*--\s*([^->|]+?)\s*-->\s*{_NODE}\s*;?$")
_DEEPEST_GROUP = 20
_LONGEST_DRAWN = 1000
"""Characters of a drawing's line; a longer one is told as not understood."""
_IGNORED = re.compile(r"^(?:graph|flowchart|direction|classDef|class|style|linkStyle|%%|end\b|click)|^$")


def _diagram(leaf: Leaf) -> _Diagram:
    """Groups, their nodes, and edges of a Mermaid flowchart."""
    found = _Diagram()
    open_groups: list[_Group] = []
    for number, raw in enumerate(leaf.text.split("\n")):
        line, place = raw.strip(), leaf.line + number
        short = line if len(line) <= _LONGEST_DRAWN else ""
        group = _GROUP.match(short)
        edge = _EDGE.match(short)
        spoken = _EDGE_TEXT.match(short) if edge is None else None
        node = _NODE_LINE.match(short)
        if group is not None:
            if len(open_groups) >= _DEEPEST_GROUP:
                raise DocumentError(
                    "groups of this drawing stand too deep in each other", place, f"at most {_DEEPEST_GROUP} levels are read"
                )
            open_groups.append(_Group(group[1].strip(), place))
            found.groups.append(open_groups[-1])
        elif line == "end" and open_groups:
            open_groups.pop()
        elif _IGNORED.match(line):
            continue
        elif edge is not None:
            found.edges.append(_Edge(edge[1], edge[5], (edge[4] or "").strip(), place, edge[3]))
            _nodes(open_groups, ((edge[1], edge[2]), (edge[5], edge[6])), place)
        elif spoken is not None:
            found.edges.append(_Edge(spoken[1], spoken[4], spoken[3].strip(), place))
            _nodes(open_groups, ((spoken[1], spoken[2]), (spoken[4], spoken[5])), place)
        elif node is not None and open_groups:
            _nodes(open_groups, ((node[1], node[2]),), place)
        else:
            found.strange.append((line, place))
    return found


def _nodes(groups: list[_Group], nodes: "tuple[tuple[str, str | None], ...]", line: int) -> None:
    for key, name in nodes:
        if groups and name and not any(key in group.nodes for group in groups):
            groups[-1].nodes[key] = (name.strip(), line)


def read(tree: Tree, draft: Draft) -> None:
    """Everything that functions stand on. Strategies come first, so that a component of a diagram is recognised as one that has one."""
    for section in tree.sections:
        for table in section.tables:
            places = columns(table, _STRATEGY)
            if {"name", "strategy"} <= places.keys() and {"rto", "rpo"} & places.keys():
                _strategy_table(table, places, section, draft)
            else:
                _resource_table(table, section, draft)
        _strategy_section(section, draft)
    for section in tree.sections:
        for leaf in section.open_leaves():
            if leaf.kind == "fence" and leaf.info.startswith("mermaid") and re.match(r"\s*(?:graph|flowchart)\b", leaf.text):
                _architecture(leaf, section, draft)
        _spoken_regions(section, draft)


def _spoken_regions(section: Section, draft: Draft) -> None:
    """`Primary region: eu-west-1` and `DR site: Leeds`, as labels."""
    for leaf in labelled(section):
        role = (
            _role(leaf.label)
            if says(leaf.label, "region", "site", "data centre", "data center", "datacenter", "location", "facility")
            else None
        )
        if role is None or not leaf.value:
            continue
        code = _REGION.search(leaf.value)
        identifier = next(group for group in code.groups() if group) if code else slug(leaf.value.split(",")[0].split("(")[0])
        _region(draft, identifier, role, leaf.value, leaf.line)
        leaf.claim()


def _role(text: str) -> str | None:
    if says(text, "dr", "standby", "secondary", "recovery", "alternate", "backup", "failover"):
        return "dr"
    return "primary" if says(text, "primary", "main", "production", "home") else None


def _region(draft: Draft, identifier: str, role: str, name: str, line: int) -> str:
    regions = draft.section("regions")
    if identifier not in regions:
        regions[identifier] = {"role": Said(role, line)} | ({"name": Said(name, line)} if name != identifier else {})
    return identifier


def _architecture(leaf: Leaf, section: Section, draft: Draft) -> None:
    diagram = _diagram(leaf)
    places: dict[str, tuple[str, str]] = {}
    watching: dict[str, str] = {}
    named: dict[str, tuple[str, int]] = {}
    for group in diagram.groups:
        role = _role(group.title)
        found = _REGION.search(group.title)
        if role is not None and not says(group.title, "monitoring", "control"):
            identifier = next(text for text in found.groups() if text) if found else slug(group.title)
            region = _region(draft, identifier, role, re.sub(r"\s*\([^()]*\)", "", group.title), group.line)
            for key, (name, line) in group.nodes.items():
                places[key], named[key] = (region, role), (name, line)
        elif says(group.title, "monitoring", "control", "management", "observability"):
            for key, (name, line) in group.nodes.items():
                identifier, entry = draft.entry("monitoring", name)
                entry["name"], watching[key] = Said(name, line), identifier
        else:
            draft.notes += [Left(f"{group.title}: {name}", section.path, line) for name, line in group.nodes.values()]
    components = _components(draft, places, named, diagram, section)
    for edge in diagram.edges:
        ends = (edge.source, edge.target)
        if all(end in watching for end in ends):
            feeds: list[Said] = draft.section("monitoring")[watching[edge.source]].setdefault("feeds", [])
            feeds.append(Said(watching[edge.target], edge.line))
        elif all(end in components for end in ends) and places[edge.source][0] != places[edge.target][0]:
            _link(draft, components[edge.source], places[edge.source], places[edge.target], edge)
        else:
            draft.notes.append(Left(f"{edge.source} {edge.arrow} {edge.target} {edge.text}".strip(), section.path, edge.line))
    draft.notes += [Left(text, section.path, line) for text, line in diagram.strange]
    leaf.claim()


def _components(
    draft: Draft, places: dict[str, tuple[str, str]], named: dict[str, tuple[str, int]], diagram: _Diagram, section: Section
) -> dict[str, str]:
    """Which component each node is: the primary's make them, the others are joined by links or by kind."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key, (_, role) in places.items():
        if role == "primary":
            found[key] = component_for(draft, *named[key])
            if found[key] in taken:  # two nodes of one region are two components, of one kind though they be
                found[key] = _new_component(draft, *named[key])
            taken.add(found[key])
    for edge in diagram.edges:
        if edge.source in found and edge.target in places and edge.target not in found:
            found[edge.target] = found[edge.source]
    for key in places:
        if key not in found:
            found[key] = component_for(draft, *named[key])
    for key, component in found.items():
        entry = draft.section("components")[component]
        names: Entry = entry.setdefault("settings", {}).setdefault("stands_as", {})
        (name, line), region = named[key], places[key][0]
        if region in names:
            draft.notes.append(Left(f"components.{component} in {region}: {name}", section.path, line))
            continue
        called = entry.get("name")
        same = called is not None and slug(str(called.value)) == slug(name)
        names[region] = Said(name, line, "" if same else "taken for this component by its kind or its link")
    return found


def component_for(draft: Draft, name: str, line: int) -> str:
    """The component of this name, else the one of the kind that it says, made where there is none. Where several are, a new one."""
    known = draft.named("components", name)
    if known is not None:
        return known
    kind = kind_of(name)
    same = draft.of_kind(kind) if kind is not None else []
    if len(same) == 1:
        return same[0]
    return _new_component(draft, name, line)


def _described(draft: Draft, name: str, line: int) -> str:
    """The component that a strategy is for: that of its name, else the one of its kind that has no strategy yet, else a new one."""
    known = draft.named("components", name)
    found = known or component_for(draft, name, line)
    return _new_component(draft, name, line) if known is None and "primary_strategy" in draft.section("components")[found] else found


def _new_component(draft: Draft, name: str, line: int, technology: str = "") -> str:
    """`technology`: what says of which kind it is, where more than its name does."""
    kind = kind_said(technology, name)
    identifier, entry = draft.component(name, kind.value, line)
    if kind.value is None:
        draft.ask(f"components.{identifier}.kind", technology or name, kind, line)
    elif kind.concluded:
        entry["kind"] = Said(kind.value, line, kind.concluded)
    entry["name"] = Said(name, line)
    return identifier


def _link(draft: Draft, component: str, source: tuple[str, str], target: tuple[str, str], edge: _Edge) -> None:
    """A link between two regions, each given with its role."""
    concluded = ""
    if not edge.arrow.endswith(">"):
        concluded = "the line has no arrow, and data goes from the primary region"
        source, target = (target, source) if target[1] == "primary" else (source, target)
    links, line = draft.section("replication_links"), edge.line
    name = unique(f"{component}-to-{target[0]}", links)
    how = next((how for how, pattern in _HOW if re.search(pattern, edge.text, re.I)), None)
    entry: Entry = {"component": Said(component, line), "from": Said(source[0], line, concluded), "to": Said(target[0], line, concluded)}
    if how is not None:
        entry["how"] = Said(how, line)
    else:
        unclear = Reading(None, "it doesn't say how data is copied", tuple(how for how, _ in _HOW))
        draft.ask(f"replication_links.{name}.how", edge.text or "an arrow without words", unclear, line)
    links[name] = entry
    if how == "periodic":
        draft.read(entry, "every", _time_between(edge.text), edge.text, line, f"replication_links.{name}")


def _time_between(text: str) -> Reading:
    """How often data is copied, as a length of time: a link knows no words for it."""
    often = frequency(text)
    if often.value == "continuous":
        return Reading(None, "it is periodic and continuous at once")
    return replace(often, value=FREQUENCIES.get(often.value, often.value)) if often.value is not None else often


def _strategy_table(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    for row in named_rows(table, places, section, draft):
        identifier = _described(draft, row.name, row.line)
        entry = draft.section("components")[identifier]
        about = f"components.{identifier}"
        for key, column in (("primary_strategy", "strategy"), ("backup_strategy", "backup")):
            row.say(draft, entry, key, about, column)
        _promises(row, draft, entry, about)


def _resource_table(table: Table, section: Section, draft: Draft) -> None:
    """A table of technical things with an RTO or RPO and no strategy, as contingency plans list them: each row a component of its own."""
    places = resource_places(table, section)
    if places is None or not {"rto", "rpo"} & places.keys():
        return
    for row in named_rows(table, places, section, draft):
        technology = row.cell("kind")
        identifier = draft.named("components", row.name) or _new_component(draft, row.name, row.line, technology)
        if technology and (kind_of(technology) is None or len(technology.split()) > 1):
            draft.notes.append(Left(f"{row.name}: {row.table.headers[places['kind']]}: {technology}", section.path, row.line))
        _promises(row, draft, draft.section("components")[identifier], f"components.{identifier}")


def _promises(row: Row, draft: Draft, entry: Entry, about: str) -> None:
    """Write the RTO and RPO of a component's row. The first is asked about where the document says that there is none."""
    for key, reading, text in promised_in_row(row):
        if key == "rto" and reading.clear and reading.value is None and re.search(r"\w", text):
            draft.ask(f"{about}.rto", text, _NEEDED, row.line)
        elif key != "mtpd":  # a component has none; the column's other promises are its own
            draft.read(entry, key, reading, text, row.line, about)


def _strategy_section(section: Section, draft: Draft) -> None:
    """A heading a component, with its strategies under it."""
    leaves = labelled(section)
    if not any(says(leaf.label, "strategy", "recovery method", "recovery approach") for leaf in leaves):
        return
    name = re.sub(r"\b(?:recovery|restoration|strategy|strategies)\b", "", section.name, flags=re.I).strip(" -–:") or section.name
    identifier = _described(draft, name, section.line)
    entry = draft.section("components")[identifier]
    about = f"components.{identifier}"
    for leaf in leaves:
        if says(leaf.label, "backup*", "secondary*", "alternat*", "fallback*"):
            draft.put(entry, "backup_strategy", leaf.value, leaf.line, about)
        elif says(leaf.label, "strategy", "recovery method", "recovery approach"):
            draft.put(entry, "primary_strategy", leaf.value, leaf.line, about)
        elif says(leaf.label, *RTO):
            draft.read(entry, "rto", duration(leaf.value), leaf.value, leaf.line, about)
        elif says(leaf.label, *RPO):
            draft.read(entry, "rpo", duration(leaf.value), leaf.value, leaf.line, about)
        else:
            continue
        leaf.claim()
