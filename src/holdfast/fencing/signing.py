"""Signatures between agents and controller: HMAC-SHA256 over exactly the bytes that travel, both ways.

Rules: a request signs `method\\npath\\nbody`; its body (for GET the query) holds a `nonce` and `sent_seconds`. An answer signs
`ANSWER\\npath\\nbody`, and its body repeats the nonce, so an old answer is none to a new request and an answer is no request.
Records and certificates are signed over their canonical form (sorted keys, no spaces, UTF-8), without the signature itself.

Never here: reading keys, clocks, or deciding whether an order is to be obeyed.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

SIGNATURE_HEADER = "X-Holdfast-Signature"


class NotGenuine(Exception):
    """A message that was not signed with the shared key, is malformed, or answers another request."""


def new_nonce() -> str:
    """A value that no other request has."""
    return secrets.token_hex(16)


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that is signed when there is no body that travels."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def signature(key: bytes, method: str, path: str, body: bytes) -> str:
    """Signature of a request (`method` GET or POST) or answer (`method` ANSWER)."""
    return hmac.new(key, f"{method}\n{path}\n".encode() + body, hashlib.sha256).hexdigest()


def sign_request(key: bytes, path: str, payload: Mapping[str, Any], nonce: str, sent_seconds: float) -> tuple[bytes, str]:
    """Body and signature of a POST."""
    body = canonical({**payload, "nonce": nonce, "sent_seconds": sent_seconds})
    return body, signature(key, "POST", path, body)


def sign_query(key: bytes, path: str, query: Mapping[str, Any], nonce: str, sent_seconds: float) -> tuple[str, str]:
    """Path with query, and signature, of a GET."""
    whole = f"{path}?{urlencode({**query, 'nonce': nonce, 'sent_seconds': sent_seconds})}"
    return whole, signature(key, "GET", whole, b"")


def open_request(key: bytes, path: str, body: bytes, given: str | None) -> dict[str, Any]:
    """The payload of a POST that is genuine. Raises NotGenuine."""
    _compare(key, "POST", path, body, given)
    payload = _object(body)
    if not isinstance(payload.get("nonce"), str) or not payload["nonce"]:
        raise NotGenuine("the request holds no nonce")
    return payload


def open_query(key: bytes, path: str, given: str | None) -> dict[str, str]:
    """The query of a GET that is genuine; `path` with its query as it came. Raises NotGenuine."""
    _compare(key, "GET", path, b"", given)
    query = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
    if not query.get("nonce"):
        raise NotGenuine("the query holds no nonce")
    return query


def sign_answer(key: bytes, path: str, payload: Mapping[str, Any], nonce: str) -> tuple[bytes, str]:
    """Body and signature of the answer to the request with that nonce. `path` is the request's, without a query."""
    body = canonical({**payload, "nonce": nonce})
    return body, signature(key, "ANSWER", path, body)


def open_answer(key: bytes, path: str, body: bytes, given: str | None, nonce: str) -> dict[str, Any]:
    """The payload of an answer that is genuine and answers that very request. Raises NotGenuine."""
    _compare(key, "ANSWER", path, body, given)
    payload = _object(body)
    if not hmac.compare_digest(str(payload.get("nonce")), nonce):
        raise NotGenuine("the answer repeats another nonce than was sent: it answers an older request")
    return payload


def sign_record(key: bytes, record: Mapping[str, Any], field: str = "signature") -> dict[str, Any]:
    """The record with its signature in `field`. Fields that are signatures themselves are not signed over."""
    return {**record, field: hmac.new(key, _unsigned(record), hashlib.sha256).hexdigest()}


def record_is_genuine(key: bytes, record: Mapping[str, Any], field: str = "signature") -> bool:
    """Whether the signature in `field` is the key's over the rest."""
    try:
        wanted = hmac.new(key, _unsigned(record), hashlib.sha256).hexdigest()
    except (TypeError, ValueError):
        return False
    given = record.get(field)
    return isinstance(given, str) and hmac.compare_digest(wanted.encode(), given.encode())


def _unsigned(record: Mapping[str, Any]) -> bytes:
    return canonical({name: value for name, value in record.items() if not name.endswith("signature")})


def _compare(key: bytes, method: str, path: str, body: bytes, given: str | None) -> None:
    if given is None:
        raise NotGenuine(f"no {SIGNATURE_HEADER} header")
    if not hmac.compare_digest(signature(key, method, path, body).encode(), given.encode()):
        raise NotGenuine(f"{SIGNATURE_HEADER} does not match: another key, or the message was changed on the way")


def _object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotGenuine(f"the body is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise NotGenuine("the body is not a JSON object")
    return payload
