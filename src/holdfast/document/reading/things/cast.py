"""Whom the words of a step are about: who does it, and who is told by it.

Rules: a step is done by whom its words begin with (`Ann Ray stops the pumps`), or end with (`… by the duty officer`, `… (duty officer)`). A role
is taken for its own name, or for somebody who holds that one role and no other. Whoever else does a step is told, and nobody is put in their
place. Only a step that leaves open who does it goes to whoever leads, and only where the document says that of a role.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from holdfast.document.reading.draft import Draft, Said, is_courtesy, unadorned
from holdfast.document.reading.things.names import is_name, is_role
from holdfast.document.reading.tree import Leaf, Tree, normal, says

_BY = (
    ("database-administrator", ("database*", "data", "corruption", "backup*", "transaction*")),
    ("communication-lead", ("notif*", "communicat*", "inform*", "stakeholder*", "customer*", "status page")),
    ("incident-commander", ("evaluate", "decid*", "decision", "scope", "assess*", "activate*", "conduct", "review*", "declare*")),
)
_LEADERS = (
    (
        "technical lead*",
        "tech lead*",
        "technical team lead*",
        "recovery lead*",
        "recovery manager",
        "it lead",
        "engineering lead",
        "leader",
    ),
    (
        "commander",
        "incident lead*",
        "response lead*",
        "incident manager",
        "crisis manager",
        "emergency manager",
        "coordinator",
        "in charge",
    ),
)
"""Names that say that a role leads: the technical side first, on which steps are done, then the whole of an incident."""
_LEADS = re.compile(
    r"\b(?:leads?|heads?|commands?|directs?|co-?ordinates?|runs|is in (?:charge|command) of|takes (?:charge|command) of)\s+(?:[\w-]+\s+){0,3}?"
    r"(?:response|recovery|restoration|incident|crisis|emergency|failover|continuity|effort|operation)\b",
    re.I,
)
"""What a sentence says of whoever leads, behind their name: `leads the recovery`."""
_LONGEST_AHEAD = 160
"""Characters ahead of it that are searched for who that is."""
_LONGEST_NAME = 8
"""Words of a name that a step is searched for."""
_ARTICLES = frozenset(["the", "our", "a", "an", "each", "every", "all", "both"])
"""Words that begin no order: who or what stands behind one does the step, or has it done to it."""
_AHEAD_OF_THINGS = frozenset(["the", "a", "an", "our", "all", "his", "her", "their", "whether", "that"])
"""What can follow the verb of `Jonas checks the pumps`, and no noun as in `Restart pumps`."""
_SOMEBODY_ELSE = frozenset(["he", "she", "they"])
_PEOPLE = re.compile(
    "(?:nurse|doctor|team|technician|driver|guard|pharmacist|clerk|vendor|supplier|contractor|provider|assistant|user|employee|manager|leader)s?"
    "|staff|crew|desk|department|board|personnel|people|everyone|everybody"
)
"""What people are called by who have no word of `names.ROLE`."""
_ORDERS = frozenset(
    ["bill", "chase", "frank", "grant", "jack", "lance", "mark", "nick", "page", "pat", "pierce", "rob", "skip", "sue", "wade"]
)
"""First names that are orders too: `Grant users access` is nothing that Grant does."""
_LEAD_IN = re.compile(
    r"(?:(?:within|after|if|when|once|at|on|in|as soon as|every|before|until|during|first|next)\s[^,]{0,80},|(?:then|finally|immediately)\b,?)\s+",
    re.I,
)
"""What a step may say of its time ahead of who does it."""
_MODAL = frozenset(["will", "must", "should", "shall", "may", "can", "has", "have"])
_PASSIVE = re.compile(r"^(?:\S+ ){1,12}?(?:is|are|be|being|gets?) (?!in |on |the )", re.I)
_AT_THE_END = re.compile(r"(?:[(\[]|\s[-–—]\s?|\bby )(?:by )?(?:the |our )?(?P<who>[^()\[\]]{2,60}?)[)\]]?\s*\.?\s*$", re.I)
_BY_SOMEBODY = re.compile(r"[(\[]?by ", re.I)
_SPEAKS_TO = re.compile(
    r"(?:call|phone|ring|ask|tell|inform|notify|alert|page|contact|e-?mail|write to|report|escalate|hand|send|speak|talk|consult|brief)\b",
    re.I,
)
"""Orders to speak to somebody: whose name stands in brackets behind it, or a dash, is spoken to."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does a step, and why that was taken where its words don't say it. `stranger`: whom they name, in words, where that is no role."""

    role: str | None = None
    why: str = ""
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who there is to do a step or to be told by one, as the document names them."""

    roles: frozenset[str]
    leads: Doer
    """The role of the technical lead, or else of whoever commands, and what says so; nobody where nothing does."""
    told: Mapping[str, str | None]
    """Name of a role or audience, in lower case → the one message that goes to it; None where several do."""
    longest: int
    """Words of the longest of those names."""
    called: Mapping[str, str]
    """Name of a role, in normal words → the role."""
    held: Mapping[str, str | None]
    """Who holds a role → that role; None where they hold several."""
    people: Mapping[str, str | None]
    """Name of a person, in normal words → the one role that they hold; None where they hold none, or several."""
    short: Mapping[str, str | None]
    """First or last name, in normal words, that one person alone has → as `people`."""


def cast_of(draft: Draft, tree: Tree) -> Cast:
    """Look up once what every step asks."""
    roles, audiences = draft.section("roles"), draft.section("audiences")
    told: dict[str, str | None] = {}
    for name, message in draft.section("messages").items():
        for who in message.get("audience", []):
            entry = roles.get(who.value) or audiences.get(who.value) or {}
            if "name" in entry:
                called = str(entry["name"].value).lower()
                told[called] = name if told.get(called, name) == name else None
    held: dict[str, str | None] = {}
    for name, role in roles.items():
        if isinstance(role.get("primary"), Said):
            held[role["primary"].value] = None if role["primary"].value in held else name
    by_role = {bare(str(role["name"].value)): name for name, role in roles.items()}
    people = {bare(unadorned(str(entry["name"].value))): held.get(who) for who, entry in draft.section("people").items()}
    short: dict[str, list[str]] = {}
    for name in people:
        for part in {name.split()[0], name.split()[-1]} if " " in name else ():
            short.setdefault(part, []).append(name)
    return Cast(
        frozenset(roles),
        _leader(draft, tree, by_role, people),
        told,
        min(max((len(name.split()) for name in told), default=0), _LONGEST_NAME),
        by_role,
        held,
        people,
        {part: people[names[0]] for part, names in short.items() if len(names) == 1},
    )


def _leader(draft: Draft, tree: Tree, called: Mapping[str, str], people: Mapping[str, str | None]) -> Doer:
    """The role that leads by its name, or else the one role of which a sentence says it."""
    roles = draft.section("roles")
    for names in _LEADERS:
        by_name = next((name for name, role in roles.items() if says(str(role["name"].value), *names)), None)
        if by_name is not None:
            return Doer(by_name, "the step's words don't say who does it, and this role leads by its name")
    said: dict[str, int] = {}
    for _, leaf in tree.leaves() if roles else ():
        for role in _said_to_lead(leaf, called, people):
            said.setdefault(role, leaf.line)
    if len(said) != 1:
        return Doer()
    ((role, line),) = said.items()
    return Doer(role, f"the step's words don't say who does it, and line {line} says that this role leads")


def _said_to_lead(leaf: Leaf, called: Mapping[str, str], people: Mapping[str, str | None]) -> Iterator[str]:
    """Roles of which a leaf's sentences say that they lead; of a sentence that names several ahead of that it isn't clear which."""
    for found in _LEADS.finditer(leaf.text):
        ahead = re.split(r"[.;:] ", leaf.text[max(found.start() - _LONGEST_AHEAD, 0) : found.start()])[-1]
        words = bare(ahead).split()
        named: set[str] = set()
        for start in range(len(words)):
            for length in range(1, _LONGEST_NAME + 1):
                name = " ".join(words[start : start + length])
                role = called.get(name) or people.get(name)
                if role is not None:
                    named.add(role)
        if len(named) == 1:
            yield named.pop()


def bare(text: str) -> str:
    """Its normal words, without accents: `Tomás` is found where somebody wrote `Tomas`, and the other way round."""
    return normal(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode())


def message_for(cast: Cast, text: str) -> str | None:
    """The one message whose audience a step names; None where that isn't one."""
    words = normal(text).split()
    named = (" ".join(words[start : start + length]) for length in range(1, cast.longest + 1) for start in range(len(words) - length + 1))
    hits = {cast.told[name] for name in named if name in cast.told}
    return hits.pop() if len(hits) == 1 else None


def doer_of(cast: Cast, text: str) -> Doer:
    """Who does a step, by the words that it begins or ends with; else whom its words fit; else whoever leads."""
    doer = says_doer(cast, text)
    if doer is not None:
        return doer
    for role, words in _BY:
        if role in cast.roles and says(text, *words):
            return Doer(role, "by the step's words")
    return cast.leads


def says_doer(cast: Cast, text: str) -> Doer | None:
    """Who does a step where its own words say that; None where they don't."""
    lead_in = _LEAD_IN.match(text)
    text = text[lead_in.end() :] if lead_in is not None else text
    doer = _begins(cast, text) or _ends(cast, text)
    stranger = _stranger(text) if doer is None else ""
    return Doer(stranger=stranger) if stranger else doer


def named_doer(cast: Cast, text: str) -> tuple[Doer, int]:
    """Who stands at the beginning of normal words, the longest name first, and how many words that takes; nobody, and 0, else."""
    words = text.split()
    ahead = 0
    while ahead < len(words) and (words[ahead] in ("the", "our") or is_courtesy(words[ahead])):
        ahead += 1
    for length in range(min(len(words) - ahead, _LONGEST_NAME), 0, -1):
        name = " ".join(words[ahead : ahead + length])
        if name in cast.called:
            return Doer(cast.called[name]), ahead + length
        if name in cast.people:
            role = cast.people[name]
            return (Doer(role) if role is not None else Doer(stranger=name)), ahead + length
    return Doer(), 0


def _begins(cast: Cast, text: str) -> Doer | None:
    said = bare(text)
    doer, length = named_doer(cast, said)
    words = said.split()
    behind = words[length : length + 1]
    if length and behind != ["s"]:  # `the site lead's deputy` is somebody else
        if doer.stranger:
            return Doer(stranger=_as_written(text, length))
        joined = behind in (["and"], ["or"])
        other, more = named_doer(cast, " ".join(words[length + joined : length + joined + _LONGEST_NAME + 1]))
        others = more and (joined or other.role not in (None, doer.role))  # `the site lead, Ann Ray, …` is one
        return Doer(doer.role, "the step's words name several, and this one first") if others else doer
    return _by_short_name(cast, words, text)


def _by_short_name(cast: Cast, words: list[str], text: str) -> Doer | None:
    """Whoever alone has the first or last name that a step begins with: `Ann stops the pumps`, `Mr. Ray …`, `Ann and Bo …`."""
    courtesies = sum(1 for _ in takewhile(is_courtesy, words[:3]))
    name, *behind = words[courtesies : courtesies + 3] or [""]
    joined = behind[:1] in (["and"], ["or"]) and len(behind) > 1 and behind[1] in cast.short
    does = bool(behind) and _is_verb(behind[0]) and (name not in _ORDERS or behind[-1] in _AHEAD_OF_THINGS)
    if name not in cast.short or not (does or joined):
        return None
    role = cast.short[name]
    if role is None:
        return Doer(stranger=_as_written(text, courtesies + 1))
    return Doer(
        role, "the step's words name several, and this one first" if joined else "the step begins with a name that only one person here has"
    )


def _ends(cast: Cast, text: str) -> Doer | None:
    found = _AT_THE_END.search(text[-_LONGEST_AHEAD:])
    if found is None or (not _BY_SOMEBODY.match(found[0]) and _SPEAKS_TO.match(text)):
        return None
    said = bare(found["who"])
    doer, length = named_doer(cast, said)
    if length and length == len(said.split()):
        return Doer(stranger=found["who"]) if doer.stranger else doer
    return Doer(stranger=found["who"]) if _names_people(found["who"]) else None


def _stranger(text: str) -> str:
    """Whom a step's words say to do it, where it is nobody that the plan knows: a title, a name, or what stands behind an article."""
    label, colon, _ = text.partition(":")
    if colon and (is_role(label) or is_name(label)):
        return label
    words = [word.strip(",;") for word in text.split(maxsplit=_LONGEST_NAME + 1)[: _LONGEST_NAME + 1]]
    lower = [word.lower() for word in words]
    if not words or (lower[0] in _ARTICLES and _PASSIVE.match(text)):
        return ""
    if lower[0] in _SOMEBODY_ELSE:
        return words[0]
    return _behind_article(words, lower) if lower[0] in _ARTICLES else _without_article(words, lower)


def _behind_article(words: list[str], lower: list[str]) -> str:
    """`The nurse of the ward` out of `The nurse of the ward checks …`: all ahead of the verb, or else the last words for people."""
    verb = next((at for at in range(2, len(words)) if _is_verb(lower[at]) and not _PEOPLE.fullmatch(lower[at])), 0)
    people = [end for end in range(2, len(words)) if _names_people(" ".join(words[1:end]))]
    end = verb or (people[-1] if people else 0)
    return " ".join(words[:end])


def _without_article(words: list[str], lower: list[str]) -> str:
    """`LIS Analyst` out of `LIS Analyst prints …`, `Staff` out of `Staff leave …`. An order begins with a verb that has no `s`."""
    if len(words) > 2 and words[0].istitle() and _is_verb(lower[1]) and lower[2] in _AHEAD_OF_THINGS:
        return words[0]
    if len(words) > 1 and _PEOPLE.fullmatch(lower[0]) and lower[1].isalpha() and lower[1] not in _AHEAD_OF_THINGS:
        return words[0]
    for length in range(2, len(words)):
        name = " ".join(words[:length])
        many = (
            length + 1 < len(words)
            and _ARTICLES.isdisjoint(lower[:length])
            and _PEOPLE.fullmatch(lower[length - 1])
            and lower[length + 1] in _AHEAD_OF_THINGS
        )
        if many or (_is_verb(lower[length]) and _names_people(name)):
            return name
    return ""


def _names_people(words: str) -> bool:
    return is_role(words) or is_name(words) or _PEOPLE.fullmatch(words.rpartition(" ")[2].lower()) is not None


def _as_written(text: str, words: int) -> str:
    """The beginning of a text, which has so many normal words."""
    said = text.split(maxsplit=_LONGEST_AHEAD)[:_LONGEST_AHEAD]
    for end in range(1, len(said)):
        begin = " ".join(said[:end])
        if len(bare(begin).split()) >= words:
            return begin.rstrip(",;:")
    return " ".join(said)


def _is_verb(word: str) -> bool:
    """Whether a word can be the verb behind whoever does something: `stops`, `will`."""
    return word in _MODAL or (len(word) > 3 and word.isalpha() and word.endswith("s") and not word.endswith("ss"))
