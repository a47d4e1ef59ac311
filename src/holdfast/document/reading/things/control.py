"""Document control: whose plan, which version, when reviewed; the plan's name and summary."""

import re

from holdfast.document.reading.columns import labelled
from holdfast.document.reading.draft import Draft, Left, Said, parts_of, said_list
from holdfast.document.reading.quantities import day, duration, frequency
from holdfast.document.reading.tree import Leaf, Section, Tree, leaf_of, says, sentences

_NAME = (
    "organisation",
    "organization",
    "company",
    "plan name",
    "document name",
    "document title",
    "title",
    "system name",
    "information system",
)
_OWNER = ("owner", "document owner", "plan owner", "maintained by", "prepared by", "author", "responsible", "coordinator")
_APPROVED = ("approved by", "approver*", "approval", "authorised by", "authorized by")
_VERSION = ("version", "revision", "release")
_UPDATED = ("last updated", "last revised", "last reviewed", "issue date", "date", "updated", "last change")
_IN_FORCE = ("effective*", "valid*", "in force", "takes effect")
"""From when it holds, which is not when somebody last changed it."""
_NEXT = ("next review*", "review due", "due for review")
_EVERY = ("review frequency", "review cycle", "reviewed", "review period", "review interval")
_DISTRIBUTION = ("distribution", "distributed to", "audience", "circulation")
_DATED = ("date", "dated", "day")
_CLASSIFICATION = ("classification", "confidentiality", "sensitivity")
_RETENTION = ("retention", "kept for", "retain*")
_OF_ITSELF = (*_VERSION, *_NEXT, *_EVERY, *_CLASSIFICATION, *_RETENTION, "last updated", "last revised", "last reviewed")
"""What only a document has."""
_WHERE = ("document", "control", "information", "about", "plan details", "revision", "version", "record of changes", "administrative")
_GENERIC = re.compile(
    r"\b(?:business continuity(?: management)?|disaster recovery|information system|it|contingency|continuity of operations|resilience|recovery|plan|bcp|drp|dr|continuity)\b",
    re.I,
)


def read(tree: Tree, draft: Draft) -> None:
    """Put name, version, summary and document control into the draft."""
    control = draft.section("document")
    _front(tree, draft)
    about = [section for section in tree.sections if section.level <= 1 or section.within(*_WHERE)]
    for section in about:
        for leaf in labelled(section):
            _read_leaf(draft, leaf)
    for section in about:
        for leaf in labelled(section):
            _in_force(draft, leaf)
    _name(tree, draft)
    _summary(tree, draft)
    if not control:
        draft.data["document"] = {}


def _front(tree: Tree, draft: Draft) -> None:
    for key, (value, line) in tree.front.items():
        leaf = Leaf("item", f"{key}: {value}", line, key.replace("_", " ").replace("-", " "), value)
        if value and not _labelled(draft, leaf):
            draft.notes.append(note_of_front(leaf))


def note_of_front(leaf: Leaf) -> Left:
    """A line of the front matter that nobody understood."""
    return Left(leaf.text, "front matter", leaf.line)


_SPOKEN = re.compile(
    r"(?P<label>version|revision|release)(?: is)? (?P<number>v?\d[\w.-]*|[A-Z])"
    r"|(?P<dated>last (?:updated|revised|reviewed)|next review)(?: on| is| due)? (?P<day>.*\d.*)",
    re.I,
)
"""`Version 2.1`, `last updated on 3 March 2026`; a version is a number or a letter and nothing more."""
_CLAUSES = re.compile(
    r",\s+(?=(?:approved|signed off|issued|released|published|effective|valid|last (?:updated|revised|reviewed)|next review)\b)", re.I
)
"""Where a sentence about the document goes on with another thing about it: `Version 3.2, approved 14 January 2026`."""


def read_spoken(tree: Tree, draft: Draft) -> None:
    """Sentences about the document itself, ahead of those who look for roles: what they don't say of it is left standing in their leaf.

    A paragraph is about the document when one of its sentences says its version, its reviews, how secret it is or how long it is kept.
    """
    for section in tree.sections:
        if section.level <= 1 or section.within(*_WHERE):
            section.leaves = [part for leaf in section.leaves for part in _apart(leaf)]
            for leaf in section.open_leaves():
                if leaf.kind in ("paragraph", "item") and not leaf.children:
                    _spoken(draft, leaf)


def _apart(leaf: Leaf) -> list[Leaf]:
    """`Version: 2.3 | Date: 12 June 2025` as a leaf for each label; any other leaf as it is."""
    if leaf.claimed or leaf.children or leaf.kind not in ("paragraph", "item"):
        return [leaf]
    parts = [leaf_of("paragraph", piece, leaf.line) for piece in _BESIDE_EACH_OTHER.split(leaf.text)]
    apart = len(parts) > 1 and all(part.label and part.value for part in parts) and any(says(part.label, *_OF_ITSELF) for part in parts)
    return parts if apart else [leaf]


_BESIDE_EACH_OTHER = re.compile(r"\s+[|·•]\s+")


def _spoken(draft: Draft, leaf: Leaf) -> None:
    text = f"{leaf.label}: {leaf.value}" if leaf.label else leaf.text
    clauses = [clause for sentence in sentences(text) for clause in _CLAUSES.split(sentence)]
    parts = [_sentence(clause, leaf.line) for clause in clauses]
    if len(parts) < 2 or not any(part.label and part.value and says(part.label, *_OF_ITSELF) for part in parts):
        return
    rest = [
        clause
        for clause, part in zip(clauses, parts, strict=True)
        if not says(part.label, *_OF_ITSELF, "owner", "author", "maintained by", "prepared by", "approved by") or not _labelled(draft, part)
    ]
    if rest:
        leaf.text, leaf.label, leaf.value = " ".join(rest), "", ""
    else:
        leaf.claim()


def _read_leaf(draft: Draft, leaf: Leaf) -> None:
    """`Version 2.1. Owner: Operations.`: each sentence by itself; with one that says nothing known, all is noted.

    Where no sentence but the first speaks of the document, they are all the label's.
    """
    parts = [_sentence(part, leaf.line) for part in sentences(f"{leaf.label}: {leaf.value}")]
    if not any(part.label for part in parts[1:]):
        if len(sentences(leaf.label)) == 1:  # else what stands before the colon is more than a label
            _labelled(draft, leaf)
        return
    understood = [_labelled(draft, part) for part in parts]
    if all(understood):
        leaf.claim()


def _sentence(text: str, line: int) -> Leaf:
    """A sentence with its label, if it has one."""
    leaf = leaf_of("paragraph", text.rstrip(".; "), line)
    if not leaf.label and (found := _SPOKEN.fullmatch(leaf.text)) is not None:
        leaf.label, leaf.value = found["label"] or found["dated"], found["number"] or found["day"]
    return leaf


def _labelled(draft: Draft, leaf: Leaf) -> bool:
    """Put one labelled leaf where its label says; False where it says nothing that is known here."""
    control = draft.section("document")
    label, value, line = leaf.label, leaf.value, leaf.line
    if not value or len(label) > 40:
        return False
    if says(label, *_NEXT):
        draft.read(control, "next_review", day(value), value, line, "document")
    elif says(label, *_EVERY):
        draft.read(control, "review_every", frequency(value), value, line, "document")
    elif says(label, *_RETENTION):
        draft.read(control, "retention", duration(value), value, line, "document")
    elif (says(label, *_APPROVED) and says(label, *_DATED)) or _says_in_force(label):
        return False  # the day of an approval belongs to whoever gave it, whom the label doesn't say; for the other see `_in_force`
    elif says(label, *_APPROVED):
        control.setdefault("approved_by", []).extend(said_list(parts_of(value), line))
    elif says(label, *_VERSION) and not says(label, "history", "log", "notes", *_DATED):
        draft.put(draft.data, "version", value, line)
    elif says(label, *_CLASSIFICATION):
        draft.put(control, "classification", value, line, "document.classification")
    elif says(label, *_DISTRIBUTION):
        control.setdefault("distribution", []).extend(said_list(parts_of(value), line))
    elif says(label, *_UPDATED):
        draft.read(control, "last_updated", day(value), value, line, "document")
    elif says(label, *_OWNER):
        draft.put(control, "owner", value, line, "document.owner")
    elif says(label, "timezone", "time zone"):
        draft.put(draft.data, "timezone", value, line)
    elif says(label, *_NAME):
        draft.put(draft.data, "name", value, line)
    else:
        return False
    leaf.claim()
    return True


def _says_in_force(label: str) -> bool:
    return says(label, *_IN_FORCE) and says(label, *_DATED, "from", "since", "until")


def _in_force(draft: Draft, leaf: Leaf) -> None:
    """From when a plan holds is taken for its last change where the document names no other day, and marked as concluded."""
    control, when = draft.section("document"), day(leaf.value)
    if _says_in_force(leaf.label) and not says(leaf.label, "until") and when.value is not None and "last_updated" not in control:
        why = "it is from when the plan is in force, and no other day of a change is said"
        draft.put(control, "last_updated", when.value, leaf.line, "document.last_updated", why)
        leaf.claim()


def _name(tree: Tree, draft: Draft) -> None:
    """From the titles, where no label gave it: what is left of them without the words that every such plan has."""
    if "name" in draft.data:
        return
    titles = _titles(tree)
    for section in titles:
        name = _own_words(section.title) if section.level == 1 or not section.leaves else ""
        if name:
            draft.data["name"] = Said(name, section.line)
            unused = [one for one in titles if one is not section and one.level == 1 and _own_words(one.title)]
            draft.notes += [Left(one.title, one.path, one.line) for one in unused]
            return


def _titles(tree: Tree) -> list[Section]:
    """Headings that can hold the plan's name, the likeliest first. Of several at the top the document begins with, it is the one of a plan."""
    if sum(section.level == 1 for section in tree.sections) < 2:
        return [section for section in tree.sections if section.title and section.level <= 2][:2]
    top: list[Section] = []
    for section in [one for one in tree.sections if one.title][:_MOST_TITLES]:
        if section.level != 1:
            break
        top.append(section)
        if section.leaves or section.tables:
            break
    of_plan = [section for section in top if _OF_PLAN.search(section.title)]
    if len(of_plan) != 1:
        return []
    return of_plan + [section for section in top if section is not of_plan[0] and section.line < of_plan[0].line]


_MOST_TITLES = 4
_OF_PLAN = re.compile(r"\b(?:plan|bcp|drp|playbook|handbook)\b", re.I)


def _own_words(title: str) -> str:
    """The first part of a title that has words of its own, and those words; empty where none has."""
    for piece in re.split(r"\s+[-–—|]\s+|:\s+", title):
        words = " ".join(_GENERIC.sub(" ", piece).split(" ")).strip(" -–—,&")
        left = re.sub(r"^(?:of|for|the|and)\b|\b(?:of|for|and)$", "", words).strip(" -–—,&")
        if re.search(r"[A-Za-z]{2}", left) and left.lower() not in ("and", "of", "for"):
            return " ".join(left.split())
    return ""


def _summary(tree: Tree, draft: Draft) -> None:
    texts: list[Leaf] = []
    for section in tree.sections:
        if section.level <= 6 and section.says("summary", "purpose", "introduction", "overview", "scope", "background", "objective"):
            texts += list(_prose(section))
    room = LONGEST_SUMMARY
    kept = [leaf for leaf in texts if (room := room - len(leaf.text) - 1) >= 0]
    if kept:
        draft.data["summary"] = Said(" ".join(leaf.claim().text for leaf in kept), kept[0].line)


LONGEST_SUMMARY = 4000
"""Characters of the plan's summary; what has no room in it is told as not understood."""


def _prose(section: Section) -> list[Leaf]:
    """Paragraphs that introduce and hold no data: without a number of time, a person or an address in them."""
    return [leaf for leaf in section.open_leaves() if leaf.kind == "paragraph" and not leaf.label and not holds_data(leaf.text)]


_DATA = re.compile(
    r"(?<![\d.,])\d[\d.,]{0,20}\s?(?:%|min|h\b|hours?|hrs?|days?|weeks?|sec)|\b(?:one|two|three|four|five|six|eight|twelve|half an) (?:min|hour|day|week)|@|\+\d{2}|\$|"
    r"\b(?:reach(?:ed)? (?:at|on)|deput\w+|on call)\b",
    re.I,
)


def holds_data(text: str) -> bool:
    """Whether a sentence holds something that should be data: a time, an amount, an address."""
    return bool(_DATA.search(text)) or text.startswith("[")
