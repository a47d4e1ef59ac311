"""Handlers of what people open: the incident, as it is and as it changes, their answers, and links."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from holdfast.console.headline import glass_said
from holdfast.console.said import Said
from holdfast.console.serving.answering import Answer, Answering
from holdfast.console.serving.doors import Handler, Refused, Unanswered, Visit
from holdfast.console.serving.pages import Onlooker, incident_page, incident_pieces, must_accept, page, proposal_facts
from holdfast.console.serving.sessions import Session, Sessions
from holdfast.console.serving.streams import BEGIN, HEADERS, MEDIA_TYPE, Seats, event
from holdfast.decision.access import person as person_of
from holdfast.decision.links import BadLink, Deed, Link, opened

LOOK_SECONDS = 1.0
"""How often an open page is looked after."""
TICK_LOOKS = 5
"""After so many looks it is told how things stand though nothing changed: its clocks run, and it knows that somebody is there."""
MOST_OPEN_PAGES = 200


class Visits:
    """The pages over one running controller."""

    def __init__(self, answering: Answering, sessions: Sessions, link_key: bytes, now: Callable[[], float]) -> None:
        self._answering = answering
        self._sessions = sessions
        self._link_key = link_key
        self._now = now
        self._open_pages = Seats(MOST_OPEN_PAGES)

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Route → handler."""
        return {
            ("GET", "/a/{link}"): self._link_page,
            ("POST", "/a/{link}"): self._link_answer,
            ("GET", "/"): self._incident,
            ("GET", "/live"): self._live,
            ("GET", "/api/state"): self._state,
            ("POST", "/answer"): self._answer,
        }

    # -- the incident ---------------------------------------------------------------------------------------------------------

    def _onlooker(self, state: dict[str, Any], session: Session | None) -> Onlooker:
        person, word = ("", "") if session is None else (session.person, session.word)
        return Onlooker(person, word, secrets.token_urlsafe(9), self._answering.may_approve(state, person))

    async def _shown(self, visit: Visit, told: Said | None = None, status: int = 200) -> Response:
        state = await self._answering.state()
        return HTMLResponse(incident_page(state, self._now(), self._onlooker(state, visit.session), told), status_code=status)

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

    # -- as it changes --------------------------------------------------------------------------------------------------------

    async def _live(self, visit: Visit) -> Response:
        if visit.session is None:
            raise Refused(403, "an open page belongs to somebody who is signed in; machines read /api/state")
        if self._open_pages.full:
            raise Refused(503, f"{MOST_OPEN_PAGES} pages are open already: this one loads itself again instead")
        return StreamingResponse(self._changes(visit.session), media_type=MEDIA_TYPE, headers=HEADERS)

    async def _changes(self, session: Session) -> AsyncIterator[str]:
        """The page in pieces whenever something else is so, until the session is over."""
        with self._open_pages.taken():
            known, looks = "", 0
            yield BEGIN
            while self._sessions.stands(session, self._now()):
                name, said = await self._pieces(session)
                looks += 1
                if said["state"] != known or looks >= TICK_LOOKS:
                    known, looks = str(said["state"]), 0
                    yield event(name, said)
                await asyncio.sleep(LOOK_SECONDS)
            yield event("over", {})

    async def _pieces(self, session: Session) -> tuple[str, dict[str, Any]]:
        try:
            state = await self._answering.state()
        except Unanswered as unanswered:
            return "silent", {"state": "silent", "text": f"{unanswered} What is shown is what was known last."}
        return "page", incident_pieces(state, self._now(), self._onlooker(state, session))

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
        once, glass = secrets.token_urlsafe(9), glass_said(state)
        text = page("link.html.j2", title, exercise=exercise, person=link.person, once=once, told=shown, glass=glass, **facts)
        return HTMLResponse(text, status_code=status)

    async def _link_page(self, visit: Visit) -> Response:
        return await self._link_shown(self._opened(visit), await self._answering.state())

    async def _link_answer(self, visit: Visit) -> Response:
        link, state = self._opened(visit), await self._answering.state()
        refuses = link.deed is Deed.APPROVE and visit.first("verb") == "refuse"  # whoever may say yes to it may say no to it
        if link.deed is Deed.APPROVE and not refuses and (wrong := _not_typed(state, visit)) is not None:
            return await self._link_shown(link, state, Said("failed", f"{wrong}; open the link again"), 400)
        verb = "refuse" if refuses else link.deed.value
        answer = Answer(verb, link.incident, visit.first("once")[:100], link.hash, visit.first("reason"), _accepts(state, visit))
        try:
            said = await self._answering.give(person_of(link.person, "link"), answer)
        except Refused as refused:
            return await self._link_shown(link, state, Said("failed", refused.text), refused.status)
        return await self._link_shown(link, state, Said("failed" if said.startswith("refused") else "done", said))


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
