"""A step in words → a block, where the match is clear; else a `manual` step that a person ticks off.

One table of words. A block that needs what the document doesn't give (a component of its kind, a number of instances, a version) stays
manual and is remembered as wished, so that `--bind` can give it. Restoring from a backup is always left to people: which point in time is
the right one is a decision. Who does a step, and which message it sends, is concluded from its words and marked so.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from holdfast.document.reading.draft import Draft, Entry, Left, Said, StepWish, slug, unique
from holdfast.document.reading.things.approvals import approval
from holdfast.document.reading.things.cast import Cast, Doer, doer_of, message_for
from holdfast.document.reading.tree import Leaf
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
        ("approve", r"\b(?:decision to|decides? to|approves?|authori[sz]es?)\b.*\b(?:activat\w+|dr\b|fail ?over|declar\w+|recovery)"),
        ("assess", r"\b(?:initial )?impact (?:assessment|analysis)\b|\bassess (?:the )?impact\b"),
        ("notify", r"\b(?:notif\w+|activat\w+ via|alert|inform|page|call)\b"),
    )
)
"""Block → what its words look like. Compiled here: each step of a document is held against every one."""
_LONGEST_STEP = 600
"""Characters; what is longer says more than one step, and a person reads it."""
_CAUTIOUS = re.compile(r"\b(?:reverse|undo|roll ?back|return|original|restore from|from (?:the )?(?:latest |clean )*backups?)\b", re.I)


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


def steps_of(
    leaves: Iterable[Leaf], draft: Draft, cast: Cast, taken: set[str], where: str, who: Callable[[str], Doer] | None = None
) -> list[Entry]:
    """The steps that a phase's items say, one after the other in the document's order.

    `where`: the section, for what is noted; `who`: says of a step's words who does it, where those alone don't.
    """
    writer = _Writer(draft, cast, taken, where, who or partial(doer_of, cast), [])
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
    where: str
    who: Callable[[str], Doer]
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
        if block == "approve":
            approval(leaf, self.draft, self.cast, self.where)
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
        doer = self.who(leaf.text)
        if doer.role is not None:
            step["by"] = Said(doer.role, leaf.line, doer.why)
        elif doer.stranger:
            text = f"{leaf.text.rstrip('. ')}: who does this is no one role of the plan: {doer.stranger}"
            self.draft.notes.append(Left(text, self.where, leaf.line))
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
