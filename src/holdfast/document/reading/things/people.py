"""Somebody whom a document names → the draft: the person, how they are reached, and the role that they fill."""

import re
from collections.abc import Sequence

from holdfast.document.reading.draft import Draft, Entry, Left, Said, unadorned
from holdfast.document.reading.quantities import Reading, absent
from holdfast.document.reading.things.addresses import WAYS, given, is_of_another, is_reachable
from holdfast.document.reading.things.names import is_name, is_named, named, whom

_NO_TITLE = "title not given"
"""The title of a person whom the document names without one: their name is no post."""


def person(draft: Draft, text: str, line: int, title: str = "", where: str = "", others: Sequence[str] = ()) -> str | None:
    """The person behind a name or a title, with address and number where the text gives them. Nobody known: the title is the name.

    `title`: what the place says of them; `where`: the section, for what is noted; `others`: whose an address beside the name may be.
    """
    who = named(text)
    if not is_named(text) or not who.name:
        return None
    if who.in_brackets or not title:
        title = who.title or title
    elif who.title and who.title.casefold() != title.casefold():
        draft.notes.append(Left(f"{who.name}: {who.title}", where, line))
    identifier, entry = draft.named_or_new("people", who.name)
    if "name" not in entry or (unadorned(who.name) != who.name and entry["name"].value == unadorned(who.name)):
        entry["name"] = Said(who.name, line)  # the longest form of it: `Dr.` is what they are to be called by
    if title and "title" in entry and entry["title"].value in (entry["name"].value, _NO_TITLE):
        entry["title"] = Said(title, line)
    elif title and "title" in entry and entry["title"].value != title and draft.named("roles", title.removeprefix("Deputy ")) is None:
        draft.notes.append(Left(f"{who.name}: {title}", where, line))
    without = _NO_TITLE if is_name(who.name) else who.name
    entry.setdefault("title", Said(title or without, line, "" if title else "no title stands beside it"))
    if who.turned_from:
        unclear = Reading(unclear="it may be a family name with the first name behind it", choices=(who.name, who.turned_from))
        draft.ask(f"people.{identifier}.name", who.turned_from, unclear, line)
    draft.notes += [Left(f"{who.name}: {aside}", where, line) for aside in who.asides]
    for key in WAYS:
        found = given(key, text)
        if found:
            reach(draft, identifier, key, found[0], line, others=others)
        if len(found) > 1:
            draft.ask(f"people.{identifier}.{key}", text, Reading(unclear="it gives several", choices=tuple(found)), line)
    return identifier


def reach(draft: Draft, identifier: str, key: str, value: str, line: int, concluded: str = "", others: Sequence[str] = ()) -> None:
    """Write how a person is reached, or ask where the address is made of somebody else's name. `others`: of whom, perhaps."""
    entry, about = draft.section("people")[identifier], f"people.{identifier}.{key}"
    name = str(entry["name"].value)
    if key == "email" and is_name(name) and is_of_another(value, name, others):
        draft.ask(about, value, Reading(unclear=f"it stands beside {name} and is made of another name", choices=(value,)), line)
    else:
        draft.put(entry, key, value, line, about, concluded)


def reach_by_cell(draft: Draft, identifier: str, key: str, text: str, line: int, concluded: str = "", others: Sequence[str] = ()) -> None:
    """Write how a person is reached out of a cell for an address or a number. What is neither is asked about, and never made part of a name."""
    found = given(key, text)
    short = _SHORT_NUMBER.fullmatch(text.strip()) if key == "phone" else None
    if found or short:
        reach(draft, identifier, key, found[0] if found else text.strip(), line, concluded, others)
    rest = WAYS[key].sub("", text).strip(" ,;/|()")
    if len(found) > 1 or (rest and not short and not absent(rest)):
        unclear = "it gives several" if len(found) > 1 and not rest else "it is more than an address or a number to dial"
        draft.ask(f"people.{identifier}.{key}", text, Reading(unclear=unclear, choices=tuple(found)), line)


_SHORT_NUMBER = re.compile(r"\d{2,6}")
"""Of an emergency service, or of an exchange: dialled as it is."""

HOLDERS = ("primary", "backup")
"""Who fills a role, as the plan calls them."""


def role(draft: Draft, name: str, line: int) -> Entry:
    """The role of this name, made where there is none."""
    _, entry = draft.named_or_new("roles", name)
    entry.setdefault("name", Said(name, line))
    return entry


def holders(draft: Draft, entry: Entry, primary: str, backup: str, line: int, title: str, where: str = "") -> None:
    """Write who holds a role and who stands in, as texts with a name give them; with an address beside it, it is no job title."""
    texts = {"primary": primary, "backup": backup}
    for key, text in texts.items():
        others = [name for other in HOLDERS if other != key and (name := whom(texts[other]))]
        post = title if key == "primary" else f"Deputy {title}"
        holder(draft, entry, key, text, line, post if is_reachable(text) else "", where, others)


def holder(draft: Draft, entry: Entry, key: str, text: str, line: int, title: str, where: str, others: Sequence[str]) -> None:
    """Write one of them. `key`: of `HOLDERS`; `title`, `where` and `others` as for `person`."""
    someone = person(draft, text, line, title, where, others)
    if someone is not None:
        draft.put(entry, key, someone, line, f"roles.{draft.named('roles', str(entry['name'].value))}.{key}")
    elif is_reachable(text):
        draft.notes.append(Left(f"{entry['name'].value}, {key}: {text}", where, line))
