"""Who is told what by when, and in which words: communication rules and templates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.document.reading.columns import Row, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said, parts_of, slug
from holdfast.document.reading.quantities import NOTHING, Reading, duration, frequency, lengths, unit_of_heading, window
from holdfast.document.reading.things.organisation import audience, channels_of, write_channels
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, normal, says

_METHOD = ("method", "channel*", "by", "medium", "via")
_TO = ("recipients", "recipient", "audience", "to", "who")
_CONTENT = ("content", "message", "says")
_WHEN = ("timeline", "timing", "when", "due", "deadline", "within")
_TRIGGER = ("trigger", "condition", "if")
TALKS = ("communication*", "notification*", "messaging")
"""Headings under which a rule is a message even where it doesn't say how or to whom: that is then reported, and nothing is made of it."""
_COLUMNS = {
    "audience": ("audience", "recipient*", "who is told", "whom", "who to tell", "told to", "stakeholder*", "to"),
    "channels": ("channel*", "method", "medium", "via", "how", "means"),
    "due": ("deadline", "due", "within", "by when", "no later than", "time limit", "timeline", "timing", "when"),
    "content": ("content", "message", "says", "what"),
}
_NO_MESSAGES = ("exercise*", "test*", "drill*", "training*", "awareness", "review*", "distribution", "improvement*")
"""Headings under which a table that has an audience and a method is about something else."""
_OUTSIDE = ("external*", "outside", "customer*", "client*", "guest*", "partner*", "supplier*", "regulator*", "public", "press", "media")
_PLACEHOLDER = re.compile(r"\[([^\[\]\n]{1,120})\]|<([A-Za-z][^<>\n]{1,60})>|\{([A-Za-z][^{}\n]{1,60})\}")
_BY_LABEL = (
    ("commander", ("incident commander", "commander", "incident lead")),
    ("started", ("start time", "started", "began", "since")),
    ("state", ("current status", "status", "state")),
    ("actions_taken", ("actions taken", "done so far", "completed")),
    ("next_steps", ("next steps", "next", "planned actions")),
    ("expected_back", ("eta", "expected*", "estimated*")),
    ("duration", ("duration", "length")),
    ("cause", ("root cause", "cause")),
    ("report", ("post mortem", "postmortem", "report", "review")),
    ("functions", ("impact", "affected*", "services affected", "functions")),
    ("severity", ("severity", "priority")),
    ("cost", ("cost", "financial impact")),
    ("restored", ("restored", "resolved at", "end time", "resolved")),
    ("scenario", ("scenario", "incident type")),
    ("incident", ("war room", "incident id", "incident number", "reference")),
)
_LONGEST_LABEL = 80
"""Characters before a placeholder that may say what it stands for."""
_STATED = {"restored": ("resolved", "restored", "resolution", "closed")}


def read(tree: Tree, draft: Draft) -> None:
    """Templates first, so that rules find theirs."""
    for section in tree.sections:
        if section.within("template*"):
            for leaf in section.open_leaves():
                if leaf.kind == "fence" and not leaf.info.startswith("mermaid"):
                    _template(section, leaf, draft)
    known = _known(draft)
    for section in tree.sections:
        for table in section.tables:
            _table(table, section, draft)
        _rule(section, draft, known)


@dataclass(frozen=True, slots=True)
class _Known:
    """What rules look up. `functions`: word of a name → functions that have it; `templates`: in the document's order."""

    functions: Mapping[str, tuple[str, ...]]
    templates: Mapping[str, int]
    first_of: tuple[str | None, ...]
    """Of each group of words in `_SAME`: the first template whose name has one of them."""


def _known(draft: Draft) -> _Known:
    functions: dict[str, list[str]] = {}
    for name, function in draft.section("functions").items():
        for word in dict.fromkeys(normal(str(function["name"].value)).split()):
            functions.setdefault(word, []).append(name)
    templates = {name: at for at, name in enumerate(draft.section("templates"))}
    first_of = tuple(next((name for name in templates if set(words) & set(name.split("-"))), None) for words in _SAME)
    few = {word: tuple(names) for word, names in functions.items() if len(names) <= _MOST_OF_A_WORD}
    return _Known(few, templates, first_of)


_MOST_OF_A_WORD = 10
"""Functions that share a word; a word that more share names none of them."""


def _template(section: Section, leaf: Leaf, draft: Draft) -> None:
    name = re.sub(r"\s*\btemplate\b\s*", " ", section.name, flags=re.I).strip() or section.name
    identifier, entry = draft.entry("templates", name)
    lines = leaf.text.strip("\n").split("\n")
    filled = [_filled(draft, identifier, text, leaf.line + number) for number, text in enumerate(lines)]
    entry["name"] = Said(name, section.line)
    entry["subject"] = Said(filled[0].strip(), leaf.line)
    entry["body"] = Said("\n".join(filled[1:]).rstrip() + "\n", leaf.line + 1) if len(filled) > 1 else Said(filled[0] + "\n", leaf.line)
    leaf.claim()


def _filled(draft: Draft, template: str, text: str, line: int) -> str:
    """A line with its placeholders turned into the message fields that they clearly mean; the others stay, and are asked about."""
    head = text.split(":", 1)[0] if ":" in text[:_LONGEST_LABEL] else ""

    def turned(found: re.Match[str]) -> str:
        words = next(group for group in found.groups() if group)
        field = next((name for name, labels in _BY_LABEL if head and found.start() > len(head) and says(head, *labels)), None)
        if field is None and not head:
            field = next(
                (
                    name
                    for name, labels in _STATED.items()
                    if says(words, "timestamp", "time", "date")
                    and says(text[max(0, found.start() - _LONGEST_LABEL) : found.start()], *labels)
                ),
                None,
            )
            field = field or next((name for name, labels in _BY_LABEL if says(words, *labels)), None)
        if field is None:
            choices = ("started", "restored", "elapsed") if says(words, "timestamp", "time", "date") else ()
            stands = found[0] if not found[0].startswith("{") else f"[{words}]"
            unclear = Reading(None, "none of the message fields clearly means this; it is sent as it stands", choices)
            draft.ask(f"templates.{template}", found[0], unclear, line, words=stands)
            return stands
        return "{" + field + "}"

    return re.sub(r"\bincident-\{incident\}", "{incident}", _PLACEHOLDER.sub(turned, text))


def _table(table: Table, section: Section, draft: Draft) -> None:
    """A table of who is told how by when: a message a row, wherever the table stands. Cells of other columns become notes."""
    places = columns(table, _COLUMNS)
    if not {"audience", "channels", "due"} <= places.keys() or section.within(*_NO_MESSAGES):
        return
    if not any(channels_of(row.cells[places["channels"]]) for row in table.rows if places["channels"] < len(row.cells)):
        return
    for row in named_rows(table, places, section, draft, "audience"):
        _row(row, section, draft)


def _row(row: Row, section: Section, draft: Draft) -> None:
    identifier, entry = draft.entry("messages", row.name)
    about = f"messages.{identifier}"
    entry["audience"] = [Said(audience(draft, part, row.line), row.line) for part in parts_of(row.name)]
    write_channels(entry, row.cell("channels"), row.line)
    unknown = [part for part in parts_of(row.cell("channels")) if not channels_of(part)]
    draft.notes += [Left(f"{row.name}: channel that the plan doesn't know: {part}", section.path, row.line) for part in unknown]
    heading = row.table.headers[row.places["due"]]
    _timing(draft, entry, row.cell("due"), row.line, about, unit_of_heading(heading))
    if "due" in entry and _AFTERWARDS.search(heading):
        entry["counts_from"] = Said("restored", row.line)
    row.say(draft, entry, "content", about)


def _rule(section: Section, draft: Draft, known: _Known) -> None:
    """A heading a rule, with method, recipients and content under it. What it doesn't say is left out, for the plan to lack."""
    leaves = labelled(section)
    by = {
        name: next((leaf for leaf in leaves if says(leaf.label, *words)), None)
        for name, words in (("method", _METHOD), ("to", _TO), ("content", _CONTENT), ("when", _WHEN), ("trigger", _TRIGGER))
    }
    method = by["method"]
    known_channels = method is not None and bool(channels_of(method.value))
    if not (known_channels and (by["to"] or by["content"])) and not (section.within(*TALKS) and (method or by["to"] or by["content"])):
        return
    if method is not None and not known_channels:
        method = by["method"] = None  # stays a note: no channel that anybody knows
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", section.name).strip()
    identifier, entry = draft.entry("messages", bare)
    about = f"messages.{identifier}"
    to = by["to"]
    outside = [(_outside(bare), section.line)] if section.within(*_OUTSIDE) else []
    people = [(part, to.line) for part in parts_of(to.value)] if to else outside
    why = "" if to else "no recipients are named, and its heading names these"
    entry["audience"] = [Said(audience(draft, text, line), line, why) for text, line in people]
    if method is not None:
        write_channels(entry, method.value, method.line)
    when = by["when"]
    _timing(draft, entry, when.value if when else section.name, when.line if when else section.line, about)
    if by["content"]:
        entry["content"] = Said(by["content"].value, by["content"].line)
    if by["trigger"] and not _trigger(entry, by["trigger"], known):
        by["trigger"] = None
    template = _template_for(known, bare)
    if template is not None:
        same = slug(bare) == template
        entry["template"] = Said(template, section.line, "" if same else "its name speaks of the same moment")
    for leaf in by.values():
        if leaf is not None:
            leaf.claim()


def _outside(name: str) -> str:
    """Whom a rule without recipients is for, by its name: customers, partners."""
    word = re.sub(r"\b(?:notifications?|communications?|updates?|notices?|messages?)\b", "", name, flags=re.I).strip() or name
    return word if word.endswith("s") else f"{word}s"


_AFTERWARDS = re.compile(r"after (?:service|resolution|recovery)|of resolution|restored", re.I)
_AHEAD = re.compile(r"\b(?:if|when(?:ever)?|(?<!at )once|(?<!\w )should|unless|in case|lasts?|lasting|exceed\w*|longer than)\b", re.I)
"""What makes the length behind it a condition: `if the outage lasts longer than 4 hours`."""
_BACKWARDS = re.compile(r"\b(?:before|prior to|ahead of|in advance)\b", re.I)
_AT_ONCE = re.compile(r"\b(?:immediate(?:ly)?|at once|instantly|asap|straight away)\b", re.I)
_AGAIN = r"(?P<again>(?:every|each)\s.+?)"
_FIRST_AND_AGAIN = (
    re.compile(
        rf"(?P<first>.+?)\s?(?:[,;:(]|\b(?:and|then)\b)[\s,]?(?:(?:and |then |with |again |the |an? |status ){{0,5}}(?:updates? )?){_AGAIN}\)?",
        re.I,
    ),
    re.compile(
        rf"{_AGAIN}\s?[,;:(]\s?(?:(?:the )?(?:first|initial)(?: (?:one|update|message))?|starting|beginning):? (?P<first>.+?)\)?", re.I
    ),
)
"""`Within 1 hour, then every 2 hours`, and the same the other way round."""
_UNTIL_IT_ENDS = re.compile(
    r"[,;]?\s(?:thereafter|afterwards?|after that|from then on|until (?:(?:the )?(?:\w+ )?(?:is |are )?)?(?:resolved|restored|resolution|closed|over|back))\.?$",
    re.I,
)
"""What the plan means by a message that is told again and again."""


def _timing(draft: Draft, entry: Entry, text: str, line: int, about: str, unit: str = "") -> None:
    """When a message is due, and how often it is told again. `unit`: what bare numbers are counted in, where a column's name says it."""
    inner = re.search(r"\(([^()]*)\)\s*$", text)
    words = inner[1] if inner and not lengths(text[: inner.start()]) else text
    again = re.search(r"\b(?:every|each)\b", words, re.I) is not None
    unclear = _no_due(words)
    if unclear is not None:
        for key in ("due", "every") if again else ("due",):
            draft.read(entry, key, unclear, words, line, about)
        return
    first = _first_and_again(words) if again else (words, "")
    if first is not None:
        _due(draft, entry, (first[0], words), line, about, unit)
    if again:
        every = frequency(first[1] if first is not None else words)
        draft.read(entry, "every", every, words, line, about)
        if first is None:
            draft.read(entry, "due", every, words, line, about)


def _no_due(words: str) -> Reading | None:
    """Why a length of time is none after which a message is due; None where it may be one."""
    first = next(iter(lengths(words)), None)
    if first is None:
        return None
    if _AHEAD.search(words[: first.start]):
        return Reading(unclear="it says on which condition they are told, and not how long after the start")
    return Reading(unclear="it counts back from something that is still to come") if _BACKWARDS.search(words) else None


def _first_and_again(words: str) -> tuple[str, str] | None:
    """When a message is due, and how often it is told again, where a text says both."""
    short = " ".join(_UNTIL_IT_ENDS.sub("", words).split())
    for pattern in _FIRST_AND_AGAIN:
        found = pattern.fullmatch(short)
        if found is not None and (lengths(found["first"]) or _AT_ONCE.search(found["first"])):
            return found["first"], found["again"]
    return None


def _due(draft: Draft, entry: Entry, said: tuple[str, str], line: int, about: str, unit: str) -> None:
    """Write by when a message is due. `said`: the words for that, and the whole text that they stand in."""
    words, text = said
    span, reading = window(words), duration(words, unit)
    if _AFTERWARDS.search(reading.left_out) and not _AHEAD.search(reading.left_out):
        reading = replace(reading, left_out="")  # it says from when on, which is kept
    if span is None or span[1] in ("open", reading.value):
        draft.read(entry, "due", reading, text, line, about)
    else:
        draft.put(entry, "due", span[1], line, f"{about}.due")
    if _AFTERWARDS.search(words):
        entry["counts_from"] = Said("restored", line)


def _trigger(entry: Entry, leaf: Leaf, known: _Known) -> bool:
    """What a rule waits for: an outage that lasts, or functions that are hit. False where it says neither."""
    lasting = re.search(r"(?:>|≥|more than|longer than|over|exceed\w*)\s*(.+)", leaf.value, re.I)
    length = duration(lasting[1]) if lasting is not None else NOTHING
    if length.value is not None:
        entry["lasting"] = Said(length.value, leaf.line, length.remark)
        return True
    words = [word for word in dict.fromkeys(normal(leaf.value).split()) if len(word) > 4 and word not in _OF_EVERY_FUNCTION]
    hit = list(dict.fromkeys(name for word in words for name in known.functions.get(word, ())))
    if hit:
        entry["functions"] = [Said(name, leaf.line, "the trigger and the function's name share a word") for name in hit]
    return bool(hit)


_OF_EVERY_FUNCTION = frozenset({"services", "service", "affected", "impacted", "systems", "functions", "function"})
_SAME = (
    ("initial", "immediate", "alert", "first"),
    ("status", "update", "updates", "progress"),
    ("resolution", "resolved", "restored", "closure"),
)


def _template_for(known: _Known, name: str) -> str | None:
    """The template whose name says the same thing as a rule's: of several the one that the document has first."""
    of_words = (first for words, first in zip(_SAME, known.first_of, strict=True) if first is not None and says(name, *words))
    found = [identifier for identifier in (slug(name), *of_words) if identifier in known.templates]
    return min(found, key=lambda identifier: known.templates[identifier], default=None)
