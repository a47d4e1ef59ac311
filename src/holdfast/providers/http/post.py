"""The port `Post`: connections are kept between requests, redirects are not followed, proxies are not read from anywhere.

Rules: a request leaves once. A connection that was idle may be closed by the far end at the moment it is used again; nobody can tell that
from a request that was taken and never answered, so it is unknown, not tried again. What is idle for long is therefore not used again.
"""

import asyncio
import base64
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import h11
import idna

from holdfast.ports.post import Answer
from holdfast.providers.http.client import Connection

TIMEOUT_SECONDS = 8.0
BODY_LIMIT_BYTES = 1024 * 1024
IDLE_SECONDS = 4.0
"""Shorter than any common server keeps an idle connection (Node.js closes after 5 s)."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request goes, out of its address. `login` is the value of an Authorization header, or None."""

    host: str
    port: int
    secure: bool
    host_header: str
    target: str
    login: str | None


class HttpPost:
    """One for all channels. A request ends within `timeout_seconds`."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: dict[tuple[str, int, bool], list[tuple[float, Connection]]] = {}

    async def __call__(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """As the port says. The address never stands in an error."""
        place = _place(url)
        ends = time.monotonic() + self._timeout_seconds
        connection = await self._connected(place)
        sent = {"accept": "*/*", "user-agent": "holdfast", **({"authorization": place.login} if place.login else {}), **headers}
        try:
            left = max(ends - time.monotonic(), 0.001)
            response = await connection.exchange(
                "POST", place.target, host_header=place.host_header, timeout_seconds=left, body=content, headers=sent,
                body_limit_bytes=BODY_LIMIT_BYTES,
            )  # fmt: skip
        except TimeoutError:
            raise TimeoutError(
                f"the channel did not answer within {self._timeout_seconds:g} s; whether the message was taken isn't known"
            ) from None
        except ConnectionError as error:
            if isinstance(error.__cause__, h11.LocalProtocolError):
                raise ConnectionError("a header can't be sent as it is; correct the channel's secret. Nothing was sent") from None
            raise TimeoutError(f"the channel broke off ({_reason(error)}); it isn't known whether the message was taken") from None
        self._let_go(place, connection)
        return Answer(response.status, response.headers, response.body)

    def _let_go(self, place: _Place, connection: Connection) -> None:
        """Keep it for the next request; what has been kept for too long, wherever it leads, goes."""
        now = time.monotonic()
        for key, idle in list(self._idle.items()):
            while idle and now - idle[0][0] >= IDLE_SECONDS:
                idle.pop(0)[1].drop()
            if not idle:
                del self._idle[key]
        if connection.reusable:
            self._idle.setdefault((place.host, place.port, place.secure), []).append((now, connection))
        else:
            connection.drop()

    async def _connected(self, place: _Place) -> Connection:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # connections belong to the loop that opened them
            self._idle.clear()
            self._loop = loop
        idle = self._idle.get((place.host, place.port, place.secure), [])
        while idle:
            since, connection = idle.pop()
            if connection.reusable and time.monotonic() - since < IDLE_SECONDS:
                return connection
            connection.drop()
        if place.secure and self._tls is None:
            self._tls = ssl.create_default_context()  # reads the system's authorities: some 20 ms, once
        try:
            return await Connection.open(
                place.host, place.port, timeout_seconds=self._timeout_seconds, tls=self._tls if place.secure else None, tls_name=place.host
            )
        except (TimeoutError, OSError) as error:
            raise ConnectionError(f"no connection to the channel ({_reason(error)}); nothing was sent") from None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._loop is asyncio.get_running_loop():
            for idle in self._idle.values():
                for _, connection in idle:
                    connection.drop()
        self._idle.clear()


def _place(url: str) -> _Place:
    """Raises ConnectionError, without the address, for what is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme not in _PORTS or not host or any(not "!" <= character <= "~" for character in parts.path + parts.query):
            raise ValueError("no address of a web server")
        plain = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except ValueError:
        raise ConnectionError("the channel's address is none; correct its secret or binding. Nothing was sent") from None
    named = f"[{plain}]" if ":" in plain else plain
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    login = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = "Basic " + base64.b64encode(pair.encode()).decode()
    return _Place(plain, port or _PORTS[parts.scheme], parts.scheme == "https", named if port is None else f"{named}:{port}", target, login)


def _reason(error: BaseException) -> str:
    """What went wrong, without the address that the system's own words would name."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS: {cause.reason}"
    if isinstance(cause, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    return type(cause if cause is not None else error).__name__
