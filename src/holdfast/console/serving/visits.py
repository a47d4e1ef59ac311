"""Handlers of what people open and send: sign-in, the incident, links, the feed, the status page's files."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from holdfast.console.headline import Said
from holdfast.console.serving.accounts import Account, Accounts, NotSignedIn
from holdfast.console.serving.answering import Answer, Answering
from holdfast.console.serving.doors import Handler, Refused, Visit
from holdfast.console.serving.pages import incident_page, must_accept, page, proposal_facts
from holdfast.console.serving.sessions import COOKIE, Sealer
from holdfast.console.serving.settings import ServeSettings
from holdfast.decision.access import person as person_of
from holdfast.decision.links import BadLink, Deed, Link, opened

_PENDING = "holdfast_sign_on"
_PENDING_SECONDS = 600.0
FEED_SECONDS = 0.5


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


class Visits:
    """The pages over one running controller."""

    def __init__(
        self, settings: ServeSettings, answering: Answering, accounts: Accounts, sealer: Sealer, link_key: bytes,
        sign_on: SignOn | None, now: Callable[[], float], secure: bool,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._answering = answering
        self._accounts = accounts
        self._sealer = sealer
        self._link_key = link_key
        self._sign_on = sign_on
        self._now = now
        self._secure = secure

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Route → handler."""
        return {
            ("GET", "/healthz"): self._health,
            ("GET", "/sign-in"): self._sign_in_page,
            ("POST", "/sign-in"): self._sign_in,
            ("GET", "/sign-on"): self._sign_on_begins,
            ("GET", "/sign-on/back"): self._sign_on_ends,
            ("GET", "/break-glass"): self._glass_page,
            ("POST", "/break-glass"): self._break_glass,
            ("POST", "/sign-out"): self._sign_out,
            ("GET", "/status/{path:path}"): self._status,
            ("GET", "/feed"): self._feed,
            ("GET", "/a/{link}"): self._link_page,
            ("POST", "/a/{link}"): self._link_answer,
            ("GET", "/"): self._incident,
            ("GET", "/api/state"): self._state,
            ("POST", "/answer"): self._answer,
        }

    # -- signing in ---------------------------------------------------------------------------------------------------------

    def _sign_in_form(self, *, pair: bool, problem: str = "", status: int = 200) -> Response:
        title = "Break the glass" if pair else "Sign in to Holdfast"
        minutes = f"{self._settings.broken_glass_minutes:.0f}"
        facts: dict[str, Any] = {"pair": pair, "problem": problem, "sign_on": self._sign_on is not None, "minutes": minutes}
        return HTMLResponse(page("sign_in.html.j2", title, **facts), status_code=status)

    async def _health(self, _: Visit) -> Response:
        return PlainTextResponse("ok\n")

    async def _sign_in_page(self, _: Visit) -> Response:
        return self._sign_in_form(pair=False)

    async def _glass_page(self, _: Visit) -> Response:
        return self._sign_in_form(pair=True)

    async def _account(self, name: str, password: str) -> Account:
        return await asyncio.to_thread(self._accounts.signed_in, name, password, self._now())

    def _in(self, person: str, through: str, minutes: float) -> Response:
        response = RedirectResponse("/", status_code=303)
        cookie = self._sealer.session(person, through, self._now() + minutes * 60)
        response.set_cookie(COOKIE, cookie, max_age=int(minutes * 60), httponly=True, samesite="lax", secure=self._secure)
        return response

    async def _sign_in(self, visit: Visit) -> Response:
        try:
            account = await self._account(visit.first("name"), visit.first("password"))
            if account.break_glass:
                raise NotSignedIn("name or password is wrong")
        except NotSignedIn as error:
            return self._sign_in_form(pair=False, problem=str(error), status=401)
        return self._in(account.person, "page", self._settings.session_minutes)

    async def _break_glass(self, visit: Visit) -> Response:
        """Both are checked whatever the first comes to, so that nobody learns which of the two was wrong."""
        tried = [await self._tried(visit, ""), await self._tried(visit, "_2")]
        first, second = tried
        if first is None or second is None or first.person == second.person or first.name == second.name:
            return self._sign_in_form(pair=True, problem="it takes two different break-glass accounts and their passwords", status=401)
        until = self._now() + self._settings.broken_glass_minutes * 60
        sign_on = await self._sign_on.stands() if self._sign_on is not None else "none is configured"
        told = {"with": second.person, "because": visit.first("because"), "sign_on": sign_on, "until_seconds": until}
        said = await self._answering.command("break-glass", first.person, told, f"glass-{secrets.token_hex(8)}")
        if said.startswith("refused"):
            return self._sign_in_form(pair=True, problem=said, status=403)
        return self._in(first.person, f"page by broken glass with {second.person}", self._settings.broken_glass_minutes)

    async def _tried(self, visit: Visit, number: str) -> Account | None:
        try:
            account = await self._account(visit.first(f"name{number}"), visit.first(f"password{number}"))
        except NotSignedIn:
            return None
        return account if account.break_glass else None

    async def _sign_out(self, _: Visit) -> Response:
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE)
        return response

    async def _sign_on_begins(self, _: Visit) -> Response:
        if self._sign_on is None:
            raise Refused(404, "no single sign-on is configured")
        try:
            url, remembered = await self._sign_on.begin()
        except SignOnFailed as error:
            return self._sign_in_form(pair=False, problem=str(error), status=503)
        response = RedirectResponse(url, status_code=303)
        sealed = self._sealer.seal("sign-on", {**remembered, "until": self._now() + _PENDING_SECONDS})
        response.set_cookie(_PENDING, sealed, max_age=int(_PENDING_SECONDS), httponly=True, samesite="lax", secure=self._secure)
        return response

    async def _sign_on_ends(self, visit: Visit) -> Response:
        remembered = self._sealer.opened("sign-on", visit.request.cookies.get(_PENDING, ""))
        if self._sign_on is None or remembered is None or self._now() >= float(str(remembered["until"])):
            return self._sign_in_form(pair=False, problem="this sign-on was not begun here, or too long ago: begin again", status=401)
        try:
            person = await self._sign_on.finish(dict(visit.request.query_params), remembered)
        except SignOnFailed as error:
            return self._sign_in_form(pair=False, problem=str(error), status=401)
        response = self._in(person, "page", self._settings.session_minutes)
        response.delete_cookie(_PENDING)
        return response

    # -- the incident ---------------------------------------------------------------------------------------------------------

    async def _shown(self, visit: Visit, told: Said | None = None, status: int = 200) -> Response:
        state = await self._answering.state()
        person = visit.principal.name if visit.session is not None else ""
        word = visit.session.word if visit.session is not None else ""
        may = self._answering.may_approve(state, person)
        text = incident_page(state, self._now(), person=person, word=word, once=secrets.token_urlsafe(9), may_approve=may, told=told)
        return HTMLResponse(text, status_code=status)

    async def _incident(self, visit: Visit) -> Response:
        return await self._shown(visit)

    async def _state(self, _: Visit) -> Response:
        return JSONResponse(await self._answering.state())

    async def _answer(self, visit: Visit) -> Response:
        state = await self._answering.state()
        verb = visit.first("verb")
        if verb == "approve" and (wrong := _not_typed(state, visit)) is not None:
            return await self._shown(visit, Said("failed", wrong), 400)
        answer = Answer(
            verb, visit.first("incident"), visit.first("once")[:100], visit.first("hash"), visit.first("reason"), _accepts(state, visit)
        )
        try:
            said = await self._answering.give(visit.principal, answer)
        except Refused as refused:
            return await self._shown(visit, Said("failed", refused.text), refused.status)
        return await self._shown(visit, Said("failed" if said.startswith("refused") else "done", said))

    # -- links: looking never acts --------------------------------------------------------------------------------------------

    def _opened(self, visit: Visit) -> Link:
        try:
            return opened(self._link_key, visit.request.path_params["link"], self._now())
        except BadLink as error:
            raise Refused(403, str(error)) from error

    async def _link_shown(self, link: Link, state: dict[str, Any], told: Said | None = None, status: int = 200) -> Response:
        facts = proposal_facts(state)
        if link.deed is Deed.ACKNOWLEDGE:
            facts = {**facts, "proposal": None}
        elif told is None and (facts["proposal"] is None or facts["proposal"]["hash"] != link.hash):
            told, status = Said("failed", "what this link was made for is not what is asked now; it is void"), 410
        exercise = state["incident"] is not None and state["incident"]["kind"] == "exercise"
        shown = None if told is None else {"state": told.state, "text": told.text, "icon": "✓" if told.state == "done" else "✕"}
        title = f"{link.incident}: {'approve what is proposed' if link.deed is Deed.APPROVE else 'say that you have it'}"
        text = page("link.html.j2", title, exercise=exercise, person=link.person, once=secrets.token_urlsafe(9), told=shown, **facts)
        return HTMLResponse(text, status_code=status)

    async def _link_page(self, visit: Visit) -> Response:
        return await self._link_shown(self._opened(visit), await self._answering.state())

    async def _link_answer(self, visit: Visit) -> Response:
        link, state = self._opened(visit), await self._answering.state()
        if link.deed is Deed.APPROVE and (wrong := _not_typed(state, visit)) is not None:
            return await self._link_shown(link, state, Said("failed", f"{wrong}; open the link again"), 400)
        answer = Answer(link.deed.value, link.incident, visit.first("once")[:100], link.hash, "", _accepts(state, visit))
        try:
            said = await self._answering.give(person_of(link.person, "link"), answer)
        except Refused as refused:
            return await self._link_shown(link, state, Said("failed", refused.text), refused.status)
        return await self._link_shown(link, state, Said("failed" if said.startswith("refused") else "done", said))

    # -- for customers --------------------------------------------------------------------------------------------------------

    async def _status(self, visit: Visit) -> Response:
        folder = self._settings.status_folder
        if folder is None:
            raise Refused(404, "no status page is served here")
        wanted = visit.request.path_params["path"] or "index.html"
        file = await asyncio.to_thread(_inside, folder, wanted)
        if file is None:
            raise Refused(404, "the status page has no such file")
        return FileResponse(file)

    async def _feed(self, visit: Visit) -> Response:
        if self._settings.feed_file is None:
            raise Refused(404, "no feed is served here")
        last = visit.request.headers.get("last-event-id", "0")
        after = int(last) if last.isdecimal() and len(last) < 16 else 0
        return StreamingResponse(events(self._settings.feed_file, after), media_type="text/event-stream")


def _not_typed(state: dict[str, Any], visit: Visit) -> str | None:
    """Why this approval isn't one: the name of the region must be typed, and a large loss accepted by name."""
    proposal = proposal_facts(state)["proposal"]
    if proposal is None:
        return "nothing waits for approval now"
    if visit.first("region").strip() != proposal["target"]:
        return f"not approved: type the name of the region that will serve, {proposal['target']}"
    if must_accept(proposal) and proposal["count"] - len(proposal["approvals"]) <= 1 and not _accepts(state, visit):
        return "not approved: the loss is above the RPO or unknown, and somebody must accept it by name"
    return None


def _accepts(state: dict[str, Any], visit: Visit) -> bool:
    proposal = proposal_facts(state)["proposal"]
    typed = proposal is not None and visit.first("region").strip() == proposal["target"]
    return typed and visit.first("accept_loss") == "yes"


def _inside(folder: Path, wanted: str) -> Path | None:
    """The file, where it really lies in the folder."""
    file = (folder / wanted).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


async def events(file: Path, after: int) -> AsyncIterator[str]:
    """The feed's lines after a number, for ever: a line that has no end yet is still being written and waits."""
    number, offset = 0, 0
    yield "retry: 2000\n\n"
    while True:
        content = await asyncio.to_thread(_rest, file, offset)
        whole = content[: content.rfind(b"\n") + 1]
        offset += len(whole)
        for line in whole.splitlines():
            number += 1
            if number > after and (event := _event(line, number)) is not None:
                yield event
        if not whole:
            yield ": alive\n\n"
            await asyncio.sleep(FEED_SECONDS)


def _rest(file: Path, offset: int) -> bytes:
    try:
        with file.open("rb") as opened_file:
            opened_file.seek(offset)
            return opened_file.read(1_000_000)
    except FileNotFoundError:
        return b""


def _event(line: bytes, number: int) -> str | None:
    try:
        given = json.loads(line)
        kind = str(given["event"]).replace("\n", " ").replace("\r", " ")
        return f"id: {number}\nevent: {kind}\ndata: {json.dumps(given['data'], ensure_ascii=False)}\n\n"
    except (ValueError, KeyError, TypeError):
        return None  # a line torn by a crash
