"""PagerDuty, Events API v2: one alert an incident, triggered, updated and resolved under one `dedup_key`.

Rules: the key is made of the incident, never of the message, so that a repeat, an update or a second controller joins the alert that is
there; an update is a trigger again (PagerDuty logs it under the alert and pages nobody twice). What is too long is cut where the
interface would refuse it. Acknowledgements come back another way: this sends.
"""

import json
from typing import Any

from holdfast.ports.notifier import Notification, Purpose, Repeats
from holdfast.ports.post import Answer, Post, Secret, accepted, check_mark

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_CHARACTERS = 1024
KEY_CHARACTERS = 255
PAYLOAD_BYTES = 500_000
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
        content = json.dumps(event(notification, self._routing_key, self._source), ensure_ascii=False).encode()
        answer = await self._post(self._url, {"content-type": "application/json"}, content)
        accepted("PagerDuty", answer, _explanation(answer))
        return f"pagerduty:{dedup_key(notification)}"


def dedup_key(notification: Notification) -> str:
    """The same for every message about one incident."""
    return f"holdfast/{notification.incident}"[:KEY_CHARACTERS]


def event(notification: Notification, routing_key: Secret, source: str) -> dict[str, Any]:
    """The event for a message."""
    resolves = notification.purpose is Purpose.RESOLVED
    made: dict[str, Any] = {
        "routing_key": routing_key.value,
        "event_action": "resolve" if resolves else "trigger",
        "dedup_key": dedup_key(notification),
    }
    body = notification.body
    if len(body.encode()) > PAYLOAD_BYTES // 4:
        body = body.encode()[: PAYLOAD_BYTES // 4].decode(errors="ignore") + "…"
    details = {"message": notification.message, "key": notification.key, "body": body, **notification.facts}
    if len(json.dumps(details).encode()) > PAYLOAD_BYTES:
        details = {"message": notification.message, "key": notification.key, "body": body}
    made["payload"] = {
        "summary": notification.subject[:SUMMARY_CHARACTERS],
        "source": source,
        "severity": SEVERITIES.get(notification.severity or "", "critical"),
        "custom_details": details,
    }
    if notification.acknowledge_url:
        made["links"] = [{"href": notification.acknowledge_url, "text": "Say that you are on it"}]
    return made


def _explanation(answer: Answer) -> str:
    try:
        said = json.loads(answer.body)
        return f"{said.get('message', '')} {'; '.join(map(str, said.get('errors', ())))}".strip()[:300]
    except (ValueError, AttributeError, TypeError):
        return ""
