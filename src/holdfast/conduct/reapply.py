"""Giving back chosen rows and keys that only the lost side held: a named person asks, the journal says so first, then it is done.

Only what the writer has nothing for is given back; what it has otherwise is shown and never overwritten. It may be asked for long after the
incident is over, and asking again changes nothing. Never here: doing it.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.guards import EXPORT
from holdfast.conduct.situation import Command, GiveBack, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind

MOST_AT_ONCE = 500


def ordered(situation: Situation, command: Command, stranger: str | None) -> tuple[str, tuple[Move, ...]]:
    """What a person's wish comes to. `stranger`: why this person has nothing to say here, or None."""
    incident = situation.installation.incidents.get(str(command.arguments.get("incident")))
    chosen = command.arguments.get("only")
    if incident is None:
        return "refused: there is no such incident; `holdfast journal show` lists them", ()
    if stranger is not None:
        return f"refused: {stranger}", ()
    if not isinstance(chosen, list) or not chosen or not all(isinstance(one, str) for one in chosen):
        return "refused: `only` must name what is to be given back, as `holdfast divergence` lists it", ()
    if len(chosen) > MOST_AT_ONCE:
        return f"refused: at most {MOST_AT_ONCE} at once", ()
    if not exported(incident):
        return f"refused: what only {incident.source} held in {incident.incident} was not exported", ()
    body = {
        "reapply": command.identifier,
        "by": command.by,
        "only": list(chosen),
        "region": situation.installation.serving,
        "era": situation.installation.era,
        "epoch": situation.installation.epoch,
    }
    said = f"accepted: {len(chosen)} chosen to be given to {situation.installation.serving}; what it has otherwise stays as it is"
    return said, (Write(Kind.REAPPLY_ORDERED, incident.incident, body),)


def exported(incident: IncidentState) -> bool:
    """Whether the incident's records say that something was exported."""
    return any(
        record.kind == Kind.STEP_FINISHED and record.body["block"] == EXPORT and "directory" in record.body["facts"]
        for record in incident.records
    )


def reapplies(situation: Situation) -> tuple[Move, ...]:
    """Everything that was asked for, isn't done and isn't being done. After a crash it is done again, which changes nothing."""
    moves: list[Move] = []
    for incident in situation.installation.incidents.values():
        done = {record.body["reapply"] for record in incident.records if record.kind == Kind.REAPPLIED}
        moves.extend(
            _move(incident.incident, record.body)
            for record in incident.records
            if record.kind == Kind.REAPPLY_ORDERED and record.body["reapply"] not in done | situation.giving_back
        )
    return tuple(moves)


def _move(incident: str, body: Mapping[str, Any]) -> GiveBack:
    return GiveBack(incident, str(body["reapply"]), tuple(body["only"]), str(body["region"]), int(body["era"]), int(body["epoch"]))
