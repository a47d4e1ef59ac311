"""How the plan is kept true: document control, exercises, reviews, indicators, improvement, and what regulators ask."""

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from holdfast.plan.part import Part
from holdfast.plan.values import Day, Duration, Frequency, Identifier, Target


class Exercise(Part):
    """A test of the plan's schedule that a drill runs: what is taken away, what must hold then, and how often it is due."""

    name: str
    kind: Literal["drill", "verification", "tabletop"] = "drill"
    """A drill that Holdfast runs, a check of backups, or people around a table."""
    scenario: Identifier | None = None
    """The scenario whose steps are practised. A drill names one."""
    takes_away: Literal["region", "database-host", "application", "bucket"] | None = None
    """What the drill does to the primary region: see docs/drills.md. A drill names it."""
    components: tuple[Identifier, ...] = ()
    """What must be back, each within its own RTO; all components when empty."""
    within: Duration | None = None
    """The schedule's own criterion: these components, and every function that is hit, are back within it."""
    every: Frequency | None = None
    """Absent: the document's word can mean two things, and nobody has said which."""
    lasts: Duration | None = None
    """Time that the schedule keeps free for it."""
    participants: str = ""
    audience: tuple[Identifier, ...] = ()
    """Roles and audiences that take part: the exercise reaches who stands in for them, and nobody else; for every role when empty."""
    criteria: str = ""
    """What it must show, in the plan's words, beside what `within` and the promises say."""
    target: Target | None = None
    """The same as a number, such as `100%`."""
    decide_after: Duration | None = None
    """Where the plan's clock runs faster than the wall's: the stand-ins decide this long after the impact; at once when absent."""
    open_for: Duration | None = None
    """There too: the incident stays open at least this long."""
    unanswered: tuple[Identifier, ...] = ()
    """There too: stand-ins who acknowledge nothing, so that escalation is practised."""


@dataclass(frozen=True, slots=True)
class Drill:
    """An exercise that a drill can run: it says which scenario is practised and what is taken away."""

    exercise: Exercise
    scenario: str
    takes_away: str


class Signature(Part):
    """Who approved which version of the plan, and when."""

    by: str
    version: str
    on: Day


class DocumentControl(Part):
    """Whose plan this is and how old it is."""

    owner: str
    approved_by: tuple[str, ...] = ()
    approvals: tuple[Signature, ...] = ()
    last_updated: Day | None = None
    next_review: Day | None = None
    review_every: Frequency | None = None
    distribution: tuple[str, ...] = ()
    classification: str | None = None
    retention: Duration | None = None


class Stage(Part):
    """A part of a process, with the tasks that belong to it: of running an exercise, or of a review."""

    name: str
    within: Duration | None = None
    """Counted from the end of the incident, where it has a time."""
    tasks: tuple[str, ...] = ()
    by: Identifier | None = None
    """Role that sees to it."""


class Criterion(Part):
    """What makes a test of the plan a success."""

    name: str
    about: Literal["technical", "process"]
    measures: Literal["response", "decision", "communication"] | None = None
    """Which of Holdfast's own figures it is: how soon people answer a call, how soon they decide, how many messages were in time."""
    target: Target | None = None
    says: str
    """In the plan's words."""


class Indicator(Part):
    """A key performance indicator, its target, and how often it is measured."""

    name: str
    measures: Literal["detection", "recovery", "recovery-success", "test-success", "backup-success"] | None = None
    """Which of Holdfast's own figures it is; None for one that people measure."""
    target: Target
    every: Frequency


class Improvement(Part):
    """Something done again and again so that the plan gets better."""

    name: str
    every: Frequency | Literal["continuous"]
    tasks: tuple[str, ...] = ()
    by: Identifier | None = None


class Risk(Part):
    """What threatens the functions, as the company judges it."""

    name: str
    likelihood: Literal["low", "medium", "high"]
    impact: Literal["low", "medium", "high"]
    scenarios: tuple[Identifier, ...] = ()
    """Scenarios that answer it."""
    treatment: str = ""


class Training(Part):
    """What people learn before they need it."""

    name: str
    audience: tuple[Identifier, ...] = Field(min_length=1)
    every: Frequency


class Procedure(Part):
    """A technical procedure in words, for people (appendix of recovery procedures)."""

    name: str
    scenario: Identifier | None = None
    component: Identifier | None = None
    steps: tuple[str, ...] = Field(min_length=1)


REPORT_STAGES = {"intermediate": "intermediate", "interim": "intermediate", "final": "final"}
"""Words for the reports that follow the first notice to an authority → the report."""


def report_stages(*said: str) -> frozenset[str]:
    """Which later reports texts speak of: `intermediate`, `final`; none is the first notice."""
    words = re.findall(r"[a-z]+", " ".join(said).casefold())
    return frozenset(REPORT_STAGES[word] for word in words if word in REPORT_STAGES)


class Regulation(Part):
    """What a law, contract or standard demands in an incident or of the records."""

    name: str
    requires: tuple[str, ...] = ()
    notify: str | None = None
    """Authority that must be told."""
    notify_within: Duration | None = None
    """Counted from when the company becomes aware."""
    notify_by: Identifier | None = None
    """Role that tells it."""
    scenarios: tuple[Identifier, ...] = ()
    """Scenarios in which it must be told."""
    records_kept_for: Duration | None = None


class Question(Part):
    """Something in the source document that can mean two things. Until a person answers, the plan holds neither."""

    about: str
    """Where the answer belongs, such as `exercises.tabletop.every`."""
    says: str
    words: str = ""
    """The words of a template that it is about, as they stand there: the field that is the answer takes their place."""
    choices: tuple[str, ...] = ()
    source: str = ""
    """File and line."""


class NotApplicable(Part):
    """A value that the source says there is none of, such as the RPO of what keeps no data: it wasn't forgotten."""

    about: str
    """Where the value would stand, such as `components.application.rpo`."""
    says: str
    """The source's words, with its reason where it gives one."""
    source: str = ""
    """File and line."""


class Note(Part):
    """What an import could not type, with its place."""

    text: str
    section: str = ""
    source: str = ""
