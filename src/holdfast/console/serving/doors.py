"""The table of doors: every route with the scope that it needs, and the one place where it is checked who may enter.

Rules: a handler without a row, or a row without a handler, stops the start. A body is read up to a bound, for so long, and no further.
Every answer carries the same headers, also those to what doesn't exist. Whoever came with a browser is answered with a page.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from holdfast.console.serving.accounts import Tokens
from holdfast.console.serving.pages import refusal_page
from holdfast.console.serving.sessions import SESSION, Session, Sessions, cookie_name
from holdfast.decision.access import NOBODY, Kind, Principal, Scope, denied, person

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 65536
BODY_SECONDS = 10.0
"""Whoever takes longer to send what they have to say is cut off."""
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer. Nothing is loaded from anywhere else, and nothing is written into a page that could run there."""
MOST_NOTED_A_MINUTE = 60
FOR_A_YEAR = "max-age=31536000"

NEEDS: Mapping[tuple[str, str], Scope] = {
    ("GET", "/healthz"): Scope.OPEN,
    ("GET", "/style.css"): Scope.OPEN,
    ("GET", "/live.js"): Scope.OPEN,
    ("GET", "/icon.svg"): Scope.OPEN,
    ("GET", "/sign-in"): Scope.OPEN,
    ("POST", "/sign-in"): Scope.OPEN,
    ("GET", "/sign-on"): Scope.OPEN,
    ("GET", "/sign-on/back"): Scope.OPEN,
    ("GET", "/break-glass"): Scope.OPEN,
    ("POST", "/break-glass"): Scope.OPEN,
    ("POST", "/sign-out"): Scope.OPEN,
    ("GET", "/status/{path:path}"): Scope.OPEN,
    ("GET", "/feed"): Scope.OPEN,
    ("GET", "/a/{link}"): Scope.LINK,
    ("POST", "/a/{link}"): Scope.LINK,
    ("GET", "/"): Scope.READ,
    ("GET", "/live"): Scope.READ,
    ("GET", "/api/state"): Scope.READ,
    ("POST", "/answer"): Scope.ANSWER,
    ("POST", "/in/alertmanager"): Scope.ALERT,
    ("POST", "/in/aws-health"): Scope.ALERT,
    ("POST", "/in/webhook"): Scope.SIGNED,
    ("POST", "/in/slack"): Scope.SIGNED,
    ("POST", "/in/twilio"): Scope.SIGNED,
    ("POST", "/in/pagerduty"): Scope.SIGNED,
}
"""(method, path) → what it needs. What isn't in it doesn't exist. The feed is what customers are shown anyway."""


class Unanswered(Exception):
    """The controller can't be reached, or won't take it; the text says what to do."""


class Asked(Protocol):
    """The running controller, as the doors use it. Calls block for a few seconds at most."""

    def state(self) -> dict[str, Any]:
        """The read model. Raises Unanswered."""

    def command(self, verb: str, by: str, arguments: Mapping[str, Any], identifier: str) -> str:
        """A command's answer in words. Raises Unanswered."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that was let in."""

    request: Request
    principal: Principal
    session: Session | None
    body: bytes = b""
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    """Of a form."""

    def first(self, name: str) -> str:
        """A form's field; empty where it is absent."""
        return next(iter(self.fields.get(name, ())), "")


Handler = Callable[[Visit], Awaitable[Response]]


class Refused(Exception):
    """Ends a visit with a status and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Doors:
    """Lets in, or not. `origin`: the address that people and senders use."""

    def __init__(self, tokens: Tokens, sessions: Sessions, now: Callable[[], float], origin: str) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._now = now
        self._origin = origin
        self._cookie = cookie_name(SESSION, origin)
        self._noted_minute, self._noted = 0, 0

    def application(self, handlers: Mapping[tuple[str, str], Handler], at_the_end: Callable[[], Awaitable[None]]) -> ASGIApp:
        """The application; its server's end calls `at_the_end`. Raises ValueError when table and handlers don't fit each other."""
        odd = set(handlers) ^ set(NEEDS)
        if odd:
            said = ", ".join(f"{method} {path}" for method, path in sorted(odd))
            raise ValueError(f"these routes stand in the table or have a handler, not both: {said}")
        routes = [self._route(*key, handler) for key, handler in handlers.items()]

        @asynccontextmanager
        async def lasting(_: Starlette) -> AsyncIterator[None]:
            yield
            await at_the_end()

        inner = Starlette(routes=routes, lifespan=lasting, exception_handlers={HTTPException: _nothing_there, Exception: _broken})
        inner.router.redirect_slashes = False  # what isn't in the table doesn't exist, and nobody is sent to a host that the asker named
        return with_headers(inner, self._origin)

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        needs = NEEDS[method, path]

        async def entered(request: Request) -> Response:
            try:
                return await self._entered(request, needs, handler)
            except Refused as refused:
                self._note(f"{method} {path}: refused with {refused.status}: {' '.join(refused.text.split())}")
                return refusal(request, refused.status, refused.text)
            except Unanswered as unanswered:
                return refusal(request, 503, str(unanswered), retry_seconds=5)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody is there to read it

        route = Route(path, entered, methods=[method])
        route.methods = {method}  # no HEAD beside GET: what isn't in the table doesn't exist
        return route

    def _note(self, what: str) -> None:
        """In the log, so many a minute: whoever is refused must not fill a disk."""
        minute = int(self._now() // 60)
        if minute != self._noted_minute:
            if self._noted > MOST_NOTED_A_MINUTE:
                log.warning("%s more were refused in that minute", self._noted - MOST_NOTED_A_MINUTE)
            self._noted_minute, self._noted = minute, 0
        self._noted += 1
        if self._noted <= MOST_NOTED_A_MINUTE:
            log.warning("%s", what)

    async def _entered(self, request: Request, needs: Scope, handler: Handler) -> Response:
        principal, session = self._principal(request)
        refused = denied(principal, needs)
        if refused is not None:
            if principal.kind is Kind.NOBODY and request.method == "GET" and wants_page(request):
                return RedirectResponse("/sign-in", status_code=303)
            raise Refused(401 if principal.kind is Kind.NOBODY else 403, refused)
        body, fields = await _body(request), {}
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            try:
                fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200)
            except ValueError:  # no form, or far too large a one: without its fields it signs nobody in and proves nothing
                fields = {}
        visit = Visit(request, principal, session, body, fields)
        if request.method == "POST" and needs in (Scope.OPEN, Scope.LINK, Scope.ANSWER):
            self._check_own_form(visit, needs)
        return await handler(visit)

    def _check_own_form(self, visit: Visit, needs: Scope) -> None:
        """Another site's page must not sign anybody in or out, nor answer."""
        origin, site = visit.request.headers.get("origin"), visit.request.headers.get("sec-fetch-site", "same-origin")
        if (origin is not None and origin != self._origin) or site not in ("same-origin", "none"):
            raise Refused(403, "this form comes from another site")
        if needs is Scope.ANSWER and (visit.session is None or not visit.session.has(visit.first("word"))):
            raise Refused(403, "this form is not from your session: go back, load the page again, and answer there")

    def _principal(self, request: Request) -> tuple[Principal, Session | None]:
        given = request.headers.get("authorization", "")
        if given:
            return (self._tokens.principal(given[7:], self._now()) if given.startswith("Bearer ") else NOBODY), None
        session = self._sessions.who(request.cookies.get(self._cookie, ""), self._now())
        return (NOBODY, None) if session is None else (person(session.person, session.through), session)


def wants_page(request: Request) -> bool:
    """Whether a person sits in front of it."""
    return "text/html" in request.headers.get("accept", "")


def refusal(request: Request, status: int, text: str, *, retry_seconds: int | None = None) -> Response:
    """A refusal as its reader understands it. One that leaves a body unread ends the connection."""
    headers = {"retry-after": str(retry_seconds)} if retry_seconds is not None else {}
    headers |= {"connection": "close"} if status in (408, 413) else {}
    headers |= {"retry-after": "60"} if status == 429 else {}
    if wants_page(request):
        return HTMLResponse(refusal_page(status, text), status_code=status, headers=headers)
    return JSONResponse({"error": text}, status_code=status, headers=headers)


async def _nothing_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return refusal(request, status, "there is nothing at this address" if status == 404 else "this address takes no such request")


async def _broken(request: Request, _: Exception) -> Response:
    return refusal(request, 500, "this failed here, and whether it was done isn't known: look at the incident before you do it again")


def with_headers(inner: ASGIApp, origin: str) -> ASGIApp:
    """The same application, with the headers that every answer carries."""
    over_tls = {"strict-transport-security": FOR_A_YEAR} if origin.startswith("https:") else {}

    async def application(connection: Connection, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, **over_tls}.items():
                    headers.setdefault(name, value)
            await send(message)

        await inner(connection, receive, sent)

    return application


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY_BYTES:
                    raise Refused(413, f"the body is larger than {MOST_BODY_BYTES} bytes")
    except TimeoutError as error:
        raise Refused(408, f"the body did not come within {BODY_SECONDS:g} s") from error
    return body
