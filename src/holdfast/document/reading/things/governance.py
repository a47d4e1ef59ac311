"""How the plan is kept true: exercises, their process and criteria, reviews, indicators, improvement; compliance and dependencies."""

import re

from holdfast.document.reading.columns import cell, columns, labelled
from holdfast.document.reading.draft import Draft, Entry, Said, leaf_list, parts_of
from holdfast.document.reading.quantities import Reading, absent, duration, frequency, percent, target
from holdfast.document.reading.things.systems import kind_of
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, says

_EXERCISE = {
    "criteria": ("success criteria", "criteria", "pass*", "goal", "objective"),
    "every": ("frequency", "how often", "interval", "schedule", "cadence", "when"),
    "lasts": ("duration", "length", "takes", "time"),
    "participants": ("participants", "attendees", "team", "who", "involved"),
    "name": ("test type", "test", "exercise", "drill", "type", "activity"),
}
_INDICATOR = {
    "every": ("measurement frequency", "frequency", "measured", "how often", "reporting"),
    "target": ("target", "goal", "threshold"),
    "name": ("kpi", "indicator", "metric", "measure"),
}
_RULES = {
    "within": ("notify within", "deadline", "within", "time limit", "notification"),
    "records": ("retention", "records", "kept"),
    "authority": ("authority", "regulator", "notify"),
    "requires": ("requirement*", "requires", "demands", "description"),
    "name": ("regulation", "law", "standard", "framework", "rule"),
}
_DEPENDENCY = {
    "needed": ("needed by", "used by", "supports", "dependent"),
    "fallback": ("fallback", "workaround", "without it", "alternative"),
    "rto": ("rto", "recovery time*"),
    "availability": ("availability", "sla", "uptime"),
    "name": ("dependency", "depends on", "external service", "upstream"),
}
_MEASURES = (
    ("detection", ("detection", "mttd", "detect")),
    ("recovery-success", ("recovery success*",)),
    ("test-success", ("test success*", "exercise success*")),
    ("backup-success", ("backup success*",)),
    ("recovery", ("time to recovery", "mttr", "recovery time", "time to recover")),
)
_OF_PEOPLE = (
    ("response", ("team response", "response of the team", "response time")),
    ("decision", ("decision*",)),
    ("communication", ("communication*",)),
)
"""Criteria of people and messages that Holdfast measures itself."""


def read(tree: Tree, draft: Draft) -> None:
    """Everything that is done so that the plan stays true."""
    for section in tree.sections:
        for table in section.tables:
            _table(table, draft)
        if section.within("criteri*", "success measures"):
            _criteria(section, draft)
        elif section.says("improvement*", "maintenance", "review cycle"):
            _improvement(section, draft)
        if section.says("review*", "after action", "lessons"):
            _stages(section, draft, "reviews")
        elif section.within("test*", "exercis*", "drill*") and section.says("process", "procedure*", "execution", "method"):
            _stages(section, draft, "exercise_process")


def _table(table: Table, draft: Draft) -> None:
    exercise, indicator, rules, dependency = (columns(table, words) for words in (_EXERCISE, _INDICATOR, _RULES, _DEPENDENCY))
    if {"name", "target"} <= indicator.keys():
        _indicators(table, indicator, draft)
    elif {"name", "every"} <= exercise.keys() and (
        "criteria" in exercise or "participants" in exercise or says(table.headers[exercise["name"]], "test*", "exercise", "drill")
    ):
        _exercises(table, exercise, draft)
    elif "name" in rules and {"requires", "within", "records"} & rules.keys():
        _regulations(table, rules, draft)
    elif "name" in dependency and {"needed", "fallback", "rto", "availability"} & dependency.keys():
        _dependencies(table, dependency, draft)


def _exercises(table: Table, places: dict[str, int], draft: Draft) -> None:
    for row in table.rows:
        name = cell(row, places, "name")
        if row.claimed or not name:
            continue
        identifier, entry = draft.entry("exercises", name)
        about = f"exercises.{identifier}"
        entry["name"] = Said(name, row.line)
        kind = (
            "tabletop"
            if says(name, "tabletop", "table top", "walkthrough", "walk through")
            else "verification"
            if says(name, "verif*", "backup*")
            else "drill"
        )
        entry["kind"] = Said(kind, row.line)
        if kind == "drill":
            words = kind_of(name)
            hit = [key for key, component in draft.section("components").items() if words and component["kind"].value == words]
            if hit and not says(name, "full", "all"):
                entry["components"] = [Said(key, row.line) for key in hit]
        draft.read(entry, "every", frequency(cell(row, places, "every")), cell(row, places, "every"), row.line, about)
        if cell(row, places, "lasts"):
            draft.read(entry, "lasts", duration(cell(row, places, "lasts")), cell(row, places, "lasts"), row.line, about)
        if cell(row, places, "participants"):
            entry["participants"] = Said(cell(row, places, "participants"), row.line)
        _proof(entry, cell(row, places, "criteria"), row.line)
        row.claim()


def _proof(entry: Entry, text: str, line: int) -> None:
    """An exercise's own criterion, as words and as the number in them."""
    if not text:
        return
    entry["criteria"] = Said(text, line)
    time, share = duration(text), percent(text)
    if says(text, "rto", "recovery time", "restored", "back") and time.value is not None:
        entry["within"] = Said(time.value, line)
    elif share.value is not None:
        entry["target"] = Said(target(text, ">=").value, line)


def _indicators(table: Table, places: dict[str, int], draft: Draft) -> None:
    for row in table.rows:
        name = cell(row, places, "name")
        if row.claimed or not name:
            continue
        identifier, entry = draft.entry("indicators", re.sub(r"\([^()]*\)", "", name))
        about = f"indicators.{identifier}"
        entry["name"] = Said(name, row.line)
        measures = next((what for what, words in _MEASURES if says(name, *words)), None)
        if measures is not None:
            entry["measures"] = Said(measures, row.line)
        draft.read(entry, "target", target(cell(row, places, "target")), cell(row, places, "target"), row.line, about)
        if "every" in places:
            draft.read(entry, "every", frequency(cell(row, places, "every")), cell(row, places, "every"), row.line, about)
        row.claim()


def _regulations(table: Table, places: dict[str, int], draft: Draft) -> None:
    for row in table.rows:
        name = cell(row, places, "name")
        if row.claimed or not name:
            continue
        identifier, entry = draft.entry("regulations", name)
        entry["name"] = Said(name, row.line)
        if cell(row, places, "requires"):
            entry["requires"] = [Said(cell(row, places, "requires"), row.line)]
        if not absent(cell(row, places, "authority")):
            entry["notify"] = Said(cell(row, places, "authority"), row.line)
        for key, column in (("notify_within", "within"), ("records_kept_for", "records")):
            if cell(row, places, column):
                draft.read(
                    entry, key, duration(cell(row, places, column)), cell(row, places, column), row.line, f"regulations.{identifier}"
                )
        row.claim()


def _dependencies(table: Table, places: dict[str, int], draft: Draft) -> None:
    for row in table.rows:
        name = cell(row, places, "name")
        if row.claimed or not name:
            continue
        identifier, entry = draft.entry("dependencies", name)
        about = f"dependencies.{identifier}"
        entry["name"] = Said(name, row.line)
        for part in parts_of(cell(row, places, "needed")):
            known = draft.named("functions", part) or draft.named("components", part)
            if known is not None:
                entry.setdefault("needed_by", []).append(Said(known, row.line))
            else:
                draft.ask(f"{about}.needed_by", part, Reading(None, "no function or component has this name"), row.line)
        if cell(row, places, "rto"):
            draft.read(entry, "rto", duration(cell(row, places, "rto")), cell(row, places, "rto"), row.line, about)
        share = percent(cell(row, places, "availability")) if cell(row, places, "availability") else Reading()
        if share.value is not None:
            entry["availability_percent"] = Said(float(share.value), row.line)
        elif share.unclear:
            draft.ask(f"{about}.availability_percent", cell(row, places, "availability"), share, row.line)
        if not absent(cell(row, places, "fallback")):
            entry["fallback"] = Said(cell(row, places, "fallback"), row.line)
        row.claim()


def _criteria(section: Section, draft: Draft) -> None:
    for leaf in labelled(section):
        if not leaf.value:
            continue
        _, entry = draft.entry("criteria", leaf.label)
        entry["name"] = Said(leaf.label, leaf.line)
        of_people = section.within("process*", "people", "communicat*", "procedur*")
        entry["about"] = Said("process" if of_people else "technical", leaf.line)
        measures = next((what for what, words in _OF_PEOPLE if of_people and says(leaf.label, *words)), None)
        if measures is not None:
            entry["measures"] = Said(measures, leaf.line)
        found = target(leaf.value, ">=")
        if found.value is not None:
            entry["target"] = Said(found.value, leaf.line)
        entry["says"] = Said(leaf.value, leaf.line)
        leaf.claim()


def _improvement(section: Section, draft: Draft) -> None:
    for leaf in labelled(section):
        how_often = frequency(leaf.label)
        if how_often.unclear and not how_often.choices:
            how_often = frequency(leaf.value)
            if how_often.unclear and not how_often.choices:
                continue
        identifier, entry = draft.entry("improvement", leaf.label)
        entry["name"] = Said(leaf.label, leaf.line)
        draft.read(entry, "every", how_often, leaf.label, leaf.line, f"improvement.{identifier}")
        entry["tasks"] = [Said(leaf.value, leaf.line)] if leaf.value else leaf_list(leaf.children)
        leaf.claim_all()


def _stages(section: Section, draft: Draft, where: str) -> None:
    stages = draft.data.setdefault(where, [])
    for leaf in section.open_leaves():
        if leaf.kind == "item" and leaf.children:
            stages.append(_stage(draft, leaf, f"{where}.{len(stages)}"))
    if not stages:
        del draft.data[where]


def _stage(draft: Draft, leaf: Leaf, about: str) -> Entry:
    text = leaf.text.rstrip(":")
    inner = re.search(r"\s*\(([^()]*)\)\s*$", text)
    entry: Entry = {"name": Said(text[: inner.start()] if inner else text, leaf.line)}
    if inner:
        draft.read(entry, "within", duration(inner[1]), inner[1], leaf.line, about)
    entry["tasks"] = leaf_list(leaf.children)
    leaf.claim()
    return entry
