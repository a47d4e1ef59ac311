"""`holdfast status`: the one thing that matters, what stands behind it in one table at most, and the next command. Short on purpose.

What is done is counted, not listed (`--steps` lists everything); what waits for a person is listed with every way to go on.
"""

from typing import Annotated, Any

from cyclopts import Parameter

from holdfast.cli.output import OutputFormat, State, exercise_line, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, state_of

_STEP_STATES = {
    "succeeded": State.DONE,
    "running": State.RUNNING,
    "needs-person": State.NEEDS_PERSON,
    "skipped": State.NEEDS_PERSON,
    "other-way": State.RUNNING,
    "try-again": State.RUNNING,
    "unsettled": State.UNKNOWN,
}
_STATES = {
    "done": State.DONE,
    "running": State.RUNNING,
    "needs-person": State.NEEDS_PERSON,
    "failed": State.FAILED,
    "unknown": State.UNKNOWN,
}
_OPEN_ENDED = ("closed", "stood-down", "turned-back")


def status(
    *,
    steps: Annotated[bool, Parameter(name=["--steps"], negative="", help="List every step, those that are done too.")] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Say what serves, what is wrong, and who must act.

    Example: `holdfast status`
    """
    from holdfast.console.asked import PLAIN, asked
    from holdfast.console.copying import copies
    from holdfast.console.protecting import UNPROTECTED
    from holdfast.console.view import Heard, view

    now: dict[str, Any] = dict(state_of(controller_of(lab)))
    if output == "json":
        print_json(now)
        return
    out = screen()
    shown = view(Heard(now), now["now_seconds"])
    first = state_text(_STATES[shown.headline.state], shown.headline.text)
    out.print(exercise_line(first) if shown.exercise else first)
    for said in asked(now):
        out.print(said.text if said.state == PLAIN else state_text(_STATES[said.state], said.text), markup=False)
    for said in shown.protection:
        if said.state != UNPROTECTED:  # The first line says that already.
            out.print(state_text(_STATES[said.state], said.text))
    for who in shown.acting:
        out.print(state_text(State.NEEDS_PERSON, who.text))
    _print_zones(now["watching"].get("zones", []))
    incident = now["incident"]
    _print_behind(now, incident, steps, f", then {' → '.join(shown.then)}" if shown.then else "")
    calm = incident is None or incident["state"] in _OPEN_ENDED
    for said in copies(now):
        if calm or said.state != "done":
            out.print(state_text(_STATES[said.state], said.text))
    print_next(shown.next_command)


def _print_zones(zones: list[dict[str, Any]]) -> None:
    """Zones that are not known to be well, one a line; where a whole region is gone, the headline says so and its zones don't."""
    from holdfast.health.zones import zone_in_words

    there = {zone["region"] for zone in zones if zone["health"] in ("up", "degraded")}
    for zone in zones:
        if zone["region"] in there and zone["health"] in ("down", "unknown"):
            screen().print(state_text(State.FAILED if zone["health"] == "down" else State.UNKNOWN, zone_in_words(zone)))


def _print_behind(now: dict[str, Any], incident: dict[str, Any] | None, steps: bool, then: str) -> None:
    """The table: every way to go on where a step waits for a person, else where the run stands."""
    out = screen()
    if incident is None or (incident["state"] in _OPEN_ENDED and not steps):
        for alarm in now["alarms"][1:]:
            out.print(state_text(State.UNKNOWN, f"{alarm['region']}: {alarm['reason']}"))
        if incident is not None:
            ended = f"last: {incident['incident']} {incident['state'].replace('-', ' ')}"
            out.print(f"{ended}; `holdfast status --steps` lists what was done", markup=False)
        return
    waiting = next((step for step in incident["steps"] if step["state"] == "needs-person" and step.get("choices")), None)
    if waiting is not None and not steps:
        rows = [[choice["choice"], choice["says"], choice["command"]] for choice in waiting["choices"]]
        out.print(table(["choice", "what it means", "command"], rows, title=f"{waiting['id']} waits for a person:"))
        return
    listed = [step for step in incident["steps"] if steps or step["state"] not in ("succeeded", "pending")]
    if listed:
        rows = [[step["phase"], _named(step), _state(step), _took(step), step["detail"]] for step in listed]
        out.print(table(["phase", "step", "state", "took", "detail"], rows, numbers=["took"]))
    done = sum(step["state"] == "succeeded" for step in incident["steps"])
    if incident["steps"] and not steps:
        out.print(f"{done} of {len(incident['steps'])} steps done{then}; `--steps` lists them", markup=False)


def _state(step: dict[str, Any]) -> Any:
    known = _STEP_STATES.get(step["state"])
    word = "not yet, tried again" if step["state"] == "try-again" else step["state"].replace("-", " ")
    return "to come" if known is None else state_text(known, word)


def _named(step: dict[str, Any]) -> str:
    return f"{step['id']} (instead of {step['instead_of']})" if step.get("instead_of") else str(step["id"])


def _took(step: dict[str, Any]) -> str:
    from holdfast.report.wording import duration

    if step["started_seconds"] is None or step["ended_seconds"] is None:
        return ""
    return duration(step["ended_seconds"] - step["started_seconds"])
