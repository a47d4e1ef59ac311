"""Roles in sentences: `Maria Keane is the incident lead; her deputy is Tom Ward.` and `Our technical lead is Maria Keane (+44 …).`

Rules: a role ends with a word for one (`lead`, `officer`), and its holder is somebody's full name; nothing else makes either. An address or a
number belongs to whoever was mentioned last ahead of it: by name, by a first or last name that only one of them has, or by a pronoun where
only one of them was mentioned so far. Where that isn't clear it is asked about. A sentence that says none of this stands in the notes, and the
whole paragraph does when it names somebody else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.document.reading.draft import Draft, Left
from holdfast.document.reading.quantities import Reading
from holdfast.document.reading.things.organisation import FULL_NAME, WAYS, holders, is_reachable, one_person, person, role
from holdfast.document.reading.things.promises import names_promise
from holdfast.document.reading.tree import Leaf, Section, Tree, sentences

_NOUNS = (
    r"lead(?:er)?|manager|director|co-?ordinator|commander|officer|head|chief|owner|administrator|engineer|responder|liaison|spokes(?:person|man|woman)"
    r"|controller|supervisor|chair(?:man|woman|person)?|secretary|president|contact|approver|executive|operator|specialist|analyst|architect|deputy"
    r"|sponsor|adviser|advisor|marshal|warden|counsel|treasurer|facilitator|custodian|dispatcher|planner|c[eftior]o|ciso|coo"
)
_ROLE = re.compile(
    rf"(?!(?:her|his|their|my|its|a|an|not|also|no)\b)(?!.*\b(?:as|her|his|their)\b)"
    rf"(?:[A-Za-z][\w/&' -]{{0,50}}?\b)?(?:{_NOUNS})(?: on (?:duty|call))?",
    re.I,
)
_SOMEBODY = rf"(?:(?:Mrs?|Ms|Dr|Prof)\.? )?(?P<who>{FULL_NAME})"
_HOLDER_FIRST = re.compile(
    rf"(?P<who>{FULL_NAME})(?: \([^()]{{1,100}}\))?(?:,? (?:our |the )?[A-Za-z][\w ]{{2,40}}?,)?,? (?:is|acts as|serves as|holds|takes|leads as) "
    rf"(?:the |our )?(?P<role>[A-Za-z][\w /&'-]{{2,50}}?)(?=[,.;:(]| and (?:is|can|may|her|his|their|{FULL_NAME})\b| with | on [+(0-9]|$)"
)
_ROLE_FIRST = re.compile(
    r"(?:^|(?<=[.;:,] )|(?<= and ))(?:(?:The|Our|My|the|our|my) )?(?:role of (?:the )?)?"
    rf"(?P<role>[A-Za-z][\w/&' -]{{1,50}}?)(?: is| is held by| is filled by| will be|:| =| [–—-]) {_SOMEBODY}"
)
_BESIDE = re.compile(rf"(?:^|(?<=[.;] ))(?:The|Our) (?P<role>[A-Za-z][\w/&' -]{{1,50}}?), {_SOMEBODY}(?=,| \()")
"""`The crisis manager, Ann Ray, decides …`: it says a role, and something else."""
_STAND_IN = r"(?:deputy|deputies|back-?up|alternate|stand-?in|substitute|second[ -]in[ -]command|replacement)"
_DEPUTY = re.compile(
    rf"(?:\b{_STAND_IN}(?: is| will be|:| =|,)? |\b(?:deputi[sz]ed|backed up|covered|replaced|relieved) by "
    rf"|\bin (?:her|his|their|whose) absence,? (?:by |it is )?){_SOMEBODY}"
    rf"|(?P<first>{FULL_NAME})(?: \([^()]{{1,100}}\))?,? (?:(?:is |acts as |as )?(?:her|his|their|the) {_STAND_IN}\b"
    r"|(?:deputi[sz]es|stands in|standing in|steps in|fills in)\b)"
    rf"|\b(?:[Ii]f|[Ww]hen) (?:she|he|they) (?:is|are|cannot|can't) [\w ]{{2,30}}, (?P<instead>{FULL_NAME})(?: \([^()]{{1,100}}\))? takes over\b"
)
_MORE_HOLDERS = re.compile(rf"\s?(?:,? (?:and|or)|/|&) {FULL_NAME}(?! (?:is|acts|as|deputi|stands|steps)\b)")
_OF_PEOPLE = ("role*", "team*", "responsib*", "contact*", "who", "people", "staff", "charge", "command")
"""Headings under which `Crisis manager: Ann Ray` is a role."""
_PRONOUN = re.compile(
    rf"\b(?:she|he|they|him|them|hers?|his|their)\b(?! (?:{_STAND_IN}|absence)\b)",
    re.I,
)
_NO_NAMES = frozenset(
    [
        "The",
        "Our",
        "My",
        "Her",
        "His",
        "Their",
        "In",
        "On",
        "At",
        "If",
        "When",
        "Call",
        "Reach",
        "Ask",
        "Then",
        "A",
        "An",
        "For",
        "And",
        "Or",
    ]
)
"""Words with a capital that begin a sentence and are nobody's name."""
_TITLES = frozenset(["Mr", "Mrs", "Ms", "Dr", "Prof"])


@dataclass(slots=True)
class _Told:
    """A role, who holds it and who stands in, as the text tells it from `start` on."""

    role: str
    holder: str
    start: int
    end: int
    whole: bool = True
    """Whether its sentence says no more than this."""
    backup: str = ""


@dataclass(slots=True)
class _Ways:
    """Addresses and numbers: of whom, key of the plan, what it is, and where. `who` is empty where nobody knows whose it is."""

    given: list[tuple[str, str, str, int]] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    """Others that the text names."""


def read(tree: Tree, draft: Draft) -> None:
    """Any number of roles in a paragraph, and lines that are one person's name with an address."""
    for section in tree.sections:
        for leaf in section.open_leaves():
            if leaf.kind not in ("paragraph", "item"):
                continue
            text = leaf.text if not leaf.label or section.within(*_OF_PEOPLE) else leaf.value  # `Document owner: Ann Ray` is no role
            told = _told(text)
            if told:
                _write(told, text, leaf, section, draft)
            elif (
                is_reachable(leaf.text)
                and section.within("contact*", "who", "people", "call*", "phone*")
                and one_person(leaf.text)
                and person(draft, leaf.text, leaf.line) is not None
            ):
                leaf.claim()


def _told(text: str) -> list[_Told]:
    """The roles of a text, in its order, each with the first who stands in."""
    told: list[_Told] = []
    for one in sorted(_statements(text), key=_begin):
        last = told[-1] if told else None
        if last is None or one.start >= last.end:
            told.append(one)
        elif one.whole and not last.whole:  # `Our IT manager, Ann Ray, is the technical lead`
            told[-1] = one
    if told:
        for match in _DEPUTY.finditer(text):
            owner = next((one for one in reversed(told) if one.start <= match.start()), None)
            name = _name(match["who"] or match["first"] or match["instead"])
            if owner is not None and not owner.backup and name and name != owner.holder:
                owner.backup = name
    return told


def _statements(text: str) -> Iterator[_Told]:
    for pattern in (_HOLDER_FIRST, _ROLE_FIRST, _BESIDE):
        for match in pattern.finditer(text):
            called, name = match["role"].strip(), _name(match["who"])
            if _ROLE.fullmatch(called) and name and not names_promise(match["who"]) and not _MORE_HOLDERS.match(text, match.end("who")):
                yield _Told(called, name, match.start(), match.end(), pattern is not _BESIDE)


def _begin(told: _Told) -> int:
    return told.start


def _name(words: str) -> str:
    """Somebody's name out of words with capitals; empty where they are a role or begin a sentence."""
    first, _, rest = words.partition(" ")
    if first in _NO_NAMES or first in _TITLES:
        words = rest
    return "" if " " not in words or _ROLE.fullmatch(words) else words


def _write(told: list[_Told], text: str, leaf: Leaf, section: Section, draft: Draft) -> None:
    """Put roles, people and addresses into the draft; claim the paragraph unless it names others."""
    identifiers: dict[str, str] = {}
    for one in told:
        entry = role(draft, one.role, leaf.line)
        backup = f"{one.backup} (Deputy {one.role})" if one.backup else ""
        holders(draft, entry, f"{one.holder} ({one.role})", backup, leaf.line, one.role)
        for name in filter(None, (one.holder, one.backup)):
            identifiers[name] = draft.named("people", name) or ""
    ways = _ways(text, list(identifiers))
    first = identifiers[told[0].holder]
    for who, key, value, _ in ways.given:
        if who:
            about = f"people.{identifiers[who]}.{key}"
            draft.put(draft.section("people")[identifiers[who]], key, value, leaf.line, about)
        elif not ways.strangers:
            unclear = Reading(unclear=f"whose {value} is isn't clear", choices=(value,))
            draft.ask(f"people.{first}.{key}", text, unclear, leaf.line)
    if ways.strangers or not all(one.whole for one in told):
        return
    leaf.claim()
    left = [sentence for sentence, start in _placed(text) if " " in sentence and not _says_something(sentence, start, told, ways)]
    draft.notes.extend(Left(sentence, section.path, leaf.line) for sentence in left)


def _placed(text: str) -> Iterator[tuple[str, int]]:
    """Sentences with the place where each begins."""
    at = 0
    for sentence in sentences(text):
        at = text.index(sentence, at)
        yield sentence, at
        at += len(sentence)


def _says_something(sentence: str, start: int, told: list[_Told], ways: _Ways) -> bool:
    end = start + len(sentence)
    inside = any(one.start < end and start < one.end for one in told) or any(start <= at < end for _, _, _, at in ways.given)
    return inside or any(one.backup and one.backup in sentence for one in told)


def _ways(text: str, names: list[str]) -> _Ways:
    """Whose each address and number of a text is. `names`: of those who hold a role in it."""
    found = _Ways()
    mentions = sorted(_mentions(text, names, found))
    addresses = sorted((match.start(), key, match[0].strip()) for key, pattern in WAYS.items() for match in pattern.finditer(text))
    at, so_far, last = 0, set[str](), ""
    for start, key, value in addresses:
        while at < len(mentions) and mentions[at][0] < start:
            who = mentions[at][1]
            if who == _BY_PRONOUN:
                last = next(iter(so_far)) if len(so_far) == 1 else ""
            else:
                so_far.add(who)
                last = who
            at += 1
        found.given.append((last, key, value, start))
    return found


_BY_PRONOUN = "*"


def _mentions(text: str, names: list[str], found: _Ways) -> Iterator[tuple[int, str]]:
    """Where each of them is mentioned, and who; others are told in `found`, and whose is what stands behind them is not known."""
    parts: dict[str, set[str]] = {}
    for name in names:
        for part in (name, *name.split()):
            parts.setdefault(part, set()).add(name)
    known = {part: next(iter(whose)) for part, whose in parts.items() if len(whose) == 1}
    for match in re.finditer(r"(?<![\w@.])[^\W\d_][\w'’-]*(?![\w@])", text):
        if match[0] in known:
            yield match.start(), known[match[0]]
    for match in _PRONOUN.finditer(text):
        yield match.start(), _BY_PRONOUN
    for match in re.finditer(FULL_NAME, text):
        words = _name(match[0])
        if words and not any(part in known or part in parts for part in words.split()):
            found.strangers.append(words)
            yield match.start(), ""
