"""Business functions in sentences: `Online orders must be back within 2 hours and may lose at most 15 minutes of orders.`

Which times are promises is said in `promises`. A sentence with a number that belongs to no promise is told.
"""

import re

from holdfast.document.reading.draft import Draft, Entry, Left, Said
from holdfast.document.reading.quantities import NOTHING, Reading, duration, lengths
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.things.nothing import no_loss
from holdfast.document.reading.things.promises import Promise, begins_with_promise, names_promise, promises, whose
from holdfast.document.reading.tree import Leaf, Section, Tree, sentences

_SUBJECT = re.compile(
    r"^(?:for )?(?:the |our )?(?P<name>[A-Za-z][\w /&'-]{1,60}?)(?:\s+(?:function|process|service|activity|system|team))?\s+(?:(?:must|has to|have to|has|have|needs?|is|are|shall|should|can|may|will|tolerates?|requires?|loses?)\b"
    r"|(?:recovers?|returns?|resumes?|reopens?|comes?)(?=\s+(?:in|within|back|after|again|up|online|no later)\b))",
    re.I,
)
_NAMED_AHEAD = re.compile(r"(?P<name>[A-Za-z][\w /&'()-]{1,60}?)\s+[–—-]\s+(?P<rest>\S.*)", re.S)
"""`Document imaging – RTO: 5 days`: the function stands ahead of a dash."""
_PRONOUNS = ("it", "this", "they", "that", "we", "this function", "she", "he", "which")
_SEVERAL = ("neither", "both", "none", "each", "all", "these", "those", "either")
"""What a sentence is about that gives several functions one promise, without naming them."""
_OF_FUNCTIONS = ("function*", "process*", "objective*", "impact analysis", "bia", "priorit*", "come back", "comes back", "matters most")
"""Headings of what business functions are promised."""
_NO_FUNCTIONS = (
    "no data",
    "nothing",
    "data",
    "data loss",
    "no one",
    "nobody",
    "everything",
    "there",
    "here",
    "what",
    "who",
    "target",
    "aim",
    "goal",
    "objective",
    "plan",
    "promise",
    "intention",
)
_OTHERWISE = re.compile(r",?\s{0,3}(?:or|but|and)\s(?:only |even |at most |within |in |after )?", re.I)
_IMPACT = re.compile(r"\b(?:lose|loss|cannot|can't|unable|stop|without|outage|impact|unhappy|fine)\b", re.I)
_NO_QUANTITY = re.compile(r"\b(?:p|tier|priority) ?[1-4]\b", re.I)


def read(tree: Tree, draft: Draft) -> None:
    """Functions in sentences: a subject, and both a recovery time and a data loss, or one of them."""
    for section in tree.sections:
        if section.within("scenario*", "exercise*", "test*", "kpi*", "indicator*", "review*", "communicat*", "escalation*"):
            continue
        for leaf in section.open_leaves():
            if leaf.kind in ("paragraph", "item") and (not leaf.label or names_promise(leaf.label) or promises(leaf.value)):
                _read_leaf(leaf, section, draft)


def _read_leaf(leaf: Leaf, section: Section, draft: Draft) -> None:
    label = _named_by_label(leaf.label)
    last: tuple[str, Entry] | None = None
    spoken_of = ""
    plain: list[str] = []
    told: list[str] = []
    for number, sentence in enumerate(sentences(leaf.text)):
        times = promises(sentence)
        subject = _subject(sentence)
        if not times:
            plain.append(sentence)
            spoken_of = subject or spoken_of
            continue
        if subject.lower() in _SEVERAL:
            told.append(sentence)
            continue
        name = label if label and number == 0 else subject
        if not name and last is None and _speaks_of_the_last(sentence):
            name = spoken_of
        if _is_wish(sentence, times) and last is None and not draft.named("functions", name) and not section.within(*_OF_FUNCTIONS):
            told.append(sentence)
            continue
        if name:
            last = draft.named_or_new("functions", name)
            last[1].setdefault("name", Said(name, leaf.line))
        if last is None:
            told.append(sentence)
            continue
        readings = {key: _reading(sentence, times, promise) for key, promise in times.items()}
        for key, reading in readings.items():
            draft.read(last[1], key, reading, sentence, leaf.line, f"functions.{last[0]}")
        found = priority(sentence) if re.search(r"\bp ?[1-4]\b|\btier ?[1-4]\b|\bcritical\b", sentence, re.I) else NOTHING
        if found.value is not None and "priority" not in last[1]:
            draft.put(last[1], "priority", found.value, leaf.line, concluded=found.concluded)
        if _numbers_besides(sentence, times) and all(reading.clear for reading in readings.values()):  # a question holds it already
            told.append(sentence)
    if last is not None:
        draft.notes.extend(Left(sentence, section.path, leaf.line) for sentence in told)
        _words(plain, leaf, section, draft, last)
        leaf.claim()


def _is_wish(sentence: str, times: dict[str, Promise]) -> bool:
    """Whether a sentence says no more than that no data is lost: of a function, or only of how something works."""
    return times.keys() == {"rpo"} and not names_promise(sentence) and no_loss(sentence) is not None


def _reading(sentence: str, times: dict[str, Promise], promise: Promise) -> Reading:
    """What a promise says; unclear where another time that is no promise stands right behind it: `4 hours, or 2 hours in December`."""
    behind = min((other.start for other in times.values() if other.start >= promise.end), default=len(sentence))
    between = _OTHERWISE.match(sentence, promise.end, behind)
    if between is None or not promise.reading.clear:
        return promise.reading
    rest = sentence[between.end() : behind]
    beside = next((length for length in lengths(rest) if length.start == 0), None)
    if beside is None:
        return promise.reading
    both = (promise.reading.value, duration(rest[: beside.end]).value)
    return Reading(unclear="another time stands beside it", choices=tuple(dict.fromkeys(value for value in both if value is not None)))


def _named_by_label(label: str) -> str:
    """The function that a label names: `Billing` of `Billing`, `Billing – RTO` and of `Billing can wait`; empty where it names none."""
    if names_promise(label):
        ahead = _NAMED_AHEAD.fullmatch(label)
        return ahead["name"] if ahead is not None and not names_promise(ahead["name"]) and names_promise(ahead["rest"]) else ""
    return _subject(label) or ("" if no_loss(label) else label)


def _subject(sentence: str) -> str:
    """The function that a sentence is about; empty where it names none."""
    found = _SUBJECT.match(sentence)
    ahead = _NAMED_AHEAD.match(sentence)
    if ahead is not None and begins_with_promise(ahead["rest"]) and not names_promise(ahead["name"]):
        return ahead["name"]
    name = whose(found["name"].strip()) if found is not None else ""
    return "" if name.lower() in _PRONOUNS or lengths(name) or no_loss(name) or name.lower() in _NO_FUNCTIONS else name


def _speaks_of_the_last(sentence: str) -> bool:
    """Whether a sentence without a function of its own is about the one before it: by a pronoun, or by beginning with the promise."""
    found = _SUBJECT.match(sentence)
    return begins_with_promise(sentence) or (found is not None and found["name"].strip().lower() in _PRONOUNS)


def _words(plain: list[str], leaf: Leaf, section: Section, draft: Draft, function: tuple[str, Entry]) -> None:
    """Sentences without promises: what an outage means, or a note; both where a length of time stands in it, which nothing else holds."""
    impact = [sentence for sentence in plain if _IMPACT.search(sentence) and not names_promise(sentence)]
    if impact:
        draft.put(function[1], "impact", " ".join(impact), leaf.line, f"functions.{function[0]}.impact")
    left = [sentence for sentence in plain if sentence not in impact or lengths(sentence)]
    if left:
        draft.notes.append(Left(" ".join(left), section.path, leaf.line))


def _numbers_besides(sentence: str, times: dict[str, Promise]) -> bool:
    """Whether a sentence has numbers that are no part of its times, nor of a priority."""
    rest, at = "", 0
    for start, end in sorted((promise.start, promise.end) for promise in times.values()):
        rest, at = rest + sentence[at : max(at, start)] + " ", max(at, end)
    rest = _NO_QUANTITY.sub(" ", rest + sentence[at:])
    return any(character.isdecimal() for character in rest) or bool(lengths(rest))
