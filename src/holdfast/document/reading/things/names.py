"""Words that name somebody: a person's name, the name of a role, and what stands beside a name in the same line. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.document.reading.quantities import absent
from holdfast.document.reading.things.addresses import is_reachable, without_addresses

_CAPITAL = "[A-Z" + "".join(chr(code) for code in range(0xC0, 0x180) if chr(code).isupper()) + "]"
FULL_NAME = rf"(?:(?<![\w'’-]){_CAPITAL}[\w'’-]{{1,40}}(?: (?:van|de|der|von|da|O')\b)?(?: {_CAPITAL}[\w'’-]{{1,40}}){{1,2}})"
"""A pattern of two or three words with capitals."""
_NOUNS = (
    r"lead(?:er)?|manager|director|co-?ordinator|commander|officer|head|chief|owner|administrator|engineer|responder|liaison|spokes(?:person|man|woman)"
    r"|controller|supervisor|chair(?:man|woman|person)?|secretary|president|contact|approver|executive|operator|specialist|analyst|architect|deputy"
    r"|sponsor|adviser|advisor|marshal|warden|counsel|treasurer|facilitator|custodian|dispatcher|planner|c[eftior]o|ciso|coo"
)
ROLE = re.compile(
    rf"(?!(?:her|his|their|my|its|a|an|not|also|no)\b)(?!.*\b(?:as|her|his|their)\b)"
    rf"(?:[A-Za-z][\w/&' -]{{0,50}}?\b)?(?:{_NOUNS})(?: on (?:duty|call))?",
    re.I,
)
"""The name of a role: it ends with a word for one."""
STAND_IN = r"(?i:deputy|deputies|back-?up|alternate|stand-?in|substitute|second[ -]in[ -]command|replacement)"
_OF_POSTS = re.compile(
    rf"(?:{_NOUNS}|vp|vice|desk|teams?|services?|office|reception|support|operations|ops|security|engineering|department|cent(?:re|er)|line"
    r"|hotline|helpline|helpdesk|room|group|bank|ltd|inc|police|hospital|fire|facilities|finance|legal|it|hr|human|resources|marketing|sales|press"
    r"|duty|emergency|national|network|senior|junior|developer|consultant|technician|assistant|clerk|provider|partner|systems?|board|staff|plant|site|warehouse|transport|logistics|accounts?|payroll|insurance|customer|public)",
    re.I,
)
"""A word that no person is called by, in a plan."""
_LABEL_OF_WAY = r"(?:mobile|mob|phone|telephone|tel|cell|e-?mail|mail|number|call|[mtpe](?=[:.]))[.:]?"
_LABELS_OF_WAYS = re.compile(rf"(?:(?:^|[\s,;:/-]+)\b{_LABEL_OF_WAY})+\s*$", re.I)
_ASIDE = re.compile(
    r"24 ?/ ?7|\d|\b(?:hours?|days?|daytime|week\w*|nights?|mornings?|evenings?|time|always|only|mon|tue|wed|thu|fri|sat|sun|office|home|work|direct"
    r"|landline|whatsapp|signal|sms|text|after|before|until|from|on call|ext\w*|ask|preferred|first|second|urgent|emergenc\w+)\b",
    re.I,
)
"""Words of a remark about a number: when it is answered, and what sort it is."""
_NAME = re.compile(
    rf"(?:Dr\.? )?{_CAPITAL}[\w'’.-]{{0,40}}(?: (?:van|de|der|den|von|zu|da|di|del|la|le|bin|al)\b){{0,3}}(?: {_CAPITAL}[\w'’.-]{{0,40}}){{1,3}}"
)
"""Somebody's name where it stands alone: with initials, and with more of the little words than are taken for a name's in a sentence."""
_FAMILY_NAME = re.compile(rf"(?:(?:van|de|der|von|da|O') )?{_CAPITAL}[\w'’-]{{1,40}}")
_GIVEN_NAMES = re.compile(rf"{_CAPITAL}[\w'’-]{{1,40}}(?: {_CAPITAL}(?:[\w'’-]{{1,40}}|\.)?)?")
_MARKS_AROUND = " ,;:|-–—<>./"
_NOBODY = re.compile(
    r"vacant|unfilled|open|nobody|tb[acd]|to be (?:named|decided|confirmed|appointed|hired|announced)"
    r"|role|title|position|name|person|primary|backup|deputy|alternate|holder|phone|telephone|mobile|e-?mail|contact",
    re.I,
)
"""What stands where a name would, and is none: `vacant`, or the name of a column."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as a line names them, and what else it says."""

    name: str
    title: str = ""
    in_brackets: bool = False
    """Whether the title stands in brackets behind the name."""
    asides: tuple[str, ...] = ()
    """Remarks that are neither: `24/7`, `weekdays only`."""
    turned_from: str = ""
    """`Mehta, Rahul`, where the name was taken for one with the family name first."""


def is_name(text: str) -> bool:
    """Whether words are a person's full name, and no role's, desk's or company's."""
    return _NAME.fullmatch(text) is not None and not _names_post(text)


def _names_post(words: str) -> bool:
    return any(_OF_POSTS.fullmatch(word) for word in words.split())


def is_role(text: str) -> bool:
    """Whether words end as a role's name does, and are more than `deputy`."""
    return ROLE.fullmatch(text) is not None and re.fullmatch(STAND_IN, text) is None


def is_label_of_way(text: str) -> bool:
    """Whether words say how somebody is reached and not who: `Mobile`, `Emergency number`."""
    return _LABELS_OF_WAYS.search(text) is not None or re.search(r"\bfax\b|\baddress\b", text, re.I) is not None


def name_in(bare: str) -> str:
    """What is left of a text without brackets and the marks around it."""
    return re.sub(r"\([^()]*\)", "", bare).strip(_MARKS_AROUND)


def is_named(text: str) -> bool:
    """Whether somebody's name or title is left of a text when addresses and numbers are taken out."""
    name = name_in(without_addresses(text))
    return not absent(name) and not _NOBODY.fullmatch(name)


def named(text: str) -> Named:
    """Who a text names: the name first, then a title, behind a comma or in brackets, and remarks."""
    bare = without_addresses(text)
    brackets = [inner.strip(" ,;") for inner in re.findall(r"\(([^()]{1,80})\)", bare)]
    outside = name_in(bare)
    first, *rest = [piece.strip(_MARKS_AROUND) for piece in re.split(r"[,;|]", outside)]
    head, dash, behind = (*re.split(r"(\s[-–—]\s)", first, maxsplit=1), "", "")[:3]
    if dash and is_name(head.strip()):
        first, rest = head.strip(), [behind.strip(), *rest]
    turned = f"{first}, {rest[0]}" if rest and is_family_name_first(f"{first}, {rest[0]}") else ""
    if turned:
        first, rest = in_order(turned), rest[1:]
    if is_reachable(text):
        bare_name = _unlabelled(first)
        first, rest = bare_name if is_name(bare_name) or not bare_name else first, [_unlabelled(piece) for piece in rest]
        brackets = [_unlabelled(inner) for inner in brackets]
    told = [(piece, False) for piece in rest if piece] + [(inner, True) for inner in brackets if re.search(r"\w", inner)]
    titles = [
        (piece, inside) for piece, inside in told if is_role(piece) or (re.search(r"[A-Za-z]{3}", piece) and not _ASIDE.search(piece))
    ]
    asides = tuple(piece for piece, inside in told if (piece, inside) not in titles)
    return Named(first, ", ".join(piece for piece, _ in titles), any(inside for _, inside in titles), asides, turned)


def whom(text: str) -> str:
    """The name or title of whom a text names; empty where it names nobody."""
    return named(text).name if is_named(text) else ""


def is_only_label(text: str) -> bool:
    """Whether no word but such labels is left of a text when addresses and numbers are taken out."""
    return (
        re.search(r"[^\W\d_]{2}", re.sub(rf"\b{_LABEL_OF_WAY}|\b(?:and|or|on|at|by)\b", " ", without_addresses(text), flags=re.I)) is None
    )


def _unlabelled(piece: str) -> str:
    return "" if re.fullmatch("[mtpe]", piece, re.I) else _LABELS_OF_WAYS.sub("", piece).strip(" ,;:")


def is_family_name_first(text: str) -> bool:
    """Whether a text may be `Mehta, Rahul`."""
    last, comma, first = text.partition(", ")
    if not comma or not _FAMILY_NAME.fullmatch(last) or not _GIVEN_NAMES.fullmatch(first):
        return False
    return not _names_post(f"{last} {first}")


def in_order(text: str) -> str:
    """`Mehta, Rahul` as Rahul Mehta is called, with what stands behind it; any other text as it is."""
    turned = name_in(without_addresses(text))
    if not is_family_name_first(turned) or not text.startswith(turned):
        return text
    last, _, first = turned.partition(", ")
    return f"{first} {last}{text[len(turned) :]}"


def all_turned(texts: Sequence[str]) -> bool:
    """Whether a column gives family names first: two cells at least that name somebody, and all of them so."""
    filled = [text for text in texts if is_named(text)]
    return len(filled) > 1 and all(is_family_name_first(name_in(without_addresses(text))) for text in filled)


def is_aside(text: str) -> bool:
    """Whether words say when or how somebody is reached, and not who: `24/7`, `weekdays only`."""
    return _ASIDE.search(text) is not None and not is_role(text)
