"""Objectives, business functions and what outages cost (the business impact analysis)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from holdfast.document.reading.columns import Row, cell, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said
from holdfast.document.reading.quantities import NOTHING, Money, Reading, absent, duration, lengths, money, percent, unit_of_heading, window
from holdfast.document.reading.quantities.durations import inexact
from holdfast.document.reading.things.promise_names import MTPD, PATTERNS, RPO, RTO
from holdfast.document.reading.things.promises import names_promise, order_of, promises
from holdfast.document.reading.things.resources import FUNCTION, resource_places
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, says
from holdfast.plan.problems import shortened

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
_CURRENCY = re.compile(r"[$€£¥]|\b(?:USD|EUR|GBP|CHF|dollars|euros?|pounds)\b|\b[A-Z]{3} ?\d|\d ?[A-Z]{3}\b")
_PRIORITIES = (
    ("P1", r"\bp ?1\b|\bcritical\b|\bmission[- ]critical\b|\btier ?1\b|\bvital\b|^1$"),
    ("P2", r"\bp ?2\b|\bhigh\b|\btier ?2\b|\bessential\b|^2$"),
    ("P3", r"\bp ?3\b|\bmedium\b|\bmoderate\b|\btier ?3\b|^3$"),
    ("P4", r"\bp ?4\b|\blow\b|\btier ?4\b|^4$"),
)
_LISTED = ("impact analysis", "business function*", "critical function*", "critical process*", "business process*", "bia", "functions")
"""Headings of lists of functions."""
_LONGEST_NAME = 80
_RTO_OR_RPO = f"{PATTERNS['rto']}|{PATTERNS['rpo']}"
_OF_ONE = re.compile(
    rf"(?!(?:{_RTO_OR_RPO})\b)\w[^–—]{{1,60}}? [–—-] (?:the )?(?:{_RTO_OR_RPO})\b",
    re.I,
)
"""The label of one function's promise, `Document imaging – RTO`, and not of the plan as a whole."""
_BETWEEN = (re.compile(r"/(?!\s?a\b)", re.I), re.compile(r"[;|]"), re.compile(r",(?!\d)"), re.compile(r"\band\b", re.I))
"""What may stand between the values of a cell; the stroke of `N/A` doesn't."""
_VERB = re.compile(r"\b(?:has|have|must|is|are|needs?|shall|should|will)\b", re.I)
_NEEDED = {
    "rto": Reading(unclear="it says that there is none, and a plan needs one for each function: how soon must it be back?"),
    "rpo": Reading(
        unclear="it says that there is none, and a plan needs one for each function: how much data may be lost, as a length of time"
        " (0s for none)? One that keeps no data can take its RTO"
    ),
}
"""What is asked where a function is said to have no such promise."""
_NO_PRIORITY = re.compile(r"\b(?:not|non|neither|p ?(?:0|[5-9]|\d\d)|tier ?(?:0|[5-9]|\d\d))\b", re.I)


def priority(text: str) -> Reading:
    """P1 to P4, by that name or concluded from the words for them; unclear where it is neither."""
    hits = [name for name, pattern in _PRIORITIES if re.search(pattern, text.strip(), re.I)]
    exact = [name for name in hits if re.search(rf"\b{name[0]} ?{name[1]}\b", text, re.I)]
    other = _NO_PRIORITY.search(text)
    if other is not None and len(exact) < 2:
        return Reading(None, f"'{other[0]}' makes it none of P1 to P4", ("P1", "P2", "P3", "P4"))
    if len(exact) == 1:
        return Reading(exact[0])
    if len(hits) == 1:
        return Reading(hits[0], concluded=f"'{shortened(text.strip(), 40)}' is taken for {hits[0]}")
    if absent(text):
        return NOTHING
    return Reading(None, "it is none of P1 to P4, or of their words", ("P1", "P2", "P3", "P4"))


def put_promise(draft: Draft, entry: Entry, key: str, reading: Reading, text: str, line: int, about: str) -> None:
    """Write a function's RTO, RPO or MTPD. The first two are asked about where the document says that there is none, as no function is without."""
    if key in ("rto", "rpo") and reading.clear and reading.value is None and re.search(r"\w", text):
        draft.ask(f"{about}.{key}", text, _NEEDED[key], line)
    else:
        draft.read(entry, key, reading, text, line, about)


def read(tree: Tree, draft: Draft) -> None:
    """Objectives, functions, tiers."""
    for section in tree.sections:
        _objectives(section, draft)
        for table in section.tables:
            places = columns(table, _FUNCTION)
            if "name" in places and ({"rto", "mtpd"} & places.keys() or _rpos_of_functions(table, places)):
                if resource_places(table, section) is None:
                    _functions(table, places, section, draft)
                continue
            tiers = columns(table, _TIER)
            if {"loss", "time"} <= tiers.keys() and _of_money(table, tiers["loss"]):
                _tiers(table, tiers, section, draft)
    _function_sections(tree, draft)


def _objectives(section: Section, draft: Draft) -> None:
    if not section.says("objective*", "target*", "goal*", "commitment*") or section.within("recovery strateg*"):
        return
    entry = draft.data.setdefault("objectives", {})
    for leaf in labelled(section):
        text = leaf.value
        if not text or _OF_ONE.match(leaf.label):
            continue
        several = order_of(leaf.label)
        if len(several) > 1 and set(several) <= {"rto", "rpo"}:
            for key, reading in _promised_in(leaf.label, several, text).items():
                draft.read(entry, key, reading, text, leaf.line, "objectives")
        elif says(leaf.label, "tolerance", "data loss*"):
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


def _rpos_of_functions(table: Table, places: Mapping[str, int]) -> bool:
    """Whether a table gives the RPO alone, by that name, and of what is called a function, as a second table of functions does."""
    return "rpo" in places and names_promise(table.headers[places["rpo"]]) and says(table.headers[places["name"]], *FUNCTION)


def _functions(table: Table, own: dict[str, int], section: Section, draft: Draft) -> None:
    places = _also_rto(table, own)
    why = "" if places == own else f"'{table.headers[places['rto']]}' is taken for the RTO, as another column gives the MTPD"
    for row in named_rows(table, places, section, draft):
        identifier, entry = draft.named_or_new("functions", row.name)
        about = f"functions.{identifier}"
        entry.setdefault("name", Said(row.name, row.line))
        row.read(draft, entry, "priority", priority, about)
        for key, reading, text in promised_in_row(row):
            put_promise(draft, entry, key, reading, text, row.line, about)
        rto = entry.get("rto")
        if why and isinstance(rto, Said):
            entry["rto"] = replace(rto, concluded="; ".join(part for part in (why, rto.concluded) if part))
        for key in ("impact", "workaround", "minimum"):
            row.say(draft, entry, key, about)


def promised_in_row(row: Row) -> Iterator[tuple[str, Reading, str]]:
    """`rto`, `rpo`, `mtpd`, what a row says of it, and in which words. A column gives that which it serves, or all that its name names (`RTO / RPO`)."""
    for field in ("rto", "rpo", "mtpd"):
        if field in row.places:
            head, text = row.table.headers[row.places[field]], row.cell(field)
            for key, reading in _promised_in(head, _keys_of(head, field), text).items():
                yield key, reading, text


def _keys_of(called: str, key: str) -> tuple[str, ...]:
    """The promises that a column or label is for: all that it names, where those are several, or else the one that it was found by."""
    named = order_of(called)
    return named if len(named) > 1 else (key,)


def _promised_in(head: str, keys: tuple[str, ...], text: str) -> dict[str, Reading]:
    """What a text says of the promises that its column or label names: each its own value in turn, or a question about all of them."""
    if not text:
        return {}
    unit = unit_of_heading(head)
    if len(keys) == 1:
        return {keys[0]: duration(text, unit)}
    own = {key: promise.reading for key, promise in promises(text).items()}
    if names_promise(text) and own.keys() == set(keys):
        return own
    for between in () if names_promise(text) else _BETWEEN:
        parts = [part.strip() for part in between.split(text)]
        if len(parts) == len(keys) and all(parts):
            return {key: duration(part, unit) for key, part in zip(keys, parts, strict=True)}
    said = " and ".join(key.upper() for key in keys)
    choices = tuple(dict.fromkeys(length.written for length in lengths(text) if length.written))
    return dict.fromkeys(keys, Reading(unclear=f"it doesn't give one value each for {said}", choices=choices))


def _also_rto(table: Table, places: dict[str, int]) -> dict[str, int]:
    """The columns, and one of downtime as that of the RTO where the table has none and names the MTPD in another."""
    if "rto" in places or "mtpd" not in places:
        return places
    at = next((at for at, head in enumerate(table.headers) if at not in places.values() and says(head, "downtime", "outage")), None)
    return places if at is None else {**places, "rto": at}


def _of_money(table: Table, at: int) -> bool:
    """Whether a column is of losses in money: its name doesn't speak of data, and it or one of its cells names a currency or an amount."""
    head = table.headers[at]
    if says(head, "data*"):
        return False
    cells = [head, *(row.cells[at] for row in table.rows if at < len(row.cells))]
    return any(_CURRENCY.search(text) or isinstance(money(text), Money) for text in cells)


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


def _is_label(leaf: Leaf, *words: str) -> bool:
    """Whether a leaf is labelled with one of these, and its label isn't a sentence with a function of its own (`Payroll has an RTO: 4 h`)."""
    return (
        says(leaf.label, *words)
        and not _OF_ONE.match(leaf.label)
        and _VERB.search(leaf.label) is None
        and not (lengths(leaf.label) or inexact(leaf.label))
    )


def _function_sections(tree: Tree, draft: Draft) -> None:
    """A heading or an item a function, with `RTO: …` under it, within the impact analysis."""
    for section in tree.sections:
        if not section.within(*_LISTED):
            continue
        leaves = labelled(section)
        if not section.says(*_LISTED) and any(_is_label(leaf, *RTO, *MTPD) for leaf in leaves):
            _function_of(section.name, section.line, leaves, draft)
        for leaf in section.open_leaves():
            name = leaf.label or leaf.text.rstrip(" .:")
            under = [child for child in leaf.children if not child.claimed]
            if len(name) <= _LONGEST_NAME and not names_promise(name) and any(_is_label(child, *RTO, *MTPD) for child in under):
                left = _function_of(name, leaf.line, [child for child in under if child.label], draft)
                beside = [child for child in under if not child.label and child.text]
                for child in (*left, *beside):
                    draft.notes.append(Left(f"{name}: {child.claim().text}", section.path, child.line))
                if leaf.value:
                    draft.notes.append(Left(leaf.text, section.path, leaf.line))
                leaf.claim()


def _function_of(name: str, line: int, leaves: Sequence[Leaf], draft: Draft) -> list[Leaf]:
    """Write a function that has a heading or an item of its own, out of what is labelled under it. What it doesn't read is given back."""
    left = []
    identifier, entry = draft.entry("functions", name)
    about = f"functions.{identifier}"
    draft.put(entry, "name", name, line, about)
    for leaf in leaves:
        key = next((key for key, words in (("mtpd", MTPD), ("rto", RTO), ("rpo", RPO)) if _is_label(leaf, *words)), None)
        if key is not None:
            for each, reading in _promised_in(leaf.label, _keys_of(leaf.label, key), leaf.value).items():
                put_promise(draft, entry, each, reading, leaf.value, leaf.line, about)
        elif says(leaf.label, *_FUNCTION["priority"]):
            draft.read(entry, "priority", priority(leaf.value), leaf.value, leaf.line, about)
        else:
            key = next((key for key in ("impact", "workaround", "minimum") if says(leaf.label, *_FUNCTION[key])), None)
            if key is None:
                left.append(leaf)
                continue
            draft.put(entry, key, leaf.value, leaf.line, about)
        leaf.claim()
    return left
