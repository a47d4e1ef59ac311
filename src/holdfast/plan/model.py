"""The plan as types: frozen, complete, and the only thing that the rest of the house knows of the document.

Its pieces stand in files of their own by what they are about; here they come together.
Never here: reading files (see `loader`), judging whether a promise can be kept (see `checks`).
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from holdfast.plan.contacts import Contacts, ContactsKey
from holdfast.plan.governance import (
    Criterion,
    DocumentControl,
    Drill,
    Exercise,
    Improvement,
    Indicator,
    NotApplicable,
    Note,
    Procedure,
    Question,
    Regulation,
    Risk,
    Signature,
    Stage,
    Training,
)
from holdfast.plan.impact import SHORTEST_CANARY_SECONDS, Canary, Credit, Degraded, FinancialTier, Function, Objectives, ServiceLevel, Size
from holdfast.plan.messages import AccessNotice, Message, StatusPage, Template, Words, ZoneNotice
from holdfast.plan.organisation import Approval, ApprovalRule, Audience, Escalation, Override, Person, Reach, Role, Rotation, Route
from holdfast.plan.part import Part, Priority
from holdfast.plan.response import (
    ComponentDownTrigger,
    NetworkLostTrigger,
    OtherWay,
    Phase,
    Profile,
    Scenario,
    ScoreTrigger,
    SignalTrigger,
    Step,
    Trigger,
    WayStep,
    ZonesDownTrigger,
)
from holdfast.plan.systems import Backup, Component, DataKind, Dependency, Monitor, NodeGroup, Region, ReplicationLink, Vendor
from holdfast.plan.values import Identifier

__all__ = [
    "SHORTEST_CANARY_SECONDS",
    "Approval",
    "ApprovalRule",
    "Audience",
    "Backup",
    "Canary",
    "Component",
    "ComponentDownTrigger",
    "Contacts",
    "ContactsKey",
    "Credit",
    "Criterion",
    "DataKind",
    "Degraded",
    "Dependency",
    "DocumentControl",
    "Drill",
    "Escalation",
    "Exercise",
    "FinancialTier",
    "Function",
    "Improvement",
    "Indicator",
    "Message",
    "Monitor",
    "NetworkLostTrigger",
    "NodeGroup",
    "NotApplicable",
    "Note",
    "Objectives",
    "OtherWay",
    "Override",
    "Part",
    "Person",
    "Phase",
    "Plan",
    "Priority",
    "Procedure",
    "Profile",
    "Question",
    "Reach",
    "Region",
    "Regulation",
    "ReplicationLink",
    "Risk",
    "Role",
    "Rotation",
    "Route",
    "Scenario",
    "ScoreTrigger",
    "ServiceLevel",
    "SignalTrigger",
    "Signature",
    "Size",
    "Stage",
    "StatusPage",
    "Step",
    "Template",
    "Training",
    "Trigger",
    "Vendor",
    "WayStep",
    "Words",
    "ZoneNotice",
    "ZonesDownTrigger",
]

NOBODY_MAY_APPROVE = Approval(activation=ApprovalRule.model_construct(count=1, of=(), answer_within=1800.0, if_unanswered="escalate"))
"""A plan without a rule: no activation is ever approved until somebody writes one."""

_PROFILES = {
    "default": Profile.model_validate({"lease": "15s", "hold": "60s"}),
    "fast": Profile.model_validate({"lease": "3s", "hold": "0s", "probe_every": "500ms", "probe_timeout": "750ms"}),
}


class Plan(Part):
    """A whole business continuity plan, format holdfast/plan/v1."""

    schema_: Literal["holdfast/plan/v1"] = Field(alias="schema")
    name: str
    version: str
    summary: str = ""
    """What the plan is for, in a sentence or two."""
    timezone: str = "UTC"
    document: DocumentControl
    objectives: Objectives
    financial_tiers: tuple[FinancialTier, ...] = ()
    functions: dict[Identifier, Function] = Field(min_length=1)
    service_levels: dict[Identifier, ServiceLevel] = Field(default_factory=dict)
    risks: dict[Identifier, Risk] = Field(default_factory=dict)

    regions: dict[Identifier, Region]
    permitted_areas: tuple[str, ...] = ()
    """Legal areas that data may be in; anywhere when empty."""
    witness: str = "witness"
    observers: tuple[str, ...] = Field(min_length=1)
    """Vantage points by site name; each has one vote. The DR region, the witness and one outside, when absent."""
    components: dict[Identifier, Component] = Field(default_factory=dict)
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    replication_links: dict[Identifier, ReplicationLink] = Field(default_factory=dict)
    monitoring: dict[Identifier, Monitor] = Field(default_factory=dict)
    dependencies: dict[Identifier, Dependency] = Field(default_factory=dict)
    vendors: dict[Identifier, Vendor] = Field(default_factory=dict)
    data: dict[Identifier, DataKind] = Field(default_factory=dict)

    contacts: Contacts | None = None
    """Where the people's e-mail, telephone and chat stand when not here."""
    people: dict[Identifier, Person] = Field(default_factory=dict)
    roles: dict[Identifier, Role] = Field(default_factory=dict)
    rotations: dict[Identifier, Rotation] = Field(default_factory=dict)
    audiences: dict[Identifier, Audience] = Field(default_factory=dict)
    escalation: dict[Priority, Escalation] = Field(default_factory=dict)
    approval: Approval = NOBODY_MAY_APPROVE
    routes: dict[str, Route] = Field(default_factory=dict)
    """Channel → how it is reached."""
    war_room: str = "incident-{timestamp}"
    """Name of an incident's channel for those who work on it; `{timestamp}` is its start in UTC, `{incident}` its identifier."""
    templates: dict[Identifier, Template] = Field(default_factory=dict)
    messages: dict[Identifier, Message] = Field(default_factory=dict)
    status_page: StatusPage | None = None
    zone_notice: ZoneNotice | None = None
    access_notice: AccessNotice | None = None

    profiles: dict[Identifier, Profile] = Field(default_factory=lambda: dict(_PROFILES))
    scenarios: dict[Identifier, Scenario]
    procedures: dict[Identifier, Procedure] = Field(default_factory=dict)

    exercises: dict[Identifier, Exercise] = Field(default_factory=dict)
    """The schedule's tests; what a drill runs has the drill's name."""
    exercise_process: tuple[Stage, ...] = ()
    criteria: dict[Identifier, Criterion] = Field(default_factory=dict)
    reviews: tuple[Stage, ...] = ()
    """What follows an incident."""
    indicators: dict[Identifier, Indicator] = Field(default_factory=dict)
    improvement: dict[Identifier, Improvement] = Field(default_factory=dict)
    training: dict[Identifier, Training] = Field(default_factory=dict)
    regulations: dict[Identifier, Regulation] = Field(default_factory=dict)

    questions: tuple[Question, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    notes: tuple[Note, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _usual_observers(cls, data: Any) -> Any:
        """Without observers: the DR region, the witness and one outside."""
        if not isinstance(data, dict) or "observers" in data or not isinstance(data.get("regions"), dict):
            return data
        dr = [name for name, region in data["regions"].items() if isinstance(region, dict) and region.get("role") == "dr"]
        return {**data, "observers": [*dr, data.get("witness", "witness"), "outside"]}

    def primary_region(self) -> str:
        """Identifier of the region that serves in normal times."""
        return next(name for name, region in self.regions.items() if region.role == "primary")

    def dr_region(self) -> str:
        """Identifier of the region that serves when the primary is lost."""
        return next(name for name, region in self.regions.items() if region.role == "dr")

    def words_of(self, rule: str, message: Message) -> Words:
        """Words of a message as the plan writes them, fields and all: its own before its template's; else what it must contain.

        `rule`: the name of the message, or of what obliges somebody to send it.
        """
        template = self.templates.get(message.template) if message.template is not None else None
        if template is None:
            return Words(message.subject or f"{rule}: {{state}} ({{incident}})", message.body or message.content, message.short)
        return Words(message.subject or template.subject or template.name, message.body or template.body, message.short or template.short)

    def channels(self) -> frozenset[str]:
        """Every channel that the plan tells somebody over."""
        used = {channel for message in self.messages.values() for channel in message.channels}
        used |= {channel for row in self.escalation.values() for channel in row.channels}
        used |= {channel for person in self.people.values() if person.reach is not None for channel in person.reach.channels}
        used |= {"email"} if any(regulation.notify for regulation in self.regulations.values()) else set()
        used |= {"email", "phone"} if self.vendors else set()
        used |= set(self.access_notice.channels if self.access_notice is not None else ())
        return frozenset(used | set(self.zone_notice.channels if self.zone_notice is not None else ()))

    def drills(self) -> dict[str, Drill]:
        """Those exercises of the schedule that a drill runs, by name."""
        return {
            name: Drill(exercise, exercise.scenario, exercise.takes_away)
            for name, exercise in self.exercises.items()
            if exercise.scenario is not None and exercise.takes_away is not None
        }

    def components_of(self, kind: str) -> tuple[str, ...]:
        """Identifiers of the components of a kind, in the plan's order."""
        return tuple(name for name, component in self.components.items() if component.kind == kind)
