"""What a live view shows at one moment, as data: the read model and how old it is in, everything that people read out.

Pure: (what was heard, now) → View. Rules of the house's look: the one thing that matters first, the next action as a command last; a
state is a word (done, running, needs-person, failed, unknown), colour comes later and never alone. When the controller doesn't answer,
what it said last is shown as that and nothing is called up: everything is *unknown* until it answers again.
Never here: how wide a column is (`frame`), or what a terminal understands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.console.headline import headline
from holdfast.console.protecting import protection
from holdfast.console.said import Said
from holdfast.report.clock import verdict as clock_verdict
from holdfast.report.wording import duration, offset_of, time_of_day

WAITING_SECONDS = 5.0
"""An object that waits to be copied for less is just on its way."""
STALE_SECONDS = 30.0
"""Older knowledge is shown as stale, whatever it said."""

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the controller said last, if ever, and since when it says nothing. Seconds of the viewer's own clock."""

    state: State | None
    age_seconds: float = 0.0
    silent_seconds: float | None = None
    """None while it answers."""
    why_silent: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """How one component or agent stands on one side."""

    state: str
    text: str
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One component on both sides, with the link between them: `arrow` points to the side that follows (left, right or none)."""

    title: str
    left: Thing
    link: str
    arrow: str
    right: Thing

    @property
    def well(self) -> bool:
        """Whether both sides are as they should be."""
        return self.left.state == self.right.state == "done"


@dataclass(frozen=True, slots=True)
class Clock:
    """One function: how it is, how long it has been out of how much, and when it is expected back."""

    name: str
    priority: str
    state: str
    word: str
    out_seconds: float | None
    target_seconds: float
    verdict: str
    """in time, at risk, over, or empty where nothing was out."""
    verdict_state: str
    forecast: str


@dataclass(frozen=True, slots=True)
class Doing:
    """A step that is being carried out or waits."""

    state: str
    step: str
    summary: str
    seconds: float | None
    limit_seconds: float


@dataclass(frozen=True, slots=True)
class View:
    """One moment. `sides`: names of the regions with what they are, left and right, never swapped."""

    answering: bool
    as_of: str
    age_seconds: float | None
    exercise: bool
    headline: Said
    sides: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = ()
    clocks: tuple[Clock, ...] = ()
    doing: tuple[Doing, ...] = ()
    then: tuple[str, ...] = ()
    loss: Said | None = None
    losses: tuple[Said, ...] = ()
    """What each component that keeps data may lose now."""
    protection: tuple[Said, ...] = ()
    """What isn't known to be protected, where the installation replicates synchronously."""
    observers: Said | None = None
    acting: tuple[Said, ...] = ()
    next_command: str = "holdfast status"


def view(heard: Heard, now: float, zone: str = "UTC") -> View:
    """What to show. `now`: the viewer's wall clock, for saying since when the controller is silent."""
    state = heard.state
    if state is None:
        since = _time(now - (heard.silent_seconds or 0.0), zone)
        text = f"the controller doesn't answer (since {since}, {duration(heard.silent_seconds or 0.0)}); nothing is known yet"
        return View(False, "never", None, False, Said("unknown", text), next_command="holdfast run PLAN")
    # While it is silent its clock stands still here: that a function is still out would be a guess.
    moment = state["now_seconds"] + (heard.age_seconds if heard.silent_seconds is None else 0.0)
    zone = state.get("timezone", "UTC")
    shown = View(
        answering=heard.silent_seconds is None,
        as_of=_time(state["now_seconds"], zone, offset=True),
        age_seconds=heard.age_seconds,
        exercise=_is_exercise(state),
        headline=headline(state, moment),
        sides=tuple((_region(side), _side(side)) for side in state["sides"]),
        rows=_rows(state, heard.age_seconds),
        clocks=tuple(_clock(function, moment, zone) for function in state["functions"]),
        doing=_doing(state, moment),
        then=_then(state),
        loss=_loss(state),
        losses=tuple(_component_loss(loss) for loss in state["loss"].get("components", ())),
        protection=protection(state, moment),
        observers=_observers(state),
        acting=tuple(_acting(entry, moment, zone) for entry in state["acting"]),
        next_command=next_command(state),
    )
    return shown if heard.silent_seconds is None else _silent(shown, heard, zone)


def next_command(state: State) -> str:
    """What to do next, ready to be pasted."""
    acting = state["acting"]
    if acting:
        return str(acting[0]["command"])
    if state.get("by_hand"):
        return str(state["by_hand"])
    return "holdfast status" if state["incident"] is None else "holdfast journal show"


def _silent(shown: View, heard: Heard, zone: str) -> View:
    """The last that was known, called so: nothing in it is proof of anything now."""
    silent = heard.silent_seconds or 0.0
    text = f"the controller has not answered for {duration(silent)}; below is what it said last, at {shown.as_of}"
    rows = tuple(Row(row.title, _stale(row.left), row.link, row.arrow, _stale(row.right)) for row in shown.rows)
    clocks = tuple(
        Clock(clock.name, clock.priority, "unknown", f"was {clock.word}", clock.out_seconds, clock.target_seconds, "", "unknown", "unknown")
        for clock in shown.clocks
    )
    doing = tuple(Doing("unknown", step.step, step.summary, None, step.limit_seconds) for step in shown.doing)
    return View(
        answering=False,
        as_of=shown.as_of,
        age_seconds=shown.age_seconds,
        exercise=shown.exercise,
        headline=Said("unknown", text),
        sides=shown.sides,
        rows=rows,
        clocks=clocks,
        doing=doing,
        then=(),
        loss=Said("unknown", "what may be lost is unknown"),
        observers=Said("unknown", f"it said last: {shown.headline.text}"),
        acting=(),
        next_command="holdfast run PLAN",
    )


def _stale(thing: Thing) -> Thing:
    return Thing("unknown", f"was {thing.text}" if thing.state != "unknown" else thing.text, thing.age_seconds)


def _time(at_seconds: float, zone: str, *, offset: bool = False) -> str:
    return time_of_day(at_seconds, zone) if not offset else f"{time_of_day(at_seconds, zone)} {offset_of(at_seconds, zone)}"


def _is_exercise(state: State) -> bool:
    incident = state["incident"]
    if incident is not None and incident["state"] not in ("closed", "stood-down"):
        return bool(incident["kind"] == "exercise")
    return state["exercise"] is not None


def _region(side: Mapping[str, Any]) -> str:
    return f"{side['region']} ({'primary' if side['role'] == 'primary' else 'DR'})"


def _side(side: Mapping[str, Any]) -> str:
    score = "score unknown" if side["score"] is None else f"score {side['score']:.0f}"
    return f"writes, {score}" if side["serves"] else score


def _rows(state: State, older_seconds: float) -> tuple[Row, ...]:
    left, right = state["sides"][0], state["sides"][1]
    things: dict[tuple[str, str], list[Mapping[str, Any] | None]] = {}
    for column, side in enumerate((left, right)):
        for thing in side["things"]:
            things.setdefault((thing["subject"], thing["name"]), [None, None])[column] = thing
    links = {link["component"]: link for link in state["links"]}
    rows = []
    for (_, name), (on_left, on_right) in things.items():
        link = links.get(name)
        arrow = "" if link is None else "right" if link["to"] == right["region"] else "left"
        title = str((on_left or on_right or {})["title"])
        rows.append(Row(title, _thing(on_left, older_seconds), _link(link), arrow, _thing(on_right, older_seconds)))
    return (_zones_row(left, right), *rows) if left.get("zones") or right.get("zones") else tuple(rows)


def _zones_row(left: Mapping[str, Any], right: Mapping[str, Any]) -> Row:
    return Row("Zones", _zones(left), "", "", _zones(right))


def _zones(side: Mapping[str, Any]) -> Thing:
    zones: Sequence[Mapping[str, Any]] = side.get("zones") or ()
    if not zones:
        return Thing("unknown", "not watched", None)
    states = [_HEALTH.get(str(zone["health"]), "unknown") for zone in zones]
    worst = next((word for word in ("failed", "unknown") if word in states), "done")
    return Thing(worst, " ".join(f"{zone['zone'].removeprefix(side['region']) or zone['zone']}:{zone['health']}" for zone in zones), None)


_HEALTH = {"up": "done", "degraded": "failed", "down": "failed", "unknown": "unknown"}


def _thing(thing: Mapping[str, Any] | None, older_seconds: float) -> Thing:
    if thing is None:
        return Thing("unknown", "not seen yet", None)
    health, role = thing["health"], thing["role"]
    state = _HEALTH[health]
    text = ", ".join(word for word in ("" if role and health == "up" else health, role) if word)
    if thing["lease_remaining_seconds"] is not None and health == "up":
        text = f"{role}, lease {duration(max(thing['lease_remaining_seconds'], 0.0))}"
    return Thing(state, text, None if thing["age_seconds"] is None else thing["age_seconds"] + older_seconds)


def _link(link: Mapping[str, Any] | None) -> str:
    if link is None:
        return ""
    if link["follows"] is None:
        return "lag unknown"
    if not link["follows"]:
        return "doesn't follow"
    backlog = link.get("backlog")
    if link["lag_seconds"] is None:
        return "lag unknown"
    if backlog and backlog["oldest_seconds"] > WAITING_SECONDS:
        return f"{duration(link['lag_seconds'])}, {backlog['objects']} wait"  # as many words as the narrowest frame has room for
    return f"{duration(link['lag_seconds'])} behind"


def _clock(function: Mapping[str, Any], now: float, zone: str) -> Clock:
    since, back, target = function["out_since_seconds"], function["back_seconds"], function["rto_seconds"]
    out = None if since is None else max((now if back is None else back) - since, 0.0)
    word = function["health"]
    state = _HEALTH[word]
    verdict, verdict_state = "", state
    if out is not None:
        expected = function["expected_back"]
        ahead = None if expected is None else expected["at_seconds"] - since
        verdict, verdict_state = clock_verdict(out, target, back=back is not None, expected_seconds=ahead)
    if since is None:
        forecast = function["reason"] if word != "up" else f"served from {function['served_from']}" if function["served_from"] else ""
    elif back is not None:
        forecast = f"back since {_time(back, zone)}"
    else:
        forecast = _forecast(function["expected_back"], now, zone)
    return Clock(function["name"], function["priority"], state, word, out, target, verdict, verdict_state, forecast)


def _forecast(expected: Mapping[str, Any] | None, now: float, zone: str) -> str:
    if expected is None:
        return "unknown: no run is under way"
    ahead = max(expected["at_seconds"] - now, 0.0)
    at = _time(expected["at_seconds"], zone)
    at = at[:5] if ahead >= 600.0 else at
    if expected["not_before"]:
        return f"after {at}"
    return f"{at}, in {duration(ahead)}" if expected["rests_on"] == "earlier runs" else f"by plan {at}"


_DOING = {"running": "running", "unsettled": "unknown", "try-again": "running", "needs-person": "needs-person"}


def _doing(state: State, now: float) -> tuple[Doing, ...]:
    incident = state["incident"]
    steps = incident["steps"] if incident is not None else []
    found = []
    for step in steps:
        word = _DOING.get(step["state"])
        if word is None:
            continue
        started = step["started_seconds"]
        said = step["detail"] if word == "needs-person" and step["detail"] else step.get("summary", "")
        if step["state"] == "try-again" and step["detail"]:
            said = f"not yet, tried again: {step['detail']}"
        found.append(Doing(word, step["id"], said, None if started is None else max(now - started, 0.0), step.get("limit_seconds", 0.0)))
    return tuple(found)


def _then(state: State) -> tuple[str, ...]:
    """What the end hangs on, after what is under way."""
    if state["forecast"] is None:
        return ()
    pending = {step["id"] for step in state["incident"]["steps"] if step["state"] == "pending" and step["block"] != "approve"}
    return tuple(step for step in state["forecast"]["chain"] if step in pending)


def _loss(state: State) -> Said:
    incident = state["incident"]
    run = incident["run"] if incident is not None else None
    decided = incident["decided"].get(run) if incident is not None else None
    asked = decided or (incident["proposal"] if incident is not None else None)
    what = "what was approved" if decided else "what is proposed" if asked else "a failover now"
    bound = asked["loss_bound_seconds"] if asked else state["loss"]["bound_seconds"]
    if bound is None:
        return Said("unknown", f"what {'it' if asked else what} may lose is unknown: nobody can bound it")
    if bound == 0:
        return Said("done", f"{what} loses nothing")
    smallest = min(function["rpo_seconds"] for function in state["functions"])
    above = f", above the RPO of {duration(smallest)}" if bound > smallest else ""
    return Said("failed" if above else "done", f"{what} may lose at most the last {duration(bound)} of acknowledged writes{above}")


def _component_loss(loss: Mapping[str, Any]) -> Said:
    bound, rpo, title = loss["bound_seconds"], loss["rpo_seconds"], loss["title"]
    if bound is None:
        return Said("unknown", f"{title} unknown")
    if rpo is not None and bound > rpo:
        return Said("failed", f"{title} {duration(bound)}, above its RPO of {duration(rpo)}")
    return Said("done", f"{title} {duration(bound)}")


def _observers(state: State) -> Said:
    heard: Mapping[str, float] = state["watching"]["observers"]
    silent = sorted(site for site, age in heard.items() if age > 5.0)
    missing = sorted(set(state.get("observers_configured", heard)) - set(heard))
    if not heard:
        return Said("unknown", "no observer was heard yet")
    if silent or missing:
        named = [*(f"{site} silent for {duration(heard[site])}" for site in silent), *(f"{site} never heard" for site in missing)]
        return Said("unknown", f"observers: {', '.join(named)}")
    return Said("done", f"{len(heard)} observers answer")


def _acting(entry: Mapping[str, Any], now: float, zone: str) -> Said:
    names = [f"{person['name']} ({person['role'].replace('-', ' ')})" for person in entry["who"]]
    who = f"{entry['needed']} of {', '.join(names)}" if entry["needed"] > 1 else " or ".join(names[:3]) or "nobody of the plan"
    by = entry["by_seconds"]
    until = "" if by is None else f" by {_time(by, zone)}, in {duration(max(by - now, 0.0))}"
    return Said("needs-person", f"{who} must {entry['what']}{until}")
