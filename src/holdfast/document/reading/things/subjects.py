"""Which business function a sentence is about, if any.

Rules: a sentence is about what stands ahead of its verb, or what a verb restores (`procedures recover the mail within 4 hours`). People,
places to go to and parts of the plan itself are no functions; what such a sentence says is nobody else's either. A pronoun, or a word such as
`target`, speaks of what was spoken of before. Never here: making a function (see `spoken`).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast.document.reading.columns import columns
from holdfast.document.reading.draft import slug
from holdfast.document.reading.quantities import lengths
from holdfast.document.reading.things.nothing import no_loss
from holdfast.document.reading.things.promises import begins_with_promise, names_promise, whose
from holdfast.document.reading.tree import Section, Tree

OF_FUNCTIONS = (
    *("function*", "process*", "objective*", "impact analysis", "bia", "priorit*", "come back", "comes back", "matters most"),
    *("keep going", "keeps going", "critical activit*", "business activit*", "critical service*", "business service*", "our services"),
)
"""Headings of what business functions are promised."""
_SUBJECT = re.compile(
    r"^(?:for )?(?:the |our )?(?P<name>[A-Za-z][\w /&'-]{1,60}?)(?:\s+(?:(?P<called>function|process|service|activity|system)|team))?\s+(?:(?:must|has to|have to|has|have|needs?|is|are|shall|should|can|may|will|tolerates?|requires?|loses?)\b"
    r"|(?:recovers?|returns?|resumes?|reopens?)(?=\s+(?:in|within|back|after|again|up|online|no later)\b)|comes?(?=\s+(?:back|again|up|online)\b))",
    re.I,
)
_AHEAD_OF_US = re.compile(r"(?:for|in|with|of) (?:the |our )?(?P<name>[A-Za-z][\w /&'-]{1,60}?),? (?:we|it|they|you|there)\b", re.I)
"""`For payroll we can lose an hour`."""
_NAMED_AHEAD = re.compile(r"(?P<name>[A-Za-z][\w /&'()-]{1,60}?)\s+[–—-]\s+(?P<rest>\S.*)", re.S)
"""`Document imaging – RTO: 5 days`: the function stands ahead of a dash."""
_RESTORED = re.compile(
    r"\b(?:restore|recover|resume|reinstate|bring)s? (?!from\b|to\b|in\b|within\b|after\b|again\b|back\b|up\b|online\b|at\b|by\b)(?:the |our )?"
    r"(?P<name>\w[\w/&'-]{0,30}(?: [\w/&'-]{1,30}){0,5}?)(?: back| up| online| again)? (?:within|in|after|no later than)\b",
    re.I,
)
"""What is brought back by somebody else: `we restore payroll within 4 hours`."""
_HOW = re.compile(
    r"(?:\w+ly|(?:its |their |normal |full |all |some |regular )*(?:operations?|service|work|working|business|processing|normal|data))",
    re.I,
)
"""What stands behind such a verb and is nothing that comes back by itself: `resume normal operations`, `recover fully`."""
_PRONOUNS = frozenset({"it", "this", "they", "that", "we", "this function", "she", "he", "which"})
_SEVERAL = frozenset({"neither", "both", "none", "each", "all", "these", "those", "either", "every", "any", "most", "some", "other", "no"})
"""What a sentence begins with that gives several functions one promise, without naming them."""
_SPEAKS_OF_THE_LAST = frozenset(
    {
        *("no data", "nothing", "data", "data loss", "no one", "nobody", "everything", "there", "here", "what", "who"),
        *("target", "aim", "goal", "objective", "plan", "promise", "intention", "recovery", "restoration", "note", "important"),
        *("disruption", "interruption", "outage", "downtime", "loss"),
        *("function", "process", "service", "activity", "system", "business", "company"),
    }
)
_NO_FUNCTION = frozenset(
    word + end
    for end in ("", "s")
    for word in (
        *("everybody", "everyone", "anybody", "anyone", "somebody", "someone", "people", "person", "staff", "personnel", "employee"),
        *("colleague", "worker", "manager", "director", "engineer", "operator", "technician", "supplier", "vendor", "contractor", "user"),
        *("procedure", "plan", "strategy", "strategie", "policy", "policie", "recovery", "restoration", "failover", "backup", "snapshot"),
        *("outage", "disruption", "downtime", "incident", "interruption", "exercise", "measure", "contract", "agreement"),
    )
)
"""People, and parts of a plan, as the last word of what a sentence is about."""
_PLACE = re.compile(
    r"\b(?:alternat(?:e|ive)|recovery|back-?up|stand-?by|secondary|disaster|hot|warm|cold|dr|fallback|spare|other|second)\b.*"
    r"\b(?:sites?|locations?|facilit(?:y|ies)|buildings?|offices?|premises|rooms?|data ?cent(?:re|er)s?)",
    re.I,
)
"""Where work goes meanwhile."""
_NO_NAME = re.compile(r"\b(?:who|whoever|whom|what|whatever|which|that)\b|\b(?:to|and|or|but|not|also)$", re.I)
"""What stands in no name: the sentence is about something that its words go on about."""
_BOTH = re.compile(r"^both | both$", re.I)
_HEAD_ENDS = re.compile(r"\s(?:of|in|at|on|for|from|with|near)\s", re.I)
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about: functions by `names`, or what was spoken of before, or a `stranger` that is no function.

    `called`: the sentence says that it is a function, process, service, activity or system.
    """

    names: tuple[str, ...] = ()
    called: bool = False
    stranger: bool = False


_STRANGER = Subject(stranger=True)
_NOBODY = Subject()


def subject(sentence: str, known: Callable[[str], bool]) -> Subject:
    """Whom a sentence's promises are for. `known`: whether something is known to be a function by its name."""
    ahead = _NAMED_AHEAD.match(sentence)
    if ahead is not None and begins_with_promise(ahead["rest"]) and not names_promise(ahead["name"]):
        return Subject((ahead["name"],))
    found = _SUBJECT.match(sentence)
    us = _AHEAD_OF_US.match(sentence)
    if us is not None:
        return about_of(us["name"].strip(), known)
    restored = _RESTORED.search(sentence)
    if restored is not None and not _HOW.fullmatch(restored["name"]) and not lengths(restored["name"]):
        return about_of(restored["name"], known)
    if found is None:
        return _NOBODY
    name, called = found["name"].strip(), found["called"]
    if called and names_promise(name):  # `the RPO of the payroll service`
        owner = whose(f"{name} {called}")
        name = owner if owner.lower() == called.lower() else owner.removesuffix(called).strip()
    about = about_of(whose(name), known)
    return Subject(about.names, called=True) if about.names and called else about


def speaks_of_the_last(sentence: str) -> bool:
    """Whether a sentence without a function of its own is about the one before it: by a pronoun, or by beginning with the promise."""
    found = _SUBJECT.match(sentence)
    return begins_with_promise(sentence) or (found is not None and found["name"].strip().lower() in _PRONOUNS)


def named_by_label(label: str, known: Callable[[str], bool]) -> str:
    """The function that a label names: `Billing` of `Billing`, `Billing – RTO` and of `Billing can wait`; empty where it names none."""
    label = label.rstrip(" .")
    if names_promise(label):
        ahead = _NAMED_AHEAD.fullmatch(label)
        return ahead["name"] if ahead is not None and not names_promise(ahead["name"]) and names_promise(ahead["rest"]) else ""
    about = subject(label, known) if _SUBJECT.match(label) else about_of(label, known)
    return about.names[0] if len(about.names) == 1 else ""


def about_of(name: str, known: Callable[[str], bool]) -> Subject:
    """Whom a name stands for."""
    low = name.lower()
    if not name or low in _PRONOUNS or lengths(name) or no_loss(name):
        return _NOBODY
    if known(name):
        return Subject((name,))
    if low in _SPEAKS_OF_THE_LAST:
        return _NOBODY
    first = name.partition(" ")[0]
    both = _BOTH.sub("", name)
    two = [part.removeprefix("the ").removeprefix("our ").strip() for part in both.split(" and ")]
    if len(two) == 2 and all(two) and (both != name or all(map(known, two))):
        return Subject(tuple(two))
    if both != name:
        return _STRANGER
    head = _HEAD_ENDS.split(name, maxsplit=1)[0]
    if first.lower() in _SEVERAL or _NO_NAME.search(name) or head.split()[-1].lower() in _NO_FUNCTION or _PLACE.fullmatch(head):
        return _STRANGER
    return Subject((name,))


def names_in(tree: Tree) -> frozenset[str]:
    """Slugs of what the document names where it lists functions, and what stands on what: its headings, items, labels and cells."""
    return frozenset(slug(name) for section in tree.sections for name in _names_in(section) if name and len(name) <= _LONGEST_NAME)


def _names_in(section: Section) -> Iterator[str]:
    lists = section.within(*OF_FUNCTIONS, "dependenc*")
    if lists:
        yield section.name
        yield from (
            text for leaf in section.leaves for text in (leaf.label.rstrip(" ."), leaf.text.rstrip(" .")) if text and leaf.kind == "item"
        )
    for table in section.tables:
        at = columns(table, {"name": ("function", "process", "activity", "mission*", "business service")}).get("name", 0 if lists else None)
        if at is not None:
            yield from (row.cells[at].strip() for row in table.rows if at < len(row.cells))
