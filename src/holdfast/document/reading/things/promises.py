"""Which lengths of time in a sentence are an RTO, an RPO or an MTPD.

Rules: a length belongs to the promise that is named nearest ahead of it, by however many names (`Recovery Time Objective (RTO) of 4 hours`),
or that the words right ahead of it make (`back within`, `lose at most`), or else that is named right behind it (`a 4-hour RTO`). It is read
with the words up to the end of its clause, so that what changes it is seen. Several promises named together share one length, take as many
lengths in turn (`RTO/RPO: 4h/15m`), or are asked about. What is no fixed number of hours (`one working day`) stands like a length and is asked
about, too. Nothing at all (`an RPO of zero`, `no data loss`) is said in `nothing`. Never here: a guess where a length can be two promises'.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from holdfast.document.reading.quantities import Length, Reading, duration, lengths
from holdfast.document.reading.quantities.durations import inexact
from holdfast.document.reading.quantities.lengths import IN_WORDS
from holdfast.document.reading.things.losses import DATA
from holdfast.document.reading.things.nothing import no_loss, zeros
from holdfast.document.reading.things.promise_names import PATTERNS

_LOOKED_AT = 120
"""Characters ahead of a length in which its words are looked for."""
_NEAR, _WITHIN_CLAUSE = 30, 60
"""Characters that may stand between a name and its length: any, and where no clause ends among them."""
_RTO, _RPO, _MTPD = (PATTERNS[key] for key in ("rto", "rpo", "mtpd"))
_NAME = re.compile(rf"\b(?:(?P<rto>{_RTO})|(?P<rpo>{_RPO})|(?P<mtpd>{_MTPD})|(?P<loss>lose|losing|loss))\b", re.I)
_WORDS_OF_NAMES = rf"(?:(?:{_RTO}|{_RPO}|{_MTPD}|the|an?|its|their|our|target|and|or|both)\b ?|[/&] ?)+"
_NAMES_ONLY = re.compile(_WORDS_OF_NAMES, re.I)
"""Words that name promises and nothing else, such as `Its RTO and RPO`."""
_NAMES_OF = re.compile(rf"{_WORDS_OF_NAMES}(?:of|for) (?:the |our )?(?P<owner>.+)", re.I)
_OWNER_FIRST = re.compile(rf"(?P<owner>.+?)(?:['’]s?)? {_WORDS_OF_NAMES}", re.I)
_OF_AMOUNT = rf"(?:[\s-]{{1,3}}(?:at|most|least|no|not|more|less|than|up|to|or|and|about|around|only|between|within|under|below|half|quarter|{IN_WORDS}|[0-9½¼¾][0-9./½¼¾]{{0,12}})){{0,6}}[\s-]{{0,3}}"
"""Words that belong to an amount, between those that say what it is and itself."""
_BACK = (
    r"back|restor(?:ed?|es)|resum(?:ed?|es)|recover(?:ed|s)?|reinstated|reopen(?:ed|s)?|running|working|available"
    r"|return(?:s|ed)?(?= (?:to (?:service|operation|normal) )?(?:in|within|after|no later)\b)|comes?(?= (?:in)?to (?:service|operation|normal)\b)"
    r"|(?:be|is|are|comes?|fully) (?:up|online|live|operational)"
)
"""What something is that an outage has ended for, as part of a pattern."""
_SAID = {
    "rto": re.compile(
        rf"\b(?:{_BACK})(?: again)?(?: \w+){{0,3}}?(?P<within> (?:within|in|after|no later than)\b{_OF_AMOUNT})$",
        re.I,
    ),
    "rpo": re.compile(rf"\b(?:lose|loss of|losing)\b(?P<within>{_OF_AMOUNT})$", re.I),
    "mtpd": re.compile(rf"\b(?:longer than|survive|tolerate)\b(?P<within>{_OF_AMOUNT})$", re.I),
}
"""What makes the length behind it a promise without naming one; the named part belongs to the length."""
_BEHIND = re.compile(
    rf"\s{{0,3}}-?\(?(?:(?P<rto>{_RTO})|(?P<rpo>{_RPO})|(?P<mtpd>{_MTPD}))\b(?!\s*[:=])"
    rf"|\s{{0,3}}(?P<data>of {DATA}"
    r"|(?:of \w{2,20} )?(?:may|can|could|might) be lost)\b",
    re.I,
)
_LOSS_FOR = re.compile(
    rf"\b(?:can|may|could|might|tolerates?|tolerated|accepts?|acceptable|bear|afford|allow(?:ed|s)?)\b[^.;]{{0,60}}?"
    rf"\b(?:lose|losing|loss of) (?:the |our |all |any |its )?(?:\w{{1,20}} )?{DATA}\b(?: \w{{1,20}}){{0,3}}? (?:for|over|during|of|from|within|up to)\b(?P<within>{_OF_AMOUNT})$",
    re.I,
)
"""What is lost stands ahead of a length: `the loss of orders for a day`, which can be how much is lost, or how long nothing comes in."""
_IS_NONE = re.compile(
    rf"\b(?:(?P<rto>{_RTO})|(?P<rpo>{_RPO})|(?P<mtpd>{_MTPD}))\b(?:\s?\([^()]{{0,40}}\))?(?:\s?(?:is|are|[=:–—-])){{0,2}}\s?(?P<none>(?:n/a|not applicable|none)\b(?:\s?\([^()0-9]{{0,80}}\))?)",
    re.I,
)
_TOGETHER = re.compile(r"[\s)]{0,3}(?:,|/|&|\+|\band\b|\bor\b){1,2}[\s(]{0,3}(?:(?:and|or) )?(?:(?:an?|the|its|our) )?", re.I)
"""Between two names that share what follows: `RTO and RPO of 4 hours`. In `an RTO as agreed and an RPO of 4 hours` the length is the nearer one's."""
_NEXT_LENGTH = re.compile(r"\s{0,3}(?:,|/|&|\+|\band\b|\bor\b){1,2}\s{0,3}(?:and )?", re.I)
_ZERO_NEXT = re.compile(r"(?:zero|nil|0)(?=\s*(?:$|[.,;)(]|respectively\b))", re.I)
_RESPECTIVELY = re.compile(r"[^.;]{0,30}?\brespectively\b", re.I)
_DENIED = re.compile(r"(?:\b(?:not|never|no)|n['’]t)(?: \w+){0,2} *$", re.I)
_CLAUSE_ENDS = re.compile(r"[,;](?=\s|$)|\.(?=\s|$)|\s(?:and|but|while|whereas|with|because|so|which|or)\s", re.I)
_SPELLED_OUT = re.compile(r"[a-z]{4}\.$", re.I)
"""A unit whose full stop ends a sentence: `2 days. 4 hours`; that of `2 hrs. 5 min.` may shorten it."""
_JOINTS = " /&+,("


@dataclass(frozen=True, slots=True)
class Promise:
    """What a sentence says of an RTO, RPO or MTPD, and where: from `start` to before `end`."""

    start: int
    end: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class _Name:
    """Where a promise is named. `own`: by its name, and not by a word such as `loss` that only stands in the way of others."""

    key: str
    start: int
    end: int
    own: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    """Promises that a length may be, in the order of their names. `start`: where its words begin.

    `said_at`: where the words begin that claim it, or the length itself where what stands behind it does.
    """

    keys: tuple[str, ...]
    start: int
    said_at: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Words that belong to a promise. `doubt`: why they can't be read, and what they could mean."""

    start: int
    end: int
    doubt: Reading | None = None


def names_promise(text: str) -> bool:
    """Whether an RTO, RPO or MTPD is named in a text."""
    return any(name.own for name in _names(text))


def whose(subject: str) -> str:
    """A subject without the promises that it names: `payroll` of `payroll's RTO` and of `RTO of payroll`; nothing of `its RTO and RPO`."""
    if not names_promise(subject):
        return subject
    for pattern in (_NAMES_OF, _OWNER_FIRST):
        found = pattern.fullmatch(subject)
        if found is not None and not _NAMES_ONLY.fullmatch(found["owner"]):
            return found["owner"].strip()
    return "" if _NAMES_ONLY.fullmatch(subject) else subject


def begins_with_promise(sentence: str) -> bool:
    """Whether a sentence begins with an RTO, RPO or MTPD, and so speaks of what was spoken of before."""
    found = _NAMES_ONLY.match(sentence)
    return found is not None and names_promise(found[0])


def order_of(text: str) -> tuple[str, ...]:
    """`rto`, `rpo`, `mtpd` in the order in which a text first names them."""
    return tuple(dict.fromkeys(name.key for name in _names(text) if name.own))


def said_to_be_none(sentence: str) -> dict[str, str]:
    """`rto`, `rpo`, `mtpd` → the words that say that there is none of it (`RPO: N/A`)."""
    return {key: found["none"] for found in _IS_NONE.finditer(sentence) for key in ("rto", "rpo", "mtpd") if found[key]}


def promises(sentence: str) -> dict[str, Promise]:
    """`rto`, `rpo`, `mtpd` → what the sentence says of it. Of two lengths for the same one the first counts; the caller tells the other."""
    found: dict[str, Promise] = {}
    names, every = tuple(_names(sentence)), sorted((*lengths(sentence), *inexact(sentence)), key=_begins)
    before = 0
    for number, length in enumerate(every):
        if length.start < before:
            continue
        following = every[number + 1] if number + 1 < len(every) else None
        ahead = max(before, length.start - _LOOKED_AT)
        behind = _behind(sentence, length, following)
        claim = _settled(sentence, ahead, length, _ahead(sentence, names, ahead, length.start), behind)
        before = length.end
        if claim is not None and not found.keys() >= set(claim.keys):
            for key, span in _spans(sentence, names, length, claim, behind).items():
                if key not in found:
                    found[key] = Promise(span.start, span.end, span.doubt or duration(sentence[span.start : span.end]))
                    before = max(before, span.end)
    if "rpo" not in found:
        found |= _loss_of_data_for(sentence, every, found)
    return _with_nothing(sentence, names, found)


def _loss_of_data_for(sentence: str, every: Sequence[Length], found: dict[str, Promise]) -> dict[str, Promise]:
    """The RPO that a borne loss of data with a length behind it may be, which is asked about."""
    for length in every:
        ahead = max(0, length.start - _LOOKED_AT)
        if any(promise.start <= length.start < promise.end for promise in found.values()):
            continue
        match = _LOSS_FOR.search(sentence[ahead : length.start])
        if match is not None:
            doubt = Reading(None, "it can be how much data may be lost, or how long none comes in", _choices(length))
            return {"rpo": Promise(ahead + match.start("within"), length.end, doubt)}
    return {}


def _with_nothing(sentence: str, names: Sequence[_Name], found: dict[str, Promise]) -> dict[str, Promise]:
    """The promises, and those of nothing at all; asked about where the sentence says both, or doesn't name the RPO with it."""
    for zero in zeros(sentence):
        if not any(promise.start <= zero.start < promise.end for promise in found.values()):
            name = next(name for name in reversed(names) if name.start < zero.end and name.own)
            if not _denied(sentence, name.start):
                found.setdefault(name.key, Promise(zero.start, zero.end, Reading("0s")))
    words = no_loss(sentence)
    if words is None or any(promise.start <= words.start < promise.end and promise.reading.value == "0s" for promise in found.values()):
        return found
    rpo = found.get("rpo")
    named = any(name.key == "rpo" and name.own and not _denied(sentence, name.start) for name in names)
    if rpo is not None and rpo.reading.value != "0s":
        choices = tuple(choice for choice in (rpo.reading.value, *rpo.reading.choices, "0s") if choice)
        doubt = Reading(None, f"'{words.said}' stands beside an RPO that is another one", tuple(dict.fromkeys(choices)))
        found["rpo"] = Promise(min(rpo.start, words.start), max(rpo.end, words.end), doubt)
    elif rpo is None and named and not words.doubted:
        found["rpo"] = Promise(words.start, words.end, Reading("0s"))
    elif rpo is None:
        found["rpo"] = Promise(words.start, words.end, Reading(None, f"'{words.said}' can be an RPO of zero, or a wish", ("0s",)))
    return found


@dataclass(frozen=True, slots=True)
class _Behind:
    """The promise that is named right behind a length. `other`: the length behind the name, which may have it as well (`4 h RTO 15 min`)."""

    key: str
    other: Length | None


def _behind(sentence: str, length: Length, following: Length | None) -> _Behind | None:
    match = _BEHIND.match(sentence, length.end)
    if match is None:
        return None
    if match["data"]:
        return _Behind("rpo", None)
    gap = sentence[match.end() : following.start] if following is not None else ""
    leads_on = following is not None and len(gap) <= _NEAR and not re.search(r"[.;,)/]", gap) and not _CLAUSE_ENDS.search(gap)
    return _Behind(str(match.lastgroup), following if leads_on else None)


def _settled(sentence: str, ahead: int, length: Length, claim: _Claim | None, behind: _Behind | None) -> _Claim | None:
    """Which promises a length may be, by the words on both its sides; more than one where they don't agree."""
    if behind is None or (claim is not None and (behind.other is not None or behind.key in claim.keys)):
        return claim
    start = _clause_start(sentence, ahead, length.start)
    if claim is None or claim.said_at < start:
        return _Claim((behind.key,), start, length.start)
    return _Claim((*claim.keys, behind.key), claim.start, length.start)


def _spans(sentence: str, names: Sequence[_Name], length: Length, claim: _Claim, behind: _Behind | None) -> dict[str, _Span]:
    """The words of each promise that a length may be."""
    if claim.said_at == length.start and behind is not None:
        if len(claim.keys) > 1:
            doubt = Reading(None, f"it can be the {' or the '.join(key.upper() for key in claim.keys)}", _choices(length))
            return dict.fromkeys(claim.keys, _Span(claim.start, length.end, doubt))
        if behind.other is not None:
            doubt = Reading(None, "a length of time stands on either side of the name", _choices(length, behind.other))
            return {behind.key: _Span(length.start, behind.other.end, doubt)}
        return {behind.key: _Span(claim.start, length.end)}
    if len(claim.keys) > 1 and (in_turn := _in_turn(sentence, claim, length)) is not None:
        return in_turn
    return dict.fromkeys(claim.keys, _Span(claim.start, _words_end(sentence, names, length)))


def _ahead(sentence: str, names: Sequence[_Name], ahead: int, at: int) -> _Claim | None:
    """What the words ahead of a length claim it for. A name goes before words that say a promise, unless a clause ends between them."""
    said, named = _said(sentence, ahead, at), _named(sentence, names, ahead, at)
    if said is None or named is None:
        return said or named
    return said if _CLAUSE_ENDS.search(sentence, named.said_at, max(said.said_at, named.said_at)) else named


def _said(sentence: str, ahead: int, at: int) -> _Claim | None:
    """The promise that the words right ahead of a length make without its name."""
    claims = [
        _Claim((key,), ahead + match.start("within"), ahead + match.start())
        for key, pattern in _SAID.items()
        if (match := pattern.search(sentence[ahead:at])) is not None and not _denied(sentence, ahead + match.start())
    ]
    return max(claims, key=lambda claim: claim.said_at, default=None)


def _named(sentence: str, names: Sequence[_Name], ahead: int, at: int) -> _Claim | None:
    """The promise named last, by all of its names, and those that are named together with it."""
    near = names[bisect_left(names, ahead, key=_start) : bisect_left(names, at, key=_start)]
    if not near or not _belongs(sentence, near[-1].end, at):
        return None
    group = [near[-1]]
    for name in reversed(near[:-1]):
        if name.key != group[-1].key and not _TOGETHER.fullmatch(sentence, name.end, group[-1].start):
            break
        group.append(name)
    told = [name for name in reversed(group) if name.own and not _denied(sentence, name.start)]
    keys = tuple(dict.fromkeys(name.key for name in told))
    return _Claim(keys, near[-1].end, told[-1].start) if near[-1].key in keys else None


def _in_turn(sentence: str, claim: _Claim, length: Length) -> dict[str, _Span] | None:
    """Lengths that follow each other behind promises that are named together; None where there is but one."""
    spans, found = [(claim.start, length.end)], [length]
    strokes = True
    while len(spans) <= len(claim.keys) and (joint := _NEXT_LENGTH.match(sentence, spans[-1][1])) is not None:
        rest = sentence[joint.end() : joint.end() + _LOOKED_AT]
        zero = _ZERO_NEXT.match(rest)
        following = [Length(0, zero.end(), Fraction(0), "s", "0s", zero[0])] if zero is not None else lengths(rest)
        if not following or following[0].start:
            break
        strokes = strokes and joint[0].strip() == "/"
        spans.append((joint.end(), joint.end() + following[0].end))
        found.append(following[0])
    if len(spans) == 1:
        return None
    if len(spans) == len(claim.keys) and (strokes or _RESPECTIVELY.match(sentence, spans[-1][1])):
        return {key: _Span(start, end) for key, (start, end) in zip(claim.keys, spans, strict=True)}
    said = " and ".join(key.upper() for key in claim.keys)
    doubt = Reading(None, f"it names more than one length of time for {said}", _choices(*found))
    return dict.fromkeys(claim.keys, _Span(claim.start, spans[-1][1], doubt))


def _names(sentence: str) -> Iterator[_Name]:
    for match in _NAME.finditer(sentence):
        key = str(match.lastgroup)
        yield _Name("rpo" if key == "loss" else key, match.start(), match.end(), key != "loss")


def _start(name: _Name) -> int:
    return name.start


def _begins(length: Length) -> int:
    return length.start


def _belongs(sentence: str, end: int, at: int) -> bool:
    """Whether a name that ends there can be that of the length that begins at `at`."""
    gap = sentence[end:at]
    if re.search(r"[.;]|\b(?:zero|nil|0)\b", gap, re.I):
        return False
    return len(gap) <= _NEAR or (len(gap) <= _WITHIN_CLAUSE and _CLAUSE_ENDS.search(gap) is None)


def _choices(*found: Length) -> tuple[str, ...]:
    return tuple(dict.fromkeys(length.written for length in found if length.written))


def _denied(sentence: str, at: int) -> bool:
    return _DENIED.search(sentence[max(0, at - _LOOKED_AT) : at]) is not None


def _clause_start(sentence: str, ahead: int, at: int) -> int:
    """Where the clause begins in which a length stands, looked for from `ahead` on."""
    return max((ahead + match.end() for match in _CLAUSE_ENDS.finditer(sentence[ahead:at])), default=ahead)


def _words_end(sentence: str, names: Sequence[_Name], length: Length) -> int:
    """Where the words of a length end: with its clause, or before the next promise is named."""
    at = length.end - (1 if _SPELLED_OUT.search(length.said) else 0)
    clause = _CLAUSE_ENDS.search(sentence, at)
    end = clause.start() if clause is not None else len(sentence)
    for name in names[bisect_left(names, at, key=_start) :]:
        if name.start >= end:
            return end
        if name.own:
            return max(at, at + len(sentence[at : name.start].rstrip(_JOINTS)))
    return end
