"""Whose promise or data a sentence speaks of: `the RPO of order taking is an hour`, `an hour of data of order taking`, `an hour of orders`, `the loss of orders for an hour`. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from holdfast.document.reading.quantities import lengths
from holdfast.document.reading.tree import normal

_DATA_WORDS = (
    *(
        "data",
        "work",
        "change",
        "transaction",
        "entrie",
        "entry",
        "booking",
        "reservation",
        "order",
        "record",
        "sale",
        "payment",
        "posting",
    ),
    *("message", "update", "file", "document", "email", "mail", "call", "ticket", "log", "invoice", "receipt", "deposit", "trade"),
    *("request", "event", "measurement", "reading", "input", "information", "content", "upload", "edit", "image", "scan", "result"),
    *("claim", "registration", "form", "letter", "note", "purchase", "history", "lag", "loss", "traffic", "movement", "count"),
)
DATA = rf"(?:{'|'.join(_DATA_WORDS)})s?"
"""A word for what is kept and can be lost, as part of a pattern."""
_ARTICLE = r"(?:(?:the|our|its|their|any|all|new|a|an) )?"
_NAME = r"\w[\w/&'’-]{0,30}(?: [\w/&'’-]{1,30}){0,5}?"
_STOPS = (
    r"(?=\s*(?:[.,;:()]|$)| (?:may|can|could|might|must|should|is|are|was|were|when|if|before|after|on|at|in|per|but|because|since|until|with"
    r"|without|from|to|as|which|that|has|have|over|during|{more})\b)"
)
_LOST = re.compile(
    rf"\s{{0,3}}(?:worth )?of {_ARTICLE}(?P<what>{_NAME}){_STOPS.format(more='of|for|and|or')}"
    rf"(?: (?:of|for) {_ARTICLE}(?P<owner>{_NAME}){_STOPS.format(more='of')})?"
    rf"|\s{{0,3}}for {_ARTICLE}(?P<beneficiary>{_NAME}){_STOPS.format(more='of|and|or')}",
    re.I,
)
_OWNED = re.compile(rf"[\s)]{{0,3}}(?:of|for) {_ARTICLE}(?P<owner>{_NAME}) (?:is|are|must|shall|should|will|may|can|has|=)\b", re.I)
_IS_DATA = re.compile(rf"(?:(?P<of>.*\S) )?(?P<data>{DATA})", re.I)
_OF_ANYTHING = re.compile(r"data|records?|information|entry|entries|files?|history|transactions?|postings?|changes?", re.I)
"""Words for data that say nothing of what it is about; what stands ahead of them does: `payroll data`."""
_OF_NOBODY = frozenset(
    {
        *(
            "customer",
            "customers",
            "client",
            "clients",
            "guest",
            "guests",
            "patient",
            "patients",
            "user",
            "users",
            "personal",
            "business",
            "operational",
        ),
        *(
            "production",
            "company",
            "confirmed",
            "recent",
            "new",
            "entered",
            "unsaved",
            "transaction",
            "transactional",
            "transactions",
            "stored",
            "saved",
        ),
        *(
            "live",
            "current",
            "latest",
            "last",
            "historical",
            "master",
            "core",
            "critical",
            "essential",
            "vital",
            "relevant",
            "committed",
            "changed",
            "own",
            "important",
            "electronic",
            "digital",
            "and",
            "of",
        ),
    }
)
"""Words ahead of those that name no function."""
_LOOKED_AT = 200
"""Characters behind an amount in which the words stand that say what is lost."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What words beside an amount name: `owner` of a promise (`RPO of payroll is`) or of data (`of data of payroll`), a `thing` that is no data (`of payroll`),
    what data is `called` after (`of payroll data`), or a `hint` that counts only where it is a function's name (`of payroll forms`, `for payroll`).
    """

    name: str
    kind: Literal["owner", "thing", "called", "hint"]


def lost(sentence: str, at: int) -> Lost | None:
    """Whose data the words behind the amount that ends there speak of; None where they name nobody."""
    found = _LOST.match(sentence, at, at + _LOOKED_AT)
    if found is None:
        return None
    if found["beneficiary"]:
        return Lost(found["beneficiary"], "hint")
    data = _IS_DATA.fullmatch(found["what"])
    if data is None:
        return Lost(found["what"], "thing")
    if found["owner"]:
        return Lost(found["owner"], "owner")
    if not data["of"]:
        return None
    after = _OF_ANYTHING.fullmatch(data["data"]) and not set(data["of"].lower().split()) <= _OF_NOBODY
    return Lost(data["of"], "called" if after else "hint")


def alike(one: str, other: str) -> bool:
    """Whether two names share a word, whatever its ending (`billing` and `bill`)."""
    for first in normal(one).split():
        for second in normal(other).split():
            length = max(4, min(len(first), len(second)) - 3)
            if len(first) >= length and first[:length] == second[:length]:
                return True
    return False


def owned(sentence: str, at: int) -> str:
    """Whose promise the words behind its name, which ends there, say that it is: `payroll` of `RPO for payroll is`; empty where they don't."""
    found = _OWNED.match(sentence, at, at + _LOOKED_AT)
    return found["owner"] if found is not None and not lengths(found["owner"]) else ""
