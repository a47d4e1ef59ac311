"""The pages: what people see of an incident, written by the server, usable without a script and on a narrow phone.

Rules: the first line is the one thing that matters; state is colour, icon and word. All text goes through Jinja2's escaping. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from holdfast.console.asked import asked
from holdfast.console.said import Said
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


def page(name: str, title: str, **facts: Any) -> str:
    """One page of HTML. `look`: dark, or system (by the reader's own wish). `refresh`: seconds until it loads itself again without a
    script. `live`: whether a script shows what changes."""
    usual = {"exercise": False, "refresh": None, "live": False, "look": "system"}
    return _environment().get_template(name).render({**usual, **facts, "title": title})


def static(name: str) -> str:
    """A file that pages load."""
    return (files("holdfast.console.serving") / "static" / name).read_text(encoding="utf-8")


def refusal_page(status: int, text: str) -> str:
    """What a person is told who can't be let in or answered."""
    titles = {404: "There is nothing here", 410: "This is void now", 429: "Too much at once", 500: "This failed", 503: "Nobody answers"}
    return page("refused.html.j2", titles.get(status, "Not done"), text=text)


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


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks at an incident. `word`: what their session's forms repeat. `once`: makes an answer from this very page one answer."""

    person: str
    word: str
    once: str
    may_approve: bool


def incident_page(state: Mapping[str, Any], now: float, seen_by: Onlooker, told: Said | None = None) -> str:
    """The incident as this person may see and answer it."""
    facts = _incident_facts(state, now, seen_by)
    types_something = seen_by.may_approve or facts["unconfirmed"]
    refresh = None if types_something else REFRESH_SECONDS
    return page("incident.html.j2", facts.pop("title"), **facts, told=None if told is None else shown(told), refresh=refresh, live=True)


def incident_pieces(state: Mapping[str, Any], now: float, seen_by: Onlooker) -> dict[str, Any]:
    """The same in pieces, for a page that is open. `key`: another one when something else is asked; `state`: when something else is so."""
    facts = _incident_facts(state, now, seen_by)
    pieces = {name: _environment().get_template(f"{name}.html.j2").render(facts) for name in ("now", "ask", "rest")}
    exercise = bool(facts["exercise"])
    now_so = _digest([facts["key"], facts["first"]["state"], facts["told_states"], state.get("broken_glass")])
    title = f"EXERCISE: {facts['title']}" if exercise else facts["title"]
    return {**pieces, "title": title, "exercise": exercise, "key": facts["key"], "state": now_so}


def _incident_facts(state: Mapping[str, Any], now: float, seen_by: Onlooker) -> dict[str, Any]:
    seen = view(Heard(state), now)
    incident = state["incident"]
    open_now = is_open(state)
    unconfirmed = open_now and incident["waits_for_word"]
    facts = proposal_facts(state)
    steps = _steps(incident["steps"] if open_now else ())
    key = _digest([open_now and incident["incident"], unconfirmed, seen_by.may_approve, facts["proposal"]])
    return {
        "title": seen.headline.text,
        "look": "dark",
        "exercise": seen.exercise,
        "first": shown(seen.headline),
        "as_of": seen.as_of,
        "why": [shown(one) for one in asked(state)],
        "incident": incident,
        "ended": not open_now,
        "unconfirmed": unconfirmed,
        "person": seen_by.person,
        "word": seen_by.word,
        "once": seen_by.once,
        "may_approve": seen_by.may_approve,
        "acting": [shown(one) for one in seen.acting],
        "doing": [{**asdict(step), "icon": _ICONS[step.state]} for step in seen.doing],
        "steps": steps,
        "clocks": [
            {**asdict(clock), "icon": _ICONS[clock.state], "out": "" if clock.out_seconds is None else duration(clock.out_seconds)}
            for clock in seen.clocks
        ],
        "next_command": seen.next_command,
        "key": key,
        "told_states": [[step["id"], step["word"]] for step in steps] + [[clock.name, clock.word, clock.verdict] for clock in seen.clocks],
        **facts,
    }


def _digest(facts: object) -> str:
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _steps(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    looks = [(step, _STEPS.get(step["state"], "unknown")) for step in steps]
    return [
        {"id": step["id"], "detail": step["detail"] or "", "word": step["state"].replace("-", " "), "look": look, "icon": _ICONS[look]}
        for step, look in looks
    ]
