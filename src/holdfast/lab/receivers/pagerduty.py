"""PagerDuty as its Events API v2 is published: what it refuses, and which alert an event opens, joins or closes.

Where the directory holds `pagerduty.presses` with lines `USER acknowledge`, each of these users acknowledges every alert once, and the
webhook that was bound (its address and secret) hears of it: version 3, signed as PagerDuty signs.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema

from holdfast.lab.receivers.callbacks import READING_SECONDS, Callback, Press, presses, send_later
from holdfast.lab.receivers.web import Reply

MOST_BYTES = 512 * 1024
_LINK = {"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}, "text": {"type": "string"}}}
_PAYLOAD = {
    "type": "object",
    "required": ["summary", "source", "severity"],
    "properties": {
        "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
        "source": {"type": "string", "minLength": 1},
        "severity": {"enum": ["critical", "error", "warning", "info"]},
        "timestamp": {"type": "string"},
        "component": {"type": "string"},
        "group": {"type": "string"},
        "class": {"type": "string"},
        "custom_details": {"type": "object"},
    },
    "additionalProperties": False,
}
EVENT = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "required": ["routing_key", "event_action"],
        "properties": {
            "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
            "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
            "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
            "payload": _PAYLOAD,
            "links": {"type": "array", "items": _LINK},
            "images": {"type": "array"},
            "client": {"type": "string"},
            "client_url": {"type": "string"},
        },
        "additionalProperties": False,
        "allOf": [
            {"if": {"properties": {"event_action": {"const": "trigger"}}}, "then": {"required": ["payload"]}},
            {"if": {"properties": {"event_action": {"enum": ["acknowledge", "resolve"]}}}, "then": {"required": ["dedup_key"]}},
        ],
    }
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook of version 3. `directory`: where it stands who acknowledges."""

    url: str
    secret: bytes
    directory: Path
    after_seconds: float = READING_SECONDS


class PagerDuty:
    """One service. `alerts`: the open ones by key, with their state."""

    def __init__(self, subscription: Subscription | None = None) -> None:
        self.alerts: dict[str, str] = {}
        self._subscription = subscription
        self._pressed: set[tuple[str, Press]] = set()

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One event; beside it is written what it did: `opened`, `joined`, `acknowledged`, `resolved` or `dropped`."""
        if len(body) > MOST_BYTES:
            return 413, {"status": "invalid event", "message": "Event object is too large"}, {"wrong": "larger than 512 KB"}
        event = json.loads(body)
        found = [f"{'.'.join(map(str, error.path))}: {error.message}"[:200] for error in EVENT.iter_errors(event)]
        if found:
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": found}, {"wrong": "; ".join(found)}
        key = str(event.get("dedup_key") or f"made-{len(self.alerts)}")
        said = {"status": "success", "message": "Event processed", "dedup_key": key}
        return 202, said, {"alert": self._happened(key, event)}

    def _happened(self, key: str, event: Mapping[str, Any]) -> str:
        action = event["event_action"]
        if action == "trigger":
            opened = key not in self.alerts
            self.alerts.setdefault(key, "triggered")
            self._acknowledge(key)
            return "opened" if opened else "joined"
        if key not in self.alerts:
            return "dropped"
        if action == "resolve":
            del self.alerts[key]
            return "resolved"
        self.alerts[key] = "acknowledged"
        return "acknowledged"

    def _acknowledge(self, key: str) -> None:
        """By whoever is said to, once each."""
        if self._subscription is None:
            return
        file = self._subscription.directory / "pagerduty.presses"
        fresh = [one for one in presses(file) if one.action == "acknowledge" and (key, one) not in self._pressed]
        self._pressed.update((key, one) for one in fresh)
        if fresh:
            self.alerts[key] = "acknowledged"
        send_later([_signed(self._subscription, _acknowledged(key, one.user)) for one in fresh], self._subscription.after_seconds)


def _acknowledged(key: str, user: str) -> dict[str, Any]:
    """The event of an acknowledged incident, as it is published."""
    return {
        "id": uuid.uuid4().hex.upper(),
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "agent": {"id": user, "type": "user_reference", "summary": user},
        "client": None,
        "data": {"id": "Q" + uuid.uuid4().hex[:13].upper(), "type": "incident", "status": "acknowledged", "incident_key": key},
    }


def _signed(subscription: Subscription, event: Mapping[str, Any]) -> Callback:
    body = json.dumps({"event": event}).encode()
    made = hmac.new(subscription.secret, body, hashlib.sha256).hexdigest()
    return Callback(subscription.url, {"X-PagerDuty-Signature": f"v1={made}", "Content-Type": "application/json"}, body)
