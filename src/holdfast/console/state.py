"""What the controller knows now, as one JSON object: what `holdfast status`, the live view and later the war room read.

A read model: everything in it comes from the journal and the latest observations, and can be rebuilt from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from holdfast.conduct.catching_up import holding_back, not_near
from holdfast.conduct.decisions import waiting_steps
from holdfast.conduct.expected import run_progress
from holdfast.conduct.runs import FAILOVER, current_run
from holdfast.conduct.situation import Situation
from holdfast.conduct.suspicion import cause_gone_seconds, stands_down_in_seconds, waits_for_word
from holdfast.conduct.turning import outlook
from holdfast.conduct.world import swing_seconds
from holdfast.console.acting import acting, by_hand
from holdfast.console.calling import calling, messages
from holdfast.console.channel_test import channel_test
from holdfast.console.clocks import forecast, functions
from holdfast.console.sides import links, regions
from holdfast.decision.approval import Proposal
from holdfast.decision.protection import PROTECTED
from holdfast.decision.replay import IncidentState, Installation
from holdfast.health.picture import Picture
from holdfast.health.protection import KINDS
from holdfast.health.standing import Standing
from holdfast.health.zones import zone_as_facts
from holdfast.plan.model import Plan
from holdfast.plan.tiers import cost_so_far


def _proposal(proposal: Proposal, incident: IncidentState) -> dict[str, Any]:
    shown = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
    approvals = [{"person": given.person, "role": given.role, "accepts_loss": given.accepts_loss} for given in incident.approvals]
    return {**shown, "roles": list(proposal.roles), "approvals": approvals}


def _steps(situation: Situation, incident: IncidentState) -> list[dict[str, Any]]:
    run = current_run(incident) or next(reversed(incident.runs_started), None)
    if run is None:
        return []
    book, now = run_progress(situation, incident, run)
    first, waiting = book.stand_ins, waiting_steps(incident)
    taken = [step for step in book.all_steps if step.id not in first or now[first[step.id]].ways_taken]
    return [
        {
            "run": run,
            "id": step.id,
            "phase": step.phase,
            "block": step.block.name,
            "state": now[step.id].state.value,
            "attempts": now[step.id].attempts,
            "component": step.component,
            "summary": step.block.summary,
            "limit_seconds": step.time_limit_seconds,
            "started_seconds": now[step.id].started_seconds,
            "ended_seconds": now[step.id].ended_seconds,
            "detail": now[step.id].detail,
            "instead_of": first.get(step.id),
            "on_other_way": now[step.id].on_other_way,
            "choices": list(waiting.get(step.id, {}).get("choices", ())),
            "needs": waiting.get(step.id, {}).get("needs"),
            "asks": step.parameters.get("text"),
        }
        for step in taken
    ]


def _incident(situation: Situation, incident: IncidentState) -> dict[str, Any]:
    hit = {entry.function: entry.since_seconds for entry in situation.functions_hit}
    elapsed = (situation.now if incident.ended_seconds is None else incident.ended_seconds) - incident.impact_seconds
    return {
        "incident": incident.incident,
        "scenario": incident.scenario,
        "kind": incident.kind,
        "state": incident.state.value,
        "severity": incident.severity,
        "source": incident.source,
        "target": incident.target,
        "mode": incident.mode,
        "exercise": incident.exercise,
        "trigger": incident.trigger,
        "reason": incident.records[0].body["reason"],
        "waits_for_word": waits_for_word(incident),
        "cause_gone": _cause_gone(situation, incident),
        "held_back": _held_back(situation, incident),
        "impact_seconds": incident.impact_seconds,
        "opened_seconds": incident.opened_seconds,
        "elapsed_seconds": elapsed,
        "cost_usd": cost_so_far(situation.plan, elapsed).usd,
        "functions_hit": hit,
        "proposal": None if incident.proposal is None else _proposal(incident.proposal, incident),
        "decided": {
            run: {name: decision.get(name) for name in ("action", "mode", "loss_bound_seconds", "estimated_writes", "approvers")}
            for run, decision in incident.decided.items()
        },
        "run": current_run(incident),
        "runs_finished": dict(incident.runs_finished),
        "steps": _steps(situation, incident),
        "abort": asdict(outlook(situation.plan, situation.installation, incident)),
        "turned_back": incident.turned_back,
        "scale": incident.scale,
        "calling": calling(situation, incident),
        "messages": messages(situation, incident),
    }


def _held_back(situation: Situation, incident: IncidentState) -> list[str]:
    """Why a planned move that waits for people's decision would not begin now, whatever they say; empty where nothing speaks against it."""
    run = current_run(incident)
    return [] if run is None or incident.proposal is None else list(holding_back(situation, incident, run))


def _planned_moves_held_back(situation: Situation) -> dict[str, list[str]]:
    """Scenario → why a planned move of it from home would be refused now; only where something speaks against it."""
    home = situation.plan.primary_region()
    other = next(name for name in situation.plan.regions if name != home)
    if situation.installation.serving != home:
        return {}
    found = {scenario: list(not_near(situation, scenario, FAILOVER, other)) for scenario in situation.plan.scenarios}
    return {scenario: behind for scenario, behind in found.items() if behind}


def _cause_gone(situation: Situation, incident: IncidentState) -> dict[str, float] | None:
    """For how long what opened an undecided incident has not been seen, and how much longer until it stands down."""
    gone, left = cause_gone_seconds(situation, incident), stands_down_in_seconds(situation, incident)
    return None if gone is None or left is None else {"for_seconds": situation.now - gone, "stands_down_in_seconds": left}


def _broken_glass(situation: Situation) -> dict[str, Any] | None:
    """Who is in without single sign-on, for as long as it lasts."""
    broken = situation.installation.broken_glass
    return dict(broken) if broken is not None and situation.now < broken["until_seconds"] else None


def _protection(situation: Situation) -> dict[str, Any]:
    """Whether what each database and cache acknowledges waits for its replica, and what people ordered last about it.

    No components where the installation replicates asynchronously: there nothing is ever protected, and nothing was promised.
    """
    known, plan = situation.installation, situation.plan
    names = [name for kind in KINDS for name in plan.components_of(kind)] if situation.replication == PROTECTED else []
    return {
        "replication": situation.replication,
        "components": [
            {
                "component": name,
                "title": plan.components[name].name,
                "region": known.serving,
                "protected": situation.protected.get(name),
                "ordered": _ordered(known, name),
            }
            for name in names
        ],
    }


def _ordered(known: Installation, name: str) -> dict[str, Any] | None:
    """The last word about a component's protection, where it is about the writer of now."""
    order = known.protection.get(name)
    if order is None or not order.stands(known.serving, (known.era, known.epoch)):
        return None
    said = {name: order.intent[name] for name in ("by", "because", "mode")}
    return {**said, "drops": order.drops, "since_seconds": order.since_seconds, "outcome": order.outcome, "detail": order.detail}


def _loss(situation: Situation) -> dict[str, Any]:
    """What a failover now may lose: the worst of all components, and each of them with the RPO that the plan gives it."""
    loss, components = situation.loss, situation.plan.components
    return {
        "bound_seconds": loss.bound_seconds,
        "estimated_writes": loss.estimated_writes,
        "swing_seconds": swing_seconds(situation.profile),
        "components": [{**asdict(one), "title": components[one.component].name} for one in loss.components],
    }


def _watching(plan: Plan, picture: Picture | None, heard_seconds: Mapping[str, float]) -> dict[str, Any]:
    if picture is None:
        return {"functions": {}, "scores": {}, "observers": {}, "zones": []}
    return {
        "functions": {name: joint.health.value for name, joint in picture.functions.items()},
        "scores": {region: score.score for region, score in picture.scores.items()},
        "reasons": {region: score.reason for region, score in picture.scores.items()},
        "observers": {site: picture.now - heard for site, heard in heard_seconds.items()},
        "zones": [zone_as_facts(plan, zone) for zone in picture.zones],
    }


def state(
    situation: Situation,
    promise_ends_in_seconds: float,
    picture: Picture | None,
    heard_seconds: Mapping[str, float],
    standings: Sequence[Standing] = (),
    served_from: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The whole read model. Moments are wall-clock seconds since 1970; `observers` holds the age in seconds of what each said last."""
    known = situation.installation
    last = next(reversed(list(known.incidents.values())), None)
    opened = last if last is not None and not last.ended else None
    ahead = forecast(situation, opened) if opened is not None else None
    return {
        "schema": "holdfast/state/v1",
        "now_seconds": situation.now,
        "plan": {"name": situation.plan.name, "version": situation.plan.version, "digest": situation.plan_digest},
        "exercise": situation.exercise,
        "regions": list(situation.plan.regions),
        "serving": known.serving,
        "era": known.era,
        "epoch": known.epoch,
        "term": known.term,
        "paused": None if known.paused is None else dict(known.paused),
        "dismissed": sorted(known.dismissed),
        "broken_glass": _broken_glass(situation),
        "attested": [dict(body) for body in (*known.attested, *(last.attested if last is not None else ()))],
        "promise_ends_in_seconds": promise_ends_in_seconds,
        "watching": _watching(situation.plan, picture, heard_seconds),
        "timezone": situation.plan.timezone,
        "sides": regions(situation.plan, known.serving, picture, standings),
        "links": links(situation.plan, known.serving, standings),
        "functions": functions(situation, last, picture, served_from or {}, ahead),
        "forecast": ahead,
        "acting": acting(situation, opened),
        "by_hand": by_hand(situation, opened),
        "alarms": [
            {
                "region": alarm.region,
                "trigger": alarm.trigger,
                "firing": alarm.firing,
                "since_seconds": alarm.since_seconds,
                "reason": alarm.reason,
            }
            for alarm in situation.alarms
        ],
        "loss": _loss(situation),
        "protection": _protection(situation),
        "held_back": _planned_moves_held_back(situation),
        "channel_test": channel_test(situation),
        "incident": None if last is None else _incident(situation, last),
    }
