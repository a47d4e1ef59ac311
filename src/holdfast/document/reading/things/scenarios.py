"""Scenarios: triggers, phases with their windows, steps, rollback. In sections of their own, or as the phases of one plan (NIST's way)."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from holdfast.document.reading.draft import Draft, Entry, Said, leaf_list, slug, unique
from holdfast.document.reading.quantities import Reading, window
from holdfast.document.reading.things.cast import Cast, cast_of
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.things.step_tables import steps_of_table
from holdfast.document.reading.things.steps import steps_of
from holdfast.document.reading.tree import Leaf, Section, Tree, normal, says, sentences

_TRIGGER = (
    "trigger*",
    "activation criteria",
    "declared when",
    "conditions",
    "declare*",
    "indicators of",
    "activated when",
    "activated if",
    "invoked when",
    "invoked if",
)
_RESPONSE = ("response*", "procedure*", "steps", "actions", "phases", "recovery", "what we do", "activation", "notification")
_ROLLBACK = ("rollback", "roll back", "failback", "return to normal", "way back", "deactivation", "return to *")
_WAY_BACK = ("reconstitution",)
"""What is done once all runs again elsewhere: a run of its own, and no turning back."""
_RETURN = frozenset({"return", "going back", "going home", "way home", "returning", "returning home", "going back home"})
"""Whole headings: in longer ones these words can mean anything."""
_NOT_HERE = (
    "exercise*",
    "test*",
    "review*",
    "communicat*",
    "role*",
    "document*",
    "appendix",
    "appendices",
    "improvement",
    "strateg*",
    "analysis",
    "contact*",
    "team",
)
_PREFIX = re.compile(r"^\s*(?:scenario|incident type|situation|playbook|runbook)\s*[\w.]{0,4}\s*[:–—-]\s*", re.I)
_NUMBER = re.compile(r"^\s*(?:\d{1,3}(?:\.\d{1,3})*[.):]|\d{1,3}(?:\.\d{1,3})+)\s+")
_WHEN = re.compile(
    r"(?:(?:(?:this is )?(?:what|how) (?:do )?(?:we|you|they|to)|actions?|steps?|procedures?|response|responding|our response)\b[\w ,']{0,40}?\s)?"
    r"(?:when(?:ever)?|if|in case(?: of)?|in the (?:event|case) (?:of|that)|should)\s+(?P<event>(?:\S+\s+){1,14}?\S+)",
    re.I,
)
"""A heading of what is done when something happens; what happens is said in two words or more."""
_UNFINISHED = re.compile(
    r"(?:(?:this is )?(?:what|how|actions?|steps?|procedures?|response|our response)\b[\w ,']{0,40}?\s)?"
    r"(?:when(?:ever)?|if|in case(?: of)?|in the (?:event|case)(?: of| that)?)\s*(?:\.{2,4}|…|:|[-–—])?",
    re.I,
)
"""A heading that the headings below it end: `What we do if …`."""
_LOST = re.compile(
    r"^(?:the )?(?:loss|failure|outage|absence|theft|lack) of\b"
    r"|\b(?:is |are |goes |has )?(?:lost|fails?|failed|failure|outage|down|offline|unavailable|unreachable|fire|flood(?:ed|s)?|strikes?|breach|attack|stolen)$",
    re.I,
)
"""A heading that can be what has happened."""
_TAIL = re.compile(r"\s*\(([^()]*)\)\s*:?\s*$")
_COUNTS = {"one": 1, "a single": 1, "two": 2, "three": 3, "four": 4}
_MORE_THAN_ONE = ("multiple", "several", "many", "more than one")
_ZONES = re.compile(
    rf"\b({'|'.join((*_COUNTS, *_MORE_THAN_ONE))}|[1-9]\d?) (?:or more )?(?:of (?:the |our )?)?(?:[a-z]{{1,20}} ){{0,2}}(?:azs?|zones?)\b"
)
_BELOW = re.compile(
    r"(?:<|below|under|less than)\s*(\d{1,9}(?:\.\d{1,6})?)(?![\d.]*\s*(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b)"
)


_Direction = Literal["forward", "rollback", "way_back"]
"""Where steps lead: on with the response, back out of it, or home once all is well again."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every scenario's reading shares: the draft, who there is, and the signals that triggers have named so far."""

    draft: Draft
    cast: Cast
    signals: set[str] = field(default_factory=set)


def read(tree: Tree, draft: Draft) -> None:
    """Sections of scenarios first; where the document has none, its phases make one."""
    reader = _Reader(draft, cast_of(draft, tree))
    for section in tree.sections:
        if _is_scenario(section):
            _scenario(section, _PREFIX.sub("", _numberless(section)).strip(), reader)
    if not draft.section("scenarios"):
        _events(tree, reader)
        _phases_of_plan(tree, reader)
    if not draft.section("scenarios"):
        draft.data["scenarios"] = {}


def _is_scenario(section: Section) -> bool:
    if not section.title or section.level >= 7:
        return False
    if _PREFIX.match(section.name):
        return True
    parent = section.parent
    return bool(
        parent
        and parent.title
        and parent.says("scenario*", "playbooks", "runbooks")
        and not _PREFIX.match(parent.name)
        and (section.children or section.leaves)
    )


def _ends_heading_above(section: Section) -> bool:
    """Whether a heading says what happens in `What we do if …`, under which it stands."""
    above = section.parent
    return (
        above is not None
        and above.level < 7
        and _UNFINISHED.fullmatch(above.name) is not None
        and not above.within(*_NOT_HERE)
        and not section.says(*_TRIGGER, *_ROLLBACK, *_WAY_BACK)
    )


def _event_of(section: Section) -> str:
    """What has happened, where a heading says what is done then: `a depot is lost` of `What we do when a depot is lost`; else empty."""
    if _ends_heading_above(section):
        return section.name.strip(" :.,…")
    found = _WHEN.fullmatch(section.name) if 1 < section.level < 7 else None
    if found is None or section.says(*_TRIGGER, "plan", "activat*", "invok*") or section.within(*_NOT_HERE):
        return ""
    return found["event"].strip(" :.,")


def _does_something(section: Section) -> bool:
    """Whether steps stand in it, or below it."""
    return any(_steps_there(part) or part.tables for part in section.downward())


def _events(tree: Tree, reader: _Reader) -> None:
    """Headings of what is done when something happens: each is a scenario, since two things that happen are no phases of one."""
    taken: set[int] = set()
    besides: dict[int, bool] = {}
    for section in tree.sections:
        event = _event_of(section)
        sure = bool(event) and _ends_heading_above(section) and (section.open_leaves() or _does_something(section))
        if (
            event
            and not any(id(one) in taken for one in section.upward())
            and (sure or (_does_something(section) and not _is_branch(section, besides)))
        ):
            inner = [part for part in section.downward() if part is not section and _event_of(part) and _does_something(part)]
            if not inner:  # else the events within it are the scenarios
                taken.add(id(section))
                _scenario(section, event[0].upper() + event[1:], reader)


def _is_branch(section: Section, besides: dict[int, bool]) -> bool:
    """Whether it is a turn of what is done anyhow: it stands in a section of the response that does something besides.

    `besides`: sections that were looked at already, and whether they do.
    """
    parent = section.parent
    if parent is None or not parent.within(*_RESPONSE):
        return False
    if id(parent) not in besides:
        besides[id(parent)] = _steps_there(parent) or any(_does_something(one) and not _event_of(one) for one in parent.children)
    return besides[id(parent)]


def _numberless(section: Section) -> str:
    """The heading without a number that leads it, of which a count (`2 zones are lost`) is none."""
    return section.name if _PREFIX.match(section.name) else _NUMBER.sub("", section.title)


def _scenario(section: Section, name: str, reader: _Reader) -> None:
    """A section as a scenario of this name."""
    if reader.draft.named("scenarios", name) is not None:
        return
    _, entry = reader.draft.entry("scenarios", name)
    entry["name"] = Said(name, section.line)
    entry["triggers"] = []
    _lead(section, entry, reader)
    taken: set[str] = set()
    phases = _phases(section, reader, taken)
    if not phases and _ends_heading_above(section) and not _does_something(section):
        phases = _in_sentences(section, reader, taken)
    rollback: list[Said] = []
    way_back: list[Entry] = []
    directions: dict[int, _Direction] = {id(section): "forward"}
    _, *parts = section.downward()
    for part in parts:
        direction = _direction(part, directions)
        if direction == "way_back":
            way_back += _phases(part, reader, taken)
        elif direction == "rollback":
            rollback += leaf_list(part.open_leaves())
        elif part.says(*_TRIGGER):
            entry["triggers"] += [_trigger(leaf.claim_all(), reader) for leaf in part.open_leaves()]
        else:
            phases += _phases(part, reader, taken)
    entry |= {key: said for key, said in (("phases", phases), ("rollback", rollback), ("way_back", way_back)) if said}


def _direction(section: Section, directions: dict[int, _Direction]) -> _Direction:
    """Where a section's steps lead: by its heading, or else where those of the section that it stands in do.

    `directions`: of the sections ahead of it, by identity; its own is added.
    """
    found = directions.get(id(section.parent), "forward")
    if section.says(*_ROLLBACK) or (found == "forward" and section.says(*_RETURN) and normal(section.name) in _RETURN):
        found = "rollback"
    elif section.says(*_WAY_BACK):
        found = "way_back"
    directions[id(section)] = found
    return found


def _lead(section: Section, entry: Entry, reader: _Reader) -> None:
    """What stands right under the heading: triggers and severity as labels, or in a sentence."""
    for leaf in section.open_leaves():
        if says(leaf.label, *_TRIGGER):
            entry["triggers"] += [_trigger(child, reader) for child in leaf.children] or [_trigger(leaf, reader)]
            leaf.claim_all()
        elif says(leaf.label, "severity", "priority") and (found := priority(leaf.value)).value:
            entry["severity"] = Said(found.value, leaf.claim().line, found.concluded)


def _trigger(leaf: Leaf, reader: _Reader) -> Entry:
    text, line = leaf.value or leaf.text, leaf.line
    number = _BELOW.search(text)
    if says(text, "health", "score") and number is not None:
        return {"kind": Said("region-score", line), "below": Said(float(number[1]) if "." in number[1] else int(number[1]), line)}
    zones = _ZONES.search(normal(text))
    if zones is not None:
        count, why = _COUNTS.get(zones[1]), ""
        if zones[1] in _MORE_THAN_ONE:
            count, why = 2, f"'{zones[1]}' is at least 2"
        return {"kind": Said("zones-down", line), "count": Said(count or int(zones[1]), line, why)}
    if (
        says(text, "network", "connectivity")
        and says(text, "loss", "lost", "unreachable", "cut")
        and says(text, "region", "site", "data centre", "data center")
    ):
        return {"kind": Said("network-lost", line)}
    signal = unique("-".join(slug(text).split("-")[:6]), reader.signals)
    reader.signals.add(signal)
    return {"kind": Said("signal", line), "signal": Said(signal, line), "says": Said(text, line)}


def _phases(section: Section, reader: _Reader, taken: set[str]) -> list[Entry]:
    """Items with items below them are phases; flat items under a heading are one phase of its name."""
    leaves = [leaf for leaf in section.open_leaves() if leaf.kind == "item"]
    nested = [leaf for leaf in leaves if leaf.children]
    if nested and len(nested) >= len(leaves) / 2:
        found = [_phase(leaf, leaf.children or [leaf], section, reader, taken) for leaf in leaves]
        for leaf in leaves:
            leaf.claim()
        return found
    title = _PREFIX.sub("", section.name) if _PREFIX.match(section.name) else section.title
    if leaves:
        return [_named_phase(title, section.line, steps_of(leaves, reader.draft, reader.cast, taken, section.path))]
    steps = [step for table in section.tables for step in steps_of_table(table, section, reader.draft, reader.cast, taken)]
    return [_named_phase(title, section.line, steps)] if steps else []


def _in_sentences(section: Section, reader: _Reader, taken: set[str]) -> list[Entry]:
    """What a section of paragraphs tells as one phase, a step for a sentence: it says what is done, and a person sees that it was no list."""
    told = [leaf for leaf in section.open_leaves() if leaf.kind == "paragraph"]
    leaves = [Leaf("item", sentence, leaf.line) for leaf in told for sentence in sentences(leaf.claim().text)]
    if not leaves:
        return []
    phase = _named_phase(section.title, section.line, steps_of(leaves, reader.draft, reader.cast, taken, section.path))
    phase["name"] = replace(phase["name"], concluded="the document tells its steps in sentences, and each was taken for a step")
    return [phase]


def _phase(head: Leaf, leaves: list[Leaf], section: Section, reader: _Reader, taken: set[str]) -> Entry:
    """An item as a phase, with those below it as its steps."""
    return _named_phase(head.text, head.line, steps_of(leaves, reader.draft, reader.cast, taken, section.path))


def _named_phase(title: str, line: int, steps: list[Entry]) -> Entry:
    inner = _TAIL.search(title)
    span = window(inner[1]) if inner else None
    name = (title[: inner.start()] if inner and span else title).strip().rstrip(":")
    entry: Entry = {"name": Said(re.sub(r"^(?:[\d.]+|…)\s+", "", name), line)}
    if span is not None:
        entry["window"] = [Said(span[0], line), Said(span[1], line)]
    entry["steps"] = steps
    return entry


def _phases_of_plan(tree: Tree, reader: _Reader) -> None:
    """A plan without scenarios: its activation, recovery and reconstitution phases are the one that it knows."""
    found: list[Section] = []
    back: list[Section] = []
    home: list[Section] = []
    directions: dict[int, _Direction] = {}
    for section in tree.sections:
        of_home = directions.get(id(section.parent)) == "way_back"  # which has tests of its own
        if not section.title or (section.within(*_NOT_HERE) and not of_home):
            continue
        direction = _direction(section, directions)
        if direction == "rollback":
            back.append(section)
        elif direction == "way_back":
            home.append(section)
        elif section.within(*_RESPONSE) or section.says(*_TRIGGER):
            found.append(section)
    known = bool(reader.draft.section("scenarios"))
    if not any(_steps_there(section) for section in found if not (known and section.says(*_TRIGGER))):
        return
    _, entry = reader.draft.entry("scenarios", "Disruption")
    entry["name"] = Said("Disruption", found[0].line, "the document names no scenario, and its phases make one")
    entry["triggers"] = []
    _asked_whether_one(found, reader.draft)
    taken: set[str] = set()
    phases: list[Entry] = []
    for section in found:
        if section.says(*_TRIGGER):
            entry["triggers"] += [_trigger(leaf.claim_all(), reader) for leaf in section.open_leaves() if leaf.kind == "item"]
        else:
            phases += _phases(section, reader, taken)
    if phases:
        entry["phases"] = phases
    rollback = [leaf for section in back for leaf in section.open_leaves() if leaf.kind == "item"]
    if rollback:
        apart = "it stands apart from every scenario, as the phases of this one do" if known else ""
        entry["rollback"] = [replace(said, concluded=apart) for said in leaf_list(rollback)]
    way_back = [phase for section in home for phase in _phases(section, reader, taken)]
    if way_back:
        entry["way_back"] = way_back


def _asked_whether_one(found: list[Section], draft: Draft) -> None:
    """Phases side by side whose headings each say that something is lost may be scenarios: two fires are no phases of one."""
    alike: dict[int, list[Section]] = {}
    for section in found:
        if _LOST.search(section.name) and _steps_there(section):
            alike.setdefault(id(section.parent), []).append(section)
    for sections in alike.values():
        if len(sections) > 1:
            names = ", ".join(section.name for section in sections)
            unclear = "each can be a scenario of its own; as phases of one scenario all of them are done, one after the other"
            draft.ask("scenarios.disruption.name", names, Reading(None, unclear, ("Disruption",)), sections[0].line)


def _steps_there(section: Section) -> bool:
    return any(leaf.kind == "item" for leaf in section.open_leaves())
