"""The whole document of a plan: its sections in the order in which an auditor reads them, every field of the plan in one of them.

A field that no section names comes in the last one, so a later field of the plan is never left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.checks import Finding
from holdfast.document.exact.shapes import Shape, fields_of, title_of
from holdfast.document.writing.blocks import Block, Booklet, Heading, NewPage, Paragraph
from holdfast.document.writing.findings import findings_blocks
from holdfast.document.writing.maps import dependency_map, region_map
from holdfast.document.writing.people import call_order, phone_tree, who_hears_what
from holdfast.document.writing.runs import scenario_blocks
from holdfast.document.writing.steps import StepWords
from holdfast.document.writing.values import field_blocks, settings_table, values_of
from holdfast.plan.contacts import REACHED_BY
from holdfast.plan.model import Plan

Drawn = Callable[[Plan], list[Block]]


@dataclass(frozen=True, slots=True)
class Section:
    """A section: the fields of the plan that it holds, and what is drawn from them after those."""

    title: str
    says: str
    fields: tuple[str, ...] = ()
    drawn: tuple[Drawn, ...] = ()


SECTIONS = (
    Section("Document control", "Whose plan this is, who approved it, when it is looked at again, and who may have it.", ("document",)),
    Section("Objectives", "What the company promises as a whole, and to whom.", ("objectives", "service_levels")),
    Section("Business impact", "The functions of the business: how fast each must be back, and how much data it may lose.", ("functions",)),
    Section("Financial tiers", "What an outage costs, by how long it lasts.", ("financial_tiers",)),
    Section("Risks", "What threatens the functions, and which scenario answers it.", ("risks",)),
    Section(
        "Architecture",
        "Regions, what runs in them, how data gets from one to the other, and who watches.",
        ("regions", "permitted_areas", "witness", "observers", "replication", "replication_links", "monitoring", "data"),
        (region_map,),
    ),
    Section("Recovery strategies", "How each component is brought back, first and otherwise, and what it stands on.", ("components",)),
    Section("Dependencies", "What functions and components need from others.", ("dependencies",), (dependency_map,)),
    Section("Vendors", "Who outside is called.", ("vendors",)),
    Section("Scenarios and runbooks", "What is done, in order, with a box to tick for each step.", ("scenarios",)),
    Section("Procedures", "What people do by hand.", ("procedures",)),
    Section("Timing of lease and decision", "How long a trigger must hold, and how long a right to write lasts.", ("profiles",)),
    Section(
        "Roles and people",
        "Who fills which role, and how they are reached.",
        ("contacts", "roles", "people", "rotations", "audiences"),
        (phone_tree,),
    ),
    Section("Approval", "Who must agree before anything irreversible is done.", ("approval",)),
    Section("Escalation", "Who is called when nobody answers, and how soon.", ("escalation",), (call_order,)),
    Section(
        "Communication",
        "Who is told what, by when, and over which channels.",
        ("messages", "status_page", "zone_notice", "access_notice", "routes", "war_room"),
        (who_hears_what,),
    ),
    Section("Templates", "The words that messages share.", ("templates",)),
    Section("Exercises", "How the plan is tested, how often, and what must hold then.", ("exercises", "exercise_process", "criteria")),
    Section("Reviews and improvement", "What follows an incident, and how the plan gets better.", ("reviews", "improvement", "training")),
    Section("Indicators", "Figures that the plan is held against.", ("indicators",)),
    Section("Compliance", "What laws, contracts and standards demand.", ("regulations",)),
    Section("Open questions and notes", "What a person still has to decide.", ("questions", "not_applicable", "notes")),
)
_HEAD = ("schema", "name", "version")
"""`schema` is the form itself; name and version begin the document."""


def booklet(plan: Plan, digest: str, findings: Sequence[Finding]) -> Booklet:
    """The document. `findings`: what `check` says about the plan."""
    words = StepWords.of(plan)
    apart = _without_contacts(plan)
    held = {key: (shape, value) for key, shape, value in values_of(apart)} | _usual(apart)
    named = {key for section in SECTIONS for key in section.fields}
    blocks: list[Block] = [Heading(1, f"Business continuity plan: {plan.name}"), Paragraph(_READING)]
    top = [((key,), shape, value) for key, (shape, value) in held.items() if key != "schema" and key not in named and shape.is_leaf]
    blocks.append(settings_table((), top))
    for section in SECTIONS:
        blocks += _section(plan, section, held, words)
    rest = [key for key, (shape, _) in held.items() if key not in named and not shape.is_leaf]
    if rest:
        blocks += _section(plan, Section("Further settings", "What else the plan says.", tuple(rest)), held, words)
    blocks += findings_blocks(findings)
    footer = f"{plan.name} · version {plan.version} · digest {digest[:16]}"
    return Booklet(f"Business continuity plan: {plan.name}", footer, digest, tuple(blocks))


def _without_contacts(plan: Plan) -> Plan:
    """Where contacts stand in a file of their own, only the phone tree shows them: they are no values of the plan, and aren't read back."""
    if plan.contacts is None:
        return plan
    none = dict.fromkeys(REACHED_BY)
    return plan.model_copy(update={"people": {name: person.model_copy(update=none) for name, person in plan.people.items()}})


def _usual(plan: Plan) -> dict[str, tuple[Shape, Any]]:
    """What the plan leaves to Holdfast's defaults and a reader must still know: words, and collections that aren't empty."""
    said = {key for key, _, _ in values_of(plan)}
    shapes = fields_of(Plan)
    fields = {found.alias or name: getattr(plan, name) for name, found in Plan.model_fields.items()}
    return {key: (shapes[key], value) for key, value in fields.items() if key not in said and value and isinstance(value, str | dict)}


_READING = (
    "Printed from the plan that Holdfast runs. Names set as code are the plan's own identifiers. Durations are written 15m, 4h, 7y. "
    "Details that the plan leaves to Holdfast's defaults are not listed."
)


def _section(plan: Plan, section: Section, held: dict[str, tuple[Shape, Any]], words: StepWords) -> list[Block]:
    blocks: list[Block] = [Heading(2, section.title), Paragraph(section.says)]
    if "scenarios" in section.fields:
        blocks.insert(0, NewPage())
    present = [key for key in section.fields if key in held]
    leaves = [((key,), *held[key]) for key in present if held[key][0].is_leaf]
    if leaves:
        blocks.append(settings_table((), leaves))
    for key in present:
        shape, value = held[key]
        if shape.is_leaf:
            continue
        if len(section.fields) > 1:
            blocks.append(Heading(3, title_of(key)))
        blocks += scenario_blocks(plan, words) if key == "scenarios" and plan.scenarios else field_blocks((key,), shape, value, 4, words)
    for drawn in section.drawn:
        blocks += drawn(plan)
    if isinstance(blocks[-1], Paragraph):
        blocks.append(Paragraph("The plan says nothing here."))
    return blocks


def fields_without_section() -> frozenset[str]:
    """Fields of the plan that only the last section holds."""
    return frozenset(fields_of(Plan)) - {key for section in SECTIONS for key in section.fields} - set(_HEAD)
