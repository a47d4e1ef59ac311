"""Business functions in sentences: `Online orders must be back within 2 hours and may lose at most 15 minutes of orders.`

A time belongs to what the words right beside it say (RTO, RPO, MTPD). It is read with the words up to the end of its clause, so that what
changes it is seen. Numbers of the sentence that belong to nothing are told.
"""

import re

from holdfast.document.reading.draft import Draft, Entry, Left
from holdfast.document.reading.quantities import NOTHING, duration, lengths
from holdfast.document.reading.quantities.lengths import IN_WORDS
from holdfast.document.reading.things.impact import priority
from holdfast.document.reading.tree import Leaf, Section, Tree

_SUBJECT = re.compile(
    r"^(?:the |our )?(?P<name>[A-Za-z][\w /&'-]{1,60}?)(?:\s+(?:function|process|service|activity|system|team))?\s+(?:must|has to|have to|has|have|needs?|is|are|shall|should|can|may|will|tolerates?)\b",
    re.I,
)
_PRONOUNS = ("it", "this", "they", "that", "we", "this function", "she", "he", "which")
_SPLIT = re.compile(r"(?<=[.;])\s+(?=[A-Z])")
_IMPACT = re.compile(r"\b(?:lose|loss|cannot|can't|unable|stop|without|outage|impact|unhappy|fine)\b", re.I)
_GAP = r"[^.;]{0,30}?"
_OF_AMOUNT = rf"(?:[\s-]{{1,3}}(?:at|most|least|no|not|more|less|than|up|to|or|and|about|around|only|between|within|half|quarter|{IN_WORDS}|[0-9½¼¾][0-9./½¼¾]{{0,12}})){{0,6}}[\s-]{{0,3}}"
"""Words that belong to an amount, between those that say what it is and itself."""
_AHEAD = {
    "rto": re.compile(
        rf"(?:\brto\b|\brecovery time(?: objective)?\b)(?P<words>{_GAP})$"
        rf"|\b(?:back|restored?|resumed?|recovered?|running|working|available)(?: again)?(?: \w+){{0,3}}?(?P<within> (?:within|in|after|no later than)\b{_OF_AMOUNT})$",
        re.I,
    ),
    "rpo": re.compile(
        rf"(?:\brpo\b|\brecovery point(?: objective)?\b)(?P<words>{_GAP})$|\b(?:lose|loss of|losing)\b(?P<within>{_OF_AMOUNT})$", re.I
    ),
    "mtpd": re.compile(
        rf"(?:\bmtp?d\b|\bmaximum tolerable \w+)(?P<words>{_GAP})$|\b(?:longer than|survive|tolerate)\b(?P<within>{_OF_AMOUNT})$", re.I
    ),
}
"""What stands ahead of a time, up to it; the named part belongs to the time."""
_NAMED = r"(?:rto|rpo|mtp?d|recovery (?:time|point)(?: objective)?|maximum tolerable \w+|lose|losing|loss)\b"
_ANOTHER = re.compile(rf"\b{_NAMED}", re.I)
_TOGETHER = re.compile(rf"\s{{0,3}}(?:,|/|&|\band\b|\bor\b)\s{{0,3}}(?:(?:an?|the|its|our) )?{_NAMED}", re.I)
"""`RTO and RPO of 4 hours` says both; in `an RTO as agreed and an RPO of 4 hours` the time is the nearer one's."""
_BEHIND = {
    "rto": re.compile(r"\s*\(?(?:rto|recovery time)\b", re.I),
    "rpo": re.compile(r"\s*(?:\(?(?:rpo|recovery point)|of (?:data|work|changes|transactions|entries|bookings|orders|records))\b", re.I),
}
_LOOKED_AT = 120
"""Characters ahead of a time in which its words are looked for."""
_DENIED = re.compile(r"(?:\b(?:not|never|no)|n['’]t)(?: \w+){0,2} *$", re.I)
_CLAUSE_ENDS = re.compile(r"[,;](?=\s|$)|\.(?=\s|$)|\s(?:and|but|while|whereas|with|because|so|which|or)\s", re.I)
_NO_QUANTITY = re.compile(r"\b(?:p|tier|priority) ?[1-4]\b", re.I)


def read(tree: Tree, draft: Draft) -> None:
    """Functions in sentences: a subject, and both a recovery time and a data loss, or one of them."""
    for section in tree.sections:
        if section.within("scenario*", "exercise*", "test*", "kpi*", "indicator*", "review*", "communicat*", "escalation*"):
            continue
        for leaf in section.open_leaves():
            if leaf.kind in ("paragraph", "item") and (not leaf.label or _times(leaf.value)):
                _read_leaf(leaf, section, draft)


def _read_leaf(leaf: Leaf, section: Section, draft: Draft) -> None:
    sentences = _SPLIT.split(leaf.text)
    last: tuple[str, Entry] | None = None
    understood, spoken_of = 0, ""
    plain: list[str] = []
    for sentence in sentences:
        times = _times(sentence)
        subject = _SUBJECT.match(sentence)
        if not times:
            plain.append(sentence)
            spoken_of = subject["name"].strip() if subject and subject["name"].lower() not in _PRONOUNS else spoken_of
            continue
        name = leaf.label if leaf.label and sentence is sentences[0] else subject["name"].strip() if subject else ""
        if name.lower() in _PRONOUNS:
            name = "" if last is not None else spoken_of
        if name:
            last = draft.named_or_new("functions", name)
            draft.put(last[1], "name", name, leaf.line, f"functions.{last[0]}")
        if last is None:
            continue
        understood += 1
        for key, (start, end) in times.items():
            draft.read(last[1], key, duration(sentence[start:end]), sentence, leaf.line, f"functions.{last[0]}")
        found = priority(sentence) if re.search(r"\bp ?[1-4]\b|\btier ?[1-4]\b|\bcritical\b", sentence, re.I) else NOTHING
        if found.value is not None and "priority" not in last[1]:
            draft.put(last[1], "priority", found.value, leaf.line, concluded=found.concluded)
        if _numbers_besides(sentence, times):
            draft.notes.append(Left(sentence, section.path, leaf.line))
    if last is not None and understood:
        _words(plain, leaf, section, draft, last)
        leaf.claim()


def _words(plain: list[str], leaf: Leaf, section: Section, draft: Draft, function: tuple[str, Entry]) -> None:
    """Sentences without times: what an outage means, or a note."""
    impact = [sentence for sentence in plain if _IMPACT.search(sentence)]
    if impact:
        draft.put(function[1], "impact", " ".join(impact), leaf.line, f"functions.{function[0]}.impact")
    left = [sentence for sentence in plain if sentence not in impact]
    if left:
        draft.notes.append(Left(" ".join(left), section.path, leaf.line))


def _times(sentence: str) -> dict[str, tuple[int, int]]:
    """Where the times stand that a sentence promises, each with the words of its clause that belong to it."""
    found: dict[str, tuple[int, int]] = {}
    before = 0
    for length in lengths(sentence):
        ahead = max(before, length.start - _LOOKED_AT)
        for key, pattern in _AHEAD.items():
            match = pattern.search(sentence[ahead : length.start]) if key not in found else None
            start = _words_start(match) if match is not None else None
            if match is not None and start is not None and not _DENIED.search(sentence[: ahead + match.start()][-_LOOKED_AT:]):
                found[key] = (ahead + start, _clause_end(sentence, length.end))
            elif key not in found and key in _BEHIND and _BEHIND[key].match(sentence, length.end):
                found[key] = (_clause_start(sentence, ahead, length.start), length.end)
        before = length.end
    return found


def _words_start(match: re.Match[str]) -> int | None:
    """Where the words begin that belong to the time itself; None where another promise is named between it and this one."""
    if match["words"] is None:
        return match.start("within")
    together = _TOGETHER.match(match["words"])
    skipped = together.end() if together is not None else 0
    return None if _ANOTHER.search(match["words"], skipped) else match.start("words") + skipped


def _clause_start(sentence: str, ahead: int, at: int) -> int:
    """Where the clause begins in which a time stands, looked for from `ahead` on."""
    return max((ahead + match.end() for match in _CLAUSE_ENDS.finditer(sentence[ahead:at])), default=ahead)


def _clause_end(sentence: str, at: int) -> int:
    """Where the clause ends in which a time stands."""
    end = _CLAUSE_ENDS.search(sentence, at)
    return end.start() if end is not None else len(sentence)


def _numbers_besides(sentence: str, times: dict[str, tuple[int, int]]) -> bool:
    """Whether a sentence has numbers that are no part of its times, nor of a priority."""
    rest, at = "", 0
    for start, end in sorted(times.values()):
        rest, at = rest + sentence[at : max(at, start)] + " ", max(at, end)
    rest = _NO_QUANTITY.sub(" ", rest + sentence[at:])
    return any(character.isdecimal() for character in rest) or bool(lengths(rest))
