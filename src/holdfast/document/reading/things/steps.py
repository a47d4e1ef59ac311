"""A step in words → a block, where the match is clear; else a `manual` step that a person ticks off.

One table of words. A block that needs what the document doesn't give (a component of its kind, a number of instances, a version) stays
manual and is remembered as wished, so that `--bind` can give it. Restoring from a backup is always left to people: which point in time is
the right one is a decision.
"""

import re
from collections.abc import Iterable

from holdfast.document.reading.draft import Draft, Entry, Said, StepWish, slug, unique
from holdfast.document.reading.tree import Leaf, says
from holdfast.plan.blocks import BLOCKS

_WORDS: tuple[tuple[str, str], ...] = (
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
_CAUTIOUS = re.compile(r"\b(?:reverse|undo|roll ?back|return|original|restore from|from (?:the )?(?:latest |clean )*backups?)\b", re.I)
_BY = (
    ("database-administrator", ("database*", "data", "corruption", "backup*", "transaction*")),
    ("communication-lead", ("notif*", "communicat*", "inform*", "stakeholder*", "customer*", "status page")),
    ("incident-commander", ("evaluate", "decid*", "decision", "scope", "assess*", "activate*", "conduct", "review*", "declare*")),
)
_COMMANDERS = ("commander", "incident lead", "incident manager", "coordinator", "director", "in charge")
_LEADS = ("technical", "recovery lead", "engineer*", "it lead", "head of it")


def blocks_of(text: str) -> list[str]:
    """Names of the blocks that a step's words clearly mean, in the order in which they have to be done; empty where none."""
    if _CAUTIOUS.search(text):
        return []
    found = [block for block, pattern in _WORDS if re.search(pattern, text, re.I)]
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


def steps_of(leaves: Iterable[Leaf], draft: Draft, scenario: str, taken: set[str]) -> list[Entry]:
    """The steps that a phase's items say, one after the other in the document's order."""
    steps: list[Entry] = []
    for leaf in leaves:
        texts = [leaf.text, *(child.text for child in leaf.deep() if child is not leaf)]
        blocks = blocks_of(leaf.text) if len(texts) == 1 else []
        if len(blocks) > 1 and not all(_ready(draft, block, leaf.text) for block in blocks):
            steps.append(_wished(draft, leaf, texts, blocks[0], scenario, taken, steps))
        else:
            for block in blocks or [""]:
                steps.append(_step(draft, leaf, texts, block, scenario, taken, steps))
        leaf.claim_all()
    return steps


def _ready(draft: Draft, block: str, text: str) -> bool:
    """Whether the document gives what a block needs."""
    kind, needed = BLOCKS[block].component_kind, BLOCKS[block].required
    return (kind is None or component_of(draft, kind) is not None) and (
        not needed or (block == "notify" and message_for(draft, text) is not None)
    )


def component_of(draft: Draft, kind: str) -> str | None:
    """The plan's one component of a kind; None where there is none, or a choice."""
    found = [name for name, entry in draft.section("components").items() if entry.get("kind") and entry["kind"].value == kind]
    return found[0] if len(found) == 1 else None


def _step(draft: Draft, leaf: Leaf, texts: list[str], block: str, scenario: str, taken: set[str], before: list[Entry]) -> Entry:
    if not block or not _ready(draft, block, leaf.text):
        return _wished(draft, leaf, texts, block, scenario, taken, before)
    step = _new(leaf, block, taken, before, leaf.text)
    kind = BLOCKS[block].component_kind
    if kind is not None:
        step["component"] = Said(component_of(draft, kind), leaf.line)
    if block == "notify":
        step["parameters"] = {"message": Said(message_for(draft, leaf.text), leaf.line)}
    return step


def _wished(draft: Draft, leaf: Leaf, texts: list[str], block: str, scenario: str, taken: set[str], before: list[Entry]) -> Entry:
    """A manual step; where its words name a block, that is remembered."""
    step = _new(leaf, "manual", taken, before, leaf.text)
    step["parameters"] = {"text": Said(". ".join(texts), leaf.line)}
    role = role_for(draft, leaf.text)
    if role is not None:
        step["by"] = Said(role, leaf.line)
    if block:
        draft.wishes.append(StepWish(step, block, scenario))
    return step


def _new(leaf: Leaf, block: str, taken: set[str], before: list[Entry], name: str) -> Entry:
    words = slug(name if block == "manual" else block.replace(".", " "))
    identifier = unique("-".join(words.split("-")[:6]), taken)
    taken.add(identifier)
    step: Entry = {"id": Said(identifier, leaf.line), "block": Said(block, leaf.line)}
    if before:
        step["after"] = [Said(before[-1]["id"].value, leaf.line)]
    return step


def message_for(draft: Draft, text: str) -> str | None:
    """The one message whose audience a step names, or whose channel and audience both; None where that isn't one."""
    hits = []
    for name, message in draft.section("messages").items():
        for who in message.get("audience", []):
            entry = draft.section("roles").get(who.value) or draft.section("audiences").get(who.value) or {}
            called = entry.get("name")
            if called is not None and says(text, str(called.value).lower()):
                hits.append(name)
                break
    return hits[0] if len(hits) == 1 else None


def role_for(draft: Draft, text: str) -> str | None:
    """The role that fits a step's words, of those that the document names; the technical lead, or else whoever commands."""
    roles = draft.section("roles")
    for role, words in _BY:
        if role in roles and says(text, *words):
            return role
    for wanted in (_LEADS, _COMMANDERS):
        found = next((name for name, role in roles.items() if says(str(role["name"].value), *wanted)), None)
        if found is not None:
            return str(found)
    return next(iter(roles), None)
