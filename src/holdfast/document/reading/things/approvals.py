"""Who approves, where a step says it: `The IT Manager and the Plant Manager approve the failover within 30 minutes`.

Rules: it is the plan's rule where the sentence names nothing but roles of the plan, or those who hold just one, and says how many of them it
takes: `and` is all of them, `or` is one, `two of` is two. What it says besides stays as a note. Anybody else in it, a condition, or a second
rule that differs is asked about: whose consent is needed is nothing to guess.
"""

import re

from holdfast.document.reading.draft import Draft, Entry, Left, Said
from holdfast.document.reading.quantities import Reading, duration
from holdfast.document.reading.things.cast import Cast, bare, named_doer, says_doer
from holdfast.document.reading.tree import Leaf, normal

_WHO_APPROVES = re.compile(
    r"(?P<who>.{2,200}?)\s+(?:(?:must|shall|should|will|has to|have to|need to|needs to|both|all|jointly|together)\s+){0,3}"
    r"(?:approves?|authori[sz]es?|decides? to)\b(?P<what>.*)",
    re.I,
)
_BY_WHOM = re.compile(r"(?P<what>.{2,200}?)\s*(?:\((?:by )?|\b(?:by|from) )(?P<who>[^()]{2,200}?)\)?\s*\.?", re.I)
_HOW_MANY = re.compile(r"(?:(?:at least|any) )?(?P<many>both|all|one|two|three|four|[1-9]|either|any)(?: of)?(?: the following)? ", re.I)
_COUNTS = {"one": 1, "either": 1, "any": 1, "two": 2, "three": 3, "four": 4}
_WITHIN = re.compile(r"\bwithin (?P<length>[\w. ]{1,30}?)(?=[.,;)]|$)", re.I)
_CONDITIONAL = re.compile(r"\b(?:if|unless|when|where|only|except|otherwise|not|or)\b|\d|[<>]", re.I)
_SAYS_MORE = re.compile(r"\b(?:if|unless|only|within|after|before|by|from|with)\b|\d", re.I)
"""What a step of nobody's approval says besides that somebody approves."""
_PLAIN = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "to",
        "and",
        "this",
        "our",
        "plan",
        "failover",
        "fail",
        "over",
        "activation",
        "activate",
        "recovery",
        "dr",
        "disaster",
    ]
)
"""Words of what is approved that the rule says by itself."""


def approval(leaf: Leaf, draft: Draft, cast: Cast, where: str) -> None:
    """Put the rule of a step that asks for an approval into the draft, or ask. `where`: the section, for what is noted."""
    text = leaf.text
    found = _WHO_APPROVES.fullmatch(text) or _BY_WHOM.fullmatch(text)
    rule = _rule(found, cast, leaf.line) if found is not None else None
    if found is None or rule is None:
        if found is not None or says_doer(cast, text) or _SAYS_MORE.search(text):
            unclear = "it says more about who approves than is clear: write the rule, how many of which roles and how soon they answer"
            draft.ask("approval", text, Reading(unclear=unclear), leaf.line)
        return
    known = draft.data.setdefault("approval", {}).setdefault("activation", rule)
    if "answer_within" in rule:
        known.setdefault("answer_within", rule["answer_within"])
    if any(_values(known.get(key)) != _values(rule[key]) for key in rule):
        draft.ask("approval.activation", text, Reading(unclear=f"line {known['count'].line} says another rule"), leaf.line)
    elif not _PLAIN.issuperset(normal(_WITHIN.sub("", found["what"])).split()):
        draft.notes.append(Left(text, where, leaf.line))


def _rule(found: re.Match[str], cast: Cast, line: int) -> Entry | None:
    """Who approves, how many of them, and how soon where that is said; None where it isn't sure."""
    within = _WITHIN.search(found["what"])
    length = duration(within["length"]) if within is not None else Reading()
    if _CONDITIONAL.search(_WITHIN.sub("", found["what"])) or (within is not None and length.value is None):
        return None
    many = _HOW_MANY.match(found["who"])
    roles, joined = _roles(found["who"][many.end() :] if many is not None else found["who"], cast)
    said = many["many"].lower() if many is not None else ""
    count = int(said) if said.isdecimal() else _COUNTS.get(said, 1 if joined == {"or"} else len(roles))
    if not roles or len(joined) > 1 or count > len(roles) or (joined == {"or"} and said in ("both", "all")):
        return None
    rule: Entry = {"count": Said(count, line), "of": [Said(role, line) for role in roles]}
    if length.value is not None:
        rule["answer_within"] = Said(length.value, line, length.remark)
    return rule


def _roles(who: str, cast: Cast) -> tuple[list[str], set[str]]:
    """Roles that words name, and the words between them; none where they name anybody or anything else.

    `the IT Manager, Ann Ray, and …` is one role; `the IT Manager and Ann Ray`, who holds it, may be two people, and isn't clear.
    """
    rest, roles, joined = bare(who).split(), list[str](), set[str]()
    between = ""
    while rest:
        doer, length = named_doer(cast, " ".join(rest))
        if doer.role is None or (between and doer.role in roles):
            return [], set()
        if doer.role not in roles:
            roles.append(doer.role)
        rest = rest[length:]
        between = rest[0] if rest[:1] in (["and"], ["or"]) else ""
        if between:
            joined.add(between)
            rest = rest[1:]
    return roles, joined


def _values(said: object) -> object:
    return {one.value for one in said} if isinstance(said, list) else said.value if isinstance(said, Said) else None
