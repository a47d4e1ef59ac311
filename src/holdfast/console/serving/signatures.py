"""How messages from outside prove where they come from, after the senders' own published rules. Pure: keys and time are given.

Rules: a signature is compared in constant time; where the sender signs a time, one outside the window is refused. Holdfast's own signed
webhooks are verified where they are signed (`communications.signing`).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

WINDOW_SECONDS = 300.0


class Forged(ValueError):
    """Not genuine, or too old to be believed; the text says which."""


def check_slack(secret: bytes, stamp: str, signature: str, body: bytes, now: float) -> None:
    """Slack's v0 signature: HMAC-SHA256 over `v0:<stamp>:<body>`. Raises Forged."""
    _check_time(stamp, now)
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    _same(expected, signature)


def check_twilio(token: bytes, url: str, fields: Mapping[str, Sequence[str]], signature: str) -> None:
    """Twilio's: base64 of HMAC-SHA1 over the address and every field with its values, in the order of their names. Raises Forged.

    Whether the address has its port in it differs: both are tried, as the sender's own library does.
    """
    said = "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    given = signature.encode()
    fits = [hmac.compare_digest(_twilio_digest(token, address + said), given) for address in (url, _other_port(url))]
    if not any(fits):
        raise Forged("the signature does not fit the message")


def _twilio_digest(token: bytes, text: str) -> bytes:
    return base64.b64encode(hmac.new(token, text.encode(), hashlib.sha1).digest())


def _other_port(url: str) -> str:
    """The address without its port, or with the usual one where it has none."""
    parts = urlsplit(url)
    host = (parts.hostname or "") if parts.port is not None else f"{parts.hostname}:{443 if parts.scheme == 'https' else 80}"
    return urlunsplit(parts._replace(netloc=host))


def check_pagerduty(secrets: Sequence[bytes], header: str, body: bytes) -> None:
    """PagerDuty's v3: a list of `v1=<HMAC-SHA256 of the body>`, several while a secret is changed. Raises Forged."""
    given = [part.strip().encode() for part in header.split(",")[:10]]
    expected = [b"v1=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise Forged("the signature does not fit the body")


def _check_time(stamp: str, now: float) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forged("the signature has no time stamp in whole seconds")
    if abs(now - int(stamp)) > WINDOW_SECONDS:
        raise Forged(f"signed more than {WINDOW_SECONDS:g} s away from the clock here: a replay, or a clock that is wrong")


def _same(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Forged("the signature does not fit the message")
