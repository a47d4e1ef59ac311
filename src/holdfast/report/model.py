"""The report as types: the format holdfast/report/v1, which later versions only add fields to.

Rules: a figure that was not measured is null, never 0. Fields that end in `_seconds` are lengths of time, or moments counted from
the incident's impact where their name says started, ended, start or end; moments of the calendar end in `_at` and are written in
the plan's zone with the offset. Never here: how a figure comes about (`build`) or what it means (`verdict`).
"""

from typing import Final, Literal

from pydantic import Field

from holdfast.report.lost import LetGo, LostWrite, LostWrites, StoodAlone
from holdfast.report.part import ReportPart, Seconds
from holdfast.report.seen import Event, RequestMarks, RequestWindow, Stand
from holdfast.report.told import CallResult, NotificationResult, PeopleResult, SlaResult

SCHEMA_NAME: Final = "holdfast/report/v1"
LISTED_LOSSES = 100
"""Lost writes that are listed one by one; the total is always given."""

Verdict = Literal["pass", "fail", "unknown"]
Answer = Literal["yes", "no", "unknown"]


class PlanReference(ReportPart):
    """Which plan was carried out."""

    name: str
    version: str
    digest: str


class Generator(ReportPart):
    """What made the report, and when."""

    name: str = "holdfast"
    version: str
    at: str


class Rule(ReportPart):
    """One rule of the verdict and how it came out. The sentence carries the figures."""

    name: str
    result: Verdict
    sentence: str


class ClientRun(ReportPart):
    """Half-second buckets in a row in which clients of a function saw the same thing."""

    state: Literal["ok", "slow", "failed", "idle"]
    start_seconds: Seconds
    end_seconds: Seconds
    requests: int
    failed: int


class FunctionResult(ReportPart):
    """One business function: promised and measured, from its clients' ledger."""

    id: str
    name: str
    priority: str
    rto_target_seconds: Seconds
    rto_actual_seconds: Seconds | None
    """From the first failed client request to the first of ten successes in a row; 0 when nothing failed."""
    rpo_target_seconds: Seconds
    rpo_actual_seconds: Seconds | None
    """Length of time that acknowledged writes of this function were lost from; 0 when none were."""
    acknowledged_writes: int | None
    lost_acknowledged_writes: int | None
    met: bool | None
    """Whether both targets were met; null when one of them could not be measured."""
    late_writes: int | None = None
    """Acknowledged writes that were missing after the failover and came back when the sides were reconciled (objects, not rows)."""
    unchecked_writes: int | None = None
    """Acknowledged writes that nobody could look for; with any of these the loss is unknown."""
    unknown_outcomes: int | None = None
    """Requests that got no answer: they may have happened or not, and count neither as written nor as lost."""
    failed_requests: int | None = None
    first_failed_seconds: Seconds | None = None
    recovered_seconds: Seconds | None = None
    clients: tuple[ClientRun, ...] = ()
    lost_at_seconds: tuple[float, ...] = ()
    """When the lost writes were acknowledged (the first 100), for the picture."""
    slow_above_seconds: Seconds | None = None
    """What the plan calls slow for this function."""
    marks: tuple[RequestMarks, ...] = ()
    """Its requests in the report's `request_windows`, for the picture. Lost ones stand where they were acknowledged, besides being *ok*."""


class ComponentResult(ReportPart):
    """One technical component: promised and measured, from impact."""

    id: str
    name: str
    rto_target_seconds: Seconds
    rto_actual_seconds: Seconds | None
    met: bool | None
    kind: str = ""
    rpo_target_seconds: Seconds | None = None
    measured_by: Literal["probes", "steps", "clients", "nothing"] = "nothing"


class Criteria(ReportPart):
    """What the plan's schedule asks of an exercise of this scenario, besides every component's and function's own targets."""

    exercise: str
    name: str
    takes_away: str = "region"
    components: tuple[str, ...] = ()
    """What must be back; everything when empty."""
    within_seconds: Seconds | None = None
    spared: tuple[str, ...] = ()
    """Functions that stand on none of these components, so that their clients must notice nothing."""


class PhaseResult(ReportPart):
    """A phase's planned window against what happened, from impact (for the way back: from its start)."""

    name: str
    planned_start_seconds: Seconds
    planned_end_seconds: Seconds | None
    """Null where the plan leaves the window open."""
    actual_start_seconds: Seconds | None
    actual_end_seconds: Seconds | None


class StepResult(ReportPart):
    """One step: when, how often, with what outcome. Moments are counted from impact."""

    block: str
    started_seconds: Seconds
    ended_seconds: Seconds | None
    outcome: Literal["succeeded", "settled", "skipped", "refused", "failed", "unknown"]
    attempts: int
    step: str = ""
    run: str = "failover"
    phase: str = ""
    component: str | None = None
    verified: Answer = "unknown"
    critical: bool = False
    """On the critical path: had it taken less, the run would have ended earlier."""
    detail: str = ""
    instead_of: str | None = None
    """The step whose other way this one stands on."""
    other_way: str | None = None
    """Why the plan's other way was taken instead of this step, and who said so; null when it was not."""
    by: str | None = None
    """The person who ticked it off, passed over it or had it tried again; null where nobody was needed."""


class RunResult(ReportPart):
    """A whole run, there or back: how it ended, and the plan's steps that it never began."""

    run: Literal["failover", "reprotect", "way-back", "turn-back"]
    outcome: Literal["succeeded", "failed", "abandoned", "unknown"]
    reason: str = ""
    started_seconds: Seconds | None = None
    ended_seconds: Seconds | None = None
    missing_steps: tuple[str, ...] = ()


class LossBound(ReportPart):
    """What the approver was told could be lost, and what was."""

    seconds: Seconds | None
    estimated_writes: float | None
    true_seconds: Seconds | None = None
    lost_acknowledged_writes: int | None = None
    held: bool | None = None


class SingleWriter(ReportPart):
    """Whether any write was acknowledged under an older epoch after the first one under a newer epoch."""

    checked: bool
    violations: int | None
    checked_writes: int = 0
    details: tuple[str, ...] = ()


class Failback(ReportPart):
    """The way back."""

    done: bool
    outage_seconds: Seconds | None
    lost_acknowledged_writes: int | None
    started_seconds: Seconds | None = None
    ended_seconds: Seconds | None = None
    phases: tuple[PhaseResult, ...] = ()
    detail: str = ""


class JournalState(ReportPart):
    """The journal that the report was made from. Whoever holds `head` can prove every record before it."""

    records: int
    head: str
    whole: bool | None = None
    first_break: str | None = None


class TimeSpent(ReportPart):
    """A part of the time between impact and the last function's return; the parts add up."""

    part: Literal["detection", "hold", "decision", "lease", "promotion", "settings", "dns", "client"]
    start_seconds: Seconds
    seconds: Seconds


class ApprovalResult(ReportPart):
    """Somebody's answer to a proposal, and the bound on data loss that the proposal showed."""

    person: str
    role: str
    answer: Literal["approved", "refused"]
    at: str
    seconds: Seconds
    action: str
    loss_bound_seconds: Seconds | None
    estimated_writes: float | None = None
    accepts_loss: bool = False
    proposal: str = ""
    hash: str = ""
    detail: str = ""


class Finding(ReportPart):
    """Something about a component or a promise that a reader must know."""

    about: str
    result: Verdict
    sentence: str
    weighs: bool = False
    """Whether the verdict counts it: evidence that could not be read, an exercise that ended before its end."""


class ZoneChange(ReportPart):
    """A zone of a region was lost, or was back. `seconds` from impact; negative before it."""

    region: str
    zone: str
    health: str
    seconds: float
    components_down: tuple[str, ...] = ()
    """Stores that were down in the region then."""
    sentence: str


class OnlyThereComponent(ReportPart):
    """What one component of the lost region held alone, as it was exported before anything there was overwritten."""

    component: str
    kind: str
    status: Literal["exported", "missing"]
    how: str = ""
    detail: str = ""
    only_here: int = 0
    """Rows, keys or objects that the writer had nothing for."""
    differs: int = 0
    deleted_here: int = 0
    same: int = 0
    unexamined: tuple[str, ...] = ()
    """Sentences: what could not be looked at, so that more may be held there alone."""
    notes: tuple[str, ...] = ()


class OnlyThereEntry(ReportPart):
    """One row, key or object of the export."""

    component: str
    id: str
    """What ledgers call the same write."""
    change: str
    given_back: bool = False


class OnlyThere(ReportPart):
    """What only the lost side held, and whether it explains every acknowledged write that was lost."""

    needed: bool = False
    """Whether the lost region was to be made a replica, which overwrites what it held."""
    exported: bool = False
    complete: bool = False
    region: str = ""
    exported_at: str | None = None
    differences: int | None = None
    components: tuple[OnlyThereComponent, ...] = ()
    lost_found: int | None = None
    """Lost acknowledged writes that are in the export."""
    lost_missing: int | None = None
    missing: tuple[LostWrite, ...] = ()
    """The first hundred of those that are not."""
    given_back: int = 0
    """Entries that the region that served took back, as people chose."""
    listed: tuple[OnlyThereEntry, ...] = ()
    """The first hundred entries."""

    @property
    def tells(self) -> bool:
        """Whether there is anything in it that a reader must see."""
        return self.needed or self.exported


class Report(ReportPart):
    """A whole report, format holdfast/report/v1."""

    schema_: Literal["holdfast/report/v1"] = Field(alias="schema")
    title: str
    plan: PlanReference
    kind: Literal["exercise", "incident"]
    exercise: bool
    incident: str
    execution: Literal["graceful", "ungraceful"]
    profile: str
    replication: Literal["asynchronous", "synchronous"]
    storage: str = ""
    scenario: str
    scenario_name: str = ""
    source: str = ""
    target: str = ""
    timezone: str = "UTC"
    impact_at: str
    started_at: str
    ended_at: str
    verdict: Verdict
    reasons: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    detected_after_seconds: Seconds | None
    decided_after_seconds: Seconds | None
    outage_seconds: Seconds | None
    functions: tuple[FunctionResult, ...]
    components: tuple[ComponentResult, ...]
    phases: tuple[PhaseResult, ...]
    steps: tuple[StepResult, ...]
    runs: tuple[RunResult, ...] = ()
    loss_bound: LossBound
    single_writer: SingleWriter
    failback: Failback
    criteria: Criteria | None = None
    journal: JournalState
    time_spent: tuple[TimeSpent, ...] = ()
    scale: float = 1.0
    """How fast the plan's clock ran for messages, escalation and answers: plan seconds in one second."""
    notifications: tuple[NotificationResult, ...] = ()
    calls: tuple[CallResult, ...] = ()
    people: PeopleResult = PeopleResult()
    slas: tuple[SlaResult, ...] = ()
    approvals: tuple[ApprovalResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    lost_writes: LostWrites
    let_go: tuple[LetGo, ...] = ()
    """What people had let go on unprotected between impact and fence; empty in asynchronous mode, where nothing is protected."""
    stood_alone: tuple[StoodAlone, ...] = ()
    """What was promoted and for a time followed by no copy; empty in asynchronous mode, as above."""
    only_there: OnlyThere = OnlyThere()
    only_there_on_return: OnlyThere = OnlyThere()
    """What the region that served held alone, where home was reached without it."""
    unknown_outcomes: int | None = None
    severity: str | None = None
    cost_usd: float | None = None
    observers_silent: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    stands: tuple[Stand, ...] = ()
    """How it stood when people were asked, when they had decided, and when a step waited for one."""
    sides: tuple[str, ...] = ()
    """The plan's primary region and its DR region: left and right in every picture."""
    request_windows: tuple[RequestWindow, ...] = ()
    zones: tuple[ZoneChange, ...] = ()
    generated: Generator
