"""Promises of nothing at all in a sentence: `an RPO of zero`, `zero RPO`, `no data loss`, `no data may be lost`.

Rules: a zero counts only where a promise's name stands right with it. Words of no loss are found whatever stands around them; that they can be
a wish is said with them. Never here: which promise they are (see `promises`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.document.reading.things.promise_names import PATTERNS

_NAMES = f"{PATTERNS['rto']}|{PATTERNS['rpo']}"
_LINK = r"(?:of|is|are|=|:|at|to|be|must|should|shall|will|set|has|remains?|therefore|strictly|an?|the|-|–|—)"
_NO_UNIT = r"(?!\s?-?\w)(?![.,:/%]\d)"
_ENDS = r"(?=\s*(?:$|[.,;:)(]|and\b|because\b|for\b|since\b|as\b|so\b|data loss\b|loss\b))"
_ZERO = re.compile(
    rf"\b(?:{_NAMES})\b(?:\s*\([^()]{{0,40}}\))?(?: (?:for|of) [\w' -]{{1,40}}?)?(?:\s*{_LINK}){{1,6}}\s*(?P<behind>(?:zero|nil)\b|0{_NO_UNIT}){_ENDS}"
    rf"|\b(?P<ahead>zero)[ -](?:{_NAMES})\b",
    re.I,
)
_MORE = r"(?! (?:of more|over|above|beyond|exceeding|greater|longer|more|in excess|than))"
_LOSS = r"(?:any )?(?:loss of (?:any )?data|data[ -]loss)"
_NO_LOSS = re.compile(
    rf"\b(?:zero|no|without|nil) {_LOSS}\b{_MORE}"
    r"|\b(?:no|none of the|none of its) data (?:may|can|must|shall|should|is to|are to) (?:ever )?be lost\b"
    r"|\b(?:lose|loses|losing) (?:no data|nothing)\b|\bnothing (?:may|can|must|shall|should) be lost\b"
    r"|\b(?:must not|may not|can ?not|never) lose (?:any )?data\b",
    re.I,
)
_DOUBT = re.compile(r"\b(?:not|cannot|never|near|nearly|almost|hope|aim|try|possible|promise|guarantee)\b|n['’]t\b", re.I)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Where a text says that nothing is lost. `doubted`: other words make it more or less than that."""

    start: int
    end: int
    said: str
    doubted: bool = False


def zeros(text: str) -> Iterator[Nothing]:
    """Every zero with a promise's name right ahead of it, or behind."""
    for found in _ZERO.finditer(text):
        part = "behind" if found["behind"] else "ahead"
        yield Nothing(found.start(part), found.end(part) if part == "behind" else found.end(), found[part])


def no_loss(text: str) -> Nothing | None:
    """The first words that say that no data is lost."""
    found = _NO_LOSS.search(text)
    if found is None:
        return None
    return Nothing(found.start(), found.end(), found[0], _DOUBT.search(text[: found.start()] + text[found.end() :]) is not None)
