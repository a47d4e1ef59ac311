"""What must agree within a plan so that it means something: one region of each role, windows and turns that end after they start, time
zones that exist, texts with known fields, drills that say what they take away.

Never here: whether a promise can be kept (see `checks`), and what is named and missing (see `references`).
"""

import zoneinfo
from datetime import datetime
from functools import cache
from typing import Any

from holdfast.plan.findings import Findings, circles, entries, items, names, values_at
from holdfast.plan.places import place_of
from holdfast.plan.problems import Place, did_you_mean
from holdfast.plan.texts import faults
from holdfast.plan.values import OPEN, duration_seconds, read_frequency
from holdfast.plan.wordlists import CHANNELS, MESSAGE_FIELDS, WAR_ROOM_FIELDS, fields_of


def check_consistency(findings: Findings) -> None:
    """Everything but what is named."""
    data = findings.document.data
    _regions(findings, data)
    _zones(findings, data)
    _observers(findings, data)
    _time_zones(findings, data)
    _need_cycles(findings, data)
    _spans(findings, data)
    _takes(findings, data)
    _links(findings, data)
    _audiences(findings, data)
    _rotations(findings, data)
    _routes(findings, data)
    _messages(findings, data)
    _war_room(findings, data)
    _exercises(findings, data)
    _questions(findings, data)


def _regions(findings: Findings, data: Any) -> None:
    regions = entries(data, "regions")
    for role in ("primary", "dr"):
        having = [name for name, region in regions.items() if region.get("role") == role]
        if not having and isinstance(data, dict) and "regions" in data:
            findings.at_key(("regions",), f"no region has the role '{role}'", None, "exactly one is needed")
        for name in having[1:]:
            message = f"a second region has the role '{role}', besides '{having[0]}'"
            findings.at(("regions", name, "role"), message, name, "exactly one is needed")


def _zones(findings: Findings, data: Any) -> None:
    regions = entries(data, "regions")
    seen: dict[str, str] = dict.fromkeys(regions, "a region")
    for name, region in regions.items():
        for index, zone in items(region.get("zones")):
            if isinstance(zone, str) and zone in seen:
                place = ("regions", name, "zones", index)
                findings.at(place, f"{seen[zone]} has this name already", zone, "each place needs a name of its own")
            elif isinstance(zone, str):
                seen[zone] = f"a zone of {name}"


def _observers(findings: Findings, data: Any) -> None:
    seen: set[Any] = set()
    for index, site in items(data.get("observers") if isinstance(data, dict) else None):
        if isinstance(site, str) and site in seen:
            findings.at(("observers", index), "this observer stands here a second time", site, "each has one vote; remove one")
        seen.add(site if isinstance(site, str) else None)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _time_zones(findings: Findings, data: Any) -> None:
    for pattern in ("timezone", "people.*.timezone", "rotations.*.timezone"):
        for place, zone in values_at(data, tuple(pattern.split("."))):
            # A machine without a time zone database can judge nothing.
            if not isinstance(zone, str) or zone == "UTC" or not _known_zones() or zone in _known_zones():
                continue
            close = did_you_mean(zone, _known_zones())
            findings.at(place, "no time zone has this name", zone, close if close.startswith("did") else "such as Europe/Dublin")


def _need_cycles(findings: Findings, data: Any) -> None:
    components = entries(data, "components")
    needs = {name: {item for _, item in items(component.get("needs")) if isinstance(item, str)} for name, component in components.items()}
    for circle in circles(needs):
        findings.at(("components", circle[0], "needs"), "components need each other in a circle", " → ".join(circle), "break the circle")


def _seconds(value: Any) -> float | None:
    """A duration as read, or None where the types complain of it already."""
    if value == OPEN:
        return float("inf")
    try:
        return duration_seconds(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _spans(findings: Findings, data: Any) -> None:
    """Windows of phases and financial tiers: each ends after it starts."""
    for run in ("phases", "reprotect", "way_back"):
        for place, window in values_at(data, ("scenarios", "*", run, "*", "window")):
            if isinstance(window, list) and len(window) == 2:
                _ends_later(findings, (*place, 1), window[0], window[1], "this window")
    for index, tier in items(data.get("financial_tiers") if isinstance(data, dict) else None):
        if isinstance(tier, dict):
            _ends_later(findings, ("financial_tiers", index, "to"), tier.get("from"), tier.get("to"), "this tier")


def _ends_later(findings: Findings, place: Place, start: Any, end: Any, what: str) -> None:
    begins, ends = _seconds(start), _seconds(end)
    if begins is not None and ends is not None and ends <= begins:
        findings.at(place, f"{what} ends at {end}, not after its start at {start}", end, "write [start, end], counted from the start")


def _takes(findings: Findings, data: Any) -> None:
    for run in ("phases", "reprotect", "way_back"):
        for inner in ((), ("other_way", "steps", "*")):
            for place, takes in values_at(data, ("scenarios", "*", run, "*", "steps", "*", *inner, "takes")):
                seconds = [_seconds(value) for _, value in items(takes)]
                known = [value for value in seconds if value is not None]
                if len(known) == len(seconds) and known != sorted(known):
                    said = "a step can't take less than its shortest time or more than its longest"
                    findings.at(place, said, None, "write [shortest, usual, longest]")


def _links(findings: Findings, data: Any) -> None:
    for name, link in entries(data, "replication_links").items():
        place: Place = ("replication_links", name)
        if link.get("how") == "periodic" and "every" not in link:
            findings.at(place, "the link copies now and then, and doesn't say how often", name, "add 'every', such as 'every: 15m'")
        if isinstance(link.get("from"), str) and link.get("from") == link.get("to"):
            findings.at((*place, "to"), "the link leads back to where it starts", link["to"], "name the other region")


def _audiences(findings: Findings, data: Any) -> None:
    roles = names(data, "roles")
    for name in names(data, "audiences") & roles:
        findings.at_key(("audiences", name), "this audience has the name of a role", name, "rename it: a message could mean either")


def _rotations(findings: Findings, data: Any) -> None:
    for name, rotation in entries(data, "rotations").items():
        try:
            if read_frequency(rotation.get("every")) <= 0:
                findings.at(("rotations", name, "every"), "nobody takes turns in no time at all", rotation["every"], "such as weekly")
        except ValueError:
            pass  # the types say so
        for index, override in items(rotation.get("overrides")):
            if not isinstance(override, dict):
                continue
            start, end = _moment(override.get("from")), _moment(override.get("to"))
            if start is not None and end is not None and end <= start:
                place: Place = ("rotations", name, "overrides", index, "to")
                findings.at(place, f"this ends not after its start at {override['from']}", override["to"], "write a later moment")


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo is None else None


READ_OUTSIDE = ("status-page", "in-app", "webhook")
"""Channels whose readers are not named one by one."""


def _routes(findings: Findings, data: Any) -> None:
    for name in names(data, "routes"):
        if name not in CHANNELS:
            findings.at_key(("routes", name), "unknown channel", name, did_you_mean(name, CHANNELS))
    for name, route in entries(data, "routes").items():
        if route.get("second_channel") == name:
            findings.at(("routes", name, "second_channel"), "a channel can't stand in for itself", name, "name another channel")
        elif route.get("second_channel") in READ_OUTSIDE and name not in READ_OUTSIDE:
            said = "customers and partners read it: it can't stand in for a channel of the company's own people"
            findings.at(
                ("routes", name, "second_channel"), said, str(route["second_channel"]), "name a channel that reaches the same people"
            )


def _messages(findings: Findings, data: Any) -> None:
    for name, message in entries(data, "messages").items():
        _texts(findings, ("messages", name), message)
        missing = [key for key in ("subject", "body") if not message.get(key)]
        # What a message must contain, in the plan's words, is sent as it stands where nobody wrote it out.
        if "template" not in message and len(missing) == 2:
            _texts(findings, ("messages", name), message, ("content",))
        if "template" not in message and missing and not (len(missing) == 2 and message.get("content")):
            said = f"the message has no {' and no '.join(missing)}, and no template that gives it one"
            findings.at(("messages", name), said, name, "write it, or name a template of the plan")
    for name, template in entries(data, "templates").items():
        _texts(findings, ("templates", name), template)


def _texts(findings: Findings, place: Place, holder: dict[str, Any], keys: tuple[str, ...] = ("subject", "body", "short")) -> None:
    """What is sent, such as subject, body and short form: fields that exist, and of Jinja only what a message may hold."""
    for key in keys:
        text = holder.get(key)
        for said, word in faults(text) if isinstance(text, str) else ():
            hint = did_you_mean(word, MESSAGE_FIELDS) if word is not None and "field" in said else "docs/messages.md shows what it can hold"
            findings.at((*place, key), said, None if word is None else "{" + word + "}", hint)


def _war_room(findings: Findings, data: Any) -> None:
    name = data.get("war_room") if isinstance(data, dict) else None
    for word in fields_of(name) if isinstance(name, str) else ():
        if word not in WAR_ROOM_FIELDS:
            findings.at(("war_room",), "unknown field in the channel's name", "{" + word + "}", did_you_mean(word, WAR_ROOM_FIELDS))


def _exercises(findings: Findings, data: Any) -> None:
    for name, exercise in entries(data, "exercises").items():
        place: Place = ("exercises", name)
        kind, scenario, taken = exercise.get("kind", "drill"), exercise.get("scenario"), exercise.get("takes_away")
        if kind == "drill" and (scenario is None) != (taken is None):
            missing = "takes_away" if taken is None else "scenario"
            said = f"a drill names its scenario and what it takes away, or neither; '{missing}' is missing"
            findings.at(place, said, name, f"add '{missing}'")
        elif kind in ("verification", "tabletop") and taken is not None:
            said = f"an exercise of kind '{kind}' takes nothing away"
            findings.at((*place, "takes_away"), said, taken, "remove it, or make it a drill")


def _questions(findings: Findings, data: Any) -> None:
    for section in ("questions", "not_applicable"):
        for index, entry in items(data.get(section) if isinstance(data, dict) else None):
            about = entry.get("about") if isinstance(entry, dict) else None
            if isinstance(about, str) and place_of(about, data) is None:
                findings.at((section, index, "about"), "the plan has no such place", about, "write it as in 'exercises.tabletop.every'")
