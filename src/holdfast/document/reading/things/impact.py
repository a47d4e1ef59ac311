"""Objectives, business functions and what outages cost (the business impact analysis)."""

import re
from dataclasses import replace

from holdfast.document.reading.columns import cell, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said
from holdfast.document.reading.quantities import NOTHING, Money, Reading, absent, duration, money, percent, window
from holdfast.document.reading.tree import Section, Table, Tree, says
from holdfast.plan.problems import shortened

RTO = ("rto", "recovery time*", "target recovery", "restore within", "time to recover", "back within", "recovery target")
RPO = ("rpo", "recovery point*", "data loss", "maximum data loss", "point objective")
MTPD = (
    "mtpd",
    "mtd",
    "mao",
    "maximum tolerable*",
    "maximum allowable*",
    "max tolerable*",
    "maximum acceptable*",
    "tolerable downtime",
    "max downtime",
)
NAME = ("function", "business function", "process", "business process", "activity", "service", "capability", "mission*", "system", "what")
_FUNCTION = {
    "mtpd": MTPD,
    "rto": RTO,
    "rpo": RPO,
    "priority": ("priority", "criticality", "tier", "class", "rank", "level"),
    "impact": ("impact*", "consequence*", "effect*", "if it stops"),
    "workaround": ("workaround*", "manual procedure", "fallback", "alternative"),
    "minimum": ("minimum*", "mbco", "least"),
    "name": NAME,
}
_TIER = {
    "loss": ("revenue loss", "loss*", "cost*", "financial*", "revenue"),
    "customer": ("customer*", "client*", "guest*", "reputation*"),
    "risk": ("regulatory*", "legal*", "compliance*"),
    "time": ("outage duration", "duration", "outage*", "downtime", "length", "time", "period"),
}
_PRIORITIES = (
    ("P1", r"\bp ?1\b|\bcritical\b|\bmission[- ]critical\b|\btier ?1\b|\bvital\b|^1$"),
    ("P2", r"\bp ?2\b|\bhigh\b|\btier ?2\b|\bessential\b|^2$"),
    ("P3", r"\bp ?3\b|\bmedium\b|\bmoderate\b|\btier ?3\b|^3$"),
    ("P4", r"\bp ?4\b|\blow\b|\btier ?4\b|^4$"),
)


def priority(text: str) -> Reading:
    """P1 to P4, by that name or concluded from the words for them; unclear where it is neither."""
    hits = [name for name, pattern in _PRIORITIES if re.search(pattern, text.strip(), re.I)]
    exact = [name for name in hits if re.search(rf"\b{name[0]} ?{name[1]}\b", text, re.I)]
    if len(exact) == 1:
        return Reading(exact[0])
    if len(hits) == 1:
        return Reading(hits[0], concluded=f"'{shortened(text.strip(), 40)}' is taken for {hits[0]}")
    if absent(text):
        return NOTHING
    return Reading(None, "it is none of P1 to P4, or of their words", ("P1", "P2", "P3", "P4"))


def read(tree: Tree, draft: Draft) -> None:
    """Objectives, functions, tiers."""
    for section in tree.sections:
        _objectives(section, draft)
        for table in section.tables:
            places = columns(table, _FUNCTION)
            tiers = columns(table, _TIER)
            if {"loss", "time"} <= tiers.keys():
                _tiers(table, tiers, section, draft)
            elif (
                "name" in places
                and ({"rto", "mtpd"} & places.keys())
                and not columns(table, {"strategy": ("strategy", "recovery method", "recovery approach")})
            ):
                _functions(table, places, section, draft)
    for section in tree.sections:
        _spoken(section, draft)
    _function_sections(tree, draft)


def _objectives(section: Section, draft: Draft) -> None:
    if not section.says("objective*", "target*", "goal*", "commitment*") or section.within("recovery strateg*"):
        return
    entry = draft.data.setdefault("objectives", {})
    for leaf in labelled(section):
        text = leaf.value
        if not text:
            continue
        if says(leaf.label, "tolerance", "data loss*"):
            draft.read(entry, "data_loss_tolerance", duration(text), text, leaf.line, "objectives")
        elif says(leaf.label, *RTO):
            draft.read(entry, "rto", duration(text), text, leaf.line, "objectives")
        elif says(leaf.label, *RPO):
            draft.read(entry, "rpo", duration(text), text, leaf.line, "objectives")
        elif says(leaf.label, "availability", "uptime"):
            share = percent(text)
            draft.read(entry, "availability_percent", share, text, leaf.line, "objectives")
            said = entry.get("availability_percent")
            if isinstance(said, Said) and isinstance(said.value, str):
                entry["availability_percent"] = replace(said, value=float(said.value))
        else:
            continue
        leaf.claim()


def _functions(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    for row in named_rows(table, places, section, draft):
        identifier, entry = draft.named_or_new("functions", row.name)
        about = f"functions.{identifier}"
        draft.put(entry, "name", row.name, row.line, about)
        row.read(draft, entry, "priority", priority, about)
        for key in ("rto", "rpo", "mtpd"):
            row.last(draft, entry, key, about)
        for key in ("impact", "workaround", "minimum"):
            row.say(draft, entry, key, about)


def _tiers(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    tiers = draft.data.setdefault("financial_tiers", [])
    with_times = Table(table.headers, [leaf for leaf in table.rows if window(cell(leaf, places, "time"))], table.line)
    for row in named_rows(with_times, places, section, draft, "time"):
        about = f"financial_tiers.{len(tiers)}"
        time = window(row.name) or ("0s", "open")
        entry: Entry = {"from": Said(time[0], row.line)}
        if time[1] != "open":
            entry["to"] = Said(time[1], row.line)
        text = row.cell("loss")
        loss = money(text)
        if isinstance(loss, Money):
            entry["revenue_loss_usd"] = Said(int(loss.usd) if loss.usd == int(loss.usd) else loss.usd, row.line, loss.concluded)
            if loss.at_least:
                entry["revenue_loss"] = Said("at-least", row.line)
        else:
            draft.read(entry, "revenue_loss_usd", loss, text, row.line, about)
        for key, field in (("customer_impact", "customer"), ("regulatory_risk", "risk")):
            if row.cell(field):
                entry[key] = Said(row.cell(field), row.line)
        tiers.append(entry)


_SUBJECT = re.compile(
    r"^(?:the |our )?(?P<name>[A-Za-z][\w /&'-]{1,60}?)(?:\s+(?:function|process|service|activity|system|team))?\s+(?:must|has to|have to|has|have|needs?|is|are|shall|should|can|may|will|tolerates?)\b",
    re.I,
)
_PRONOUNS = ("it", "this", "they", "that", "we", "this function", "she", "he", "which")
_SPLIT = re.compile(r"(?<=[.;])\s+(?=[A-Z])")


def _spoken(section: Section, draft: Draft) -> None:
    """Functions in sentences: a subject, and both a recovery time and a data loss, or one of them."""
    if section.within("scenario*", "exercise*", "test*", "kpi*", "indicator*", "review*", "communicat*", "escalation*"):
        return
    for leaf in section.open_leaves():
        if leaf.kind not in ("paragraph", "item") or (leaf.label and not _times(leaf.value)):
            continue
        sentences = _SPLIT.split(leaf.text)
        last: tuple[str, Entry] | None = None
        understood, spoken_of = 0, ""
        for sentence in sentences:
            times = _times(sentence)
            subject = _SUBJECT.match(sentence)
            if not times:
                spoken_of = subject["name"].strip() if subject and subject["name"].lower() not in _PRONOUNS else spoken_of
                continue
            name = leaf.label if leaf.label and sentence is sentences[0] else subject["name"].strip() if subject else ""
            if name.lower() in _PRONOUNS:
                name = "" if last is not None else spoken_of
            if name:
                last = draft.named_or_new("functions", name)
                draft.put(last[1], "name", name, leaf.line, f"functions.{last[0]}")
            if last is None:
                continue
            understood += 1
            for key, text in times.items():
                draft.read(last[1], key, duration(text), sentence, leaf.line, f"functions.{last[0]}")
            found = priority(sentence) if re.search(r"\bp ?[1-4]\b|\btier ?[1-4]\b|\bcritical\b", sentence, re.I) else NOTHING
            if found.value is not None and "priority" not in last[1]:
                draft.put(last[1], "priority", found.value, leaf.line, concluded=found.concluded)
        if last is not None and understood:
            plain_sentences = [sentence for sentence in sentences if not _times(sentence)]
            impact = [
                sentence
                for sentence in plain_sentences
                if re.search(r"\b(?:lose|loss|cannot|can't|unable|stop|without|outage|impact|unhappy|fine)\b", sentence, re.I)
            ]
            if impact:
                draft.put(last[1], "impact", " ".join(impact), leaf.line, f"functions.{last[0]}.impact")
            left = [sentence for sentence in plain_sentences if sentence not in impact]
            if left:
                draft.notes.append(Left(" ".join(left), section.path, leaf.line))
            leaf.claim()


_NUMBER = r"(?P<{0}>(?:(?<![\d.])\d{{1,9}}(?:\.\d{{1,6}})?|half an|an?|one|two|three|four|five|six|eight|ten|twelve|fifteen|twenty(?:[- ]four)?|thirty|forty[- ]?(?:five|eight)?|sixty|ninety|seventy[- ]two)[ -]?(?:ms|s|secs?|seconds?|mins?|m|minutes?|h|hrs?|hours?|days?|d|weeks?)\b)"
_SAID_RTO = re.compile(
    r"(?:\brto\b|recovery time(?: objective)?)\D{0,25}?"
    + _NUMBER.format("a")
    + r"|(?:back|restored?|resumed?|recovered?|running|working|available)(?: again)?(?: \w+){0,3}? (?:within|in|after(?: at most)?|no later than) (?:at most |about )?"
    + _NUMBER.format("b")
    + r"|"
    + _NUMBER.format("c")
    + r"\s*\(?(?:rto|recovery time)",
    re.I,
)
_SAID_RPO = re.compile(
    r"(?:\brpo\b|recovery point(?: objective)?)\D{0,25}?"
    + _NUMBER.format("a")
    + r"|(?:lose|loss of|losing)(?: at most| no more than| up to| more than)? "
    + _NUMBER.format("b")
    + r"|"
    + _NUMBER.format("c")
    + r"\s*(?:\(?rpo|recovery point|of (?:data|work|changes|transactions|entries|bookings|orders|records)\b)",
    re.I,
)
_SAID_MTPD = re.compile(
    r"(?:\bmtp?d\b|maximum tolerable \w+|longer than|survive(?: at most)?|tolerate(?: at most)?)\D{0,25}?" + _NUMBER.format("a"), re.I
)


def _times(sentence: str) -> dict[str, str]:
    """Times that a sentence promises, each by its own words."""
    found: dict[str, str] = {}
    for key, pattern in (("rto", _SAID_RTO), ("rpo", _SAID_RPO), ("mtpd", _SAID_MTPD)):
        match = pattern.search(sentence)
        if match is not None:
            found[key] = next(text for text in match.groups() if text)
    return found


def _function_sections(tree: Tree, draft: Draft) -> None:
    """A heading a function, with `RTO: …` under it, within the impact analysis."""
    for section in tree.sections:
        if not section.within("impact analysis", "business functions", "critical functions", "critical processes", "bia"):
            continue
        leaves = labelled(section)
        if not any(says(leaf.label, *RTO, *MTPD) for leaf in leaves):
            continue
        identifier, entry = draft.entry("functions", section.name)
        about = f"functions.{identifier}"
        draft.put(entry, "name", section.name, section.line, about)
        for leaf in leaves:
            key = next((key for key, words in (("mtpd", MTPD), ("rto", RTO), ("rpo", RPO)) if says(leaf.label, *words)), None)
            if key is not None:
                draft.read(entry, key, duration(leaf.value), leaf.value, leaf.line, about)
            elif says(leaf.label, *_FUNCTION["priority"]):
                draft.read(entry, "priority", priority(leaf.value), leaf.value, leaf.line, about)
            else:
                key = next((key for key in ("impact", "workaround", "minimum") if says(leaf.label, *_FUNCTION[key])), None)
                if key is None:
                    continue
                draft.put(entry, key, leaf.value, leaf.line, about)
            leaf.claim()
