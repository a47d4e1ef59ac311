"""What the journal says, as frozen values: fold the records in order, and a new controller knows what the dead one knew.

Never here: anything that isn't in the journal. What observers say now lives in `health`; what steps did in `runbook`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from holdfast.decision.admission import Admission, after
from holdfast.decision.approval import Approval, Proposal
from holdfast.decision.channel_test import PREFIX as TESTS
from holdfast.decision.channel_test import ChannelTest
from holdfast.decision.channel_test import after as test_after
from holdfast.decision.deliveries import HAND_OVERS, Attempts, Delivery, with_more
from holdfast.decision.epochs import epoch_opened, epoch_withdrawn, numbered, term_begun
from holdfast.decision.observed import FunctionOutage, outages_after, watched_after
from holdfast.decision.protection import ProtectionOrder
from holdfast.decision.protection import after as protection_after
from holdfast.decision.references import WayTaken, way_taken
from holdfast.decision.status_page import PageTold
from holdfast.decision.status_page import after_one_more as page_after
from holdfast.decision.table import ENDED, State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.plan_clock import PlanClock

SIGNAL = "signal:"
"""How the name of a trigger begins that an alert from outside raised: nothing that Holdfast measures raises or clears it."""
ALERTS_KEPT = 1000
"""So many alerts from outside are remembered for counting; older ones stand in the journal only."""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """One incident as its records tell it. Moments are wall-clock seconds since 1970."""

    incident: str
    scenario: str
    kind: str
    exercise: str | None
    source: str
    target: str
    mode: str
    trigger: str
    impact_seconds: float
    opened_seconds: float
    state: State = State.DECLARED
    stuck_in: State | None = None
    severity: str | None = None
    assessed: bool = False
    proposal: Proposal | None = None
    approvals: tuple[Approval, ...] = ()
    decided: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Run → its decision."""
    epochs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Run → (era, epoch) that it opened."""
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Run that moves no writer → (era, epoch) that its orders carry; nobody takes that up, and the epoch in force stays."""
    positions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Run → where the fenced source's stores ended."""
    modes: Mapping[str, str] = field(default_factory=dict)
    """Run → its mode, where people changed it on the way."""
    reopened: Mapping[str, str] = field(default_factory=dict)
    """Run → why what was approved for it no longer holds, until people have decided again."""
    fence_losses: Mapping[str, float | None] = field(default_factory=dict)
    """Run → the bound on its loss as known when its fence was confirmed (None: unknown); only of fences that say it."""
    turning: str | None = None
    """The run that is being turned back, or was last."""
    withdraws: tuple[int, int] | None = None
    """The (era, epoch) that turning back withdraws; None when none was opened, or when it is withdrawn."""
    turned_back: Mapping[str, Any] | None = None
    """Component → region → state after the last turning back."""
    attested: tuple[Mapping[str, Any], ...] = ()
    """What named people attest about regions, as recorded."""
    runs_started: tuple[str, ...] = ()
    runs_finished: Mapping[str, str] = field(default_factory=dict)
    messages_due: frozenset[str] = frozenset()
    page: PageTold = field(default_factory=PageTold)
    """What the status page was told."""
    deliveries: Mapping[Delivery, Attempts] = field(default_factory=dict)
    """What became of every hand-over."""
    ways: frozenset[WayTaken] = frozenset()
    """Every way that took one."""
    functions: Mapping[str, FunctionOutage] = field(default_factory=dict)
    """Function → its outage; those that were never hit are not in it."""
    cause: str | None = None
    """Why it happened, as a person said last; None while nobody has."""
    review: str | None = None
    """Where the review stands, likewise."""
    scale: float = 1.0
    """How fast the plan's clock runs in it."""
    records: tuple[Record, ...] = ()
    course: tuple[Record, ...] = ()
    """Its records but for those of hand-overs: a mailing has tens of thousands of these, and nothing else depends on them."""

    @property
    def clock(self) -> PlanClock:
        """The plan's clock in this incident: of messages, escalation and answers."""
        return PlanClock(self.scale)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED

    @property
    def ended_seconds(self) -> float | None:
        """When it was closed; None while it is open."""
        return next((record.at_seconds for record in reversed(self.course) if record.kind == Kind.INCIDENT_CLOSED), None)


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything that the journal knows. `serving` is the region that holds the write epoch."""

    serving: str
    term: int = 0
    identity: str = ""
    """Which installation the journal is of; empty for one that was begun before there were names."""
    era: int = 0
    epoch: int = 1
    used: tuple[int, int] = (0, 1)
    """The highest (era, epoch) that was ever used, opened or not: the next one is above it."""
    suspicions: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(region, trigger) → since when, as long as it is raised."""
    cleared: Mapping[str, float] = field(default_factory=dict)
    """Region → when a suspicion about it was cleared last."""
    dismissed: frozenset[str] = frozenset()
    """Regions whose suspicion people decided against: until it is cleared it opens no incident again."""
    alerts: tuple[Mapping[str, Any], ...] = ()
    """The last alerts that were heard from outside, the oldest first."""
    zones_down: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(region, zone) → since when, as long as nobody has seen it back."""
    zone_news: Mapping[tuple[str, str], Record] = field(default_factory=dict)
    """(region, zone) → the last record about it."""
    notices: Mapping[Delivery, Attempts] = field(default_factory=dict)
    """What became of every hand-over that belongs to no incident, of the last news."""
    channel_test: ChannelTest | None = None
    """The last quiet test of people's channels."""
    former: tuple[int, int, str] | None = None
    """(era, epoch, region) that served before the epoch that was opened last: where turning back leads."""
    paused: Mapping[str, Any] | None = None
    """Who paused automatic action (`by`), why (`because`) and when (`since_seconds`); None when nobody did."""
    broken_glass: Mapping[str, Any] | None = None
    """Which two people signed in last without single sign-on (`by`, `with`), why (`because`), and until when (`until_seconds`)."""
    attested: tuple[Mapping[str, Any], ...] = ()
    """What named people attest for agents that a controller without memory can't hear; void once it began its term."""
    incidents: Mapping[str, IncidentState] = field(default_factory=dict)
    observers_heard: frozenset[str] | None = None
    watched_since_seconds: float = 0.0
    """When a controller began to look, or a majority of the observers was heard again; what nobody saw before that says nothing."""
    agent_records: Mapping[str, int] = field(default_factory=dict)
    """Region → number of the last record of its agent that was imported."""
    handled_commands: Mapping[str, str] = field(default_factory=dict)
    """Identifier of every command that was handled → what its giver was told."""
    steps_ordered: int = 0
    admissions: Mapping[str, Admission] = field(default_factory=dict)
    """Region → what its load balancer was told last."""
    protection: Mapping[str, ProtectionOrder] = field(default_factory=dict)
    """Component → what people ordered last about its protection."""

    def open_incident(self) -> IncidentState | None:
        """The incident that isn't over, if there is one: an installation conducts one at a time."""
        return next((incident for incident in self.incidents.values() if not incident.ended), None)


def _opened(record: Record) -> IncidentState:
    body = record.body
    return IncidentState(
        incident=record.incident,
        **{name: body[name] for name in ("scenario", "kind", "exercise", "source", "target", "mode", "trigger", "impact_seconds")},
        opened_seconds=record.at_seconds,
        scale=float(body.get("scale", 1.0)),
        records=(record,),
        course=(record,),
    )


def _proposal(body: Mapping[str, Any]) -> Proposal:
    return Proposal(
        **{name: body[name] for name in Proposal.__dataclass_fields__ if name != "roles"},
        roles=tuple(body["roles"]),
    )


def _moved(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    before, after = State(body["from"]), State(body["to"])
    if after not in (State.NEEDS_PERSON, State.HALTED):
        return {"state": after, "stuck_in": None}
    return {"state": after, "stuck_in": incident.stuck_in if before is State.NEEDS_PERSON else before}


def _approved(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    approval = Approval(body["person"], body["role"], body["hash"], body["accepts_loss"])
    return {"approvals": (*incident.approvals, approval)}


def _without(values: Mapping[str, Any], run: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != run}


def _decided(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    decided = {**incident.decided, body["run"]: body}
    return {"decided": decided, "proposal": None, "reopened": _without(incident.reopened, body["run"])}


def _fenced(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    changes: dict[str, Any] = {"positions": {**incident.positions, body["run"]: body["position"]}}
    if "loss_bound_seconds" in body:
        changes["fence_losses"] = {**incident.fence_losses, body["run"]: body["loss_bound_seconds"]}
    return changes


def _run_started(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    changes: dict[str, Any] = {"runs_started": (*incident.runs_started, body["run"])}
    if "of" not in body:
        return changes
    withdraws = tuple(body["withdraws"]) if body["withdraws"] else None
    epochs = {**incident.epochs, body["run"]: withdraws} if withdraws else _without(incident.epochs, body["run"])
    return {**changes, "turning": body["of"], "withdraws": withdraws, "epochs": epochs, "turned_back": None}


_OF_A_RUN = ("epochs", "positions", "fence_losses", "decided", "reopened", "modes")


def _withdrawn(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run never happened: neither its epoch nor its fence nor its decision stands for anything."""
    return {**{name: _without(getattr(incident, name), body["run"]) for name in _OF_A_RUN}, "withdraws": None}


def _turned_back(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same of a run that opened no epoch: what undid it had a higher number, so when it is begun again it needs one above that."""
    return {**{name: _without(getattr(incident, name), body["run"]) for name in (*_OF_A_RUN, "numbers")}, "turned_back": body["components"]}


def _reopened(incident: IncidentState, body: Mapping[str, Any]) -> Mapping[str, Any]:
    run = body["run"]
    return {
        "reopened": {**incident.reopened, run: body["reason"]},
        "modes": {**incident.modes, run: body["mode"]},
        "proposal": None,
        "approvals": (),
    }


_CHANGES: Mapping[str, Callable[[IncidentState, Mapping[str, Any]], Mapping[str, Any]]] = {
    Kind.TRANSITION: _moved,
    Kind.SEVERITY_CHANGED: lambda _, body: {"severity": body["severity"]},
    Kind.FUNCTIONS_SEEN: lambda incident, body: {"functions": outages_after(incident.functions, body)},
    Kind.IMPACT_ASSESSED: lambda _, body: {"assessed": True},
    Kind.PROPOSED: lambda _, body: {"proposal": _proposal(body), "approvals": ()},
    Kind.APPROVED: _approved,
    Kind.PROPOSAL_VOID: lambda _, body: {"proposal": None, "approvals": ()},
    Kind.DECIDED: _decided,
    Kind.EPOCH_OPENED: lambda incident, body: {"epochs": {**incident.epochs, body["run"]: (body["era"], body["epoch"])}},
    Kind.RUN_NUMBERED: lambda incident, body: {"numbers": {**incident.numbers, body["run"]: (body["era"], body["epoch"])}},
    Kind.EPOCH_FOUND: lambda incident, body: {"epochs": {**incident.epochs, body["run"]: (body["era"], body["epoch"])}},
    Kind.EPOCH_WITHDRAWN: _withdrawn,
    Kind.FENCE_CONFIRMED: _fenced,
    Kind.ATTESTED: lambda incident, body: {"attested": (*incident.attested, body)},
    Kind.APPROVAL_REOPENED: _reopened,
    Kind.RUN_STARTED: _run_started,
    Kind.TURNED_BACK: _turned_back,
    Kind.RUN_FINISHED: lambda incident, body: {"runs_finished": {**incident.runs_finished, body["run"]: body["outcome"]}},
    Kind.EXPLAINED: lambda _, body: {name: body[name] for name in ("cause", "review") if body[name] is not None},
    Kind.NOTIFICATION_DUE: lambda incident, body: {"messages_due": incident.messages_due | {body["key"]}},
}
"""What a record of each kind changes in its incident; kinds that aren't named only join its records."""


def fold_incident(incident: IncidentState, record: Record) -> IncidentState:
    """The incident after one more of its records."""
    if record.kind in HAND_OVERS:
        return _after_hand_overs(incident, (record,))
    change = _CHANGES.get(record.kind)
    changes = {} if change is None else change(incident, record.body)
    return replace(incident, records=(*incident.records, record), course=(*incident.course, record), **changes)


def _after_hand_overs(incident: IncidentState, records: Sequence[Record]) -> IncidentState:
    page = incident.page
    for record in records:
        if record.kind in (Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_SENT):
            page = page_after(page, record)
    ways = incident.ways.union(way_taken(record.body) for record in records if record.kind == Kind.NOTIFICATION_SENT)
    deliveries = with_more(incident.deliveries, records)
    return replace(incident, page=page, deliveries=deliveries, ways=ways, records=(*incident.records, *records))


def _of_others(notices: Mapping[Delivery, Attempts], about: str) -> Mapping[Delivery, Attempts]:
    return {delivery: attempts for delivery, attempts in notices.items() if not delivery[0].startswith(about)}


def _zone_changed(before: Installation, record: Record) -> Mapping[str, Any]:
    """News of a zone: what was told of it before matters no more."""
    body = record.body
    zone = (body["region"], body["zone"])
    down = {known: since for known, since in before.zones_down.items() if known != zone}
    return {
        "zones_down": {**down, zone: body["since_seconds"]} if body["health"] == "down" else down,
        "zone_news": {**before.zone_news, zone: record},
        "notices": _of_others(before.notices, f"zone/{body['zone']}/"),
    }


def _handed_over(before: Installation, record: Record) -> Mapping[str, Any]:
    """A hand-over that belongs to no incident is of a quiet test, or of a notice."""
    if record.incident:
        return {}
    if record.body["key"].startswith(TESTS):
        return {"channel_test": test_after(before.channel_test, record)}
    return {"notices": with_more(before.notices, (record,))}


def _closed(before: Installation, record: Record) -> Mapping[str, Any]:
    if record.body["outcome"] not in ("stood-down", "turned-back"):
        return {}
    return {"dismissed": before.dismissed | {region for region, trigger in before.suspicions if not trigger.startswith(SIGNAL)}}


def _raised(before: Installation, record: Record) -> Mapping[str, Any]:
    about = (record.body["region"], record.body["trigger"])
    return {"suspicions": {**before.suspicions, about: record.body["since_seconds"]}}


def _cleared(before: Installation, record: Record) -> Mapping[str, Any]:
    region = record.body["region"]
    left = {key: since for key, since in before.suspicions.items() if key != (region, record.body["trigger"])}
    still = {name for name, trigger in left if not trigger.startswith(SIGNAL)}
    return {"suspicions": left, "cleared": {**before.cleared, region: record.at_seconds}, "dismissed": before.dismissed & still}


_INSTALLATION_CHANGES: Mapping[str, Callable[[Installation, Record], Mapping[str, Any]]] = {
    Kind.CONTROLLER_STARTED: term_begun,
    Kind.OBSERVERS_SEEN: lambda before, record: watched_after(before.observers_heard, record),
    Kind.SUSPICION_RAISED: _raised,
    Kind.SUSPICION_CLEARED: _cleared,
    Kind.ALERT_HEARD: lambda before, record: (
        {"alerts": (*before.alerts, record.body)[-ALERTS_KEPT:]} if record.body["status"] == "firing" else {}
    ),
    Kind.ZONE_CHANGED: _zone_changed,
    Kind.INCIDENT_OPENED: lambda before, record: {
        "incidents": {**before.incidents, record.incident: _opened(record)},
        "channel_test": test_after(before.channel_test, record),
    },
    Kind.INCIDENT_CLOSED: _closed,
    Kind.EPOCH_OPENED: epoch_opened,
    Kind.RUN_NUMBERED: numbered,
    Kind.EPOCH_FOUND: numbered,
    Kind.EPOCH_WITHDRAWN: epoch_withdrawn,
    Kind.ATTESTED: lambda before, record: {} if record.incident else {"attested": (*before.attested, record.body)},
    Kind.PAUSED: lambda _, record: {"paused": {**record.body, "since_seconds": record.at_seconds}},
    Kind.RESUMED: lambda *_: {"paused": None},
    Kind.ACCESS_BROKEN: lambda before, record: {"broken_glass": record.body, "notices": _of_others(before.notices, "access/")},
    Kind.STEP_INTENDED: lambda before, record: {"steps_ordered": before.steps_ordered + 1, "admissions": after(before.admissions, record)},
    Kind.STEP_FINISHED: lambda before, record: {"admissions": after(before.admissions, record)},
    Kind.PROTECTION_ORDERED: lambda before, record: {
        "steps_ordered": before.steps_ordered + 1,
        "protection": protection_after(before.protection, record),
    },
    Kind.PROTECTION_CHANGED: lambda before, record: {"protection": protection_after(before.protection, record)},
    Kind.CHANNELS_TESTED: lambda before, record: {"channel_test": test_after(before.channel_test, record)},
    Kind.TEST_ACKNOWLEDGED: lambda before, record: {"channel_test": test_after(before.channel_test, record)},
    Kind.AGENT_RECORD: lambda before, record: {"agent_records": {**before.agent_records, record.body["region"]: record.body["number"]}},
    Kind.COMMAND: lambda before, record: {"handled_commands": {**before.handled_commands, record.body["id"]: record.body["answer"]}},
    **dict.fromkeys(HAND_OVERS, _handed_over),
}
"""What a record of each kind changes in the installation, whatever incident it belongs to."""


def fold(installation: Installation, record: Record) -> Installation:
    """The installation after one more record."""
    change = _INSTALLATION_CHANGES.get(record.kind)
    changes = {} if change is None else dict(change(installation, record))
    if record.incident in installation.incidents:
        changes["incidents"] = {**installation.incidents, record.incident: fold_incident(installation.incidents[record.incident], record)}
    return replace(installation, **changes) if changes else installation


def fold_all(installation: Installation, records: Iterable[Record]) -> Installation:
    """The installation after more records, as `fold` makes it one by one. Hand-overs that follow each other are taken at once: a mailing
    has tens of thousands, and each by itself would copy what is known of all the others."""
    for (incident, of_hand_overs), some in groupby(records, key=lambda record: (record.incident, record.kind in HAND_OVERS)):
        if of_hand_overs and incident in installation.incidents:  # those of an incident change nothing else
            after = _after_hand_overs(installation.incidents[incident], tuple(some))
            installation = replace(installation, incidents={**installation.incidents, incident: after})
        else:
            for record in some:
                installation = fold(installation, record)
    return installation


def replayed(serving: str, records: Iterable[Record]) -> Installation:
    """The installation after all these records; `serving`: the plan's primary region, which serves at the beginning."""
    return fold_all(Installation(serving), records)
