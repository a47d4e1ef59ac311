"""What arrived at the far ends of a lab's channels, by the keys of the hand-overs, and what that says beside the journal.

Rules: the far ends' own files are read, with no code of the channels: what a channel says that it sent is not proof that it arrived. A way
that carries no key (Slack's incoming webhook) is left out, never taken for silence.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from holdfast.conduct.pagers import HAS_IT, IS_OVER
from holdfast.decision.references import NOWHERE, kind_of
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.report.model import Finding

Arrivals = Mapping[str, tuple[float, ...]]
"""Key of a hand-over (message/channel/recipient) → when each copy of it arrived, in seconds since 1970."""
_MOST_NAMED = 10
_KEYLESS = ("slack-webhook", "apprise", NOWHERE)
"""Kinds of ways that carry no key, or lead to no far end."""


def arrivals(received: Path, controller: Path, records: Iterable[Record]) -> Arrivals:
    """Everything that arrived: at the receivers, on the status pages, and in the feed."""
    keys = {_mail_key(key): key for key in _keys(records)}
    found: defaultdict[str, list[float]] = defaultdict(list)
    for name, key_of in _KEYS.items():
        here: set[str] = set()
        for row in _rows(received / f"{name}.jsonl"):
            key = None if row.get("wrong") else key_of(row)
            if key is not None and not (name in _DROPS_REPEATS and key in here):
                here.add(key)
                found[keys.get(key, key)].append(float(row["at_seconds"]))
    for feed in ("feed.jsonl", "feed-second.jsonl"):
        for row in _rows(controller / feed):
            found[str(row["data"]["key"])].append(float(row["data"]["at_seconds"]))
    for page in ("status", "status-second"):
        for update in _updates(controller / page / "history.json"):
            found[str(update["key"])].append(float(update["at_seconds"]))
    return {key: tuple(sorted(moments)) for key, moments in found.items()}


def refused(received: Path) -> tuple[str, ...]:
    """What far ends refused as not being what their interface takes: a line for each."""
    return tuple(f"{file.stem}: {row['wrong']}" for file in sorted(received.glob("*.jsonl")) for row in _rows(file) if row.get("wrong"))


def arrival_findings(arrived: Arrivals, wrong: Iterable[str], records: Iterable[Record]) -> Iterator[Finding]:
    """What was sent and did not arrive, what arrived twice, and what a far end refused; or that all is as the journal says."""
    sent = [key_of_delivery(record) for record in records if record.kind == Kind.NOTIFICATION_SENT and _carries_key(record)]
    missing = [key for key in dict.fromkeys(sent) if key not in arrived]
    twice = [key for key, moments in arrived.items() if len(moments) > 1]
    for about, keys in (("sent, and never seen at the far end", missing), ("seen more than once at the far end", twice)):
        if keys:
            more = f" and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
            yield Finding(about="messages", result="fail", sentence=f"{about.capitalize()}: {', '.join(keys[:_MOST_NAMED])}{more}.")
    for line in wrong:
        yield Finding(about="messages", result="fail", sentence=f"A far end refused what is not as published: {line}.")
    if sent and not missing and not twice:
        sentence = f"All {len(set(sent))} deliveries whose ways carry a key were seen at the far ends, each once."
        yield Finding(about="messages", result="pass", sentence=sentence)


def key_of_delivery(record: Record) -> str:
    """The key of the hand-over that a record is about."""
    return f"{record.body['key']}/{record.body['channel']}/{record.body['recipient']}"


def _carries_key(record: Record) -> bool:
    """What a pager is told at the end of an alert carries the alert's key only."""
    if record.body["message"] in (HAS_IT, IS_OVER):
        return False
    return kind_of(str(record.body.get("reference", ""))) not in _KEYLESS


def _keys(records: Iterable[Record]) -> Iterator[str]:
    return (key_of_delivery(record) for record in records if record.kind == Kind.NOTIFICATION_INTENDED)


def _mail_key(key: str) -> str:
    """How a mail's header names the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def _mail(row: Mapping[str, Any]) -> str | None:
    headers = {str(name).lower(): str(value) for name, value in row["headers"].items()}
    return headers.get("x-holdfast-key")


def _page(row: Mapping[str, Any]) -> str | None:
    event = json.loads(row["body"])
    return None if "payload" not in event else str(event["payload"].get("custom_details", {}).get("key"))


def _chat(row: Mapping[str, Any]) -> str | None:
    if not str(row["path"]).endswith("chat.postMessage"):
        return None
    return str(json.loads(row["body"])["metadata"]["event_payload"]["key"])


def _webhook(row: Mapping[str, Any]) -> str | None:
    return str(json.loads(row["body"])["id"])


def _telephone(row: Mapping[str, Any]) -> str | None:
    called_back = parse_qs(row["body"]).get("StatusCallback", [""])[0]
    return next(iter(parse_qs(urlsplit(called_back).query).get("key", [])), None)


_KEYS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "pagerduty": _page,
    "slack": _chat,
    "smtp": _mail,
    "smtp-second": _mail,
    "twilio": _telephone,
    "twilio-second": _telephone,
    "webhook": _webhook,
    "webhook-second": _webhook,
}
"""Receiver → where what arrived there holds the key."""
_DROPS_REPEATS = ("pagerduty", "webhook", "webhook-second")
"""Their interfaces have a key of their own for that: the same again alerts nobody."""


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """Lines of JSON; one that was torn by a kill is left out."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _updates(history: Path) -> Iterator[dict[str, Any]]:
    if history.exists():
        for updates in json.loads(history.read_text(encoding="utf-8")).values():
            yield from updates
