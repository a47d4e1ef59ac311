"""Dropping protection, and protecting again: a primary in synchronous mode whose standby is gone goes on unprotected, by a person's word.

Where a database or cache replicates synchronously, losing its standby stops its writes: nothing is acknowledged that only one region has.
One person of the roles that approve a failover may say otherwise, since they answer for what may be lost by it. One is enough, as for any
loss that a named person accepts: the right to write stays where it is, nothing stops, and `protect` takes it back. The order is durable
before it is given, the agent records the change before it makes it, and both are told. It is taken back the same way, and not before the
copy was seen to be near: else every write would wait at once. While a run moves the right to write, or makes the copy anew, nothing of this
is ordered. Every order ends with an outcome: one that was not given before another region took over is refused.
Never here: doing it, and dropping protection by itself (silence is no consent).
"""

from typing import Any

from holdfast.conduct.runs import REPROTECT, current_run, is_open, moves_writers, next_order
from holdfast.conduct.situation import Command, Move, SetMode, Situation, Write
from holdfast.decision.protection import DROPPED, PROTECTED, ProtectionOrder
from holdfast.fencing.order import Order
from holdfast.health.protection import KINDS
from holdfast.journal.kinds import Kind
from holdfast.plan.people import Occasion, against_stranger, enrolled, exercises_held, fillers

_LOOKS, _LATE_SECONDS = 2.0, 1.0
"""A copy that follows was seen to at one of the last looks, give or take so much. One that was seen near before that may have stopped."""
DROP, PROTECT = "unprotect", "protect"
"""The verbs."""


def ordered(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """What a person's word about one component comes to. Arguments: component, reason (to drop)."""
    component, mode = str(command.arguments.get("component")), DROPPED if command.verb == DROP else PROTECTED
    if (against := _against(situation, command, component)) is not None:
        return f"refused: {against}. Nothing was changed", ()
    known = situation.installation
    incident = known.open_incident()
    body: dict[str, Any] = {
        "ask": command.identifier,
        "by": command.by,
        "role": _roles(situation, command.by)[0] if _roles(situation, command.by) else None,
        "because": str(command.arguments.get("reason") or ""),
        "component": component,
        "kind": situation.plan.components[component].kind,
        "region": known.serving,
        "mode": mode,
        "order": next_order(known, incident).as_list(),
    }
    record = Write(Kind.PROTECTION_ORDERED, incident.incident if incident else "", body)
    name, region = situation.plan.components[component].name, known.serving
    if mode == PROTECTED:
        return f"accepted: each write to {name} in {region} is to wait for its copy again", (record,)
    again = f"`holdfast {PROTECT} {component} --as NAME` protects it again"
    return f"accepted: {name} in {region} is to go on unprotected; what it acknowledges may be lost with {region}. {again}", (record,)


def protections(situation: Situation) -> tuple[Move, ...]:
    """Everything that was ordered, has come to nothing yet and isn't being done. After a crash the very same order is given again."""
    known = situation.installation
    waiting = [order for order in known.protection.values() if order.outcome is None and order.ask not in situation.beside]
    return tuple(_given(order) if order.stands(known.serving, (known.era, known.epoch)) else _overtaken(order) for order in waiting)


def _given(order: ProtectionOrder) -> SetMode:
    return SetMode(
        order.ask,
        str(order.intent["component"]),
        str(order.intent["kind"]),
        str(order.intent["region"]),
        DROPPED if order.drops else PROTECTED,
        Order.from_list(list(order.intent["order"])),
    )


def _overtaken(order: ProtectionOrder) -> Write:
    """The end of an order that was not given before the right to write moved. It never will be."""
    detail = f"the right to write moved away from {order.intent['region']} before this was ordered there"
    named = {name: order.intent[name] for name in ("ask", "component", "region", "mode")}
    return Write(Kind.PROTECTION_CHANGED, "", {**named, "outcome": "refused", "detail": detail})


def _against(situation: Situation, command: Command, component: str) -> str | None:
    """Why this is not ordered, or None."""
    if (why := _against_person(situation, command)) is not None:
        return why
    if (why := _against_component(situation, command, component)) is not None:
        return why
    if (moving := _moving(situation)) is not None:
        return moving
    under_way = situation.installation.protection.get(component)
    if under_way is not None and under_way.outcome is None:
        return f"what {under_way.intent['by']} ordered for {component} is still under way"
    now = situation.protected.get(component)
    if command.verb == DROP:
        return f"{component} is unprotected already; `holdfast {PROTECT} {component}` protects it again" if now is False else None
    return f"{component} is protected already" if now is True else _far(situation, component)


def _against_person(situation: Situation, command: Command) -> str | None:
    """Only who may accept what a failover loses may open the door to such a loss; anybody of the plan may close it again."""
    stranger = against_stranger(situation.plan, command.by, situation.exercise)
    if stranger is not None or command.verb != DROP:
        return stranger
    if not _roles(situation, command.by):
        may = ", ".join(situation.plan.approval.activation.of)
        return f"{command.by} fills none of the roles {may}, and only they can accept what may be lost by it"
    if situation.exercise is not None and command.by not in enrolled(situation.plan, situation.exercise, situation.scenario):
        return f"{command.by} takes no part in the exercise {situation.exercise}; give it as somebody who does"
    if not str(command.arguments.get("reason") or "").strip():
        return "say why (--because): whoever finds it unprotected must know"
    return None


def _against_component(situation: Situation, command: Command, component: str) -> str | None:
    """Why this component's writes can't be set to wait, or not to. Agents know the one store of each kind that they stand beside."""
    plan = situation.plan
    if situation.replication != PROTECTED:
        return "this installation replicates asynchronously: no write waits for a replica, so there is no protection to drop or take up"
    protectable = [name for kind in KINDS for name in plan.components_of(kind)]
    if component not in protectable:
        return f"'{component}' is nothing whose writes can wait for a replica; that can be: {', '.join(protectable)}"
    kind = plan.components[component].kind
    if len(alike := tuple(plan.components_of(kind))) > 1:
        mend = "give each of them a plan and agents of its own"
        return f"the plan has {', '.join(alike)} of kind {kind}, and the agent can't tell which is meant: it stands beside one; {mend}"
    return _outside_exercise(situation, component)


def _outside_exercise(situation: Situation, component: str) -> str | None:
    """Why the exercise under way doesn't reach this component, or None: each of the plan's exercises that it is must be about it."""
    plan, exercise = situation.plan, situation.exercise
    held = () if exercise is None else exercises_held(plan, exercise, situation.scenario)
    about = [one.components for one in held if one.components]
    if all(component in components for components in about):
        return None
    if reached := [name for name in plan.components if all(name in components for components in about)]:
        return f"the exercise {exercise} is about {', '.join(reached)} alone, and reaches nothing else"
    drills = ", ".join(name for name, one in plan.exercises.items() if one.scenario == situation.scenario)
    return f"the drills {drills} have no component in common, so {exercise} reaches none; hold one of them, by its name"


def _roles(situation: Situation, person: str) -> list[str]:
    """The approving roles that this person fills."""
    occasion, plan = Occasion.of(situation.exercise), situation.plan
    return [role for role in plan.approval.activation.of if person in fillers(plan.roles[role], occasion)]


def _moving(situation: Situation) -> str | None:
    """Why a run under way must not be disturbed, and what to do; None where none is."""
    incident = situation.installation.open_incident()
    run = current_run(incident) if incident is not None else None
    if incident is None or run is None or not is_open(incident, run):
        return None
    told = f"{incident.incident} ({run})"
    if run == REPROTECT:  # It sets the mode itself, and its order must not come after a higher one.
        abort = f"wait for its end, or give it up (`holdfast abort {incident.incident}`)"
        return f"{told} is making the copies anew and lets writes wait for each by itself; {abort}"
    if moves_writers(situation.plan, incident.scenario, run) and (run in incident.epochs or run in incident.decided):
        return f"{told} is moving the right to write; what is promoted is unprotected until its copy follows it"
    return None


def _far(situation: Situation, component: str) -> str | None:
    """Why each write would wait for a copy that isn't there, or None."""
    lag, name = situation.lags.get(component), situation.plan.components[component].name
    if lag is None:
        return f"nobody has seen how far the copy of {name} is behind: while it doesn't follow, every write would wait for it"
    if lag > _LOOKS * situation.profile.probe_every + _LATE_SECONDS:
        return f"the copy of {name} is {lag:.0f} s behind: every write would wait until it has caught up. Ask again when it is near"
    return None
