"""PagerDuty, Events API v2: one alert an incident, triggered, updated and resolved under one `dedup_key`.

Rules: the key is made of the incident, never of the message, so that a repeat, an update or a second controller joins the alert that is
there; an update is a trigger again (PagerDuty logs it under the alert and pages nobody twice). A trigger after the resolution opens a new
alert: what must not be sent any more, whoever sends knows. What is too long is cut where the interface would refuse it.
Acknowledgements given in PagerDuty come back another way; one given elsewhere stops its paging. No link of one person's own stands in an
alert: all of a service's people read it.
"""

import json
from typing import Any

from holdfast.ports.notifier import Notification, Purpose, Repeats
from holdfast.ports.post import Answer, Post, Secret, accepted, check_mark

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_CHARACTERS = 1024
KEY_CHARACTERS = 255
DETAILS_BYTES = 400_000
ACTIONS = {Purpose.ACKNOWLEDGED: "acknowledge", Purpose.RESOLVED: "resolve"}
"""Everything else is a trigger."""
SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}


class PagerDutyNotifier:
    """One integration (its routing key) of one account. `source` names the installation that the alert comes from."""

    repeats = Repeats.DROPPED

    def __init__(self, routing_key: Secret, post: Post, source: str, url: str = EVENTS_URL) -> None:
        self._routing_key = routing_key
        self._post = post
        self._source = source
        self._url = url

    async def send(self, notification: Notification) -> str:
        """Returns `pagerduty:<dedup key>`."""
        check_mark(notification)
        content = json.dumps(event(notification, self._routing_key, self._source), ensure_ascii=False).encode("utf-8", "replace")
        answer = await self._post(self._url, {"content-type": "application/json"}, content)
        accepted("PagerDuty", answer, _explanation(answer))
        return f"pagerduty:{dedup_key(notification)}"


def dedup_key(notification: Notification) -> str:
    """The same for every message about one incident."""
    return f"holdfast/{notification.incident}"[:KEY_CHARACTERS]


def event(notification: Notification, routing_key: Secret, source: str) -> dict[str, Any]:
    """The event for a message. The interface takes at most 512 KB of it."""
    named: dict[str, Any] = {"routing_key": routing_key.value, "dedup_key": dedup_key(notification)}
    action = ACTIONS.get(notification.purpose)
    if action is not None:
        return {**named, "event_action": action}
    details = {**notification.facts, "message": notification.message, "key": notification.key, "body": notification.body}
    if len(json.dumps(details, ensure_ascii=False).encode()) > DETAILS_BYTES:
        details = {name: details[name] for name in ("message", "key")} | {"body": _cut(notification.body, DETAILS_BYTES // 2)}
    return {
        **named,
        "event_action": "trigger",
        "payload": {
            "summary": " ".join(notification.subject.split())[:SUMMARY_CHARACTERS] or notification.message,
            "source": source,
            "severity": SEVERITIES.get(notification.severity or "", "critical"),
            "custom_details": details,
        },
    }


def _cut(text: str, most_bytes: int) -> str:
    content = text.encode()
    return text if len(content) <= most_bytes else content[:most_bytes].decode(errors="ignore") + "…"


def _explanation(answer: Answer) -> str:
    try:
        said = json.loads(answer.body)
        return f"{said.get('message', '')} {'; '.join(map(str, said.get('errors', ())))}".strip()[:300]
    except (ValueError, AttributeError, TypeError):
        return ""
