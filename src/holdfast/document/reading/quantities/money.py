"""Amounts of money, in US dollars."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast.document.reading.quantities.beside import LONG_UNITS, SIGNS, beside
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent

_CODE = r"(?:(?-i:[A-Z]{3})|usd|eur|gbp)\b"
_MONEY = re.compile(
    rf"(?<![\w.,])(?:(?P<sign>(?:(?-i:[A-Z]{{1,3}}) ?)?[$€£¥]|{_CODE}) ?)?"
    r"(?P<number>[0-9]{1,3}(?:[, ][0-9]{3}){1,5}(?:\.[0-9]{1,2})?|[0-9]{1,15}(?:\.[0-9]{1,4})?)(?![0-9])"
    rf" ?(?P<size>k|thousand|m|million|bn|billion)?\b ?(?P<after>[$€£¥]|{_CODE}|(?:dollars|euros?|pounds)\b)?(?P<more> ?\+)?",
    re.I,
)
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_DOLLARS = {"$", "usd", "us$", "usd$", "dollars"}
_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_JOINT = re.compile(r"\s?(?:-|–|—|\b(?:to|and|or|through)\b)\s?(?:up to\s?)?", re.I)
"""Between two ends of a range, which share a currency: `20,000 - 120,000 USD`."""
_MOST_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of US dollars; `at_least` where the text says that it may be more. `concluded` as in a reading, what is left out with it."""

    usd: float
    at_least: bool
    concluded: str = ""


def money(text: str) -> Money | Reading:
    """An amount such as `$200,000+` or `USD 5k`. Other currencies, ranges, rates and amounts without a currency are unclear."""
    text = " ".join(text.split())
    found = list(_MONEY.finditer(text))
    if not found:
        return NOTHING if absent(text) else Reading(None, "no amount stands in it")
    if len(found) > 1:
        return Reading(None, "it names more than one amount", _choices(text, found))
    match = found[0]
    currencies = _currencies(match)
    if not currencies or not currencies <= _DOLLARS:
        return Reading(None, "the plan counts US dollars, and this is " + ("in another currency" if currencies else "without a currency"))
    if _POINT.fullmatch(match["number"]):
        return Reading(None, "a point before three digits can mean two things")
    words = beside(text[: match.start()], text[match.end() :], LONG_UNITS)
    if words.doubt:
        whole = text[match.end() : match.end() + 1] not in (",", ".")  # and no beginning of `$1,00,000`
        return Reading(None, words.doubt, _choices(text, [match]) if whole else ())
    amount = _amount(match)
    at_most = SIGNS.get(words.bound, "") in ("<", "<=")
    parts = (
        "'$' is taken for US dollars" if currencies == {"$"} else "",
        *(f"'{left}' is left out" for left in (words.about, words.bound_words if at_most else "", words.left_out) if left),
    )
    at_least = bool(match["more"]) or SIGNS.get(words.bound, "") in (">", ">=")
    return Money(amount, at_least, "; ".join(part for part in parts if part))


def _currencies(match: re.Match[str]) -> set[str]:
    """What an amount's currency is called on either side of it."""
    return {name.lower().replace(" ", "") for name in (match["sign"], match["after"]) if name}


def _amount(match: re.Match[str]) -> float:
    return float(match["number"].replace(",", "").replace(" ", "")) * _SIZES.get((match["size"] or "").lower(), 1.0)


def _choices(text: str, found: Sequence[re.Match[str]]) -> tuple[str, ...]:
    """The amounts as a plan holds them, plain numbers of dollars; none where one is in another currency, or of no certain size."""
    found = found[:_MOST_CHOICES]
    named = [_currencies(match) for match in found]
    if not set().union(*named) or not set().union(*named) <= _DOLLARS or any(_POINT.fullmatch(match["number"]) for match in found):
        return ()
    if not all(named):
        joined = all(_JOINT.fullmatch(text[one.end() : other.start()]) for one, other in pairwise(found))
        if not joined or len({match["size"] for match in found}) > 1:
            return ()
    return tuple(dict.fromkeys(f"{_amount(match):.4f}".rstrip("0").rstrip(".") for match in found))
