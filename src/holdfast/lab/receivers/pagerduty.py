"""PagerDuty as its Events API v2 is published: what it refuses, and which alert an event opens, joins or closes."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema

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


class PagerDuty:
    """One service. `alerts`: the open ones by key, with their state."""

    def __init__(self) -> None:
        self.alerts: dict[str, str] = {}

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
            return "opened" if opened else "joined"
        if key not in self.alerts:
            return "dropped"
        if action == "resolve":
            del self.alerts[key]
            return "resolved"
        self.alerts[key] = "acknowledged"
        return "acknowledged"
