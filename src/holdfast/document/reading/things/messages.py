"""Who is told what by when, and in which words: communication rules and templates."""

import re

from holdfast.document.reading.columns import labelled
from holdfast.document.reading.draft import Draft, Entry, Said, parts_of, slug
from holdfast.document.reading.quantities import Reading, duration, frequency, window
from holdfast.document.reading.things.organisation import audience, channels_of
from holdfast.document.reading.tree import Leaf, Section, Tree, normal, says

_METHOD = ("method", "channel*", "by", "medium", "via")
_TO = ("recipients", "recipient", "audience", "to", "who")
_CONTENT = ("content", "message", "says")
_WHEN = ("timeline", "timing", "when", "due", "deadline", "within")
_TRIGGER = ("trigger", "condition", "if")
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
_STATED = {"restored": ("resolved", "restored", "resolution", "closed")}


def read(tree: Tree, draft: Draft) -> None:
    """Templates first, so that rules find theirs."""
    for section in tree.sections:
        if section.within("template*"):
            for leaf in section.open_leaves():
                if leaf.kind == "fence" and not leaf.info.startswith("mermaid"):
                    _template(section, leaf, draft)
    for section in tree.sections:
        _rule(section, draft)


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
    head = text.split(":", 1)[0] if ":" in text else ""

    def turned(found: re.Match[str]) -> str:
        words = next(group for group in found.groups() if group)
        field = next((name for name, labels in _BY_LABEL if head and found.start() > len(head) and says(head, *labels)), None)
        if field is None and not head:
            field = next(
                (
                    name
                    for name, labels in _STATED.items()
                    if says(words, "timestamp", "time", "date") and says(text[: found.start()], *labels)
                ),
                None,
            )
            field = field or next((name for name, labels in _BY_LABEL if says(words, *labels)), None)
        if field is None:
            choices = ("started", "restored", "elapsed") if says(words, "timestamp", "time", "date") else ()
            draft.ask(
                f"templates.{template}",
                found[0],
                Reading(None, "none of the message fields clearly means this; it is sent as it stands", choices),
                line,
            )
            return found[0] if not found[0].startswith("{") else f"[{words}]"
        return "{" + field + "}"

    return re.sub(r"\bincident-\{incident\}", "{incident}", _PLACEHOLDER.sub(turned, text))


def _rule(section: Section, draft: Draft) -> None:
    """A heading a rule, with method, recipients and content under it."""
    leaves = labelled(section)
    by = {
        name: next((leaf for leaf in leaves if says(leaf.label, *words)), None)
        for name, words in (("method", _METHOD), ("to", _TO), ("content", _CONTENT), ("when", _WHEN), ("trigger", _TRIGGER))
    }
    method = by["method"]
    if method is None or not (by["to"] or by["content"]) or not channels_of(method.value):
        return
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", section.name).strip()
    identifier, entry = draft.entry("messages", bare)
    about = f"messages.{identifier}"
    to = by["to"]
    people = [(part, to.line) for part in parts_of(to.value)] if to else [(_outside(bare), section.line)]
    entry["audience"] = [Said(audience(draft, text, line), line) for text, line in people]
    entry["channels"] = [Said(channel, method.line) for channel in channels_of(method.value)]
    when = by["when"]
    _timing(draft, entry, when.value if when else section.name, when.line if when else section.line, about)
    if by["content"]:
        entry["content"] = Said(by["content"].value, by["content"].line)
    if by["trigger"] and not _trigger(draft, entry, by["trigger"]):
        by["trigger"] = None
    template = _template_for(draft, bare)
    if template is not None:
        entry["template"] = Said(template, section.line)
    for leaf in by.values():
        if leaf is not None:
            leaf.claim()


def _outside(name: str) -> str:
    """Whom a rule without recipients is for, by its name: customers, partners."""
    word = re.sub(r"\b(?:notifications?|communications?|updates?|notices?|messages?)\b", "", name, flags=re.I).strip() or name
    return word if word.endswith("s") else f"{word}s"


def _timing(draft: Draft, entry: Entry, text: str, line: int, about: str) -> None:
    inner = re.search(r"\(([^()]*)\)\s*$", text)
    words = inner[1] if inner else text
    if re.search(r"\b(?:every|each)\b", words, re.I):
        every = frequency(words)
        draft.read(entry, "every", every, words, line, about)
        if every.value is not None:
            entry["due"] = Said(every.value, line)
        return
    span = window(words)
    if span is not None and span[1] != "open":
        draft.put(entry, "due", span[1], line, f"{about}.due")
    else:
        draft.read(entry, "due", duration(words), words, line, about)
    if re.search(r"after (?:service|resolution|recovery)|of resolution|restored", words, re.I):
        entry["counts_from"] = Said("restored", line)


def _trigger(draft: Draft, entry: Entry, leaf: Leaf) -> bool:
    """What a rule waits for: an outage that lasts, or functions that are hit. False where it says neither."""
    lasting = re.search(r"(?:>|≥|more than|longer than|over|exceed\w*)\s*(.+)", leaf.value, re.I)
    if lasting is not None and duration(lasting[1]).value is not None:
        entry["lasting"] = Said(duration(lasting[1]).value, leaf.line)
        return True
    words = {word for word in normal(leaf.value).split() if len(word) > 4} - {
        "services",
        "service",
        "affected",
        "impacted",
        "systems",
        "functions",
        "function",
    }
    hit = [name for name, function in draft.section("functions").items() if words & set(normal(str(function["name"].value)).split())]
    if hit:
        entry["functions"] = [Said(name, leaf.line) for name in hit]
    return bool(hit)


_SAME = (
    ("initial", "immediate", "alert", "first"),
    ("status", "update", "updates", "progress"),
    ("resolution", "resolved", "restored", "closure"),
)


def _template_for(draft: Draft, name: str) -> str | None:
    """The template whose name says the same thing as a rule's."""
    for identifier in draft.section("templates"):
        if identifier == slug(name):
            return str(identifier)
        if any(says(name, *words) and set(words) & set(str(identifier).split("-")) for words in _SAME):
            return str(identifier)
    return None
