"""Pausing automatic action for the whole installation, and allowing it again: durable, said by whom and why.

While it is paused nothing is opened, proposed, decided or begun by itself. What goes on: watching, telling people, approvals that people
give, steps that were begun, turning back what a person aborted, and an ungraceful fence: removing write power never waits.
"""

from holdfast.conduct.runs import TURN_BACK, mode_of_run
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import Actor
from holdfast.runbook.graph import PlannedStep


def pause(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Stop automatic action."""
    paused, because = situation.installation.paused, str(command.arguments.get("reason") or "")
    if paused is not None:
        return f"refused: {paused['by']} paused it already: {paused['because']}", ()
    if not because:
        return "refused: say why (--because): whoever finds it paused must know whether to resume", ()
    said = "accepted: automatic action is paused for the whole installation; `holdfast resume` allows it again"
    return said, (Write(Kind.PAUSED, "", {"by": command.by, "because": because}),)


def resume(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Allow automatic action again."""
    if situation.installation.paused is None:
        return "refused: nothing is paused", ()
    because = str(command.arguments.get("reason") or "")
    return "accepted: automatic action is allowed again", (Write(Kind.RESUMED, "", {"by": command.by, "because": because}),)


def is_paused(situation: Situation, incident: IncidentState, run: str, step: PlannedStep) -> bool:
    """Whether the pause keeps this step from being begun."""
    if situation.installation.paused is None or run == TURN_BACK or step.block.actor is Actor.CONTROLLER:
        return False
    return not (step.block.removes_write and mode_of_run(incident, run) == "ungraceful")
