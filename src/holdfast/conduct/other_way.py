"""What can be done about a step that does not succeed: the words of each choice, and the record of taking the plan's other way.

Rules: every question to a person spells out all the choices there are, with what each means and the command that says it; the other
way's own steps offer the way back to the first one. Never here: whether a person must be asked (see `runbook.progress`).
"""

from enum import StrEnum
from typing import Any

from holdfast.conduct.runs import TURN_BACK
from holdfast.conduct.situation import Write
from holdfast.conduct.undoing import carries_others
from holdfast.decision.approval import REQUESTER_HOLDFAST
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.runbook.graph import PlannedStep, Runbook


class Choice(StrEnum):
    """What a named person can say about a step that waits for one."""

    RETRY = "retry"
    SKIP = "skip"
    DONE = "done"
    OTHER_WAY = "other-way"
    FIRST_WAY = "first-way"


OUTCOMES = {Choice.RETRY: "again", Choice.SKIP: "skipped", Choice.DONE: "settled"}
"""What a choice makes of the step's attempt."""
NEEDS_REASON = frozenset({Choice.SKIP, Choice.DONE})
_ABORT = "abort"


def known_choices(incident: IncidentState, run: str, book: Runbook, step: str) -> tuple[Choice, ...]:
    """What can be said about this step of a run, in the order in which people are told."""
    planned = book.step(step)
    if planned.block.removes_write and run in incident.epochs:
        return (Choice.RETRY,)  # Nobody's word proves it: behind a fence without proof no promotion and no switch of traffic may begin.
    if planned.block.name == "withdraw" and not planned.after:
        return (Choice.RETRY,)  # As long as the target isn't told, it could still take the epoch up: that is passed over by nobody.
    if planned.block.name != "withdraw" and carries_others(book, planned):
        return (Choice.RETRY, Choice.DONE)  # What follows takes away what clients are served by until this one is done.
    if step in book.stand_ins:
        return (Choice.RETRY, Choice.SKIP, Choice.DONE, Choice.FIRST_WAY)
    if step in book.ways:
        return (Choice.RETRY, Choice.OTHER_WAY, Choice.SKIP, Choice.DONE)
    return (Choice.RETRY, Choice.SKIP, Choice.DONE)


def choices(incident: IncidentState, run: str, book: Runbook, step: PlannedStep) -> list[dict[str, Any]]:
    """Every choice with what it means and the command that makes it."""
    told = []
    for choice in known_choices(incident, run, book, step.id):
        reason = ' --because "…"' if choice in NEEDS_REASON else ""
        command = f"holdfast choose {step.id} {choice.value} --as NAME{reason}"
        told.append({"choice": choice.value, "says": _says(book, step, choice), "command": command})
    if run == TURN_BACK:
        return told
    turn = f"holdfast abort {incident.incident} --as NAME"
    return [*told, {"choice": _ABORT, "says": "turn back as far as is safe; it says first what can't be undone", "command": turn}]


def _says(book: Runbook, step: PlannedStep, choice: Choice) -> str:
    match choice:
        case Choice.RETRY:
            return f"{step.block.name} once more, with all its attempts"
        case Choice.SKIP:
            return "go on without it; say why"
        case Choice.DONE:
            return "it was done by hand; say how"
        case Choice.FIRST_WAY:
            return f"leave this way and try {book.stand_ins[step.id]} once more"
        case Choice.OTHER_WAY:
            way = book.ways[step.id]
            loses = ", which may lose more than the first way" if any(one.block.may_lose_data for one in way.steps) else ""
            return f"the plan's other way: {', then '.join(f'{one.id} ({one.block.name})' for one in way.steps)}{loses}"


def taking(incident: IncidentState, run: str, book: Runbook, step: PlannedStep, reason: str, by: str = REQUESTER_HOLDFAST) -> Write:
    """The record that the step's other way is gone from now on. `by`: the person who said so."""
    steps = [one.id for one in book.ways[step.id].steps]
    return Write(
        Kind.OTHER_WAY,
        incident.incident,
        {"run": run, "step": step.id, "block": step.block.name, "reason": reason, "by": by, "steps": steps},
    )
