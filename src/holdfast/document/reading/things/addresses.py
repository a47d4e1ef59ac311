"""How somebody is reached: the addresses and numbers in a text, and whether an address can be a certain person's. Pure."""

import re
from collections.abc import Sequence

from holdfast.document.reading.draft import slug

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_ROUND_THE_CLOCK = r"24 ?/ ?7\b"
_AMERICAN = r"(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-. ]\d{4}"
_INTERNATIONAL = rf"(?:\+\d|\(0\d{{0,5}}\)|0\d)(?:(?! {{0,2}}{_ROUND_THE_CLOCK})[ .-]{{0,2}}(?:\(\d{{1,5}}\)|/(?!0)\d|\d)){{5,16}}"
PHONE = re.compile(rf"(?<![\w.-])(?:{_INTERNATIONAL}|{_AMERICAN})(?:,? (?:ext\.?|x) ?\d{{1,6}})?(?![\w-])")
"""A number to dial. A bracket belongs to it where digits and nothing else stand within: `(24/7)` behind it does not."""
WAYS = {"email": EMAIL, "phone": PHONE}
"""How somebody is reached: key of the plan → what it looks like."""

_OF_PLACES = frozenset(
    [
        "admin",
        "bc",
        "bcp",
        "board",
        "call",
        "center",
        "centre",
        "chief",
        "contact",
        "continuity",
        "crisis",
        "customer",
        "data",
        "dc",
        "deputy",
        "desk",
        "director",
        "dr",
        "duty",
        "emergency",
        "engineering",
        "facilities",
        "finance",
        "first",
        "head",
        "help",
        "hr",
        "incident",
        "info",
        "international",
        "it",
        "lead",
        "legal",
        "line",
        "mail",
        "major",
        "management",
        "manager",
        "media",
        "my",
        "network",
        "night",
        "no",
        "noc",
        "office",
        "officer",
        "on",
        "one",
        "online",
        "op",
        "operations",
        "ops",
        "out",
        "plant",
        "platform",
        "press",
        "private",
        "public",
        "reception",
        "recovery",
        "response",
        "safety",
        "sales",
        "second",
        "security",
        "service",
        "services",
        "shift",
        "shop",
        "site",
        "staff",
        "status",
        "supply",
        "support",
        "team",
        "tech",
        "the",
        "transport",
        "us",
        "warehouse",
        "west",
        "east",
        "north",
        "south",
        "work",
        "world",
    ]
)
"""Words that addresses of a desk or a post are made of: `duty.manager@…` is nobody's name."""


def is_reachable(text: str) -> bool:
    """Whether a text gives somebody's address or number: then it is a person's name and no job title."""
    return bool(EMAIL.search(text) or PHONE.search(text))


def given(key: str, text: str) -> list[str]:
    """The addresses or numbers in a text, each once."""
    return list(dict.fromkeys(match[0].strip() for match in WAYS[key].finditer(text)))


def without_addresses(text: str) -> str:
    """A text without them, and without the brackets that held nothing else."""
    return re.sub(r"\(\s*[,;/]?\s*\)|<\s*>", "", PHONE.sub("", EMAIL.sub("", text)))


def holds_name(email: str, name: str) -> bool:
    """Whether an address is made of somebody's name: `c.tobin@…`, `claire@…` and `clairet@…` of Claire Tobin."""
    words, parts = _words_of(email), slug(name).split("-")
    if len(parts) < 2 or not words:
        return any(part in words for part in parts)
    first, last = parts[0], parts[-1]
    if len(words) > 1 and len(words[0]) == 1 and last in words:
        return words[0] in {part[0] for part in parts}
    if any(part in words for part in parts if len(part) > 1):
        return True
    made = {first + last, last + first, first[0] + last, last + first[0], first + last[0], "".join(part[0] for part in parts)}
    return "".join(words) in made


def is_of_another(email: str, name: str, others: Sequence[str] = ()) -> bool:
    """Whether an address speaks against its being somebody's: made of another's name, of one of `others` or of whoever `h.vos@…` is."""
    if holds_name(email, name):
        return False
    words = _words_of(email)
    of_somebody = len(words) > 1 and all(word.isalpha() for word in words) and _OF_PLACES.isdisjoint(words) and len(words[-1]) > 1
    return of_somebody or any(holds_name(email, other) for other in others)


def _words_of(email: str) -> list[str]:
    local = re.sub(r"\d+", "", email.partition("@")[0].partition("+")[0])
    return [slug(word).replace("-", "") for word in re.split(r"[._-]", local) if re.search(r"\w", word)]
