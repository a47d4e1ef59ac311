"""Scenarios: triggers, phases with their windows, steps, rollback. In sections of their own, or as the phases of one plan (NIST's way)."""

import re

from holdfast.document.reading.draft import Draft, Entry, Said, leaf_list, slug, unique
from holdfast.document.reading.quantities import window
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.things.steps import steps_of
from holdfast.document.reading.tree import Leaf, Section, Tree, says

_TRIGGER = ("trigger*", "activation criteria", "declared when", "conditions", "declare*", "indicators of")
_RESPONSE = ("response*", "procedure*", "steps", "actions", "phases", "recovery", "what we do", "activation", "notification")
_ROLLBACK = ("rollback", "roll back", "failback", "return to normal", "reconstitution", "way back", "deactivation", "return to *")
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
_TAIL = re.compile(r"\s*\(([^()]*)\)\s*:?\s*$")
_COUNTS = {"two": 2, "three": 3, "multiple": 2, "several": 2, "more than one": 2}


def read(tree: Tree, draft: Draft) -> None:
    """Sections of scenarios first; where the document has none, its phases make one."""
    for section in tree.sections:
        if _is_scenario(section):
            _scenario(section, draft)
    if not draft.section("scenarios"):
        _phases_of_plan(tree, draft)
    if not draft.section("scenarios"):
        draft.data["scenarios"] = {}


def _is_scenario(section: Section) -> bool:
    if not section.title or section.level >= 7:
        return False
    if _PREFIX.match(section.title):
        return True
    parent = section.parent
    return bool(
        parent
        and parent.title
        and parent.says("scenario*", "playbooks", "runbooks")
        and not _PREFIX.match(parent.title)
        and (section.children or section.leaves)
    )


def _scenario(section: Section, draft: Draft) -> None:
    name = _PREFIX.sub("", section.title).strip()
    known = draft.named("scenarios", name)
    if known is not None:
        return
    identifier, entry = draft.entry("scenarios", name)
    entry["name"] = Said(name, section.line)
    entry["triggers"] = []
    phases: list[Entry] = []
    taken: set[str] = set()
    for part in section.downward():
        if part.says(*_ROLLBACK) and part is not section:
            entry.setdefault("rollback", []).extend(leaf_list(part.open_leaves()))
        elif part.says(*_TRIGGER) and part is not section:
            for leaf in part.open_leaves():
                entry["triggers"].append(_trigger(leaf.claim_all(), draft))
        elif part is section:
            _lead(part, entry, draft)
            phases += _phases(part, draft, identifier, taken)
        else:
            phases += _phases(part, draft, identifier, taken)
    if phases:
        rollback = entry.pop("rollback", None)
        entry["phases"] = phases
        if rollback is not None:
            entry["rollback"] = rollback


def _lead(section: Section, entry: Entry, draft: Draft) -> None:
    """What stands right under the heading: triggers and severity as labels, or in a sentence."""
    for leaf in section.open_leaves():
        if says(leaf.label, *_TRIGGER):
            entry["triggers"] += [_trigger(child, draft) for child in leaf.children] or [_trigger(leaf, draft)]
            leaf.claim_all()
        elif says(leaf.label, "severity", "priority") and priority(leaf.value):
            entry["severity"] = Said(priority(leaf.value), leaf.claim().line)


def _trigger(leaf: Leaf, draft: Draft) -> Entry:
    text, line = leaf.value or leaf.text, leaf.line
    number = re.search(r"(?:<|below|under|less than)\s*(\d+(?:\.\d+)?)", text)
    if says(text, "health", "score") and number is not None:
        return {"kind": Said("region-score", line), "below": Said(float(number[1]) if "." in number[1] else int(number[1]), line)}
    if says(text, "az", "azs", "zone*", "availability zone*"):
        count = next((value for word, value in _COUNTS.items() if says(text, word)), None)
        figure = re.search(r"\b(\d{1,2})\b", text)
        if count or figure:
            return {"kind": Said("zones-down", line), "count": Said(count or int(figure[1]) if figure else count, line)}
    if (
        says(text, "network", "connectivity")
        and says(text, "loss", "lost", "unreachable", "cut")
        and says(text, "region", "site", "data centre", "data center")
    ):
        return {"kind": Said("network-lost", line)}
    used = {
        trigger["signal"].value
        for scenario in draft.section("scenarios").values()
        for trigger in scenario.get("triggers", ())
        if "signal" in trigger
    }
    return {"kind": Said("signal", line), "signal": Said(unique("-".join(slug(text).split("-")[:6]), used), line), "says": Said(text, line)}


def _phases(section: Section, draft: Draft, scenario: str, taken: set[str]) -> list[Entry]:
    """Items with items below them are phases; flat items under a heading are one phase of its name."""
    leaves = [leaf for leaf in section.open_leaves() if leaf.kind == "item"]
    nested = [leaf for leaf in leaves if leaf.children]
    if nested and len(nested) >= len(leaves) / 2:
        found = [_phase(leaf.text, leaf.line, leaf.children or [leaf], draft, scenario, taken) for leaf in leaves]
        for leaf in leaves:
            leaf.claim()
        return found
    rows = [row for table in section.tables for row in table.rows if not row.claimed]
    if not leaves and rows:
        leaves = [_step_row(row) for row in rows]
    if not leaves:
        return []
    return [_phase(section.title, section.line, leaves, draft, scenario, taken)]


def _step_row(row: Leaf) -> Leaf:
    """A row of a table of steps as an item: its cells joined, without a number in front."""
    cells = [cell for cell in row.cells if cell and not re.fullmatch(r"[\d.]{1,6}", cell)]
    return Leaf("item", ", ".join(cells), row.claim().line)


def _phase(title: str, line: int, leaves: list[Leaf], draft: Draft, scenario: str, taken: set[str]) -> Entry:
    inner = _TAIL.search(title)
    span = window(inner[1]) if inner else None
    name = (title[: inner.start()] if inner and span else title).strip().rstrip(":")
    entry: Entry = {"name": Said(re.sub(r"^[\d.]+\s+", "", name), line)}
    if span is not None:
        entry["window"] = [Said(span[0], line), Said(span[1], line)]
    entry["steps"] = steps_of(leaves, draft, scenario, taken)
    return entry


def _phases_of_plan(tree: Tree, draft: Draft) -> None:
    """A plan without scenarios: its activation, recovery and reconstitution phases are the one that it knows."""
    found: list[Section] = []
    back: list[Section] = []
    for section in tree.sections:
        if not section.title or section.within(*_NOT_HERE):
            continue
        if section.says(*_ROLLBACK) or (section.parent and section.parent in back):
            back.append(section)
        elif section.within(*_RESPONSE) or section.says(*_TRIGGER):
            found.append(section)
    if not any(_steps_there(section) for section in found):
        return
    identifier, entry = draft.entry("scenarios", "Disruption")
    entry["name"], entry["triggers"] = Said("Disruption", found[0].line), []
    taken: set[str] = set()
    phases: list[Entry] = []
    for section in found:
        if section.says(*_TRIGGER):
            entry["triggers"] += [_trigger(leaf.claim_all(), draft) for leaf in section.open_leaves() if leaf.kind == "item"]
        else:
            phases += _phases(section, draft, identifier, taken)
    if phases:
        entry["phases"] = phases
    for section in back:
        entry.setdefault("rollback", []).extend(leaf_list([leaf for leaf in section.open_leaves() if leaf.kind == "item"]))


def _steps_there(section: Section) -> bool:
    return any(leaf.kind == "item" for leaf in section.open_leaves())
