"""Business functions in sentences: `Online orders must be back within 2 hours and may lose at most 15 minutes of orders.`

Which times are promises is said in `promises`. A sentence with a number that belongs to no promise is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from holdfast.document.reading.draft import Draft, Entry, Left, Said, slug
from holdfast.document.reading.quantities import NOTHING, Reading, duration, lengths
from holdfast.document.reading.things.impact import priority, put_promise
from holdfast.document.reading.things.losses import alike, lost, owned
from holdfast.document.reading.things.nothing import no_loss
from holdfast.document.reading.things.promises import Promise, names_promise, promises, said_to_be_none
from holdfast.document.reading.things.subjects import OF_FUNCTIONS, Subject, about_of, named_by_label, names_in, speaks_of_the_last, subject
from holdfast.document.reading.tree import Leaf, Section, Tree, sentences

_IS_ONE = re.compile(r"\b(?:is|are) (?:an?|our|the|one of)\b[^.;]{0,60}\b(?:function|process|service|activity|system)s?\b", re.I)
"""A sentence that says what a thing is: `the web shop is our main service`."""
_OF_ALL = re.compile(
    r"\b(?:overall|general|global|(?:company|business|organi[sz]ation|enterprise|group)[- ]wide|corporate)\b(?: \w+){0,2} (?:objective|goal|target|aim)s?\b",
    re.I,
)
"""An objective of the plan as a whole, whatever its sentence names besides."""
_OTHERWISE = re.compile(r",?\s{0,3}(?:or|but|and)\s(?:only |even |at most |within |in |after )?", re.I)
_IMPACT = re.compile(r"\b(?:lose|loss|cannot|can't|unable|stop|without|outage|impact|unhappy|fine)\b", re.I)
_NO_QUANTITY = re.compile(r"\b(?:p|tier|priority) ?[1-4]\b", re.I)


def read(tree: Tree, draft: Draft) -> None:
    """Functions in sentences: a subject, and both a recovery time and a data loss, or one of them."""
    listed = names_in(tree)

    def known(name: str) -> bool:
        return draft.named("functions", name) is not None or slug(name) in listed

    for section in tree.sections:
        if section.within("scenario*", "exercise*", "test*", "kpi*", "indicator*", "review*", "communicat*", "escalation*"):
            continue
        for leaf in section.open_leaves():
            if leaf.kind in ("paragraph", "item") and (
                not leaf.label or names_promise(leaf.label) or promises(leaf.value) or said_to_be_none(leaf.value)
            ):
                _Paragraph(leaf, section, draft, known).read()


@dataclass(slots=True)
class _Paragraph:
    """A paragraph or item while it is read. `last`: the functions that it spoke of last, which the next sentence may go on about.

    `spoken_of`: what it spoke of without promising anything; `called`: a function, by its words. `plain`, `told`: sentences without promises, and with some that nothing holds.
    """

    leaf: Leaf
    section: Section
    draft: Draft
    known: Callable[[str], bool]
    last: list[tuple[str, Entry]] = field(default_factory=list)
    spoken_of: str = ""
    called: bool = False
    plain: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Put its promises into the draft. What it says besides is told, if it says anything of a function; else it stays unclaimed."""
        label = named_by_label(self.leaf.label, self.known)
        self.spoken_of = label
        for number, sentence in enumerate(sentences(self.leaf.text)):
            self._sentence(sentence, label if number == 0 else "")
        if self.last:
            self.draft.notes.extend(Left(sentence, self.section.path, self.leaf.line) for sentence in self.told)
            for function in self.last:
                _impact(self.plain, self.leaf, self.draft, function)
            _left(self.plain, self.leaf, self.section, self.draft)
            self.leaf.claim()

    def _sentence(self, sentence: str, label: str) -> None:
        times, none = promises(sentence), said_to_be_none(sentence)
        about = self._labelled(label) if label else subject(sentence, self.known)
        if not times and not none:
            self.plain.append(sentence)
            self.spoken_of = about.names[0] if len(about.names) == 1 else self.spoken_of
            self.called = self.called or (bool(about.names) and _IS_ONE.search(sentence) is not None)
            return
        functions = self._functions(sentence, times, about)
        if not functions:
            self.told.append(sentence)
            return
        self.last = functions
        asked = False
        for identifier, entry in functions:
            for key, promise in times.items():
                asked |= self._promise(sentence, key, _reading(sentence, times, promise), promise, (identifier, entry))
            for key, words in none.items():
                if key not in times:
                    put_promise(self.draft, entry, key, NOTHING, words, self.leaf.line, f"functions.{identifier}")
            found = priority(sentence) if re.search(r"\bp ?[1-4]\b|\btier ?[1-4]\b|\bcritical\b", sentence, re.I) else NOTHING
            if found.value is not None and "priority" not in entry:
                self.draft.put(entry, "priority", found.value, self.leaf.line, concluded=found.concluded)
        if not asked and _numbers_besides(sentence, times):  # a question holds it already
            self.told.append(sentence)

    def _labelled(self, label: str) -> Subject:
        """What the sentence behind a label is about: what the label names, unless it has a subject of its own that is another one."""
        own = subject(sentences(self.leaf.value)[0], self.known)
        return own if own.stranger or (own.names and all(map(self.known, own.names))) else Subject((label,))

    def _functions(self, sentence: str, times: dict[str, Promise], about: Subject) -> list[tuple[str, Entry]]:
        """The functions that a sentence's promises are for; none where it names none that is known or said to be one."""
        names = about.names
        if not names and not about.stranger and not self.last and self.spoken_of and speaks_of_the_last(sentence):
            names = (self.spoken_of,)
        if about.stranger:
            return []
        if _is_wish(sentence, times) and not self.last and not any(map(self.known, names)) and not self.section.within(*OF_FUNCTIONS):
            return []
        if _OF_ALL.search(sentence) and not (names and all(map(self.known, names))):
            return []
        if not names:
            return self.last
        if not all(self._is_function(name, sentence, times, about) for name in names):
            return []
        found = [self.draft.named_or_new("functions", name) for name in names]
        for name, (_, entry) in zip(names, found, strict=True):
            entry.setdefault("name", Said(name, self.leaf.line))
        return found

    def _is_function(self, name: str, sentence: str, times: dict[str, Promise], about: Subject) -> bool:
        """Whether something is a function: it is known as one, is called one or stands under such a heading, or has what only functions have."""
        called = about.called or (self.called and name == self.spoken_of)
        if self.known(name) or called or names_promise(sentence) or len(times) > 1:
            return True
        return self.section.within(*OF_FUNCTIONS) or any(slug(section.name) == slug(name) for section in self.section.upward())

    def _promise(self, sentence: str, key: str, reading: Reading, promise: Promise, function: tuple[str, Entry]) -> bool:
        """Write what a sentence says of a promise, to the function whose data it names if it does. Whether a question holds it."""
        identifier, entry = function
        owner = owned(sentence, promise.start)
        other = (owner, "owner") if owner and not self._is(owner, identifier) else None
        if other is None and key == "rpo":
            other = self._other(sentence, promise, identifier)
        if other is not None and reading.clear:
            name, kind = other
            at = self.draft.named("functions", name)
            if at is not None and (owner or not subject(sentence, self.known).names):
                identifier, entry = at, self.draft.section("functions")[at]
                reading = replace(reading, left_out="")
            else:
                choices = (reading.value,) if reading.value else ()
                said = "is no word for data, and may be another function" if kind == "thing" else "may be another function"
                reading = Reading(unclear=f"'{name}' {said}", choices=choices)
        put_promise(self.draft, entry, key, reading, sentence, self.leaf.line, f"functions.{identifier}")
        return not reading.clear

    def _is(self, name: str, identifier: str) -> bool:
        """Whether a name is that of a function, or none of its own (`the RTO of the service is`)."""
        found = about_of(name, self.known)
        return self.draft.named("functions", name) == identifier or not (found.names or found.stranger)

    def _other(self, sentence: str, promise: Promise, identifier: str) -> tuple[str, str] | None:
        """What a promise's words name as whose data is lost, where that isn't the function itself."""
        last = max((length.end for length in lengths(sentence[promise.start : promise.end])), default=None)
        named = lost(sentence, promise.start + last) if last is not None else None
        if named is None or self.draft.named("functions", named.name) == identifier:
            return None
        if named.kind in ("called", "hint") and not self.known(named.name):
            function = self.draft.section("functions")[identifier]
            if named.kind == "hint" or alike(named.name, str(function["name"].value)):
                return None
        return named.name, named.kind


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


def _impact(plain: list[str], leaf: Leaf, draft: Draft, function: tuple[str, Entry]) -> None:
    """Sentences without promises that say what an outage means."""
    impact = [sentence for sentence in plain if _says_impact(sentence)]
    if impact:
        draft.put(function[1], "impact", " ".join(impact), leaf.line, f"functions.{function[0]}.impact")


def _left(plain: list[str], leaf: Leaf, section: Section, draft: Draft) -> None:
    """Other sentences without promises, and those with a length of time that nothing else holds, as one note."""
    left = [sentence for sentence in plain if not _says_impact(sentence) or lengths(sentence)]
    if left:
        draft.notes.append(Left(" ".join(left), section.path, leaf.line))


def _says_impact(sentence: str) -> bool:
    return _IMPACT.search(sentence) is not None and not names_promise(sentence)


def _numbers_besides(sentence: str, times: dict[str, Promise]) -> bool:
    """Whether a sentence has numbers that are no part of its times, nor of a priority."""
    rest, at = "", 0
    for start, end in sorted((promise.start, promise.end) for promise in times.values()):
        rest, at = rest + sentence[at : max(at, start)] + " ", max(at, end)
    rest = _NO_QUANTITY.sub(" ", rest + sentence[at:])
    return any(character.isdecimal() for character in rest) or bool(lengths(rest))
