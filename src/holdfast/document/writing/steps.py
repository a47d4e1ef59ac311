"""A step as the person sees it who has to do it or to watch it: in words, with who and the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.document.exact.cells import Cell, Run, said
from holdfast.document.exact.shapes import fields_of, title_of
from holdfast.document.writing.blocks import Column, Table, Tick, TickTable
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.model import Plan
from holdfast.plan.response import WayStep

_COMMANDS = {
    "assess": "holdfast status",
    "approve": "holdfast approve",
    "manual": "holdfast choose",
    "confirm": "holdfast status",
    "divergence.export": "holdfast divergence",
}
"""Blocks that a person carries out, or looks into, with a command of Holdfast."""
_LEADS = "technical-lead"


@dataclass(frozen=True, slots=True)
class StepWords:
    """Names of the plan that steps speak of."""

    components: Mapping[str, str]
    roles: Mapping[str, str]
    messages: Mapping[str, str]
    approvers: str

    @classmethod
    def of(cls, plan: Plan) -> "StepWords":
        """From a plan."""
        rule = plan.approval.activation
        roles = {name: role.name for name, role in plan.roles.items()}
        approvers = f"{rule.count} of: {', '.join(roles.get(name, name) for name in rule.of)}" if rule.of else "nobody may approve yet"
        audiences = {name: audience.name for name, audience in plan.audiences.items()} | roles
        messages = {name: ", ".join(audiences.get(who, who) for who in message.audience) for name, message in plan.messages.items()}
        return cls({name: component.name for name, component in plan.components.items()}, roles, messages, approvers)

    def what(self, step: WayStep) -> str:
        """What is done, in a sentence."""
        text = step.parameters.get("text")
        if step.block == "manual" and isinstance(text, str):
            return text
        block = BLOCKS.get(step.block)
        words = block.summary.replace("`", "") if block is not None else step.block
        if step.block == "notify":
            return f"tell {self.messages.get(str(step.parameters.get('message')), 'the audience')} ({step.parameters.get('message')})"
        about = self.components.get(step.component, step.component) if step.component is not None else None
        return f"{about}: {words}" if about is not None else words

    def who(self, step: WayStep) -> str:
        """Who does it or answers for it."""
        if step.by is not None:
            return self.roles.get(step.by, step.by)
        if step.block == "approve":
            return self.approvers
        block = BLOCKS.get(step.block)
        lead = self.roles.get(_LEADS, "Technical Lead")
        return lead if block is None or block.actor is Actor.PERSON else f"Holdfast; {lead} watches"

    def command(self, step: WayStep) -> str:
        """The command that belongs to it, or nothing."""
        return _COMMANDS.get(step.block, "")


def ticks(
    table: Table, steps: Sequence[WayStep], columns: Sequence[str], deeper: Sequence[list[tuple[str, Cell]]], words: StepWords
) -> TickTable:
    """The table of steps with a box, words, person and command in front of what the plan holds. `deeper`: what no column has."""
    drawn = (Column("☐", drawn=True), Column("In words", drawn=True), Column("Who", drawn=True), Column("Command", drawn=True))
    rows = []
    items = []
    for step, more, (number, *cells) in zip(steps, deeper, table.rows, strict=True):
        command = words.command(step)
        command_cell = Cell((Run(command, code=True),)) if command else Cell()
        rows.append((number, said("☐"), said(words.what(step)), said(words.who(step)), command_cell, *cells))
        shapes = fields_of(type(step))
        facts = [("Who", said(words.who(step)))]
        if command:
            facts.append(("Command", command_cell))
        facts += [
            (title_of(name), cell) for name, cell in zip(columns, cells, strict=True) if name != "id" and cell.runs and name in shapes
        ]
        facts += more
        facts += (
            [("Other way", said("; then ".join(words.what(one) for one in way.steps)))] if (way := getattr(step, "other_way", None)) else []
        )
        items.append(Tick(step.id, words.what(step), tuple(facts)))
    first, *rest = table.columns
    return TickTable(Table((first, *drawn, *rest), tuple(rows), table.place), tuple(items))
