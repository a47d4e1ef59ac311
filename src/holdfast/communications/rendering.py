"""A message of the plan with its `{fields}` filled from an incident's facts.

Rules: what is not known is said to be not known; moments stand in the plan's zone with their offset; an exercise says so in the
subject and on the first line of the body. The fields are a closed list (`plan.wordlists`), held by the loader.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.communications.facts import IncidentFacts
from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration
from holdfast.plan.wordlists import filled

EXERCISE = "EXERCISE"
_NOT_KNOWN = "not known yet"


def rendered(plan: Plan, scenario: str, message: str, facts: IncidentFacts, now: float) -> tuple[str, str]:
    """Subject (one line) and body of a message as it stands at `now`."""
    subject_words, body_words = plan.words_of(message)
    values = field_values(plan, scenario, facts, now)
    subject = " ".join(filled(subject_words, values).split())
    body = filled(body_words, values).rstrip("\n") + "\n"
    if facts.exercise is None:
        return subject, body
    return f"{EXERCISE}: {subject}", f"{EXERCISE} {facts.exercise}: this is practice, nothing below is real.\n\n{body}"


def field_values(plan: Plan, scenario: str, facts: IncidentFacts, now: float) -> dict[str, str]:
    """Text of every field that messages may use."""
    when = _moments(plan.timezone)
    names = [plan.functions[name].name if name in plan.functions else name for name in facts.functions]
    person = plan.people.get(facts.commander) if facts.commander else None
    end = now if facts.restored_seconds is None else facts.restored_seconds
    return {
        "incident": facts.incident,
        "plan": plan.name,
        "scenario": plan.scenarios[scenario].name,
        "severity": facts.severity or "severity not known yet",
        "functions": ", ".join(names) or _NOT_KNOWN,
        "started": when(facts.started_seconds),
        "elapsed": spoken_duration(max(0.0, now - facts.started_seconds)),
        "commander": facts.commander or "nobody yet" if person is None else person.name,
        "source": facts.source,
        "target": facts.target,
        "state": facts.state,
        "actions_taken": "; ".join(facts.actions_taken) or "nothing yet",
        "next_steps": "; ".join(facts.next_steps) or _NOT_KNOWN,
        "expected_back": _expected_back(plan, scenario, facts, now, when),
        "cost": _NOT_KNOWN if facts.cost_usd is None else f"{facts.cost_usd:,.0f} USD",
        "restored": _NOT_KNOWN if facts.restored_seconds is None else when(facts.restored_seconds),
        "duration": spoken_duration(max(0.0, end - facts.started_seconds)),
        "cause": facts.cause or _NOT_KNOWN,
        "report": facts.report or "follows",
    }


def _expected_back(plan: Plan, scenario: str, facts: IncidentFacts, now: float, when: Callable[[float], str]) -> str:
    """The caller's forecast, or else the plan's own end while that is still ahead."""
    if facts.restored_seconds is not None:
        return when(facts.restored_seconds)
    if facts.expected_back_seconds is not None:
        return when(facts.expected_back_seconds)
    by_plan = facts.started_seconds + max(phase.window[1] for phase in plan.scenarios[scenario].phases)
    return f"{when(by_plan)} by the plan" if now < by_plan < math.inf else _NOT_KNOWN


def _moments(timezone: str) -> Callable[[float], str]:
    zone: tzinfo
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a machine without a time zone database: the offset still says what is meant
        zone = UTC
    return lambda at_seconds: datetime.fromtimestamp(at_seconds, zone).isoformat(sep=" ", timespec="seconds")
