"""The one thing that matters now, in one sentence: the first line of `holdfast status` and of the live view.

Pure: the read model in, a state and a sentence out. Order: what waits for a person, what is being done, what clients lack, what is
suspected, what can't be seen; only when none of that is so, that all is well.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.console.protecting import UNPROTECTED, protection
from holdfast.console.said import Said
from holdfast.report.wording import duration

State = Mapping[str, Any]
_WAY_HOME = ("recovered", "reprotecting", "protected", "awaiting-return-approval", "returning")
_MOST_NAMED = 3
_ENDED = ("closed", "stood-down", "turned-back")


def headline(state: State, now: float) -> Said:
    """What matters most at this moment of the controller's clock."""
    if state.get("hears"):
        silent = ", ".join(state["hears"])
        word = "two people may stand for a dead one: `holdfast attest REGION --as NAME --because …`"
        said = Said("unknown", f"this controller has no memory and waits to hear the agents of {silent}; {word}")
        return _with_protection(state, said, now, calm=False)
    incident = state["incident"]
    open_now = incident is not None and incident["state"] not in _ENDED
    said = _incident(state, incident, now) if open_now else _calm(state, now)
    called = (incident or {}).get("calling") or {}
    if open_now and called.get("as_for"):
        said = Said(said.state, f"{said.text}; {called['as_for']}")
    if open_now and called.get("loud"):
        roles = ", ".join(role.replace("-", " ") for role in called["unanswered"])
        said = Said("needs-person", f"NOBODY ANSWERS for {roles}, everybody was called {called['round'] - 1} times over; {said.text}")
    if open_now and (given_up := _given_up(incident or {})):
        said = Said("needs-person", f"{given_up}; {said.text}")
    said = _with_protection(state, said, now, calm=not open_now or (incident or {}).get("state") == "recovered")
    if glass := glass_said(state):
        said = Said("needs-person", f"{glass}; {said.text}")
    paused, full = state.get("paused"), state.get("journal_full")
    if paused is not None:
        lasting = duration(max(now - paused["since_seconds"], 0.0))
        said = Said("needs-person", f"AUTOMATIC ACTION IS PAUSED by {paused['by']} for {lasting}: {paused['because']}; {said.text}")
    if full is not None:
        lasting = duration(max(now - full["since_seconds"], 0.0))
        said = Said(
            "failed", f"the journal can't be written for {lasting}, so nothing is decided or ordered: {full['reason']}; {said.text}"
        )
    return said


def _with_protection(state: State, said: Said, now: float, *, calm: bool) -> Said:
    """What is unprotected comes first where nothing else is being done, and behind what is being done otherwise."""
    named = "; ".join(one.text for one in protection(state, now) if one.state == UNPROTECTED)
    if not named:
        return said
    return Said(UNPROTECTED, f"{named}; {said.text}") if calm else Said(said.state, f"{said.text}; {named}")


def glass_said(state: State) -> str:
    """Who is in by broken glass, for as long as it lasts; empty when nobody is."""
    glass = state.get("broken_glass")
    return "" if glass is None else f"GLASS BROKEN by {glass['by']} and {glass['with']}: {glass['because']}"


def _given_up(incident: Mapping[str, Any]) -> str:
    """Who is told by nobody any more; empty where nothing was given up."""
    lines = [line for line in incident.get("messages", ()) if line.get("given_up")]
    if not lines:
        return ""
    named = ", ".join(dict.fromkeys(f"{line['message']} over {line['channel']}" for line in lines[:_MOST_NAMED]))
    more = " and more" if len(lines) > _MOST_NAMED else ""
    count = sum(line["given_up"] for line in lines)
    return (
        f"{count} {'DELIVERY' if count == 1 else 'DELIVERIES'} GIVEN UP ({named}{more}): tell them yourself, `holdfast messages` lists them"
    )


def _incident(state: State, incident: Mapping[str, Any], now: float) -> Said:
    way = f"{incident['source']} → {incident['target']}"
    named = f"{incident['incident']} {incident['state'].replace('-', ' ')}"
    since = f"{duration(max(now - incident['impact_seconds'], 0.0))} since the impact"
    stuck = [step["id"] for step in incident["steps"] if step["state"] == "needs-person" and step["id"] != "approve"]
    proposal = incident["proposal"]
    if stuck:
        return Said("needs-person", f"{incident['incident']}: {', '.join(stuck)} waits for a person; {_out(state)}, {since}")
    if proposal is not None:
        enough = len(proposal["approvals"]) >= proposal["count"] and incident.get("held_back")
        waits = "is approved and waits for its copies" if enough else "waits for approval"
        asked = f"{proposal['action']} {proposal['source']} → {proposal['target']} {waits}"
        return Said("needs-person", f"{incident['incident']}: {asked}; {_out(state)}, {since}")
    if incident["state"] == "halted":
        return Said("needs-person", f"{named}: nothing further begins before a person says how it goes on; {_out(state)}, {since}")
    suspected = next((alarm for alarm in state["alarms"] if alarm["region"] == state["serving"]), None)
    if incident["state"] in _WAY_HOME and suspected is not None:
        needs = f"{incident['incident']}'s way home needs it"
        return Said("failed", f"{state['serving']}, which serves, is suspected: {suspected['reason']}; {needs}; {_out(state)}")
    if incident["state"] == "recovered":
        out = _lacking(state)
        if out:
            return Said("failed", f"{named}, but {_out(state)}")
        return Said("done", f"{incident['incident']}: {state['serving']} serves everything; {incident['source']} is not its replica yet")
    return Said("running", f"{named}: {way}; {_out(state)}, {since}")


def _dismissed(state: State, alarm: Mapping[str, Any]) -> str:
    if alarm["region"] not in state.get("dismissed", ()):
        return ""
    return "; people decided against acting on this: it opens nothing by itself until it clears (`holdfast declare` does)"


def _calm(state: State, now: float) -> Said:
    alarms = state["alarms"]
    if alarms:
        first = alarms[0]
        lasting = duration(max(now - first["since_seconds"], 0.0))
        out = f"; {_out(state)}" if _lacking(state) else ""
        said = f"{first['region']} is suspected ({first['trigger']}, for {lasting}): {first['reason']}{out}{_dismissed(state, first)}"
        return Said("failed" if out else "unknown", said)
    lacking = _lacking(state)
    if lacking:
        return Said("failed", f"{_out(state)}; no trigger of the plan holds, so nothing is opened by itself")
    heard = state["watching"]["observers"]
    epoch = f"{state['serving']} writes under epoch {state['era']}.{state['epoch']}"
    if not heard or all(age > 5.0 for age in heard.values()):
        return Said("unknown", f"no observer answers; as far as is known {epoch}")
    unseen = [function["name"] for function in state["functions"] if function["health"] == "unknown"]
    if unseen:
        return Said("unknown", f"nobody can say whether clients are served by {', '.join(unseen)}; no incident")
    return Said("done", f"all {len(state['functions'])} functions are served; {epoch}; no incident")


def _lacking(state: State) -> list[Mapping[str, Any]]:
    return [function for function in state["functions"] if function["health"] in ("down", "degraded")]


def _out(state: State) -> str:
    """`3 of 5 functions out`, or which one."""
    lacking = _lacking(state)
    if not lacking:
        unknown = sum(function["health"] == "unknown" for function in state["functions"])
        return f"{unknown} of {len(state['functions'])} functions unknown" if unknown else "every function is served"
    if len(lacking) == 1:
        return f"{lacking[0]['name']} is {lacking[0]['health']}"
    return f"{len(lacking)} of {len(state['functions'])} functions out"
