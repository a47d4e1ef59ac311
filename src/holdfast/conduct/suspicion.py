"""From alarms to an incident: raise, clear, open, stand down."""

from holdfast.conduct.runs import FAILOVER
from holdfast.conduct.situation import Alarm, Move, Situation, Write
from holdfast.decision.approval import REQUESTER_HOLDFAST
from holdfast.decision.replay import SIGNAL, IncidentState
from holdfast.decision.table import Event, State, next_state
from holdfast.health.signals import majority
from holdfast.journal.kinds import Kind

CALM_SECONDS = 5.0
"""A cause must have been gone for the profile's hold, and for this long at least, before people are told that it is over."""


def transition(incident: IncidentState, event: Event, reason: str) -> tuple[Move, ...]:
    """The record of a transition, or nothing when the table knows none (then the event has no meaning here)."""
    after = next_state(incident.state, event, incident.stuck_in)
    if after is None:
        return ()
    body = {"from": incident.state.value, "to": after.value, "event": event.value, "reason": reason}
    return (Write(Kind.TRANSITION, incident.incident, body),)


def observers(situation: Situation) -> tuple[Move, ...]:
    """Record who is heard whenever that changes: a decision is only as good as the eyes behind it."""
    heard = situation.observers_heard
    if heard is None or heard == situation.installation.observers_heard:
        return ()
    silent = [site for site in situation.plan.observers if site not in heard]
    return (Write(Kind.OBSERVERS_SEEN, "", {"heard": sorted(heard), "silent": silent}),)


def suspicions(situation: Situation) -> tuple[Move, ...]:
    """Raise what is new and clear what is gone, once each. Nothing is gone because nobody who could see it is heard."""
    moves: list[Move] = []
    current = {(alarm.region, alarm.trigger): alarm for alarm in situation.alarms}
    for key, alarm in current.items():
        if key not in situation.installation.suspicions:
            body = {
                "region": alarm.region,
                "trigger": alarm.trigger,
                "reason": alarm.reason,
                "since_seconds": alarm.since_seconds,
                "score": alarm.score,
            }
            moves.append(Write(Kind.SUSPICION_RAISED, "", body))
    for region, trigger in situation.installation.suspicions:
        if (region, trigger) not in current and not trigger.startswith(SIGNAL) and _is_watching(situation):
            reason = "the trigger's condition no longer holds"
            moves.append(Write(Kind.SUSPICION_CLEARED, "", {"region": region, "trigger": trigger, "reason": reason}))
    return tuple(moves)


def _is_watching(situation: Situation) -> bool:
    """Whether a majority of the observers is heard. A controller that has only just begun to listen has heard nobody."""
    heard = situation.observers_heard
    return heard is not None and len(heard) >= majority(situation.plan)


def from_signal(incident: IncidentState) -> bool:
    """Whether an alert from outside opened it: only people end it then."""
    return incident.trigger.startswith(SIGNAL)


def waits_for_word(incident: IncidentState) -> bool:
    """Whether an alert alone opened this incident, and no person has said yet that it is so."""
    confirmed = any(record.kind == Kind.ALERT_CONFIRMED for record in incident.course)
    return from_signal(incident) and incident.state is State.DECLARED and not confirmed


def _other_region(situation: Situation, region: str) -> str:
    return next(name for name in situation.plan.regions if name != region)


def opening(
    situation: Situation,
    *,
    source: str,
    mode: str,
    trigger: str,
    impact_seconds: float,
    reason: str,
    requester: str = REQUESTER_HOLDFAST,
    foreseen: str | None = None,
    scenario: str | None = None,
) -> tuple[Move, ...]:
    """Records that open an incident about `source` and start its failover run. `requester`: the person who asked for it, if one did.

    `scenario`: the one that a person named, instead of the one that the controller watches for.
    `foreseen`: digest of the file of `holdfast plan` that it was begun with.
    """
    number = len(situation.installation.incidents) + 1
    incident = f"inc-{situation.installation.term}-{number}"
    target = _other_region(situation, source)
    body = {
        "scenario": scenario or situation.scenario,
        "kind": "exercise" if situation.exercise is not None else "incident",
        "exercise": situation.exercise,
        "source": source,
        "target": target,
        "mode": mode,
        "impact_seconds": impact_seconds,
        "trigger": trigger,
        "reason": reason,
        "requester": requester,
        "foreseen": foreseen,
    }
    if situation.scale != 1:
        body["scale"] = situation.scale
    run = {"run": FAILOVER, "source": source, "target": target, "mode": mode, "epoch": situation.installation.epoch}
    return (Write(Kind.INCIDENT_OPENED, incident, body), Write(Kind.RUN_STARTED, incident, run))


def _firing(situation: Situation, region: str) -> Alarm | None:
    return next((alarm for alarm in situation.alarms if alarm.firing and alarm.region == region), None)


def incidents(situation: Situation) -> tuple[Move, ...]:
    """Open an incident when a trigger has held about the serving region; stand down when its cause went before any decision."""
    incident = situation.installation.open_incident()
    if incident is None:
        alarm = _firing(situation, situation.installation.serving)
        if alarm is None or alarm.region in situation.installation.dismissed or situation.installation.paused is not None:
            return ()
        since = min((hit.since_seconds for hit in situation.functions_hit), default=alarm.since_seconds)
        return opening(
            situation,
            source=alarm.region,
            mode="ungraceful",
            trigger=alarm.trigger,
            impact_seconds=min(since, alarm.since_seconds),
            reason=alarm.reason,
        )
    if waits_for_word(incident) and _firing(situation, situation.installation.serving) is not None:
        # Nothing was begun: an alert must not hold off what Holdfast measures itself.
        reason = "Holdfast itself sees the region fail: that is conducted instead of the alert"
        return ending(incident, Event.CAUSE_GONE, reason, outcome="superseded")
    if _overtaken(situation, incident):
        reason = "its region fails, and a planned move away from it can't begin any more: that is conducted instead"
        return ending(incident, Event.CAUSE_GONE, reason, outcome="superseded")
    gone = cause_gone_seconds(situation, incident)
    if gone is not None and situation.now - gone >= calm_seconds(situation):
        return ending(incident, Event.CAUSE_GONE, "the trigger's condition went away before anything was decided; nothing was changed")
    return ()


def _overtaken(situation: Situation, incident: IncidentState) -> bool:
    """Whether a trigger fires about the region that a planned move leaves, before anybody has decided it: it can't stop orderly now."""
    known = situation.installation
    undecided = incident.state in (State.DECLARED, State.AWAITING_APPROVAL) and incident.source == known.serving
    fails = _firing(situation, incident.source) is not None and incident.source not in known.dismissed and known.paused is None
    return undecided and fails and incident.mode == "graceful"


def calm_seconds(situation: Situation) -> float:
    """How long a cause must have been gone before an incident that decided nothing stands down."""
    return max(situation.profile.hold, CALM_SECONDS)


def cause_gone_seconds(situation: Situation, incident: IncidentState) -> float | None:
    """Since when what opened an undecided incident is not seen any more; None while it is, and where no measured trigger opened it.

    Fewer observers than a majority see nothing: their silence is no word that the region is well, and no time in which it was.
    Nor is the time in which no controller ran.
    """
    if not _is_watching(situation):
        return None
    undecided = incident.state in (State.DECLARED, State.AWAITING_APPROVAL)
    from_trigger = incident.mode == "ungraceful" and incident.trigger != "command" and not from_signal(incident)
    if not undecided or not from_trigger or any(alarm.region == incident.source for alarm in situation.alarms):
        return None
    known = situation.installation
    return max(known.cleared.get(incident.source, 0.0), known.watched_since_seconds, incident.opened_seconds)


def stands_down_in_seconds(situation: Situation, incident: IncidentState) -> float | None:
    """How much longer an incident lasts whose cause is gone, unless it comes back; None where it is not gone."""
    gone = cause_gone_seconds(situation, incident)
    return None if gone is None else max(calm_seconds(situation) - (situation.now - gone), 0.0)


def ending(incident: IncidentState, event: Event, reason: str, outcome: str = "stood-down") -> tuple[Move, ...]:
    """Records that end an incident that changed nothing. `superseded`: its region's suspicion stays and opens the next one."""
    void: tuple[Move, ...] = ()
    if incident.proposal is not None:
        void = (Write(Kind.PROPOSAL_VOID, incident.incident, {"proposal": incident.proposal.proposal, "reason": reason}),)
    run = {"run": FAILOVER, "outcome": "abandoned", "reason": reason}
    closed = {"outcome": outcome, "reason": reason}
    return (
        *void,
        Write(Kind.RUN_FINISHED, incident.incident, run),
        *transition(incident, event, reason),
        Write(Kind.INCIDENT_CLOSED, incident.incident, closed),
    )
