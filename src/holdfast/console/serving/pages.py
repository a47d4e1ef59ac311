"""The pages: what people see of an incident, written by the server, usable without a script and on a narrow phone.

Rules: the first line is the one thing that matters; state is colour, icon and word. All text goes through Jinja2's escaping. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from holdfast.console.asked import asked
from holdfast.console.headline import Said
from holdfast.console.view import Heard, view
from holdfast.report.wording import duration, time_of_day

REFRESH_SECONDS = 10
_ICONS = {"done": "✓", "running": "▶", "needs-person": "⏸", "failed": "✕", "unknown": "?", "plain": ""}
_ENDED = ("closed", "stood-down", "turned-back")
_STEPS = {"running": "running", "done": "done", "succeeded": "done", "settled": "done", "needs-person": "needs-person", "failed": "failed"}


@cache
def _environment() -> Environment:
    loader = PackageLoader("holdfast.console.serving", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def shown(said: Said) -> dict[str, str]:
    """A sentence with its icon."""
    return {"state": said.state, "text": said.text, "icon": _ICONS[said.state]}


def page(name: str, title: str, *, exercise: bool = False, refresh: int | None = None, **facts: Any) -> str:
    """One page of HTML."""
    return _environment().get_template(name).render(title=title, exercise=exercise, refresh=refresh, **facts)


def is_open(state: Mapping[str, Any]) -> bool:
    """Whether an incident is conducted now."""
    return state["incident"] is not None and state["incident"]["state"] not in _ENDED


def must_accept(proposal: Mapping[str, Any]) -> bool:
    """Whether somebody still has to accept the loss by name."""
    known_small = proposal["loss_bound_seconds"] is not None and not proposal["above_rpo"]
    return not known_small and not any(given["accepts_loss"] for given in proposal["approvals"])


def loss_said(proposal: Mapping[str, Any]) -> Said:
    """What the approver must know first."""
    bound, count = proposal["loss_bound_seconds"], proposal["estimated_writes"]
    if bound is None:
        return Said("unknown", "unknown: nobody can bound it")
    if bound == 0:
        return Said("done", "nothing")
    estimate = f" (an estimated {count} writes)" if count else ""
    above = ", above the RPO" if proposal["above_rpo"] else ""
    return Said("failed" if above else "done", f"at most the last {duration(bound)} of acknowledged writes{estimate}{above}")


def proposal_facts(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of a proposal needs."""
    proposal = state["incident"]["proposal"] if is_open(state) else None
    if proposal is None:
        return {"proposal": None, "loss": None, "must_accept": False, "until": ""}
    until = time_of_day(proposal["expires_seconds"], state.get("timezone", "UTC"))
    return {"proposal": proposal, "loss": shown(loss_said(proposal)), "must_accept": must_accept(proposal), "until": until}


def incident_page(
    state: Mapping[str, Any], now: float, *, person: str, word: str, once: str, may_approve: bool, told: Said | None = None
) -> str:
    """The incident as this person may see and answer it."""
    seen = view(Heard(state), now)
    incident = state["incident"]
    open_now = is_open(state)
    unconfirmed = open_now and incident["state"] == "declared" and str(incident["trigger"]).startswith("signal:")
    return page(
        "incident.html.j2",
        seen.headline.text,
        exercise=seen.exercise,
        refresh=None if may_approve or unconfirmed else REFRESH_SECONDS,
        first=shown(seen.headline),
        told=None if told is None else shown(told),
        as_of=seen.as_of,
        why=[shown(one) for one in asked(state)],
        incident=incident,
        ended=not open_now,
        unconfirmed=unconfirmed,
        person=person,
        word=word,
        once=once,
        may_approve=may_approve,
        acting=[shown(one) for one in seen.acting],
        doing=[{**asdict(step), "icon": _ICONS[step.state]} for step in seen.doing],
        steps=_steps(incident["steps"] if open_now else ()),
        clocks=[
            {**asdict(clock), "icon": _ICONS[clock.state], "out": "" if clock.out_seconds is None else duration(clock.out_seconds)}
            for clock in seen.clocks
        ],
        next_command=seen.next_command,
        **proposal_facts(state),
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    looks = [(step, _STEPS.get(step["state"], "unknown")) for step in steps]
    return [
        {"id": step["id"], "detail": step["detail"] or "", "word": step["state"].replace("-", " "), "look": look, "icon": _ICONS[look]}
        for step, look in looks
    ]
