"""Regions, components, replication links and monitoring from Mermaid diagrams; recovery strategies from sections and tables."""

import re
from dataclasses import dataclass, field

from holdfast.document.reading.columns import cell, columns, labelled
from holdfast.document.reading.draft import Draft, Entry, Said, slug, unique
from holdfast.document.reading.quantities import absent, duration, unit_of_heading
from holdfast.document.reading.things.impact import RPO, RTO
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, says

KINDS = (
    ("dns", ("dns", "name server*", "domain")),
    ("loadbalancer", ("load balancer*", "loadbalancer*", "reverse proxy", "ingress")),
    ("redis", ("redis", "cache*", "memcached")),
    ("bucket", ("bucket*", "object storage", "s3", "blob*", "file storage", "storage", "files", "documents", "file server", "nas")),
    ("postgres", ("postgres*", "database*", "sql", "db", "replica", "rds", "aurora")),
    ("application", ("application*", "app", "cluster*", "kubernetes", "web*", "server*", "service*", "api")),
    ("network", ("network*", "connectivity", "vpn", "wan", "internet")),
)
_REGION = re.compile(r"\(([a-z]{2}(?:-[a-z]+)+-\d[a-z]?)\)|\b([a-z]{2}-[a-z]+-\d)\b")
_STRATEGY = {
    "backup": ("backup strategy", "secondary strategy", "alternate strategy", "fallback", "backup method", "alternative"),
    "strategy": ("primary strategy", "recovery strategy", "strategy", "recovery method", "approach", "how"),
    "rto": RTO,
    "rpo": RPO,
    "name": ("component", "system", "asset", "resource", "service", "technology", "application"),
}
_HOW = (
    ("synchronous", r"(?<!a)\bsync(?:hronous)?\b"),
    ("continuous", r"continuous|streaming"),
    ("asynchronous", r"\basync"),
    ("cross-region", r"cross[- ]region"),
    ("periodic", r"periodic|snapshot|nightly|daily|hourly"),
)


def kind_of(name: str) -> str | None:
    """The kind of component that words name; None where they name none."""
    return next((kind for kind, words in KINDS if says(name, *words)), None)


@dataclass(slots=True)
class _Group:
    title: str
    line: int
    nodes: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Diagram:
    groups: list[_Group] = field(default_factory=list)
    edges: list[tuple[str, str, str, int]] = field(default_factory=list)
    strange: list[tuple[str, int]] = field(default_factory=list)


_GROUP = re.compile(r"^subgraph\s+(?:[\w-]+\s*\[\s*)?\"?([^\"\]]+)\"?\]?\s*$")
_NODE = r"([A-Za-z][\w-]*)\s*(?:(?:\[\(?|\(+|\{+|>)\s*\"?([^\"\[\](){}]*)\"?\s*(?:\)?\]|\)+|\}+))?"
_NODE_LINE = re.compile(rf"^{_NODE}\s*;?$")
_EDGE = re.compile(rf"^{_NODE}\s*(?:--+>|--+|-\.+->|==+>)\s*(?:\|\s*\"?([^|\"]*)\"?\s*\|)?\s*{_NODE}\s*;?$")
_EDGE_TEXT = re.compile(rf"^{_NODE}\s*--\s*([^->|]+?)\s*-->\s*{_NODE}\s*;?$")
_IGNORED = re.compile(r"^(?:graph|flowchart|direction|classDef|class|style|linkStyle|%%|end\b|click)|^$")


def _diagram(leaf: Leaf) -> _Diagram:
    """Groups, their nodes, and edges of a Mermaid flowchart."""
    found = _Diagram()
    open_groups: list[_Group] = []
    for number, raw in enumerate(leaf.text.split("\n")):
        line, place = raw.strip()[:1000], leaf.line + number
        group = _GROUP.match(line)
        edge = _EDGE.match(line) or None
        spoken = _EDGE_TEXT.match(line) if edge is None else None
        node = _NODE_LINE.match(line)
        if group is not None:
            open_groups.append(_Group(group[1].strip(), place))
            found.groups.append(open_groups[-1])
        elif line == "end" and open_groups:
            open_groups.pop()
        elif _IGNORED.match(line):
            continue
        elif edge is not None:
            found.edges.append((edge[1], edge[4], (edge[3] or "").strip(), place))
            _nodes(open_groups, ((edge[1], edge[2]), (edge[4], edge[5])), place)
        elif spoken is not None:
            found.edges.append((spoken[1], spoken[4], spoken[3].strip(), place))
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
                _strategy_table(table, places, draft)
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
    from holdfast.document.reading.draft import Left

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
    components = _components(draft, places, named, diagram)
    for source, target, text, line in diagram.edges:
        if source in watching and target in watching:
            feeds: list[Said] = draft.section("monitoring")[watching[source]].setdefault("feeds", [])
            feeds.append(Said(watching[target], line))
        elif source in components and target in components and places[source][0] != places[target][0]:
            _link(draft, components[source], places[source][0], places[target][0], text, line)
        else:
            draft.notes.append(Left(f"{source} --> {target} {text}".strip(), section.path, line))
    draft.notes += [Left(text, section.path, line) for text, line in diagram.strange]
    leaf.claim()


def _components(draft: Draft, places: dict[str, tuple[str, str]], named: dict[str, tuple[str, int]], diagram: _Diagram) -> dict[str, str]:
    """Which component each node is: the primary's make them, the others are joined by links or by kind."""
    found: dict[str, str] = {}
    for key, (_, role) in places.items():
        if role == "primary":
            found[key] = component_for(draft, *named[key])
    for source, target, _, _ in diagram.edges:
        if source in found and target in places and target not in found:
            found[target] = found[source]
    for key in places:
        if key not in found:
            kind = kind_of(named[key][0])
            same = [name for name, entry in draft.section("components").items() if kind and entry["kind"].value == kind]
            found[key] = same[0] if len(same) == 1 else component_for(draft, *named[key])
    for key, component in found.items():
        names: Entry = draft.section("components")[component].setdefault("settings", {}).setdefault("stands_as", {})
        names.setdefault(places[key][0], Said(*named[key]))
    return found


def component_for(draft: Draft, name: str, line: int) -> str:
    """The one component of the kind that a name says, made where there is none. A second of a kind needs the same name."""
    known = draft.named("components", name)
    if known is not None:
        return known
    kind = kind_of(name)
    same = [
        identifier
        for identifier, entry in draft.section("components").items()
        if kind and entry.get("kind") and entry["kind"].value == kind
    ]
    if len(same) == 1:
        return str(same[0])
    identifier, entry = draft.entry("components", name)
    if kind is not None:
        entry["kind"] = Said(kind, line)
    else:
        from holdfast.document.reading.quantities import Reading

        draft.ask(
            f"components.{identifier}.kind",
            name,
            Reading(None, "its words name no kind of component", tuple(kind for kind, _ in KINDS)),
            line,
        )
        entry["kind"] = Said(None, line)
    entry["name"] = Said(name, line)
    return identifier


def _link(draft: Draft, component: str, source: str, target: str, text: str, line: int) -> None:
    links = draft.section("replication_links")
    how = next((how for how, pattern in _HOW if re.search(pattern, text, re.I)), None)
    entry: Entry = {"component": Said(component, line), "from": Said(source, line), "to": Said(target, line)}
    if how is not None:
        entry["how"] = Said(how, line)
    else:
        from holdfast.document.reading.quantities import Reading

        draft.ask(
            "replication_links.how",
            text or "an arrow without words",
            Reading(None, "it doesn't say how data is copied", tuple(how for how, _ in _HOW)),
            line,
        )
    links[unique(f"{component}-to-{target}", links)] = entry


def _strategy_table(table: Table, places: dict[str, int], draft: Draft) -> None:
    for row in table.rows:
        name = cell(row, places, "name")
        if row.claimed or not name:
            continue
        entry = draft.section("components")[component_for(draft, name, row.line)]
        identifier = component_for(draft, name, row.line)
        about = f"components.{identifier}"
        for key, column in (("primary_strategy", "strategy"), ("backup_strategy", "backup")):
            if not absent(cell(row, places, column)):
                draft.put(entry, key, cell(row, places, column), row.line, about)
        for key in ("rto", "rpo"):
            if key in places:
                text = cell(row, places, key)
                draft.read(entry, key, duration(text, unit_of_heading(table.headers[places[key]])), text, row.line, about)
        row.claim()


def _strategy_section(section: Section, draft: Draft) -> None:
    """A heading a component, with its strategies under it."""
    leaves = labelled(section)
    if not any(says(leaf.label, "strategy", "recovery method", "recovery approach") for leaf in leaves):
        return
    name = re.sub(r"\b(?:recovery|restoration|strategy|strategies)\b", "", section.name, flags=re.I).strip(" -–:") or section.name
    identifier = component_for(draft, name, section.line)
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
