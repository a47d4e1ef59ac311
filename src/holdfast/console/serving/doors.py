"""The table of doors: every route with the scope that it needs, and the one place where it is checked who may enter.

Rules: a handler without a row, or a row without a handler, stops the start. A body is read up to a bound and no further.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from holdfast.console.serving.accounts import Tokens
from holdfast.console.serving.sessions import COOKIE, Sealer, Session
from holdfast.decision.access import NOBODY, Kind, Principal, Scope, denied, person

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 65536
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

NEEDS: Mapping[tuple[str, str], Scope] = {
    ("GET", "/healthz"): Scope.OPEN,
    ("GET", "/sign-in"): Scope.OPEN,
    ("POST", "/sign-in"): Scope.OPEN,
    ("GET", "/sign-on"): Scope.OPEN,
    ("GET", "/sign-on/back"): Scope.OPEN,
    ("GET", "/break-glass"): Scope.OPEN,
    ("POST", "/break-glass"): Scope.OPEN,
    ("POST", "/sign-out"): Scope.OPEN,
    ("GET", "/status/{path:path}"): Scope.OPEN,
    ("GET", "/feed"): Scope.OPEN,
    ("GET", "/a/{link}"): Scope.SIGNED,
    ("POST", "/a/{link}"): Scope.SIGNED,
    ("GET", "/"): Scope.READ,
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
    """Lets in, or not."""

    def __init__(self, tokens: Tokens, sealer: Sealer, now: Callable[[], float], origin: str) -> None:
        self._tokens = tokens
        self._sealer = sealer
        self._now = now
        self._origin = origin

    def application(self, handlers: Mapping[tuple[str, str], Handler]) -> Starlette:
        """The application. Raises ValueError when table and handlers don't fit each other."""
        odd = set(handlers) ^ set(NEEDS)
        if odd:
            said = ", ".join(f"{method} {path}" for method, path in sorted(odd))
            raise ValueError(f"these routes stand in the table or have a handler, not both: {said}")
        return Starlette(routes=[self._route(*key, handler) for key, handler in handlers.items()])

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        needs = NEEDS[method, path]

        async def entered(request: Request) -> Response:
            try:
                response = await self._entered(request, needs, handler)
            except Refused as refused:
                log.warning("%s %s: refused with %s: %s", method, path, refused.status, refused.text)
                response = JSONResponse({"error": refused.text}, status_code=refused.status)
            except Unanswered as unanswered:
                response = JSONResponse({"error": str(unanswered)}, status_code=503, headers={"retry-after": "5"})
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        route = Route(path, entered, methods=[method])
        route.methods = {method}  # no HEAD beside GET: what isn't in the table doesn't exist
        return route

    async def _entered(self, request: Request, needs: Scope, handler: Handler) -> Response:
        principal, session = self._principal(request)
        refusal = denied(principal, needs)
        if refusal is not None:
            if principal.kind is Kind.NOBODY and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                return RedirectResponse("/sign-in", status_code=303)
            raise Refused(401 if principal.kind is Kind.NOBODY else 403, refusal)
        body, fields = await _body(request), {}
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            try:
                fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200)
            except ValueError:  # no form, or far too large a one: without its fields it signs nobody in and proves nothing
                fields = {}
        visit = Visit(request, principal, session, body, fields)
        if request.method == "POST" and needs in (Scope.OPEN, Scope.ANSWER):
            self._check_own_form(visit, needs)
        return await handler(visit)

    def _check_own_form(self, visit: Visit, needs: Scope) -> None:
        """Another site's page must not sign anybody in, nor answer."""
        origin = visit.request.headers.get("origin")
        if origin is not None and origin != self._origin:
            raise Refused(403, "this form comes from another site")
        if needs is Scope.ANSWER and (visit.session is None or not visit.session.has(visit.first("word"))):
            raise Refused(403, "this form is not from your session: go back, load the page again, and answer there")

    def _principal(self, request: Request) -> tuple[Principal, Session | None]:
        given = request.headers.get("authorization", "")
        if given:
            return (self._tokens.principal(given[7:], self._now()) if given.startswith("Bearer ") else NOBODY), None
        session = self._sealer.who(request.cookies.get(COOKIE, ""), self._now())
        return (NOBODY, None) if session is None else (person(session.person, session.through), session)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise Refused(413, f"the body is larger than {MOST_BODY_BYTES} bytes")
    return body
