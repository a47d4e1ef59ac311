"""What stands beside a quantity that was taken from a text: words that say how it is meant, words that change it, and others.

Rules: what says that the quantity is a bound (`within`, `at least`, `or more`) is known by its own words, right beside it. Anything else with a
digit, a sign, a number or a fraction in words, or a word that changes a number (`per`, `times`, `not`, `between`), is a doubt: with it the
quantity may mean another one. What is left then is told, unless it is known to say nothing (`for critical services`, a parenthesis).
"""

import re
import unicodedata
from dataclasses import dataclass

from holdfast.document.reading.quantities.lengths import IN_WORDS
from holdfast.plan.problems import shortened

_BOUNDS = {
    "at_most": r"within(?: the(?: first)?)?|up to|at (?:the )?most|(?:no|not) (?:more|later|longer|greater|higher) than|(?:not|never) (?:to )?exceed(?:ing)?|(?:not|never) (?:over|above|beyond)|max(?:imum)?\.?(?: of)?|<=|≤|⩽",
    "below": r"less than|fewer than|shorter than|under|below|<",
    "at_least": r"at (?:the )?least|min(?:imum)?\.?(?: of)?|(?:no|not) (?:less|fewer|shorter|lower|earlier) than|(?:not|never) (?:under|below)|>=|≥|⩾",
    "above": r"more than|greater than|longer than|higher than|above|over|exceed(?:s|ing)?|>",
}
SIGNS = {"at_most": "<=", "below": "<", "at_least": ">=", "above": ">"}
_ABOUT = r"about|approx(?:imately|\.)?|around|roughly|circa|ca\.?|nearly|almost|some|~|≈"
_SAYS_NOTHING = r"in|is|are|be|of|set (?:at|to)|the|rto|rpo|mtpd|mtd|must|should|shall|will|=|:"
_BEFORE = re.compile(
    r"(?:(?<!\w)(?=\w)|(?!\w))(?:"  # a word from its first letter on, a sign anywhere
    + "|".join(f"(?P<{name}>{words})" for name, words in (*_BOUNDS.items(), ("about", _ABOUT), ("nothing", _SAYS_NOTHING)))
    + r")[\s:,]*$",
    re.I,
)
_AFTER = re.compile(
    r"[\s,(]*(?:(?P<at_most>(?:at (?:the )?most|max(?:imum)?|or (?:less|fewer|faster|sooner))\b)"
    r"|(?P<at_least>(?:at (?:the )?least|min(?:imum)?|or (?:more|longer|later|better|higher))\b|\+(?!\s*\d))"
    r"|(?P<about>(?:approx(?:imately)?|roughly)\b))[.)]?",
    re.I,
)
_NEAR = 60
"""Characters before a quantity in which words of its bound are looked for."""
_MOST_WORDS = 8
"""Of one kind beside a quantity; a text with more of them is told."""

_NUMBERS = re.compile(
    rf"{IN_WORDS}|zero|(?:hundred|thousand|million|billion|dozen)s?|couple|few|several|pair|many|single|doubled?|tripled?|quadruple|half|halves|halved|quarters?"
    r"|first|second|thirds?|fourths?|fifths?|sixths?|seventh|eighths?|ninth|tenths?|twentieth|hundredth|once|twice|thrice"
)
_CHANGING = re.compile(
    r"per|times|x|not|no|never|neither|nor|cannot|\w+n['’]t|without|none|between|minus|plus|less|more|fewer|than|most|least|every|each|percent|cent|semi|bi|tri"
    r"|either|respectively|longer|shorter|later|earlier|divided|multiplied|squared|cubed|ago|hourly|daily|nightly|weekly|monthly|quarterly|yearly|annually"
)
LONG_UNITS = frozenset(
    f"{name}{end}" for name in ("minute", "hour", "day", "night", "week", "weekend", "fortnight", "month", "year") for end in ("", "s")
)
"""Words that make a rate or an end of a length of time when they stand beside one without a number: `4 hours to the end of the day`."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_QUIET = re.compile(r"\([^()]*\)|\bfor\b.*|\bof (?:the |an? )?\w+(?: (?:loss|start))?", re.I)
_SUBJECTS = re.compile(r"\b(?:uptime|availability|downtime|rto|rpo|mtpd)\b", re.I)
_EDGES = " '’\t.,;:()[]–—-"
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Beside:
    """`bound`: a key of `SIGNS` and the words for it, or two empty texts. `about`: the word that makes it inexact.

    `doubt`: why the quantity may mean another one. `left_out`: words that say something else.
    """

    bound: str = ""
    bound_words: str = ""
    about: str = ""
    doubt: str = ""
    left_out: str = ""


def beside(before: str, after: str, also: frozenset[str] = frozenset()) -> Beside:
    """What the texts before and after a quantity say of it. `also`: words that change a quantity of this kind besides those of all."""
    bounds: dict[str, str] = {}
    about = ""
    for _ in range(_MOST_WORDS):
        far, near = before[:-_NEAR], before[-_NEAR:]
        found = _BEFORE.search(near)
        if found is None:
            break
        kind, before = str(found.lastgroup), far + near[: found.start()]
        about = found["about"] or about
        if kind in SIGNS:
            bounds.setdefault(kind, found[kind])
    while (found := _AFTER.match(after)) is not None:
        after = after[found.end() :]
        about = found["about"] or about
        if found.lastgroup in SIGNS:
            bounds.setdefault(str(found.lastgroup), str(found[str(found.lastgroup)]))
    doubt = _doubt(before, after, also)
    if len(bounds) > 1:
        said = "' and '".join(bounds.values())
        doubt = doubt or f"'{said}' say two things of the number"
    bound, words = next(iter(bounds.items()), ("", ""))
    return Beside(bound, words, about, doubt, "" if doubt else _left_out(before, after))


def _doubt(before: str, after: str, also: frozenset[str]) -> str:
    """What stands there that could change a quantity; empty where nothing does."""
    for text in (before, after):
        for at, character in enumerate(text):
            kind = unicodedata.category(character)
            if kind[0] == "N":
                return "another number stands beside it"
            if kind in ("Sm", "Sc", "Co", "Cf") or character in "*%^‰′″" or (character == "/" and not _joins_words(text, at)):
                return f"a '{character}' stands beside the number"
        for word in _WORD.findall(text.lower()):
            if _NUMBERS.fullmatch(word):
                return f"'{word}' stands beside the number, and is one as well"
            if word in also or _CHANGING.fullmatch(word):
                return f"'{word}' stands beside the number, and can change what it means"
    if unicodedata.category(before.rstrip()[-1:] or "a") == "Pd":
        return "a dash stands before the number, and may be a minus"
    if unicodedata.category(after[:1] or "a") == "Pd":
        return "a dash stands behind the number, as in a range"
    joint = re.search(r"\b(?:to|or|and)\s*$", before, re.I) or re.match(r"\s*or\b", after, re.I)
    return f"'{joint[0].strip()}' stands beside the number, as in a range" if joint is not None else ""


def _joins_words(text: str, at: int) -> bool:
    """Whether the stroke there is one as in `and/or`."""
    return text[:at][-1:].isalpha() and text[at + 1 :][:1].isalpha()


def _left_out(before: str, after: str) -> str:
    """Words of a text without doubts that aren't known to say nothing."""
    parts = (_QUIET.sub(" ", part).strip(_EDGES) for part in (before, after))
    told = (" ".join(part.split()) for part in parts if _SUBJECTS.sub("", part).strip(_EDGES))
    return shortened(" … ".join(told), _LONGEST_SHOWN)
