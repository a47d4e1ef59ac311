"""How long the server waits for whoever connects: a connection that says nothing, or says it a byte at a time, is closed.

The web server itself bounds only the time between two requests. A few hundred connections that never finish their first one would
otherwise keep everybody else out.
"""

import asyncio
from typing import cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 10.0
"""From the connection, or the last answer on it, to the end of a request's head."""
MOST_HEAD_BYTES = 16_384
MOST_CONNECTIONS = 2_000
ENDLESS = ("/live", "/feed")
"""Answers that end only when somebody leaves."""
FAREWELL_SECONDS = 2
"""How long open pages may take to end when the server does."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with a bound on how long a request's head may take."""

    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the class that it extends
        """Its first request is waited for."""
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        """Whether a head is still being waited for is looked at whenever something came."""
        super().handle_events()
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request's time begins."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self._wait()

    def shutdown(self) -> None:
        """Whoever follows something is told that this is the end, as if they had left."""
        super().shutdown()
        cycle = cast(RequestResponseCycle | None, self.cycle)  # None before the first request, which its own type doesn't say
        if cycle is not None and not cycle.response_complete and self.scope["path"] in ENDLESS:
            cycle.disconnected = True
            cycle.message_event.set()
            self.transport.close()

    def _wait(self) -> None:
        if self._ends is None:
            self._ends = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None


def server(application: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A server that waits for nobody longer than it must."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http=PatientProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            timeout_graceful_shutdown=FAREWELL_SECONDS,
        )
    )
