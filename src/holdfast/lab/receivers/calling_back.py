"""What the telephone service does later by itself: it reports what became of each message or call, signed as published.

After a message was taken, its `StatusCallback` hears `sent` and then `delivered` (of a call: `completed`), or, where the receiver is told
to behave as `undelivered`, that it could not be delivered. Whoever isn't there is tried again a few times, as such a service does.
"""

import base64
import hashlib
import hmac
import queue
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

TRIES = 5
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 5.0


class CallingBack:
    """Reports in the order in which things were taken, from a thread of its own."""

    def __init__(self, account: str, token: str) -> None:
        self._account = account
        self._token = token
        self._waiting: queue.SimpleQueue[tuple[str, Mapping[str, str]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def heard(self, behaviour: str, body: bytes, said: Mapping[str, Any]) -> None:
        """A message or call was taken with this body and answered so."""
        fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        url, sid = fields.get("StatusCallback"), str(said.get("sid", ""))
        if url is None:
            return
        common = {"AccountSid": self._account, "From": fields["From"], "To": fields["To"]}
        fails = behaviour == "undelivered"
        if "Twiml" in fields:
            self._waiting.put((url, {**common, "CallSid": sid, "CallStatus": "no-answer" if fails else "completed"}))
            return
        for status in ("sent", "undelivered" if fails else "delivered"):
            more = {"ErrorCode": "30003"} if status == "undelivered" else {}
            self._waiting.put((url, {**common, "MessageSid": sid, "MessageStatus": status, **more}))

    def _work(self) -> None:
        while True:
            url, fields = self._waiting.get()
            for _ in range(TRIES):
                if self._posted(url, fields):
                    break
                time.sleep(PAUSE_SECONDS)

    def _posted(self, url: str, fields: Mapping[str, str]) -> bool:
        headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature(self._token, url, fields)}
        request = urllib.request.Request(url, urlencode(fields).encode(), headers)  # noqa: S310 - the lab's own doors
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return bool(answer.status < 300)
        except OSError:
            return False


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """As the service publishes it: HMAC-SHA1 over the address and every field, sorted by name."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
