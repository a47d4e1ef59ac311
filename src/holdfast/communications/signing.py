"""Signed webhooks: how one is signed, and how the receiving side tells that it is genuine, whole and recent. Both sides use this.

The signature is HMAC-SHA256 over `<time stamp>.<body>`, the time stamp in whole seconds of Unix time. The header reads
`t=<time stamp>,k=<key id>,v1=<hex>`; the key id lets a key be changed while both are in use.
"""

import hashlib
import hmac
from collections.abc import Mapping

SIGNATURE_HEADER = "holdfast-signature"
WINDOW_SECONDS = 300.0
_LONGEST_HEADER = 512


class ForgedError(ValueError):
    """Not what its header says, or too old to be believed."""


def signature(key: bytes, key_id: str, at_seconds: float, body: bytes) -> str:
    """The header's value for a body that leaves at `at_seconds` (wall clock)."""
    stamp = str(int(at_seconds))
    return f"t={stamp},k={key_id},v1={_digest(key, stamp, body)}"


def verify(keys: Mapping[str, bytes], header: str, body: bytes, now_seconds: float, window_seconds: float = WINDOW_SECONDS) -> str:
    """The key id that signed. Raises ForgedError. Within the window a replay is genuine: the event's `id` must be remembered as long."""
    if len(header) > _LONGEST_HEADER:
        raise ForgedError("the signature's header is too long")
    parts = dict(piece.split("=", 1) for piece in header.split(",") if "=" in piece)
    stamp, key_id, given = parts.get("t", ""), parts.get("k", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise ForgedError("the signature has no time stamp in whole seconds")
    key = keys.get(key_id)
    if key is None:
        raise ForgedError("the signature names a key that isn't known here")
    if not hmac.compare_digest(_digest(key, stamp, body).encode(), given.encode()):
        raise ForgedError("the signature does not fit the body")
    if abs(now_seconds - int(stamp)) > window_seconds:
        raise ForgedError(f"signed more than {window_seconds:g} s away from the clock here: a replay, or a clock that is wrong")
    return key_id


def _digest(key: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
