"""What a plan names must exist: people, roles, components, messages, functions, and exactly one region of each role.

It looks at the values as they were read, not at the typed plan, so that all problems of a file come out in one run: what has
the wrong shape is passed over here, since the types complain of it. Steps are looked at in `steps`.
"""

import graphlib
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.plan.document import Document
from holdfast.plan.problems import Place, Problem, did_you_mean, shown
from holdfast.plan.texts import faults
from holdfast.plan.wordlists import CHANNELS, MESSAGE_FIELDS


@dataclass(slots=True)
class Findings:
    """Collects problems of one document by the place of the value or of its key."""

    document: Document
    path: str
    problems: list[Problem] = field(default_factory=list)

    def at(self, place: Place, message: str, value: Any = None, hint: str | None = None) -> None:
        """A problem with the value at `place`."""
        position = self.document.positions.nearest(place)
        self.problems.append(Problem(self.path, position.line, position.column, message, None if value is None else shown(value), hint))

    def at_key(self, place: Place, message: str, value: Any = None, hint: str | None = None) -> None:
        """A problem with the key at `place`."""
        position = self.document.positions.key(place)
        self.problems.append(Problem(self.path, position.line, position.column, message, None if value is None else shown(value), hint))


def entries(data: Any, section: str) -> dict[str, dict[str, Any]]:
    """The mappings of a section by name; what isn't one is left out."""
    found = data.get(section) if isinstance(data, dict) else None
    return {name: value for name, value in found.items() if isinstance(value, dict)} if isinstance(found, dict) else {}


def names(data: Any, section: str) -> frozenset[str]:
    """The names in a section, whatever they stand for."""
    found = data.get(section) if isinstance(data, dict) else None
    return frozenset(found) if isinstance(found, dict) else frozenset()


def items(value: Any) -> Iterator[tuple[int, Any]]:
    """Items of a list with their index; nothing for anything else."""
    return enumerate(value) if isinstance(value, list) else iter(())


def check_references(findings: Findings) -> None:
    """Everything that is named outside of scenarios."""
    data = findings.document.data
    _regions(findings, data)
    _timezone(findings, data)
    functions, components, roles, people = (names(data, section) for section in ("functions", "components", "roles", "people"))
    audiences = names(data, "audiences")
    for name, function in entries(data, "functions").items():
        _each(findings, ("functions", name, "stands_on"), function.get("stands_on"), components, "component")
    for name, component in entries(data, "components").items():
        _each(findings, ("components", name, "needs"), component.get("needs"), components, "component")
    _need_cycles(findings, entries(data, "components"))
    for name, role in entries(data, "roles").items():
        for key in ("primary", "backup"):
            _one(findings, ("roles", name, key), role.get(key), people, "person")
        _each(findings, ("roles", name, "stand_ins"), role.get("stand_ins"), people, "person")
    for name, audience in entries(data, "audiences").items():
        _each(findings, ("audiences", name, "people"), audience.get("people"), people, "person")
        _each(findings, ("audiences", name, "roles"), audience.get("roles"), roles, "role")
        if name in roles:
            findings.at_key(("audiences", name), "this audience has the name of a role", name, "rename it: a message could mean either")
    for name, rule in entries(data, "approval").items():
        _each(findings, ("approval", name, "of"), rule.get("of"), roles, "role")
    _messages(findings, data, roles | audiences, functions)
    notice = data.get("zone_notice") if isinstance(data, dict) else None
    if isinstance(notice, dict):
        _each(findings, ("zone_notice", "audience"), notice.get("audience"), roles | audiences, "role or audience")
        _channels(findings, ("zone_notice",), notice.get("channels"))
    _zones(findings, data)
    _observers(findings, data)
    _scenarios(findings, data, components)


def _scenarios(findings: Findings, data: Any, components: frozenset[str]) -> None:
    """What triggers and exercises name; steps are looked at elsewhere."""
    for name, scenario in entries(data, "scenarios").items():
        for index, trigger in items(scenario.get("triggers")):
            if isinstance(trigger, dict):
                _one(findings, ("scenarios", name, "triggers", index, "component"), trigger.get("component"), components, "component")
    for name, exercise in entries(data, "exercises").items():
        _one(findings, ("exercises", name, "scenario"), exercise.get("scenario"), names(data, "scenarios"), "scenario")
        _each(findings, ("exercises", name, "components"), exercise.get("components"), components, "component")


def _one(findings: Findings, place: Place, value: Any, known: frozenset[str], what: str) -> None:
    if isinstance(value, str) and value not in known:
        findings.at(place, f"the plan has no {what} of this name", value, did_you_mean(value, known))


def _each(findings: Findings, place: Place, value: Any, known: Iterable[str], what: str) -> None:
    known = frozenset(known)
    for index, item in items(value):
        _one(findings, (*place, index), item, known, what)


def _regions(findings: Findings, data: Any) -> None:
    regions = entries(data, "regions")
    for role in ("primary", "dr"):
        having = [name for name, region in regions.items() if region.get("role") == role]
        if not having and isinstance(data, dict) and "regions" in data:
            findings.at_key(("regions",), f"no region has the role '{role}'", None, "exactly one is needed")
        for name in having[1:]:
            findings.at(
                ("regions", name, "role"), f"a second region has the role '{role}', besides '{having[0]}'", name, "exactly one is needed"
            )


def _timezone(findings: Findings, data: Any) -> None:
    zone = data.get("timezone") if isinstance(data, dict) else None
    if not isinstance(zone, str) or zone == "UTC":
        return
    try:
        zoneinfo.ZoneInfo(zone)
        return
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
    if known:  # a machine without a time zone database can judge nothing
        close = did_you_mean(zone, known)
        findings.at(("timezone",), "no time zone has this name", zone, close if close.startswith("did") else "such as Europe/Dublin")


def _observers(findings: Findings, data: Any) -> None:
    seen: set[Any] = set()
    for index, site in items(data.get("observers") if isinstance(data, dict) else None):
        if isinstance(site, str) and site in seen:
            findings.at(("observers", index), "this observer stands here a second time", site, "each has one vote; remove one")
        seen.add(site if isinstance(site, str) else None)


def _messages(findings: Findings, data: Any, audiences: frozenset[str], functions: frozenset[str]) -> None:
    for name, message in entries(data, "messages").items():
        place: Place = ("messages", name)
        _each(findings, (*place, "audience"), message.get("audience"), audiences, "role or audience")
        _each(findings, (*place, "functions"), message.get("functions"), functions, "function")
        _channels(findings, place, message.get("channels"))
        _texts(findings, place, message)
    for name, template in entries(data, "templates").items():
        _texts(findings, ("templates", name), template)


def _texts(findings: Findings, place: Place, holder: dict[str, Any]) -> None:
    """Subject, body and short form: fields that exist, and of Jinja only what a message may hold."""
    for key in ("subject", "body", "short"):
        text = holder.get(key)
        for said, word in faults(text) if isinstance(text, str) else ():
            hint = did_you_mean(word, MESSAGE_FIELDS) if word is not None and "field" in said else "docs/messages.md shows what it can hold"
            findings.at((*place, key), said, None if word is None else "{" + word + "}", hint)


def _channels(findings: Findings, place: Place, channels: Any) -> None:
    for index, channel in items(channels):
        if isinstance(channel, str) and channel not in CHANNELS:
            findings.at((*place, "channels", index), "unknown channel", channel, did_you_mean(channel, CHANNELS))


def _zones(findings: Findings, data: Any) -> None:
    regions = entries(data, "regions")
    seen: dict[str, str] = dict.fromkeys(regions, "a region")
    for name, region in regions.items():
        for index, zone in items(region.get("zones")):
            if isinstance(zone, str) and zone in seen:
                findings.at(
                    ("regions", name, "zones", index), f"{seen[zone]} has this name already", zone, "each place needs a name of its own"
                )
            elif isinstance(zone, str):
                seen[zone] = f"a zone of {name}"


def _need_cycles(findings: Findings, components: dict[str, dict[str, Any]]) -> None:
    needs = {name: {item for _, item in items(component.get("needs")) if isinstance(item, str)} for name, component in components.items()}
    for circle in circles(needs):
        findings.at(("components", circle[0], "needs"), "components need each other in a circle", " → ".join(circle), "break the circle")


def circles(edges: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Circles among names, each once, written with its first name again at its end. Names without edges of their own are ends."""
    remaining = {name: targets & edges.keys() for name, targets in edges.items()}
    while True:
        try:
            graphlib.TopologicalSorter(remaining).prepare()
        except graphlib.CycleError as error:
            found = list(reversed(error.args[1]))  # graphlib names predecessors first; here an edge points at what is needed
            first = min(found[:-1], key=list(edges).index)
            turn = found.index(first)
            circle = [*found[turn:-1], *found[:turn], first]
            yield circle
            remaining = {name: targets - set(circle) for name, targets in remaining.items() if name not in circle}
        else:
            return
