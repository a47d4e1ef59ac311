"""Roles in sentences: `Maria Keane is the incident lead; her deputy is Tom Ward.` and `Our technical lead is Maria Keane (+44 …).`

Rules: a role ends with a word for one (`lead`, `officer`), and its holder is somebody's full name; nothing else makes either. An address or a
number belongs to whoever was mentioned last ahead of it: by name, by a first or last name that only one of them has, or by a pronoun where
only one of them was mentioned so far. Where that isn't clear it is asked about. A sentence that says none of this stands in the notes, and the
whole paragraph does when it names somebody else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.document.reading.draft import COURTESY, Draft, Left, is_courtesy
from holdfast.document.reading.quantities import Reading
from holdfast.document.reading.things.addresses import WAYS, holds_name, is_of_another, is_reachable
from holdfast.document.reading.things.names import FULL_NAME, ROLE, STAND_IN, is_label_of_way, is_only_label, is_role
from holdfast.document.reading.things.organisation import OF_OTHERS, one_person
from holdfast.document.reading.things.people import holders, person, role
from holdfast.document.reading.things.promises import names_promise
from holdfast.document.reading.tree import Leaf, Section, Tree, sentences

_SOMEBODY = rf"(?:{COURTESY} ){{0,3}}(?P<who>{FULL_NAME})"
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
_DEPUTY = re.compile(
    rf"(?:\b{STAND_IN}(?: is| will be|:| =|,)? |\b(?:deputi[sz]ed|backed up|covered|replaced|relieved) by "
    rf"|\bin (?:her|his|their|whose) absence,? (?:by |it is )?){_SOMEBODY}"
    rf"|(?P<first>{FULL_NAME})(?: \([^()]{{1,100}}\))?,? (?:(?:is |acts as |as )?(?:her|his|their|the) {STAND_IN}\b"
    r"|(?:deputi[sz]es|stands in|standing in|steps in|fills in)\b)"
    rf"|\b(?:[Ii]f|[Ww]hen) (?:she|he|they) (?:is|are|cannot|can't) [\w ]{{2,30}}, (?P<instead>{FULL_NAME})(?: \([^()]{{1,100}}\))? takes over\b"
)
_MORE_HOLDERS = re.compile(rf"\s?(?:,? (?:and|or)|/|&) {FULL_NAME}(?! (?:is|acts|as|deputi|stands|steps)\b)")
_OF_PEOPLE = ("role*", "team*", "responsib*", "contact*", "who", "people", "staff", "charge", "command")
"""Headings under which `Crisis manager: Ann Ray` is a role."""
_PRONOUN = re.compile(
    rf"\b(?:she|he|they|him|them|hers?|his|their)\b(?! (?:{STAND_IN}|absence)\b)",
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
    backup_end: int = 0
    """Where the words end that say who stands in."""


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
            text = _spoken(leaf, section)
            told = [one for one in _told(text) if section.within(*_OF_PEOPLE) or not _OF_DOCUMENT.fullmatch(one.role)]
            if told:
                _write(told, text, leaf, section, draft)
            elif (
                is_reachable(leaf.text)
                and not is_label_of_way(leaf.label)
                and section.within("contact*", "who", "people", "call*", "phone*")
                and one_person(leaf.text)
                and person(draft, leaf.text, leaf.line, where=section.path) is not None
            ):
                leaf.claim()


def _spoken(leaf: Leaf, section: Section) -> str:
    """The text of a leaf that may speak of roles: without its label, where that can be no role's and begins no sentence about one."""
    of_people = not leaf.label or section.within(*_OF_PEOPLE)
    return leaf.text if of_people or (leaf.kind == "paragraph" and not section.within(*OF_OTHERS, "scenario*")) else leaf.value


_OF_DOCUMENT = re.compile(
    r"(?:(?:the|this|our) )?(?:(?:document|plan|policy|record|template|page|file|bcp|drp?) )?(?:owner|author|approver|reviewer|editor|maintainer|contact)"
    r"|(?:document|plan) (?:manager|co-?ordinator|administrator|custodian|controller)|co-?ordinator",
    re.I,
)
"""Whose the document is, outside of what it says about people: `Document owner: Ann Ray` is no role."""


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
                owner.backup, owner.backup_end = name, match.end()
    return told


def _statements(text: str) -> Iterator[_Told]:
    for pattern in (_HOLDER_FIRST, _ROLE_FIRST, _BESIDE):
        for match in pattern.finditer(text):
            called, name = match["role"].strip(), _name(match["who"])
            if is_role(called) and name and not names_promise(match["who"]) and not _MORE_HOLDERS.match(text, match.end("who")):
                yield _Told(called, name, match.start(), match.end(), pattern is not _BESIDE)


def _begin(told: _Told) -> int:
    return told.start


def _name(words: str) -> str:
    """Somebody's name out of words with capitals; empty where they are a role or begin a sentence."""
    first, _, rest = words.partition(" ")
    if first in _NO_NAMES or is_courtesy(first):
        words = rest
    return "" if " " not in words or ROLE.fullmatch(words) else words


def _write(told: list[_Told], text: str, leaf: Leaf, section: Section, draft: Draft) -> None:
    """Put roles, people and addresses into the draft; claim the paragraph unless it names others."""
    identifiers: dict[str, str] = {}
    for one in told:
        entry = role(draft, one.role, leaf.line)
        backup = f"{one.backup} (Deputy {one.role})" if one.backup else ""
        holders(draft, entry, f"{one.holder} ({one.role})", backup, leaf.line, one.role, section.path)
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
    names = frozenset(part for name in identifiers for part in name.split())
    left = [sentence for sentence, start in _placed(text) if " " in sentence and _says_more(sentence, start, told, ways, names)]
    draft.notes.extend(Left(sentence, section.path, leaf.line) for sentence in left)


def _placed(text: str) -> Iterator[tuple[str, int]]:
    """Sentences with the place where each begins."""
    at = 0
    for sentence in sentences(text):
        at = text.index(sentence, at)
        yield sentence, at
        at += len(sentence)


def _says_more(sentence: str, start: int, told: list[_Told], ways: _Ways, names: frozenset[str]) -> bool:
    """Whether a sentence says nothing of the roles and addresses that were read, or goes on behind all that was.

    `names`: first and last, of those who hold a role.
    """
    end = start + len(sentence)
    read = [one.end for one in told if one.start < end and start < one.end]
    read += [one.backup_end for one in told if start < one.backup_end <= end]
    read += [at + len(value) for _, _, value, at in ways.given if start <= at < end]
    mentioned = [match.end() for match in re.finditer(r"[^\W\d_][\w'’-]*", sentence) if _owner(match[0]) in names]
    if not read:
        return True
    behind = _PRONOUN.sub(" ", sentence[max(*(at - start for at in read), 0, *mentioned) :])
    return len(re.findall(r"[^\W\d_]{2,}", behind)) > 1 and not is_only_label(behind)


def _ways(text: str, names: list[str]) -> _Ways:
    """Whose each address and number of a text is. `names`: of those who hold a role in it."""
    found = _Ways()
    mentions = sorted(_mentions(text, names, found))
    addresses = sorted((match.start(), key, match[0].strip()) for key, pattern in WAYS.items() for match in pattern.finditer(text))
    bounds = sorted({start for _, start in _placed(text)} | {match.end() for match in _ENDS_BEFORE_NUMBER.finditer(text)})
    ahead = _Ahead()
    at, begun = 0, 0
    for start, key, value in addresses:
        while at < len(mentions) and mentions[at][0] < start:
            ahead.hear(mentions[at])
            at += 1
        while begun + 1 < len(bounds) and bounds[begun + 1] <= start:
            begun += 1
        end = bounds[begun + 1] if begun + 1 < len(bounds) else len(text)
        behind = {who for place, who in mentions[at : at + _MOST_BEHIND] if place < end and who != _BY_PRONOUN}
        joined = at < len(mentions) and _JOINED.fullmatch(text, start + len(value), mentions[at][0])
        alone = is_only_label(text[max(bounds[begun], start - _LONGEST_BETWEEN) : start])
        who = mentions[at][1].strip(_BY_PRONOUN) if joined else _beside(text, ahead, bounds[begun], behind)
        who = who if joined or alone or who in behind or ahead.last[0] >= bounds[begun] else ""
        found.given.append((_by_address(value, who, names) if key == "email" else who, key, value, start))
    return found


_ENDS_BEFORE_NUMBER = re.compile(r"(?<!\btel)(?<!\bmob)(?<!\bext)(?<!\bnum)(?<!\bTel)(?<!\bMob)[.;] (?=[+(\d])")
"""The end of a sentence ahead of one that begins with a number."""
_JOINED = re.compile(r",? (?:\(|(?:is|for|belongs to|reaches|gets(?: you)?|goes to|you get|[–—=-]) )")
"""Between an address and whose it is: `087 … for Ann`."""
_BY_PRONOUN = "*"
_MOST_NAMES = 64
"""People of a paragraph whose names are looked for in an address."""
_MOST_BEHIND = 8
"""Mentions behind an address that are looked at."""


@dataclass(slots=True)
class _Ahead:
    """Who was mentioned ahead of an address: all of them, the last mention, and the last of anybody else than that."""

    so_far: set[str] = field(default_factory=set)
    last: tuple[int, str] = (-1, "")
    before: tuple[int, str] = (-1, "")

    def hear(self, mention: tuple[int, str]) -> None:
        """Take in the next mention of the text."""
        who = mention[1]
        if who != _BY_PRONOUN:
            self.so_far.add(who)
            if self.last[1] not in (who, _BY_PRONOUN):
                self.before = self.last
        self.last = mention


def _beside(text: str, ahead: _Ahead, begins: int, behind: set[str]) -> str:
    """Who is named beside an address: last ahead of it in its sentence, or alone behind it; in an earlier one, where nobody else was.

    `begins`: its sentence. Empty where it isn't clear.
    """
    place, who = ahead.last
    if place < begins and behind:
        return next(iter(behind)) if len(behind) == 1 else ""
    if place < begins or who == _BY_PRONOUN:
        return next(iter(ahead.so_far)) if len(ahead.so_far) == 1 else ""
    if ahead.before[0] >= begins and _TOGETHER.search(text[ahead.before[0] : place][:_LONGEST_BETWEEN]):
        return ""
    return who


_LONGEST_BETWEEN = 200
_TOGETHER = re.compile(r"^[^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*){0,2}(?: and| or| &|,| /) (?:[^\W\d_][\w'’-]* )?$")
"""Between the names of two of whom one thing is said: `Ann Ray and Bo Dahl are on …`."""


def _by_address(email: str, beside: str, names: list[str]) -> str:
    """Whose an address is by the name that it is made of and by who stands beside it; empty where the two contradict each other."""
    of = [name for name in names[:_MOST_NAMES] if holds_name(email, name)]
    if beside:
        others = [name for name in of if name != beside]
        return "" if is_of_another(email, beside, others) else beside
    return of[0] if len(of) == 1 else ""


def _mentions(text: str, names: list[str], found: _Ways) -> Iterator[tuple[int, str]]:
    """Where each of them is mentioned, and who; others are told in `found`, and whose is what stands behind them is not known."""
    parts: dict[str, set[str]] = {}
    for name in names:
        for part in (name, *name.split()):
            parts.setdefault(part, set()).add(name)
    known = {part: next(iter(whose)) for part, whose in parts.items() if len(whose) == 1}
    for match in re.finditer(r"(?<![\w@.])[^\W\d_][\w'’-]*(?![\w@])", text):
        if (word := _owner(match[0])) in known and not re.match(r"[\w.+-]*@", text[match.end() : match.end() + 64]):
            yield match.start(), known[word]
    for match in _PRONOUN.finditer(text):
        yield match.start(), _BY_PRONOUN
    for match in re.finditer(FULL_NAME, text):
        words = _name(match[0])
        if words and not any(_owner(part) in parts for part in words.split()):
            found.strangers.append(words)
            yield match.start(), ""


def _owner(word: str) -> str:
    """`Pavel's` is about Pavel."""
    return re.sub(r"['’]s?$", "", word)
