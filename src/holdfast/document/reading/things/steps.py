"""A step in words → a block, where the match is clear; else a `manual` step that a person ticks off.

One table of words. A block that needs what the document doesn't give (a component of its kind, a number of instances, a version) stays
manual and is remembered as wished, so that `--bind` can give it. Restoring from a backup is always left to people: which point in time is
the right one is a decision. Who does a step, and which message it sends, is concluded from its words and marked so.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.document.reading.draft import Draft, Entry, Said, StepWish, slug, unique
from holdfast.document.reading.tree import Leaf, normal, says
from holdfast.plan.blocks import BLOCKS

_WORDS = tuple(
    (block, re.compile(pattern, re.I))
    for block, pattern in (
        (
            "postgres.promote",
            r"\b(?:promote|fail ?over|switch to)\b.*\b(?:replica|standby|database|db|postgres\w*)\b(?! (?:admin|team|engineer|lead))",
        ),
        ("redis.promote", r"\b(?:promote|fail ?over|activate|switch to)\b.*\b(?:redis|cache)\b"),
        ("bucket.activate", r"\b(?:activate|switch to|fail ?over|promote)\b.*\b(?:bucket|object stor\w*|s3|storage)\b"),
        (
            "settings.update",
            r"\b(?:update|change|point|repoint|redirect)\b.*\b(?:connection (?:strings?|settings?)|application settings|configuration strings?)\b",
        ),
        (
            "postgres.verify",
            r"\b(?:verify|check|validate|confirm|test)\b.*\b(?:database|postgres\w*|db)\b.*\b(?:connectivity|integrity|writ\w+)\b",
        ),
        ("application.scale", r"\bscale[- ]?(?:up|out)\b.*\b(?:cluster|application|instances|kubernetes|servers?|services?)\b"),
        ("application.deploy", r"\b(?:deploy|roll out|release)\b.*\b(?:application|version|release|build)\b"),
        ("loadbalancer.switch", r"\b(?:update|switch|change|repoint|move)\b.*\bload[- ]?balancers?\b"),
        ("dns.switch", r"\b(?:update|switch|change|repoint|move)\b.*\b(?:dns|name records?)\b"),
        ("smoke.test", r"\bsmoke[- ]?tests?\b"),
        ("performance.watch", r"\b(?:monitor|watch|observe)\b.*\bperformance\b"),
        ("confirm", r"\bconfirm\b.*\b(?:restor\w+|recover\w+|back|service)\b"),
        ("approve", r"\b(?:decision to|decide to|approve|authori[sz]e)\b.*\b(?:activat\w+|dr\b|fail ?over|declar\w+|recovery)"),
        ("assess", r"\b(?:initial )?impact (?:assessment|analysis)\b|\bassess (?:the )?impact\b"),
        ("notify", r"\b(?:notif\w+|activat\w+ via|alert|inform|page|call)\b"),
    )
)
"""Block → what its words look like. Compiled here: each step of a document is held against every one."""
_LONGEST_STEP = 600
"""Characters; what is longer says more than one step, and a person reads it."""
_CAUTIOUS = re.compile(r"\b(?:reverse|undo|roll ?back|return|original|restore from|from (?:the )?(?:latest |clean )*backups?)\b", re.I)
_BY = (
    ("database-administrator", ("database*", "data", "corruption", "backup*", "transaction*")),
    ("communication-lead", ("notif*", "communicat*", "inform*", "stakeholder*", "customer*", "status page")),
    ("incident-commander", ("evaluate", "decid*", "decision", "scope", "assess*", "activate*", "conduct", "review*", "declare*")),
)
_COMMANDERS = ("commander", "incident lead", "incident manager", "coordinator", "director", "in charge")
_LONGEST_NAME = 8
"""Words of a name that a step is searched for."""
_LEADS = ("technical", "recovery lead", "engineer*", "it lead", "head of it")


def blocks_of(text: str) -> list[str]:
    """Names of the blocks that a step's words clearly mean, in the order in which they have to be done; empty where none."""
    if len(text) > _LONGEST_STEP or _CAUTIOUS.search(text):
        return []
    found = [block for block, pattern in _WORDS if pattern.search(text)]
    if len(found) > 1:
        found = [block for block in found if block not in ("notify", "confirm", "assess")] or found[:1]
    if (
        "postgres.promote" in found
        and {"redis.promote", "bucket.activate"} & set(found)
        and not re.search(r"database|postgres|\bdb\b", text, re.I)
    ):
        found.remove("postgres.promote")
    if "approve" in found:
        return ["approve"]
    return found


@dataclass(frozen=True, slots=True)
class Cast:
    """Who there is to do a step or to be told by one, as the document names them."""

    roles: frozenset[str]
    leads: str | None
    """The role of the technical lead, or else of whoever commands, or else the first."""
    told: Mapping[str, str | None]
    """Name of a role or audience, in lower case → the one message that goes to it; None where several do."""
    longest: int
    """Words of the longest of those names."""
    called: Mapping[str, str]
    """Name of a role, in normal words → the role."""
    held: Mapping[str, str | None]
    """Who holds a role → that role; None where they hold several."""


def cast_of(draft: Draft) -> Cast:
    """Look up once what every step asks."""
    roles, audiences = draft.section("roles"), draft.section("audiences")
    leads = None
    for wanted in (_LEADS, _COMMANDERS):
        leads = leads or next((name for name, role in roles.items() if says(str(role["name"].value), *wanted)), None)
    told: dict[str, str | None] = {}
    for name, message in draft.section("messages").items():
        for who in message.get("audience", []):
            entry = roles.get(who.value) or audiences.get(who.value) or {}
            if "name" in entry:
                called = str(entry["name"].value).lower()
                told[called] = name if told.get(called, name) == name else None
    held: dict[str, str | None] = {}
    for name, role in roles.items():
        if isinstance(role.get("primary"), Said):
            held[role["primary"].value] = None if role["primary"].value in held else name
    longest = max((len(name.split()) for name in told), default=0)
    return Cast(
        frozenset(roles),
        leads or next(iter(roles), None),
        told,
        min(longest, _LONGEST_NAME),
        {normal(str(role["name"].value)): name for name, role in roles.items()},
        held,
    )


def steps_of(leaves: Iterable[Leaf], draft: Draft, cast: Cast, taken: set[str]) -> list[Entry]:
    """The steps that a phase's items say, one after the other in the document's order."""
    writer = _Writer(draft, cast, taken, [])
    for leaf in leaves:
        texts = [leaf.text, *(child.text for child in leaf.deep() if child is not leaf)]
        blocks = blocks_of(leaf.text) if len(texts) == 1 else []
        if len(blocks) > 1 and not all(writer.ready(block, leaf.text) for block in blocks):
            writer.wished(leaf, texts, blocks[0])
        else:
            for block in blocks or [""]:
                writer.step(leaf, texts, block)
        leaf.claim_all()
    return writer.steps


def component_of(draft: Draft, kind: str) -> str | None:
    """The plan's one component of a kind; None where there is none, or a choice."""
    found = draft.of_kind(kind)
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the steps of one phase, each after the one before. `taken`: identifiers that the scenario has given away."""

    draft: Draft
    cast: Cast
    taken: set[str]
    steps: list[Entry]

    def ready(self, block: str, text: str) -> bool:
        """Whether the document gives what a block needs."""
        kind, needed = BLOCKS[block].component_kind, BLOCKS[block].required
        return (kind is None or component_of(self.draft, kind) is not None) and (
            not needed or (block == "notify" and message_for(self.cast, text) is not None)
        )

    def step(self, leaf: Leaf, texts: list[str], block: str) -> None:
        """A step that a block does where the document gives what it needs, else people do."""
        if not block or not self.ready(block, leaf.text):
            self.wished(leaf, texts, block)
            return
        step = self._new(leaf, block, block.replace(".", " "))
        kind = BLOCKS[block].component_kind
        if kind is not None:
            step["component"] = Said(component_of(self.draft, kind), leaf.line)
        if block == "notify":
            message = message_for(self.cast, leaf.text)
            step["parameters"] = {"message": Said(message, leaf.line, "by whom the step's words name")}

    def wished(self, leaf: Leaf, texts: list[str], block: str) -> None:
        """A manual step; where its words name a block, that is remembered."""
        step = self._new(leaf, "manual", leaf.text)
        step["parameters"] = {"text": Said(". ".join(texts), leaf.line)}
        role, why = role_for(self.cast, leaf.text)
        if role is not None:
            step["by"] = Said(role, leaf.line, why)
        if block:
            self.draft.wishes.append(StepWish(step, block))

    def _new(self, leaf: Leaf, block: str, name: str) -> Entry:
        identifier = unique("-".join(slug(name).split("-")[:6]), self.taken)
        self.taken.add(identifier)
        step: Entry = {"id": Said(identifier, leaf.line), "block": Said(block, leaf.line)}
        if self.steps:
            step["after"] = [Said(self.steps[-1]["id"].value, leaf.line)]
        self.steps.append(step)
        return step


def message_for(cast: Cast, text: str) -> str | None:
    """The one message whose audience a step names; None where that isn't one."""
    words = normal(text).split()
    named = (" ".join(words[start : start + length]) for length in range(1, cast.longest + 1) for start in range(len(words) - length + 1))
    hits = {cast.told[name] for name in named if name in cast.told}
    return hits.pop() if len(hits) == 1 else None


def role_for(cast: Cast, text: str) -> tuple[str | None, str]:
    """The role that a step's words begin or end with (`… by the duty officer`), or else fit, and why it was taken; else whoever leads."""
    said = normal(text).removeprefix("the ").split()
    for length in range(min(len(said), _LONGEST_NAME), 0, -1):
        first, last = cast.called.get(" ".join(said[:length])), cast.called.get(" ".join(said[-length:]))
        by = said[-length - 2 : -length][-1:] == ["by"] or said[-length - 2 : -length] == ["by", "the"]
        if first is not None or (last is not None and by):
            return first or last, ""
    for role, words in _BY:
        if role in cast.roles and says(text, *words):
            return role, "by the step's words"
    return cast.leads, "no words of the step name a role, and this one leads"
