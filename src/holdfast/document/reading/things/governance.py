"""How the plan is kept true: exercises, their process and criteria, reviews, indicators, improvement; compliance and dependencies."""

import re
from collections.abc import Callable
from dataclasses import replace

from holdfast.document.reading.columns import Row, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Said, leaf_list, parts_of
from holdfast.document.reading.quantities import Reading, duration, frequency, percent, target
from holdfast.document.reading.things.resources import kind_of
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
_SHARE = re.compile(r"\d ?(?:%|per ?cent\b)", re.I)


def read(tree: Tree, draft: Draft) -> None:
    """Everything that is done so that the plan stays true."""
    for section in tree.sections:
        for table in section.tables:
            _table(table, section, draft)
        if section.within("criteri*", "success measures"):
            _criteria(section, draft)
        elif section.says("improvement*", "maintenance", "review cycle"):
            _improvement(section, draft)
        if section.says("review*", "after action", "lessons"):
            _stages(section, draft, "reviews")
        elif section.within("test*", "exercis*", "drill*") and section.says("process", "procedure*", "execution", "method"):
            _stages(section, draft, "exercise_process")


def _table(table: Table, section: Section, draft: Draft) -> None:
    exercise, indicator, rules, dependency = (columns(table, words) for words in (_EXERCISE, _INDICATOR, _RULES, _DEPENDENCY))
    if {"name", "target"} <= indicator.keys():
        _each(table, indicator, section, draft, "indicators", _indicator)
    elif {"name", "every"} <= exercise.keys() and (
        "criteria" in exercise or "participants" in exercise or says(table.headers[exercise["name"]], "test*", "exercise", "drill")
    ):
        _each(table, exercise, section, draft, "exercises", _exercise)
    elif "name" in rules and {"requires", "within", "records"} & rules.keys():
        _each(table, rules, section, draft, "regulations", _regulation)
    elif "name" in dependency and {"needed", "fallback", "rto", "availability"} & dependency.keys():
        _each(table, dependency, section, draft, "dependencies", _dependency)


def _each(
    table: Table,
    places: dict[str, int],
    section: Section,
    draft: Draft,
    where: str,
    describe: Callable[[Row, Entry, str, Draft], None],
) -> None:
    """A new entry a row: its name, and what its kind of thing says besides. `describe` is given the row, the entry, and its place."""
    for row in named_rows(table, places, section, draft):
        identifier, entry = draft.entry(where, re.sub(r"\([^()]*\)", "", row.name) or row.name)
        entry["name"] = Said(row.name, row.line)
        describe(row, entry, f"{where}.{identifier}", draft)


def _exercise(row: Row, entry: Entry, about: str, draft: Draft) -> None:
    if says(row.name, "tabletop", "table top", "walkthrough", "walk through"):
        kind = "tabletop"
    else:
        kind = "verification" if says(row.name, "verif*", "backup*") else "drill"
    sure = kind == "tabletop" or says(row.name, "verif*", "drill*", "failover", "switchover", "move*")
    entry["kind"] = Said(
        kind, row.line, "" if sure else f"the name says neither tabletop nor drill nor verification, and {kind} is nearest"
    )
    what = kind_of(row.name) if kind == "drill" and not says(row.name, "full", "all") else None
    of_it = draft.of_kind(what) if what is not None else []
    if len(of_it) == 1:
        entry["components"] = [Said(of_it[0], row.line, "the one component of the kind that the name says")]
    elif of_it:
        draft.ask(
            f"{about}.components", row.name, Reading(None, "several components are of the kind that it names", tuple(of_it[:4])), row.line
        )
    row.read(draft, entry, "every", frequency, about)
    row.last(draft, entry, "lasts", about)
    row.say(draft, entry, "participants", about)
    _proof(draft, entry, about, row.cell("criteria"), row.line)


def _proof(draft: Draft, entry: Entry, about: str, text: str, line: int) -> None:
    """An exercise's own criterion, as words and as the number in them, or asked about where a number in them isn't clear."""
    if not text:
        return
    entry["criteria"] = Said(text, line)
    time = duration(text)
    of_recovery = says(text, "rto", "recovery time", "restored", "back")
    if of_recovery and time.value is not None:
        entry["within"] = Said(time.value, line, time.concluded)
    elif of_recovery and time.choices:
        draft.ask(f"{about}.within", text, time, line)
    elif percent(text).value is not None:
        aim = target(text, ">=")
        entry["target"] = Said(aim.value, line, aim.concluded)
    elif _SHARE.search(text):
        draft.ask(f"{about}.target", text, target(text, ">="), line)


def _indicator(row: Row, entry: Entry, about: str, draft: Draft) -> None:
    measures = next((what for what, words in _MEASURES if says(row.name, *words)), None)
    if measures is not None:
        entry["measures"] = Said(measures, row.line)
    row.read(draft, entry, "target", target, about)
    row.read(draft, entry, "every", frequency, about)


def _regulation(row: Row, entry: Entry, about: str, draft: Draft) -> None:
    if row.cell("requires"):
        entry["requires"] = [Said(row.cell("requires"), row.line)]
    row.say(draft, entry, "notify", about, "authority")
    row.last(draft, entry, "notify_within", about, "within")
    row.last(draft, entry, "records_kept_for", about, "records")


def _dependency(row: Row, entry: Entry, about: str, draft: Draft) -> None:
    for part in parts_of(row.cell("needed")):
        known = draft.named("functions", part) or draft.named("components", part)
        if known is not None:
            entry.setdefault("needed_by", []).append(Said(known, row.line))
        else:
            draft.ask(f"{about}.needed_by", part, Reading(None, "no function or component has this name"), row.line)
    row.last(draft, entry, "rto", about)
    row.read(draft, entry, "availability_percent", percent, about, "availability")
    said = entry.get("availability_percent")
    if said is not None:
        entry["availability_percent"] = replace(said, value=float(said.value))
    row.say(draft, entry, "fallback", about)


def _criteria(section: Section, draft: Draft) -> None:
    for leaf in labelled(section):
        if not leaf.value:
            continue
        identifier, entry = draft.entry("criteria", leaf.label)
        entry["name"] = Said(leaf.label, leaf.line)
        of_people = section.within("process*", "people", "communicat*", "procedur*")
        sure = of_people or section.within("technical*", "system*", "infrastructure")
        why = "" if sure else "the heading says neither people nor technology"
        entry["about"] = Said("process" if of_people else "technical", leaf.line, why)
        measures = next((what for what, words in _OF_PEOPLE if of_people and says(leaf.label, *words)), None)
        if measures is not None:
            entry["measures"] = Said(measures, leaf.line)
        found = target(leaf.value, ">=")
        if found.value is not None:
            entry["target"] = Said(found.value, leaf.line, found.concluded)
        elif found.choices or _SHARE.search(leaf.value):
            draft.ask(f"criteria.{identifier}.target", leaf.value, found, leaf.line)
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
        as_named = replace(how_often, left_out="")  # the name keeps the other words
        draft.read(entry, "every", as_named, leaf.label, leaf.line, f"improvement.{identifier}")
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
