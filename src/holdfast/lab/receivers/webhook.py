"""A partner's own receiver: signature and age first, then the CloudEvents envelope, then whether it had this event already."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping

import jsonschema

from holdfast.lab.receivers.web import Reply

WINDOW_SECONDS = 300
_TEXT = {"type": "string", "minLength": 1}
CLOUD_EVENT = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "source": {**_TEXT, "pattern": r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"},
            "type": _TEXT,
            "subject": _TEXT,
            "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
            "datacontenttype": {"type": "string", "pattern": "^application/json"},
            "dataschema": _TEXT,
            "data": True,
        },
        "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
    }
)


def webhook(key: bytes) -> Callable[[str, Mapping[str, str], bytes], Reply]:
    """Refuses what isn't signed with the key, recent, and an event. A repeat of (source, id) is answered yes and dropped."""
    seen: set[tuple[str, str]] = set()

    def answer(path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = re.fullmatch(r"t=(\d+),k=[^,]+,v1=([0-9a-f]{64})", headers["holdfast-signature"])
        if found is None or abs(time.time() - int(found[1])) > WINDOW_SECONDS:
            raise ValueError("no signature, or an old one")
        if not hmac.compare_digest(hmac.new(key, found[1].encode() + b"." + body, hashlib.sha256).hexdigest(), found[2]):
            raise ValueError("the signature does not fit")
        if not headers["content-type"].startswith("application/cloudevents+json"):
            raise ValueError("a structured event has the media type application/cloudevents+json")
        event = json.loads(body)
        CLOUD_EVENT.validate(event)
        identity = (event["source"], event["id"])
        repeat = identity in seen
        seen.add(identity)
        return 202, {}, {"repeat": repeat}

    return answer
