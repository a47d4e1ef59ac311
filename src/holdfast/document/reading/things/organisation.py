"""People, roles, the escalation matrix, contacts and vendors: in tables, under headings, and in lists (sentences: see `spoken_roles`)."""

import re

from holdfast.document.reading.columns import cell, columns, labelled, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said, leaf_list, parts_of
from holdfast.document.reading.quantities import Reading, absent
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.things.promises import names_promise
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, says, sentences

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_AMERICAN = r"(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-. ]\d{4}(?:,? (?:ext\.?|x) ?\d{1,6})?"
PHONE = re.compile(rf"(?<![\w.-])(?:(?:\+|\(?0)\d[\d ./()-]{{5,20}}\d|{_AMERICAN})(?![\w-])")
WAYS = {"email": EMAIL, "phone": PHONE}
"""How somebody is reached: key of the plan → what it looks like."""
_CAPITAL = "[A-Z" + "".join(chr(code) for code in range(0xC0, 0x180) if chr(code).isupper()) + "]"
FULL_NAME = rf"(?:(?<![\w'’-]){_CAPITAL}[\w'’-]{{1,40}}(?: (?:van|de|der|von|da|O')\b)?(?: {_CAPITAL}[\w'’-]{{1,40}}){{1,2}})"
"""A pattern of two or three words with capitals."""
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
PRIMARY = ("primary", "lead", "held by", "holder", "assigned to", "person", "filled by", "name", "who", "first")
BACKUP = ("backup", "alternate*", "deputy", "deputies", "secondary", "stand in", "substitute", "second")
TASKS = ("responsibilities", "responsibility", "duties", "tasks", "responsible for")
_ROLE = {
    "backup": BACKUP,
    "tasks": TASKS,
    "phone": ("phone", "telephone", "mobile", "tel", "call"),
    "email": ("email", "e mail", "mail"),
    "role": ("role", "incident role", "team role", "position", "function"),
    "primary": ("primary", "held by", "holder", "assigned", "filled by", "person", "name", "lead", "who"),
}
_CONTACT = {
    "email": ("email", "e mail", "mail"),
    "phone": ("phone", "telephone", "mobile", "cell", "tel", "number", "contact number"),
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
            escalation, roles, contacts = (columns(table, words) for words in (_ESCALATION, _ROLE, _CONTACT))
            if {"severity", "level"} <= escalation.keys() and {"within", "channels"} & escalation.keys():
                _escalation(table, escalation, section, draft)
            elif "vendor" in contacts or ("name" in contacts and section.within("vendor*", "supplier*", "provider*")):
                _vendors(table, contacts, section, draft)
            elif {"role", "primary"} <= roles.keys() and ("backup" in roles or section.within("role*", "team*", "responsib*")):
                _role_table(table, roles, section, draft)
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


def person(draft: Draft, text: str, line: int, title: str = "") -> str | None:
    """The person behind a name or a title, with address and number where the text gives them. Nobody known: the title is the name."""
    email, phone = EMAIL.search(text), PHONE.search(text)
    bare = _without_addresses(text)
    inner = re.search(r"\(([^()]{2,80})\)", bare)
    name = _name_in(bare)
    if not _is_named(text):
        return None
    if "," in name:
        name, _, rest = name.partition(",")
        title = title or rest.strip(" ,;.")
    if inner and re.search(r"[A-Za-z]{3}", inner[1]):
        title = inner[1].strip(" ,;")
    name = name.strip()
    identifier, entry = draft.named_or_new("people", name)
    draft.put(entry, "name", entry["name"].value if "name" in entry else name, line)
    if title and "title" in entry and entry["title"].value == entry["name"].value:
        entry["title"] = Said(title, line)
    entry.setdefault("title", Said(title or name, line, "" if title else "no title stands beside it"))
    if email:
        draft.put(entry, "email", email[0], line, f"people.{identifier}.email")
    if phone:
        draft.put(entry, "phone", phone[0].strip(), line, f"people.{identifier}.phone")
    for key in WAYS:
        given = _given(key, text)
        if len(given) > 1:
            draft.ask(f"people.{identifier}.{key}", text, Reading(unclear="it gives several", choices=tuple(given)), line)
    return identifier


def _reached(draft: Draft, identifier: str, key: str, text: str, line: int) -> None:
    """What a cell for an address or a number says of somebody. What is neither is asked about, and never made part of a name."""
    entry, given = draft.section("people")[identifier], _given(key, text)
    short = _SHORT_NUMBER.fullmatch(text.strip()) if key == "phone" else None
    if given or short:
        draft.put(entry, key, given[0] if given else text.strip(), line, f"people.{identifier}.{key}")
    rest = WAYS[key].sub("", text).strip(" ,;/|()")
    if len(given) > 1 or (rest and not short and not absent(rest)):
        unclear = "it gives several" if len(given) > 1 and not rest else "it is more than an address or a number to dial"
        draft.ask(f"people.{identifier}.{key}", text, Reading(unclear=unclear, choices=tuple(given)), line)


def _given(key: str, text: str) -> list[str]:
    """The addresses or numbers in a text, each once."""
    return list(dict.fromkeys(match[0].strip() for match in WAYS[key].finditer(text)))


_SHORT_NUMBER = re.compile(r"\d{2,6}")
"""Of an emergency service, or of an exchange: dialled as it is."""


def _without_addresses(text: str) -> str:
    return re.sub(r"\(\s*[,;]?\s*\)", "", PHONE.sub("", EMAIL.sub("", text)))


def _name_in(bare: str) -> str:
    return re.sub(r"\([^()]*\)", "", bare).strip(" ,;:|-–—<>.")


def _is_named(text: str) -> bool:
    """Whether somebody's name or title is left of a text when addresses and numbers are taken out."""
    name = _name_in(_without_addresses(text))
    return bool(name) and not absent(name) and not _NOBODY.fullmatch(name)


_NOBODY = re.compile(r"vacant|unfilled|open|nobody|tb[acd]|to be (?:named|decided|confirmed|appointed|hired|announced)", re.I)


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


def _role_table(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    for row in named_rows(table, places, section, draft, "role"):
        entry = role(draft, row.name, row.line)
        reached = {key: text for key in WAYS if (text := row.cell(key).strip())}
        clear = {key: text for key, text in reached.items() if WAYS[key].fullmatch(text)}
        holders(draft, entry, " ".join([row.cell("primary"), *clear.values()]).strip(), row.cell("backup"), row.line, row.name)
        holder = entry.get("primary")
        for key, text in reached.items():
            if isinstance(holder, Said) and key not in clear:
                _reached(draft, str(holder.value), key, text, row.line)
            elif not isinstance(holder, Said) and not absent(text):
                draft.notes.append(Left(f"{row.name}, {key}: {text}", section.title, row.line))
        for task in parts_of(row.cell("tasks")):
            entry.setdefault("responsibilities", []).append(Said(task, row.line))


def role(draft: Draft, name: str, line: int) -> Entry:
    """The role of this name, made where there is none."""
    _, entry = draft.named_or_new("roles", name)
    entry.setdefault("name", Said(name, line))
    return entry


def holders(draft: Draft, entry: Entry, primary: str, backup: str, line: int, title: str) -> None:
    """Write who holds a role and who stands in, as texts with a name give them."""
    about = f"roles.{draft.named('roles', str(entry['name'].value))}"
    for key, text in (("primary", primary), ("backup", backup)):
        someone = (
            person(draft, text, line, title) if text.strip() and is_reachable(text) else person(draft, text, line) if text.strip() else None
        )
        if someone is not None:
            draft.put(entry, key, someone, line, f"{about}.{key}")


def is_reachable(text: str) -> bool:
    """Whether a text gives somebody's address or number: then it is a person's name and no job title."""
    return bool(EMAIL.search(text) or PHONE.search(text))


def _role_section(section: Section, draft: Draft) -> None:
    """A heading a role, with `Primary: …` under it; or a list whose items are `Role: person (deputy: person)`."""
    leaves = labelled(section)
    if not section.title or any(says(leaf.label, "strategy", "method", "region", "site") for leaf in leaves):
        return
    if any(says(leaf.label, "primary", "held by", "holder", *BACKUP[:3]) for leaf in leaves) and not says(
        section.title, "document*", "control"
    ):
        entry = role(draft, section.name, section.line)
        for leaf in leaves:
            if says(leaf.label, *TASKS):
                tasks = leaf_list(leaf.children)
                entry.setdefault("responsibilities", []).extend(tasks or [Said(part, leaf.line) for part in parts_of(leaf.value)])
            elif says(leaf.label, *BACKUP):
                holders(draft, entry, "", leaf.value, leaf.line, section.name)
            elif says(leaf.label, *PRIMARY):
                holders(draft, entry, leaf.value, "", leaf.line, section.name)
            else:
                continue
            leaf.claim_all()
        return
    outside = section.within("outside", "vendor*", "supplier*", "external", "provider*")
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
        holders(draft, role(draft, leaf.label, leaf.line), main, deputy, leaf.line, leaf.label)
        leaf.claim()


_DEPUTY = re.compile(
    r"[(;,.]\s{0,3}(?:(?:his|her|their|the) )?(?:deputy|backup|back-up|alternate|stand-in)(?: is\b|\s{0,3}:)?\s{0,3}(?=\S)", re.I
)


def _and_deputy(text: str) -> tuple[str, str]:
    """A text and the deputy that it names at its end: `Ann Ray (deputy: Bo Dahl)`, `Ann Ray, ann@a.example. Alternate: Bo Dahl`."""
    found = _DEPUTY.search(text)
    if found is None:
        return text, ""
    rest = text[found.end() :].strip()
    return text[: found.start()], rest[:-1] if found[0][0] == "(" and rest.endswith(")") else rest


def _vendor_line(draft: Draft, leaf: Leaf) -> None:
    """`The mill: +44 …, any morning`: somebody outside, by a label with an address."""
    _, entry = draft.entry("vendors", leaf.label)
    entry["name"] = Said(leaf.label, leaf.line)
    email, phone = EMAIL.search(leaf.value), PHONE.search(leaf.value)
    rest = PHONE.sub("", EMAIL.sub("", leaf.value)).strip(" ,;.()")
    for key, text in (("email", email[0] if email else ""), ("phone", phone[0].strip() if phone else ""), ("contact", rest)):
        if text:
            entry["hours" if key == "contact" and re.search(r"24/7|morning|hours|day|night|time", text) else key] = Said(text, leaf.line)
    leaf.claim()


def _contacts(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    people = Table(table.headers, [leaf for leaf in table.rows if _is_named(cell(leaf, places, "name"))], table.line)
    for row in named_rows(people, places, section, draft):
        named, reached = row.cell("name"), {key: row.cell(key) for key in ("email", "phone", "contact")}
        several = [part.strip() for part in re.split(r",|/|;| & | and ", named) if re.fullmatch(FULL_NAME, part.strip())]
        title = row.cell("title")
        identifier = person(draft, named, row.line, "" if absent(title) else title)
        if identifier is None:
            continue
        if len(several) > 1:
            draft.ask(f"people.{identifier}.name", named, Reading(unclear="it names several people", choices=tuple(several)), row.line)
        contact = reached.pop("contact")
        for key in WAYS:
            text = " ".join([reached[key], *_given(key, contact)]).strip()
            if text:
                _reached(draft, identifier, key, text, row.line)


def _vendors(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    for row in named_rows(table, places, section, draft, "vendor", "name"):
        identifier, entry = draft.entry("vendors", row.name)
        about = f"vendors.{identifier}"
        entry["name"] = Said(row.name, row.line)
        everything = " | ".join(row.leaf.cells)
        email, phone = EMAIL.search(everything), PHONE.search(everything)
        row.say(draft, entry, "supplies", about)
        for key, text in (
            ("contact", PHONE.sub("", EMAIL.sub("", row.cell("contact"))).strip(" ,;")),
            ("email", email[0] if email else ""),
            ("phone", phone[0].strip() if phone else ""),
        ):
            if text and not absent(text):
                entry[key] = Said(text, row.line)
        row.say(draft, entry, "hours", about)
        row.last(draft, entry, "answers_within", about, "answers")


def one_person(text: str) -> bool:
    """Whether a line is somebody's name with an address and a number, and no sentence about calling."""
    several = any(len(set(pattern.findall(text))) > 1 for pattern in WAYS.values())
    return not several and not _is_sentence(text)


def _is_sentence(text: str) -> bool:
    """Whether a text says more than who somebody is and how they are reached."""
    return len(sentences(text.strip())) > 1 or not _SENTENCE_WORDS.isdisjoint(re.findall(r"\b[a-z]+\b", _name_in(_without_addresses(text))))


_SENTENCE_WORDS = frozenset(
    ["call", "calls", "if", "when", "in", "on", "to", "at", "both", "please", "ask", "reach", "then", "or", "is", "are", "has", "by", "our"]
)
