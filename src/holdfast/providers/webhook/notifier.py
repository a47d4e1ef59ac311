"""A signed webhook that carries the message as a CloudEvent (version 1.0, structured JSON).

Rules: `id` is the message's key, so that a receiver drops a repeat by what the standard says of `source` and `id`; every attempt is
signed anew with the time it leaves. How a receiver checks it: `holdfast.communications.signing.verify`. A recipient's own link goes only to
an address of its own, never to one that all share.
"""

import json
from datetime import UTC, datetime
from typing import Any

from holdfast.communications.signing import SIGNATURE_HEADER, signature
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Repeats
from holdfast.ports.post import Post, Secret, accepted, check_mark


class WebhookNotifier:
    """One receiver, or as many as recipients have addresses; all share the key."""

    repeats = Repeats.DROPPED

    def __init__(self, url: Secret, key: Secret, key_id: str, source: str, post: Post, clock: Clock) -> None:
        self._url = url
        self._key = key
        self._key_id = key_id
        self._source = source
        self._post = post
        self._clock = clock

    async def send(self, notification: Notification) -> str:
        """Returns `webhook:<id>`."""
        check_mark(notification)
        at_seconds = self._clock.wall_seconds()
        body = json.dumps(cloud_event(notification, self._source, at_seconds), ensure_ascii=False).encode()
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            SIGNATURE_HEADER: signature(self._key.value.encode(), self._key_id, at_seconds, body),
        }
        accepted("the webhook", await self._post(notification.address or self._url.value, headers, body))
        return f"webhook:{notification.key}"


def cloud_event(notification: Notification, source: str, at_seconds: float) -> dict[str, Any]:
    """The envelope and what is in it."""
    return {
        "specversion": "1.0",
        "id": notification.key,
        "source": source,
        "type": f"holdfast.message.{notification.purpose}",
        "subject": notification.incident,
        "time": datetime.fromtimestamp(at_seconds, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "message": notification.message,
            "recipient": notification.recipient,
            "subject": notification.subject,
            "body": notification.body,
            "severity": notification.severity,
            "exercise": notification.exercise,
            "acknowledge_url": notification.acknowledge_url if notification.address is not None else None,
            "facts": dict(notification.facts),
        },
    }
