"""A message of the plan with its fields filled from an incident's facts: subject, body and a short form.

Rules: what is not known is said to be not known; moments stand in the plan's zone with their offset; an exercise says so in the
subject, the short form and on the first line of the body, with its clock's scale. The fields are a closed list (`plan.wordlists`), held by
the loader. Words that a message doesn't have itself come from its template.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from holdfast.communications.facts import IncidentFacts
from holdfast.communications.obligations import message_of
from holdfast.communications.oncall import zone_of
from holdfast.plan.model import Plan, Words
from holdfast.plan.texts import NotKnown, fill
from holdfast.plan.tiers import Cost, cost_so_far
from holdfast.plan.values import spoken_duration

EXERCISE = "EXERCISE"
SHORT_CHARACTERS = 320
"""Two text messages: what a short form may be long."""
_NOT_KNOWN = NotKnown("not known yet")


def rendered(plan: Plan, scenario: str, message: str, facts: IncidentFacts, now: float) -> tuple[str, str]:
    """Subject (one line) and body of a message as it stands at `now`."""
    words = filled_words(words_of(plan, message), field_values(plan, scenario, facts, now), facts)
    return words.subject, words.body


def words_of(plan: Plan, rule: str) -> Words:
    """The words of a rule's message as the plan writes them; the facts alone where the plan doesn't have it any more."""
    message = message_of(plan, rule)
    return Words(f"{rule} ({{incident}})", "{state}\n") if message is None else plan.words_of(rule, message)


def filled_words(words: Words, values: dict[str, str], facts: IncidentFacts) -> Words:
    """Words with their fields filled in, marked where it is an exercise. Raises ValueError for a template with faults."""
    subject = _one_line(fill(words.subject, values))
    body = fill(words.body, values).rstrip("\n") + "\n"
    short = _one_line(fill(words.short, values)) if words.short else subject
    return marked(Words(subject, body, short), facts)


def marked(words: Words, facts: IncidentFacts) -> Words:
    """The same, saying that it is an exercise where it is one."""
    if facts.exercise is None:
        return replace(words, short=_shortened(words.short))
    fast = "" if facts.clock.scale == 1 else f" Its clock runs {facts.clock.scale:g} times as fast, and so do the times below."
    return rehearsed(words, facts.exercise, fast)


def rehearsed(words: Words, exercise: str, more: str = "") -> Words:
    """Words of an exercise, saying so in all three. `more` follows the sentence that says it."""
    first = f"{EXERCISE} {exercise}: this is practice, nothing below is real.{more}"
    short = _shortened(f"{EXERCISE}: {words.short}") if words.short else ""
    return Words(f"{EXERCISE}: {words.subject}", f"{first}\n\n{words.body}", short)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortened(text: str) -> str:
    return text if len(text) <= SHORT_CHARACTERS else text[: SHORT_CHARACTERS - 1] + "…"


def field_values(plan: Plan, scenario: str, facts: IncidentFacts, now: float) -> dict[str, str]:
    """Text of every field that messages may use, on the plan's clock."""
    facts, now = _on_the_plans_clock(facts, now)
    when = _moments(plan.timezone)
    names = [plan.functions[name].name if name in plan.functions else name for name in facts.functions]
    person = plan.people.get(facts.commander) if facts.commander else None
    end = now if facts.restored_seconds is None else facts.restored_seconds
    cost = cost_so_far(plan, end - facts.started_seconds)
    tier = cost.tier
    return {
        "incident": facts.incident,
        "plan": plan.name,
        "scenario": plan.scenarios[scenario].name,
        "severity": facts.severity or NotKnown("severity not known yet"),
        "functions": ", ".join(names) or _NOT_KNOWN,
        "started": when(facts.started_seconds),
        "elapsed": spoken_duration(max(0.0, now - facts.started_seconds)),
        "commander": (facts.commander or NotKnown("nobody yet")) if person is None else person.name,
        "source": facts.source,
        "target": facts.target,
        "state": facts.state,
        "status": facts.status,
        "actions_taken": "; ".join(facts.actions_taken) or NotKnown("nothing yet"),
        "next_steps": "; ".join(facts.next_steps) or _NOT_KNOWN,
        "expected_back": _expected_back(plan, scenario, facts, now, when),
        "cost": _NOT_KNOWN if facts.cost_usd is None else f"{facts.cost_usd:,.0f} USD",
        "restored": _NOT_KNOWN if facts.restored_seconds is None else when(facts.restored_seconds),
        "duration": spoken_duration(max(0.0, end - facts.started_seconds)),
        "cause": facts.cause or _NOT_KNOWN,
        "report": facts.report or NotKnown("follows"),
        "timestamp": when(now),
        "next_update": _next_update(plan, facts, now, when),
        "impact": _impact(names, cost),
        "customer_impact": _NOT_KNOWN if tier is None else tier.customer_impact,
        "regulatory_risk": _NOT_KNOWN if tier is None else tier.regulatory_risk,
        "workarounds": _workarounds(plan, facts),
        "integrations": _integrations(plan, facts),
        "needs": "; ".join(facts.needs) or NotKnown("nothing"),
        "war_room": "#" + war_room(plan, facts),
        "status_page": _status_page(plan),
    }


def war_room(plan: Plan, facts: IncidentFacts) -> str:
    """Name of the incident's channel for those who work on it, without the sign before it."""
    stamp = datetime.fromtimestamp(facts.started_seconds, UTC).strftime("%Y%m%d-%H%M%S")
    return plan.war_room.replace("{timestamp}", stamp).replace("{incident}", facts.incident).lower()


def _on_the_plans_clock(facts: IncidentFacts, now: float) -> tuple[IncidentFacts, float]:
    clock, start, back = facts.clock, facts.started_seconds, facts.expected_back
    if clock.scale == 1:
        return facts, now

    def shown(at_seconds: float | None) -> float | None:
        return None if at_seconds is None else clock.plan_moment(start, at_seconds)

    changed = replace(
        facts,
        restored_seconds=shown(facts.restored_seconds),
        expected_back=None if back is None else replace(back, at_seconds=clock.plan_moment(start, back.at_seconds)),
        aware_seconds=shown(facts.aware_seconds),
    )
    return changed, clock.plan_moment(start, now)


def _impact(names: list[str], cost: Cost) -> str:
    said = [f"{', '.join(names)} hit"] if names else []
    costs = f"revenue {'at least ' if cost.at_least else ''}{cost.usd:,.0f} USD"
    if cost.tier is not None:
        said.append(f"{costs}, customers {cost.tier.customer_impact}, regulatory risk {cost.tier.regulatory_risk}")
    elif cost.at_least:
        said.append(costs)
    return "; ".join(said) or _NOT_KNOWN


def _workarounds(plan: Plan, facts: IncidentFacts) -> str:
    known = [plan.functions[name] for name in facts.functions if name in plan.functions]
    return "; ".join(f"{function.name}: {function.workaround}" for function in known if function.workaround) or NotKnown("none is known")


def _integrations(plan: Plan, facts: IncidentFacts) -> str:
    """How functions are that messages to outside circles are limited to: those are what partners stand on."""
    outside = {name for message in plan.messages.values() if "webhook" in message.channels for name in message.functions}
    said = []
    for name, function in plan.functions.items():
        if name in outside:
            hit = name in facts.functions
            said.append(f"{function.name} {'works again' if hit and facts.restored_seconds else 'impaired' if hit else 'works'}")
    return "; ".join(said) or _NOT_KNOWN


def _status_page(plan: Plan) -> str:
    route = plan.routes.get("status-page")
    return (route.address if route is not None else None) or _NOT_KNOWN


def _next_update(plan: Plan, facts: IncidentFacts, now: float, when: Callable[[float], str]) -> str:
    if facts.restored_seconds is not None:
        return NotKnown("none: service is back")
    every = min((message.every for message in plan.messages.values() if message.every), default=None)
    if every is None:
        return _NOT_KNOWN
    return when(facts.started_seconds + every * (int(max(0.0, now - facts.started_seconds) // every) + 1))


def _expected_back(plan: Plan, scenario: str, facts: IncidentFacts, now: float, when: Callable[[float], str]) -> str:
    """The caller's forecast with what it rests on, or else the plan's own end while that is still ahead."""
    if facts.restored_seconds is not None:
        return when(facts.restored_seconds)
    forecast = facts.expected_back
    if forecast is not None and not math.isinf(forecast.at_seconds):
        at = when(forecast.at_seconds)
        if forecast.not_before:
            return NotKnown(f"not known yet, but not before {at}")
        return f"{at} by the plan" if forecast.by_plan else f"{at}, by what earlier runs took"
    by_plan = facts.started_seconds + max(phase.window[1] for phase in plan.scenarios[scenario].phases)
    return f"{when(by_plan)} by the plan" if now < by_plan < math.inf else _NOT_KNOWN


def _moments(timezone: str) -> Callable[[float], str]:
    zone = zone_of(timezone)
    return lambda at_seconds: datetime.fromtimestamp(at_seconds, zone).isoformat(sep=" ", timespec="seconds")
