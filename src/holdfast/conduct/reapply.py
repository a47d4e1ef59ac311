"""Giving back chosen rows and keys that only the lost side held: a named person asks, the journal says so first, then it is done.

Only what the writer has nothing for is given back; what it has otherwise is shown and never overwritten. Where one of the chosen can't be
taken nothing is given back, unless the person said to leave such ones out. It may be asked for long after the incident is over, and asking
again changes nothing. Never here: doing it.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.guards import EXPORT
from holdfast.conduct.runs import REPROTECT, WAY_BACK
from holdfast.conduct.situation import Command, GiveBack, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind

MOST_AT_ONCE = 500


def ordered(situation: Situation, command: Command, stranger: str | None) -> tuple[str, tuple[Move, ...]]:
    """What a person's wish comes to. `stranger`: why this person has nothing to say here, or None."""
    incident = situation.installation.incidents.get(str(command.arguments.get("incident")))
    if incident is None:
        known = ", ".join(situation.installation.incidents) or "none yet"
        return f"refused: there is no such incident; there are: {known}. Nothing was given back", ()
    if (why := stranger or _against(incident, command.arguments)) is not None:
        return f"refused: {why}. Nothing was given back", ()
    chosen = list(command.arguments["only"])
    body = {
        "reapply": command.identifier,
        "by": command.by,
        "run": command.arguments.get("run", REPROTECT),
        "only": chosen,
        "objections": command.arguments.get("objections", "stop"),
        "region": situation.installation.serving,
        "era": situation.installation.era,
        "epoch": situation.installation.epoch,
    }
    said = f"accepted: {len(chosen)} chosen to be given to {situation.installation.serving}; what it has otherwise stays as it is"
    return said, (Write(Kind.REAPPLY_ORDERED, incident.incident, body),)


def _against(incident: IncidentState, arguments: Mapping[str, Any]) -> str | None:
    """What is wrong with a wish, or None."""
    chosen, run = arguments.get("only"), arguments.get("run", REPROTECT)
    if not isinstance(chosen, list) or not chosen or not all(isinstance(one, str) for one in chosen):
        return "`only` must name what is to be given back, as `holdfast divergence` lists it"
    if len(chosen) > MOST_AT_ONCE:
        return f"at most {MOST_AT_ONCE} at once"
    if run not in (REPROTECT, WAY_BACK):
        return f"`run` must be {REPROTECT} or {WAY_BACK}, not {run!r}"
    if arguments.get("objections", "stop") not in ("stop", "leave"):
        return "`objections` must be stop or leave"
    if not exported(incident, run):
        lost = incident.source if run == REPROTECT else incident.target
        return f"what only {lost} held in {incident.incident} was not exported; `holdfast journal show` says what was done in it"
    return None


def exported(incident: IncidentState, run: str) -> bool:
    """Whether the incident's records say that something was exported in this run."""
    return any(
        record.kind == Kind.STEP_FINISHED
        and (record.body["block"], record.body["run"]) == (EXPORT, run)
        and "directory" in record.body["facts"]
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
            if record.kind == Kind.REAPPLY_ORDERED and record.body["reapply"] not in done | situation.beside
        )
    return tuple(moves)


def _move(incident: str, body: Mapping[str, Any]) -> GiveBack:
    return GiveBack(
        incident=incident,
        identifier=str(body["reapply"]),
        run=str(body.get("run", REPROTECT)),
        only=tuple(body["only"]),
        # A record without the word is of a time when each was given back by itself.
        objections="stop" if body.get("objections") == "stop" else "leave",
        region=str(body["region"]),
        era=int(body["era"]),
        epoch=int(body["epoch"]),
    )
