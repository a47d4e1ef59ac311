"""Alerts from outside, read: each body becomes alerts that name a signal of the plan, or is refused with a reason.

Rules: what isn't understood is refused whole. An alert that no mapping names is left out and counted, not guessed. An alert's identity is
made of its sender's own fingerprint and time, so that a repeat is the same alert. Pure.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MOST_ALERTS = 200
_LONGEST = 300


class BadAlert(ValueError):
    """A body that isn't what it should be; the text says what is wrong in it."""


class SignalRule(BaseModel):
    """Alerts whose `label` is `is` (or has any value) mean a signal of the plan. `count`: the label that holds a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    is_: str | None = Field(default=None, alias="is")
    signal: str
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `identity`: the same for a repeat. `count`: how many, where it counts something."""

    identity: str
    source: str
    signal: str
    status: str
    fingerprint: str
    says: str
    count: float | None
    at_seconds: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a body held: the alerts that mean something here, and how many don't, or were cut off by the sender."""

    alerts: tuple[Alert, ...]
    unnamed: int = 0
    truncated: int = 0


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Half a character, which JSON can say and no answer or journal can hold, is none. Raises BadAlert."""
    try:
        given = json.loads(body)
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadAlert(f"the body is not JSON: {str(error)[:100]}") from error
    if not isinstance(given, dict):
        raise BadAlert("the body is not a JSON object")
    return given


def alertmanager(body: bytes, rules: Sequence[SignalRule]) -> Heard:
    """Alertmanager's webhook, version 4. Raises BadAlert."""
    given = json_object(body)
    if given.get("version") != "4":
        raise BadAlert(f"'version' must be \"4\", not {str(given.get('version'))[:20]!r}")
    listed = given.get("alerts")
    if not isinstance(listed, list) or len(listed) > MOST_ALERTS:
        raise BadAlert(f"'alerts' must be a list of at most {MOST_ALERTS}")
    cut = given.get("truncatedAlerts", 0)
    if isinstance(cut, bool) or not isinstance(cut, int) or cut < 0:
        raise BadAlert("'truncatedAlerts' must be a number of alerts")
    found, unnamed = [], 0
    for place, entry in enumerate(listed):
        where = f"alerts[{place}]"
        if not isinstance(entry, dict):
            raise BadAlert(f"'{where}' must be an object")
        labels, status = _texts(entry, "labels", where), entry.get("status")
        if status not in ("firing", "resolved"):
            raise BadAlert(f"'{where}.status' must be firing or resolved")
        fingerprint = entry.get("fingerprint")
        if not isinstance(fingerprint, str) or not fingerprint:
            raise BadAlert(f"'{where}.fingerprint' must be a text")
        rule = _rule(labels, rules)
        if rule is None:
            unnamed += 1
            continue
        starts, notes = str(entry.get("startsAt", "")), _texts(entry, "annotations", where)
        says = notes.get("summary") or notes.get("description") or labels.get("alertname", "an alert")
        at = _moment(starts, f"{where}.startsAt")
        identity = f"alertmanager:{fingerprint}:{starts}:{status}"
        number = _number(labels.get(rule.count) or notes.get(rule.count)) if rule.count else None
        found.append(Alert(identity[:_LONGEST], "alertmanager", rule.signal, status, fingerprint[:_LONGEST], says[:_LONGEST], number, at))
    return Heard(tuple(found), unnamed, cut)


def aws_health(body: bytes, rules: Sequence[SignalRule]) -> Heard:
    """An AWS Health event as EventBridge sends it. Rules look at service, eventTypeCode, eventTypeCategory, region. Raises BadAlert."""
    given = json_object(body)
    if given.get("source") != "aws.health":
        raise BadAlert("'source' must be aws.health")
    detail = given.get("detail")
    if not isinstance(detail, dict):
        raise BadAlert("'detail' must be an object")
    identifier, arn = given.get("id"), detail.get("eventArn")
    if not isinstance(identifier, str) or not identifier or not isinstance(arn, str) or not arn:
        raise BadAlert("'id' and 'detail.eventArn' must be texts")
    labels = {name: str(detail.get(name, "")) for name in ("service", "eventTypeCode", "eventTypeCategory", "statusCode")}
    rule = _rule({**labels, "region": str(detail.get("eventRegion") or given.get("region", ""))}, rules)
    if rule is None:
        return Heard((), 1)
    closed = labels["statusCode"] == "closed" or bool(detail.get("endTime"))
    status = "resolved" if closed else "firing"
    says = next(
        (
            str(text["latestDescription"])
            for text in _list(detail.get("eventDescription"))
            if isinstance(text, dict) and "latestDescription" in text
        ),
        labels["eventTypeCode"],
    )
    at = _moment(str(given.get("time", "")), "time")
    return Heard((Alert(f"aws:{arn}:{status}"[:_LONGEST], "aws-health", rule.signal, status, arn[:_LONGEST], says[:_LONGEST], None, at),))


def webhook(body: bytes, sender: str, rules: Sequence[SignalRule]) -> Heard:
    """A signed webhook: a CloudEvent in JSON whose `data` is the alert, or the alert itself. Raises BadAlert.

    The alert: `signal` (or labels that a rule names), `status`, `summary`, `count`, `id`.
    """
    given = json_object(body)
    envelope = "specversion" in given
    if envelope and (
        given["specversion"] != "1.0" or not all(isinstance(given.get(name), str) and given[name] for name in ("id", "source", "type"))
    ):
        raise BadAlert("a CloudEvent has specversion 1.0, id, source and type")
    data = given.get("data") if envelope else given
    if not isinstance(data, dict):
        raise BadAlert("'data' must be an object")
    identifier = given.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise BadAlert("'id' must be a text: the same for a repeat of the same alert")
    status = data.get("status", "firing")
    if status not in ("firing", "resolved"):
        raise BadAlert("'status' must be firing or resolved")
    labels = {name: str(value) for name, value in data.items() if isinstance(value, str | int | float)}
    rule = _rule(labels, rules)
    signal = rule.signal if rule is not None else labels.get("signal")
    if signal is None:
        return Heard((), 1)
    says = labels.get("summary", signal)
    number, at = _number(labels.get("count")), _moment(str(given.get("time", "")), "time")
    identity = f"webhook:{sender}:{given.get('source', '')}:{identifier}:{status}"
    return Heard((Alert(identity[:_LONGEST], sender, signal, status, identifier[:_LONGEST], says[:_LONGEST], number, at),))


def _rule(labels: Mapping[str, str], rules: Sequence[SignalRule]) -> SignalRule | None:
    return next((rule for rule in rules if rule.label in labels and rule.is_ in (None, labels[rule.label])), None)


def _texts(entry: Mapping[str, Any], name: str, where: str) -> dict[str, str]:
    given = entry.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise BadAlert(f"'{where}.{name}' must be an object of texts")
    return given


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(text: str, where: str) -> float | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise BadAlert(f"'{where}' is no time: {text[:40]!r}") from error
    return at.timestamp() if at.tzinfo is not None else None
