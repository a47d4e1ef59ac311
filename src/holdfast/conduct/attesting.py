"""Attestations: two named, distinct people of the approval roles say that a region can't write. Never Holdfast, never one person twice.

What an attestation stands for:
- *fence*: the word of a source that can't give it. Both promises to it still run out first; nothing else replaces the source's own stop.
- *withdrawal*: the word of a target that can't be told that an epoch is never opened, so that turning back comes to an end.
- *memory*: what the agent of a region knows, for a controller that lost its own memory. Epochs then go on in a new era.

Each counts for one incident, run and epoch only. Every one is in the journal, with its reason.
"""

from typing import Any

from holdfast.conduct import turning
from holdfast.conduct.assessment import roles_of
from holdfast.conduct.going_on import fence_again
from holdfast.conduct.runs import TURN_BACK, current_run, regions_of_run, since_start
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from holdfast.plan.people import Occasion, fillers

NEEDED = 2


def attest(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """One person's word about a region; with the second it stands."""
    region, because = str(command.arguments.get("region")), str(command.arguments.get("reason") or "")
    what = _what_for(incident, region)
    if what is None:
        return f"refused: nothing waits for the word of {region} now; {incident.incident} is {incident.state.value}", ()
    rule = situation.plan.approval.activation
    mine = [role for role in rule.of if role in roles_of(situation.plan, incident, situation.now).get(command.by, ())]
    given = given_for(incident, what)
    against = _against(command.by, because, mine, rule.of, given)
    if against is not None:
        return f"refused: {against}", ()
    word = Write(Kind.ATTESTED, incident.incident, {**what, "person": command.by, "role": mine[0], "because": because})
    people = [*given, command.by]
    if len(people) < NEEDED:
        return f"accepted: 1 of {NEEDED}; another person of {', '.join(rule.of)} must attest it too", (word,)
    said = f"{' and '.join(people)} attest that {region} can't write"
    return f"accepted: {said}", (word, *_stands(situation, incident, what, said))


def _what_for(incident: IncidentState, region: str) -> dict[str, Any] | None:
    """What an attestation about this region would stand for now, bound to incident, run and epoch; None when for nothing."""
    run = current_run(incident)
    if run is None or run not in incident.epochs:
        return None
    era, epoch = incident.epochs[run]
    bound = {"region": region, "run": run, "era": era, "epoch": epoch}
    if run == TURN_BACK:
        left = regions_of_run(incident, run)[0]
        return {**bound, "purpose": "withdrawal"} if incident.withdraws is not None and region == left else None
    source = regions_of_run(incident, run)[0]
    return {**bound, "purpose": "fence"} if region == source and run not in incident.positions else None


def given_for(incident: IncidentState, what: dict[str, Any]) -> list[str]:
    """Who attested exactly this."""
    return [str(body["person"]) for body in incident.attested if all(body[name] == value for name, value in what.items())]


def _against(person: str, because: str, mine: list[str], of: tuple[str, ...], given: list[str]) -> str | None:
    if not mine:
        return f"{person} fills none of the roles {', '.join(of)}"
    if person in given:
        return f"{person} has attested it already; another person is needed"
    if not because:
        return "say how you know (--because): it is kept in the journal"
    return None


def _stands(situation: Situation, incident: IncidentState, what: dict[str, Any], said: str) -> tuple[Move, ...]:
    if what["purpose"] == "fence":
        return fence_again(incident, str(what["run"]), said)
    withdrawn = turning.withdrawn(situation.installation, incident, str(what["region"]), said)
    step = f"withdraw-{what['region']}"
    begun = [
        r.body for r in since_start(incident, TURN_BACK) if r.kind in (Kind.STEP_INTENDED, Kind.STEP_WAITING) and r.body["step"] == step
    ]
    if not begun:
        return withdrawn
    settled = turning.unsettled(begun[-1], "settled", said, {})
    return (*withdrawn, Write(Kind.STEP_FINISHED, incident.incident, settled), *turning.answered(incident, step))


def is_attested(incident: IncidentState, run: str) -> bool:
    """Whether enough people attested that the source of this run can't write, for the epoch that it opens."""
    if run not in incident.epochs or run == TURN_BACK:
        return False
    era, epoch = incident.epochs[run]
    bound = {"region": regions_of_run(incident, run)[0], "run": run, "era": era, "epoch": epoch, "purpose": "fence"}
    return len(given_for(incident, bound)) >= NEEDED


def attest_memory(
    plan: Plan, exercise: str | None, attested: tuple[Any, ...], silent: frozenset[str], command: Command
) -> tuple[str, tuple[Write, ...]]:
    """One person's word for an agent that a controller without memory can't hear. `silent`: the regions that it still waits for."""
    region, because = str(command.arguments.get("region")), str(command.arguments.get("reason") or "")
    if command.verb != "attest":
        return f"refused: this controller has no memory and first hears the agents of {', '.join(sorted(silent))}", ()
    if region not in silent:
        return f"refused: nobody waits for {region}; silent: {', '.join(sorted(silent))}", ()
    occasion = Occasion.of(exercise)
    mine = [role for role in plan.approval.activation.of if command.by in fillers(plan.roles[role], occasion)]
    given = [str(body["person"]) for body in attested if body["region"] == region]
    against = _against(command.by, because, mine, plan.approval.activation.of, given)
    if against is not None:
        return f"refused: {against}", ()
    body = {"region": region, "purpose": "memory", "run": None, "era": None, "epoch": None}
    word = Write(Kind.ATTESTED, "", {**body, "person": command.by, "role": mine[0], "because": because})
    if len(given) + 1 >= NEEDED:
        return f"accepted: {region} is no longer waited for", (word,)
    return f"accepted: {len(given) + 1} of {NEEDED}; another person must attest it too", (word,)


def attested_regions(attested: tuple[Any, ...]) -> frozenset[str]:
    """Regions for whose silent agents enough people stand."""
    people: dict[str, set[str]] = {}
    for body in attested:
        people.setdefault(str(body["region"]), set()).add(str(body["person"]))
    return frozenset(region for region, names in people.items() if len(names) >= NEEDED)
