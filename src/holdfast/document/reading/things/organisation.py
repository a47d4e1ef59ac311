"""People, roles, the escalation matrix, contacts and vendors: in tables, under headings, and in lists (sentences: see `spoken_roles`)."""

import re

from holdfast.document.reading.columns import cell, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said, leaf_list, note_of, parts_of
from holdfast.document.reading.quantities import Reading, absent
from holdfast.document.reading.things.addresses import WAYS, given, is_reachable, without_addresses
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.things.names import (
    FULL_NAME,
    STAND_IN,
    all_turned,
    in_order,
    is_aside,
    is_label_of_way,
    is_name,
    is_named,
    is_role,
    name_in,
    named,
    whom,
)
from holdfast.document.reading.things.people import holders, person, reach, reach_by_cell, role
from holdfast.document.reading.things.promises import names_promise
from holdfast.document.reading.things.role_tables import BACKUP, PRIMARY, ROLE_COLUMNS, TASKS, WAY_HEADS, places_of, role_table
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, normal, says, sentences

_VENDORS = ("vendor*", "supplier*", "provider*")
OF_OTHERS = (*_VENDORS, "outside", "external")
"""Headings under which those who are named belong to another company."""
_CHANNELS = (
    ("pagerduty", r"pager ?duty|pager"),
    ("slack", r"slack|chat|teams"),
    ("sms", r"\bsms\b|text message"),
    ("phone", r"phone|call\b|telephone|voice"),
    ("status-page", r"status page|website"),
    ("in-app", r"in-app|in app"),
    ("webhook", r"webhook|\bapi\b"),
    ("email", r"e-?mail|mailing"),
)
_CONTACT = {
    "email": WAY_HEADS["email"],
    "phone": (*WAY_HEADS["phone"], "number"),
    "title": ("title", "position", "job", "role", "function"),
    "hours": ("hours", "availability", "available", "when"),
    "answers": ("answers within", "response time", "responds within", "response"),
    "contact": ("contact person", "contact name", "contact", "account manager"),
    "supplies": ("supplies", "service", "product", "provides", "what"),
    "vendor": ("vendor", "supplier", "provider"),
    "name": ("name", "person", "who", "employee"),
}
_ESCALATION = {
    "within": ("response time", "respond within", "answer within", "time", "within"),
    "level": ("escalation level", "escalate to", "escalation", "level", "who"),
    "channels": ("notification method", "method", "channel*", "notified by", "by", "how"),
    "severity": ("severity", "priority", "class", "incident level"),
}


def read(tree: Tree, draft: Draft) -> None:
    """Roles with their people, who is escalated to, contacts, vendors."""
    for section in tree.sections:
        for table in section.tables:
            escalation, vendors = columns(table, _ESCALATION), columns(table, _CONTACT)
            roles, contacts = places_of(table, ROLE_COLUMNS), places_of(table, _CONTACT)
            if {"severity", "level"} <= escalation.keys() and {"within", "channels"} & escalation.keys():
                _escalation(table, escalation, section, draft)
            elif "vendor" in vendors or ("name" in vendors and section.within(*_VENDORS)):
                _vendors(table, vendors, section, draft)
            elif {"role", "primary"} <= roles.keys() and (
                {"backup", "deputy of"} & roles.keys() or section.within("role*", "team*", "responsib*")
            ):
                role_table(table, roles, section, draft)
            elif "name" in contacts and {"phone", "email", "contact"} & contacts.keys():
                _contacts(table, contacts, section, draft)
        _role_section(section, draft)


def channels_of(text: str) -> list[tuple[str, str]]:
    """Channels that a text names, in its order, each with why it was concluded where the text names another thing of the sort."""
    found = [(match.start(), name, match[0]) for name, pattern in _CHANNELS if (match := re.search(pattern, text, re.I))]
    return [(name, _ANOTHER.get(word.lower(), "")) for _, name, word in sorted(found)]


_ANOTHER = {
    "chat": "the text says chat, and slack is the plan's channel for it",
    "teams": "the text says Teams, and slack is the plan's channel for chat",
    "pager": "the text says pager, and pagerduty is the plan's channel for it",
    "website": "the text says website, and status-page is the plan's channel for it",
}


def write_channels(entry: Entry, text: str, line: int) -> None:
    """Write the channels that a text names, where it names some."""
    found = channels_of(text)
    if found:
        entry["channels"] = [Said(channel, line, why) for channel, why in found]


def audience(draft: Draft, text: str, line: int) -> str:
    """The role or audience that words mean; an audience is made where neither is known yet."""
    text = re.sub(r"\([^()]*\)", "", text).strip() or text
    known = draft.named("roles", text) or draft.named("audiences", text)
    if known is not None:
        return known
    identifier, entry = draft.entry("audiences", text)
    entry["name"] = Said(text, line)
    someone = draft.named("people", text)
    if someone is not None:
        entry["people"] = [Said(someone, line)]
    return identifier


def _escalation(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    known = Table(table.headers, [leaf for leaf in table.rows if priority(cell(leaf, places, "severity")).value], table.line)
    for row in named_rows(known, places, section, draft, "severity"):
        severity = priority(row.name)
        entry: Entry = {}
        draft.section("escalation")[str(severity.value)] = entry
        inner = re.search(r"\(([^()]+)\)", row.name)
        if inner:
            entry["name"] = Said(inner[1], row.line, severity.concluded)
        elif severity.concluded:
            entry["name"] = Said(row.name, row.line, severity.concluded)
        row.last(draft, entry, "answer_within", f"escalation.{severity.value}", "within")
        entry["level"] = Said(row.cell("level"), row.line)
        entry["audience"] = [Said(audience(draft, part, row.line), row.line) for part in parts_of(row.cell("level"))]
        write_channels(entry, row.cell("channels"), row.line)


def _role_section(section: Section, draft: Draft) -> None:
    """A heading a role, with `Primary: …` under it; or a list whose items are `Role: person (deputy: person)`."""
    leaves = labelled(section)
    if not section.title or any(says(leaf.label, "strategy", "method", "region", "site") for leaf in leaves):
        return
    if _is_role_heading(section, leaves):
        entry = role(draft, section.name, section.line)
        for leaf in leaves:
            if is_reachable(leaf.label):
                continue
            if says(leaf.label, *TASKS):
                tasks = leaf_list(leaf.children)
                entry.setdefault("responsibilities", []).extend(tasks or [Said(part, leaf.line) for part in parts_of(leaf.value)])
            elif says(leaf.label, *BACKUP):
                holders(draft, entry, "", leaf.value, leaf.line, section.name, section.path)
            elif says(leaf.label, *PRIMARY):
                holders(draft, entry, leaf.value, "", leaf.line, section.name, section.path)
            else:
                continue
            leaf.claim_all()
        return
    outside = section.within(*OF_OTHERS)
    if not outside and not section.within("role*", "team", "responsib*", "contact*", "who"):
        return
    for leaf in leaves:
        main, deputy = _and_deputy(leaf.value)
        if not leaf.value or leaf.children or not (deputy or is_reachable(leaf.value)):
            continue
        if outside:
            _vendor_line(draft, leaf)
            continue
        if any(_is_sentence(text) for text in (leaf.label, main, deputy)) or is_reachable(leaf.label) or names_promise(leaf.text):
            continue
        _list_line(draft, leaf, main, deputy, section)


def _is_role_heading(section: Section, leaves: list[Leaf]) -> bool:
    """Whether a heading is a role, by the labels under it that say who holds it. `Deputy: …` alone makes no role of any heading."""
    labels = [leaf.label for leaf in leaves if len(sentences(leaf.label)) == 1 and not is_reachable(leaf.label)]
    if not any(says(label, *_OF_ONE_ROLE) for label in labels) or section.says("document*", "control"):
        return False
    return is_role(section.name) or any(_says_holder(label) and not says(label, *BACKUP) for label in labels)


_OF_ONE_ROLE = ("primary", "held by", "holder", "backup", "alternate*", "deputy")
"""What labels say that may speak of the role that their heading is."""


def _says_holder(label: str) -> bool:
    """Whether a label says that somebody holds a role, and not which: a `Pier lead` is a role of its own."""
    return says(label, "primary", "held by", "holder", "assigned to", "filled by") or normal(label) in ("lead", "team lead")


def _list_line(draft: Draft, leaf: Leaf, main: str, deputy: str, section: Section) -> None:
    """`Crisis manager: Ann Ray, +44 …` is a role; `Ann Ray: +44 …` and `Ann Ray: crisis manager, +44 …` are a person."""
    called = whom(main)
    asides = not is_name(called) and is_aside(called)
    if is_name(named(leaf.label).name) and not is_name(called):
        if not deputy and is_role(called) and section.within("role*", "responsib*"):
            text = without_addresses(main).strip(" ,;")
            holders(draft, role(draft, text, leaf.line), f"{leaf.label}, {' '.join(_ways_in(main))}", "", leaf.line, text, section.path)
        elif deputy or person(draft, f"{leaf.label}, {main}", leaf.line, where=section.path) is None:
            return
    elif asides or not called:
        if is_label_of_way(leaf.label) or deputy:
            return
        known = draft.named("roles", leaf.label)
        primary = draft.section("roles")[known].get("primary") if known is not None else None
        if isinstance(primary, Said):
            for key in WAYS:
                for value in given(key, main):
                    reach(draft, str(primary.value), key, value, leaf.line, "it stands beside the role that they hold")
            if asides:
                draft.notes.append(note_of(section, leaf))
        elif person(draft, f"{leaf.label}, {main}", leaf.line, where=section.path) is None:
            return
    else:
        holders(draft, role(draft, leaf.label, leaf.line), main, deputy, leaf.line, leaf.label, section.path)
    leaf.claim()


def _ways_in(text: str) -> list[str]:
    return [value for key in WAYS for value in given(key, text)]


_DEPUTY = re.compile(
    rf"[(;,.]\s{{0,3}}(?:(?:his|her|their|the) )?(?!deputies\b){STAND_IN}\b(?P<said> is\b|\s{{0,3}}:)?\s{{0,3}}(?=\S)", re.I
)
"""Ahead of one who stands in. Deputies may be several, and are left as they stand."""


def _and_deputy(text: str) -> tuple[str, str]:
    """A text and the deputy that it names at its end: `Ann Ray (deputy: Bo Dahl)`, `Ann Ray, ann@a.example. Alternate: Bo Dahl`."""
    found = _DEPUTY.search(text)
    if found is None:
        return text, ""
    main, rest = text[: found.start()], text[found.end() :].strip()
    closes = re.search(r"\)(?![^()]*\))", rest) if found[0][0] == "(" else None
    if closes is not None:
        main, rest = main + rest[closes.end() :], rest[: closes.start()]
    called = whom(rest)
    if not found["said"] and (is_role(called) or called[:1].islower()):  # `Deputy Director` is somebody's title
        return text, ""
    return main, rest


def _vendor_line(draft: Draft, leaf: Leaf) -> None:
    """`The mill: +44 …, any morning`: somebody outside, by a label with an address."""
    identifier, entry = draft.entry("vendors", leaf.label)
    entry["name"] = Said(leaf.label, leaf.line)
    _vendor_reached(draft, identifier, leaf.value, leaf.line)
    rest = without_addresses(leaf.value).strip(" ,;.()")
    if rest:
        entry["hours" if re.search(r"24/7|morning|hours|day|night|time", rest) else "contact"] = Said(rest, leaf.line)
    leaf.claim()


def _vendor_reached(draft: Draft, identifier: str, text: str, line: int) -> None:
    """The first address and number of a text; where it gives several, which one is asked."""
    for key in WAYS:
        found = given(key, text)
        if found:
            draft.section("vendors")[identifier][key] = Said(found[0], line)
        if len(found) > 1:
            draft.ask(f"vendors.{identifier}.{key}", text, Reading(unclear="it gives several", choices=tuple(found)), line)


def _contacts(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    people = Table(table.headers, [leaf for leaf in table.rows if is_named(cell(leaf, places, "name"))], table.line)
    turned = all_turned([cell(leaf, places, "name") for leaf in people.rows])
    for row in named_rows(people, places, section, draft):
        called, reaching = row.cell("name"), {key: row.cell(key) for key in ("email", "phone", "contact")}
        several = [part.strip() for part in re.split(r",|/|;| & | and ", called) if re.fullmatch(FULL_NAME, part.strip())]
        title = row.cell("title")
        identifier = person(draft, in_order(called) if turned else called, row.line, "" if absent(title) else title, section.path)
        if identifier is None:
            continue
        if len(several) > 1:
            draft.ask(f"people.{identifier}.name", called, Reading(unclear="it names several people", choices=tuple(several)), row.line)
        contact = reaching.pop("contact")
        for key in WAYS:
            text = " ".join([reaching[key], *given(key, contact)]).strip()
            if text:
                reach_by_cell(draft, identifier, key, text, row.line)
        rest = without_addresses(contact).strip(" ,;/|()")
        if rest and not absent(rest) and not is_label_of_way(rest):
            draft.notes.append(Left(f"{row.name}: {contact}", section.path, row.line))


def _vendors(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    for row in named_rows(table, places, section, draft, "vendor", "name"):
        identifier, entry = draft.entry("vendors", row.name)
        about = f"vendors.{identifier}"
        entry["name"] = Said(row.name, row.line)
        everything = " | ".join(row.leaf.cells)
        row.say(draft, entry, "supplies", about)
        contact = without_addresses(row.cell("contact")).strip(" ,;")
        if contact and not absent(contact):
            entry["contact"] = Said(contact, row.line)
        _vendor_reached(draft, identifier, everything, row.line)
        row.say(draft, entry, "hours", about)
        row.last(draft, entry, "answers_within", about, "answers")


def one_person(text: str) -> bool:
    """Whether a line is somebody's name with an address and a number, and no sentence about calling."""
    several = any(len(set(pattern.findall(text))) > 1 for pattern in WAYS.values())
    return not several and not _is_sentence(text)


def _is_sentence(text: str) -> bool:
    """Whether a text says more than who somebody is and how they are reached."""
    return len(sentences(text.strip())) > 1 or not _SENTENCE_WORDS.isdisjoint(re.findall(r"\b[a-z]+\b", name_in(without_addresses(text))))


_SENTENCE_WORDS = frozenset(
    ["call", "calls", "if", "when", "in", "on", "to", "at", "both", "please", "ask", "reach", "then", "or", "is", "are", "has", "by", "our"]
)
