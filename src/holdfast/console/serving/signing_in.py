"""Handlers of signing in and out: local accounts, two who break the glass together, single sign-on.

Rules: whatever the browser brought along, a new session is made. Where a form leads afterwards is never the asker's to say. Checking a
password costs as much as it must, so only one is checked at a time, and a crowd of tries waits its turn or is sent away: the rest of the
doors goes on.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from starlette.responses import HTMLResponse, RedirectResponse, Response

from holdfast.console.serving.accounts import Account, Accounts, NotSignedIn
from holdfast.console.serving.answering import Answering
from holdfast.console.serving.doors import Handler, Refused, Visit
from holdfast.console.serving.pages import page
from holdfast.console.serving.sessions import SESSION, SIGN_ON, Sealer, Sessions, cookie_name
from holdfast.console.serving.settings import ServeSettings

_PENDING_SECONDS = 600.0
MOST_WAITING, MOST_WAITING_OF_ONE = 40, 3
"""Tries that wait for their turn: of everybody, and of one address."""


class SignOnFailed(Exception):
    """Single sign-on said no, or nothing that can be believed; the text says which."""


class SignOn(Protocol):
    """Single sign-on, as the doors use it."""

    async def begin(self) -> tuple[str, dict[str, object]]:
        """Where the person goes, and what must be remembered until they come back. Raises SignOnFailed."""

    async def finish(self, query: dict[str, str], remembered: dict[str, object]) -> str:
        """The person of the plan who came back. Raises SignOnFailed."""

    async def stands(self) -> str:
        """In a few words, whether it answers now."""


class SigningIn:
    """The ways into a session. `origin`: the address that people use."""

    def __init__(
        self, settings: ServeSettings, answering: Answering, accounts: Accounts, sealer: Sealer, sessions: Sessions,
        sign_on: SignOn | None, now: Callable[[], float], origin: str,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._answering = answering
        self._accounts = accounts
        self._sealer = sealer
        self._sessions = sessions
        self._sign_on = sign_on
        self._now = now
        self._secure = origin.startswith("https:")
        self._session_cookie, self._pending_cookie = cookie_name(SESSION, origin), cookie_name(SIGN_ON, origin)
        self._turn = asyncio.Lock()
        self._waiting: Counter[str] = Counter()

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Route → handler."""
        return {
            ("GET", "/sign-in"): self._sign_in_page,
            ("POST", "/sign-in"): self._sign_in,
            ("GET", "/sign-on"): self._sign_on_begins,
            ("GET", "/sign-on/back"): self._sign_on_ends,
            ("GET", "/break-glass"): self._glass_page,
            ("POST", "/break-glass"): self._break_glass,
            ("POST", "/sign-out"): self._sign_out,
        }

    def _form(self, *, pair: bool, problem: str = "", status: int = 200) -> Response:
        title = "Break the glass" if pair else "Sign in to Holdfast"
        minutes = f"{self._settings.broken_glass_minutes:.0f}"
        facts: dict[str, Any] = {"pair": pair, "problem": problem, "sign_on": self._sign_on is not None, "minutes": minutes}
        return HTMLResponse(page("sign_in.html.j2", title, **facts), status_code=status)

    async def _sign_in_page(self, _: Visit) -> Response:
        return self._form(pair=False)

    async def _glass_page(self, _: Visit) -> Response:
        return self._form(pair=True)

    @asynccontextmanager
    async def _in_turn(self, visit: Visit) -> AsyncIterator[None]:
        """One password after the other. Raises Refused for whoever crowds the door."""
        address = _address(visit)
        if self._waiting.total() >= MOST_WAITING or self._waiting[address] >= MOST_WAITING_OF_ONE:
            raise Refused(429, "too many try to sign in at this moment: try again in a moment. Links and open sessions work as before")
        self._waiting[address] += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting[address] -= 1
            self._waiting = +self._waiting

    async def _account(self, visit: Visit, number: str = "") -> Account:
        name, password = visit.first(f"name{number}"), visit.first(f"password{number}")
        return await asyncio.to_thread(self._accounts.signed_in, name, password, self._now(), _address(visit))

    def _in(self, person: str, through: str, minutes: float, account: str = "") -> Response:
        response = RedirectResponse("/", status_code=303)
        cookie = self._sessions.open(person, through, self._now() + minutes * 60, account)
        response.set_cookie(self._session_cookie, cookie, max_age=int(minutes * 60), httponly=True, samesite="lax", secure=self._secure)
        return response

    async def _sign_in(self, visit: Visit) -> Response:
        try:
            async with self._in_turn(visit):
                account = await self._account(visit)
            if account.break_glass:
                raise NotSignedIn("name or password is wrong")
        except NotSignedIn as error:
            return self._form(pair=False, problem=str(error), status=401)
        return self._in(account.person, "page", self._settings.session_minutes, account.name)

    async def _break_glass(self, visit: Visit) -> Response:
        """Both are checked whatever the first comes to, so that nobody learns which of the two was wrong."""
        async with self._in_turn(visit):
            tried = [await self._tried(visit, ""), await self._tried(visit, "_2")]
        first, second = tried
        if first is None or second is None or first.person == second.person or first.name == second.name:
            return self._form(pair=True, problem="it takes two different break-glass accounts and their passwords", status=401)
        until = self._now() + self._settings.broken_glass_minutes * 60
        sign_on = await self._sign_on.stands() if self._sign_on is not None else "none is configured"
        told = {"with": second.person, "because": visit.first("because"), "sign_on": sign_on, "until_seconds": until}
        said = await self._answering.command("break-glass", first.person, told, f"glass-{secrets.token_hex(8)}")
        if said.startswith("refused"):
            return self._form(pair=True, problem=said, status=403)
        through = f"page by broken glass with {second.person}"
        return self._in(first.person, through, self._settings.broken_glass_minutes, first.name)

    async def _tried(self, visit: Visit, number: str) -> Account | None:
        try:
            account = await self._account(visit, number)
        except NotSignedIn:
            return None
        return account if account.break_glass else None

    async def _sign_out(self, visit: Visit) -> Response:
        if visit.session is not None:
            await asyncio.to_thread(self._sessions.end, visit.session, self._now())
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(self._session_cookie, httponly=True, samesite="lax", secure=self._secure)
        return response

    async def _sign_on_begins(self, _: Visit) -> Response:
        if self._sign_on is None:
            raise Refused(404, "no single sign-on is configured")
        try:
            url, remembered = await self._sign_on.begin()
        except SignOnFailed as error:
            return self._form(pair=False, problem=str(error), status=503)
        response = RedirectResponse(url, status_code=303)
        sealed = self._sealer.seal("sign-on", {**remembered, "until": self._now() + _PENDING_SECONDS})
        response.set_cookie(self._pending_cookie, sealed, max_age=int(_PENDING_SECONDS), httponly=True, samesite="lax", secure=self._secure)
        return response

    async def _sign_on_ends(self, visit: Visit) -> Response:
        remembered = self._sealer.opened("sign-on", visit.request.cookies.get(self._pending_cookie, ""))
        if self._sign_on is None or remembered is None or self._now() >= float(str(remembered["until"])):
            return self._form(pair=False, problem="this sign-on was not begun here, or too long ago: begin again", status=401)
        try:
            person = await self._sign_on.finish(dict(visit.request.query_params), remembered)
        except SignOnFailed as error:
            return self._form(pair=False, problem=str(error), status=401)
        response = self._in(person, "page", self._settings.session_minutes)
        response.delete_cookie(self._pending_cookie, httponly=True, samesite="lax", secure=self._secure)
        return response


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client is not None else ""
