"""Closed lists that a plan's messages are written with: channels and the `{fields}` of their texts."""

import re

CHANNELS = frozenset({"pagerduty", "slack", "email", "phone", "sms", "status-page", "in-app", "webhook"})
INSIDE_CHANNELS = ("pagerduty", "slack")
"""Channels whose one place only the company's own people look at: its pager, its war room."""

MESSAGE_FIELDS: dict[str, str] = {
    "incident": "identifier of the incident",
    "plan": "name of the plan",
    "scenario": "name of the scenario",
    "severity": "P1 to P4",
    "functions": "business functions that are hit",
    "started": "when the first function was hit",
    "elapsed": "time since then",
    "commander": "name of the incident commander",
    "source": "region that is being left",
    "target": "region that is to serve",
    "state": "what is going on, in a few words",
    "status": "what the status page says: investigating, identified, monitoring or resolved",
    "actions_taken": "what was done so far",
    "next_steps": "what follows",
    "expected_back": "when service is expected back",
    "cost": "revenue lost so far by the plan's tiers",
    "restored": "when service was back",
    "duration": "how long it took",
    "cause": "why it happened",
    "report": "where the report stands",
    "timestamp": "the moment of this message",
    "next_update": "when the next status update is due",
    "impact": "what it means: functions hit, the plan's tier for customers, regulators and revenue",
    "customer_impact": "what the plan's tier says about customers",
    "regulatory_risk": "what the plan's tier says about regulators",
    "workarounds": "what can be done meanwhile without the functions that are hit",
    "integrations": "how the functions that partners use are",
    "needs": "what is needed from people now",
    "war_room": "channel of those who work on it",
    "status_page": "address of the status page",
}

WAR_ROOM_FIELDS: dict[str, str] = {"timestamp": "the incident's start in UTC", "incident": "its identifier"}
"""Fields of the name of an incident's channel."""

_FIELD = re.compile(r"\{([^{}]*)\}")


def fields_of(text: str) -> tuple[str, ...]:
    """Names of the `{fields}` in a text, in order, known or not."""
    return tuple(match.group(1) for match in _FIELD.finditer(text))


def filled(text: str, values: dict[str, str]) -> str:
    """The text with every known `{field}` replaced; braces around anything else stay as they are."""
    return _FIELD.sub(lambda match: values.get(match.group(1), match.group(0)), text)
