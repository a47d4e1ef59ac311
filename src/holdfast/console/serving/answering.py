"""People's answers, whatever way they came: checked for who answers, then given to the controller, which decides whether they count.

Rules: a loss is accepted on a page only, by the region's name typed. What a link, form or button was made for must still be what is asked.
An answer has an identifier of its own, so that a double tap or a repeated delivery does it once. However many look at the same moment,
the controller is asked once: a crowd in front of the doors must not keep it from its work.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.console.serving.doors import Asked, Refused
from holdfast.console.serving.pages import is_open
from holdfast.console.serving.recent import Recent
from holdfast.decision.access import Principal, denied_deed
from holdfast.plan.model import Plan
from holdfast.plan.people import Occasion, fillers

VERBS = ("approve", "refuse", "ack", "confirm")
SHARED_SECONDS = 0.5
"""Whoever looks within this time after another is shown the same."""
MOST_ANSWERS_A_MINUTE = 30
"""Of one person. Each is journalled."""
_WAYS = {"page": "link", "link": "link", "chat": "button", "phone": "phone-key", "sms": "reply"}
"""How `through` is called among the ways of an acknowledgement; whatever isn't in it came from another system: reply."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `identifier`: the same for a repeat of the same one. `on_page`: the region's name was typed as it is."""

    verb: str
    incident: str
    identifier: str
    hash: str = ""
    reason: str = ""
    accepts_loss_on_page: bool = False


class Answering:
    """Gives answers to one controller. `plan`: whose people may answer."""

    def __init__(self, asked: Asked, plan: Plan) -> None:
        self._asked = asked
        self._plan = plan
        self._looking: asyncio.Task[dict[str, Any]] | None = None
        self._looked_at = 0.0
        self._given: dict[str, Recent] = {}

    @property
    def plan(self) -> Plan:
        """The plan whose people answer."""
        return self._plan

    async def state(self) -> dict[str, Any]:
        """What the controller knows now, or knew a moment ago. Raises Unanswered."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._looked_at >= SHARED_SECONDS):
            self._looked_at = now
            self._looking = asyncio.create_task(asyncio.to_thread(self._asked.state))
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())  # where everybody has left meanwhile
        return await asyncio.shield(self._looking)

    def may_approve(self, state: Mapping[str, Any], person: str) -> bool:
        """Whether an approval of this person would count now."""
        proposal = state["incident"]["proposal"] if is_open(state) else None
        if proposal is None or person == proposal["requester"] or any(given["person"] == person for given in proposal["approvals"]):
            return False
        return person in self._approvers(state)

    async def give(self, principal: Principal, answer: Answer) -> str:
        """The controller's answer in words. Raises Refused before asking it, or Unanswered."""
        if answer.verb not in VERBS:
            raise Refused(400, f"'{answer.verb[:40]}' is no answer; it can be one of: {', '.join(VERBS)}")
        self._within_rate(principal.name)
        self._looking = None  # who answers is held to what is asked now
        state = await self.state()
        if answer.verb == "ack" and _is_of_the_test(state, answer.incident):
            if (against := denied_deed(principal, principal.name, self._plan.people)) is not None:
                raise Refused(403, against)
            return await self._handed_on(principal, answer)
        incident = state["incident"] if is_open(state) else None
        if incident is None or incident["incident"] != answer.incident:
            raise Refused(409, f"{answer.incident[:60] or 'nothing'} is not the open incident")
        proposal = incident["proposal"]
        about_proposal = answer.verb == "approve"
        asked_now = "" if proposal is None else proposal["hash"]
        is_void = answer.verb in ("approve", "refuse") and answer.hash != asked_now
        if is_void or (about_proposal and proposal is None):
            raise Refused(410, "what this was made for is not what is asked now: look at the incident again and answer that")
        may = self._approvers(state) if about_proposal else None
        against = denied_deed(principal, principal.name, self._plan.people, may, proposal["requester"] if proposal else "")
        if against is not None:
            raise Refused(403, against)
        return await self._handed_on(principal, answer)

    async def _handed_on(self, principal: Principal, answer: Answer) -> str:
        arguments = {"incident": answer.incident, "through": principal.through, **_arguments(answer, principal.through)}
        named = hashlib.sha256(f"{principal.name}\n{answer.verb}\n{answer.identifier}".encode()).hexdigest()[:40]
        return await self.command(answer.verb, principal.name, arguments, f"serve-{named}")

    async def command(self, verb: str, by: str, arguments: Mapping[str, Any], identifier: str) -> str:
        """Any other command of the doors' own. Raises Unanswered."""
        try:
            return await asyncio.to_thread(self._asked.command, verb, by, arguments, identifier)
        finally:
            self._looking = None  # what was seen before it is old now

    def _within_rate(self, person: str) -> None:
        given, now = self._given.setdefault(person, Recent(60.0)), asyncio.get_running_loop().time()
        if given.count(now) >= MOST_ANSWERS_A_MINUTE:
            raise Refused(429, f"more than {MOST_ANSWERS_A_MINUTE} answers of {person} within a minute: wait a minute; nothing was done")
        given.add(now)

    def _approvers(self, state: Mapping[str, Any]) -> frozenset[str]:
        incident = state["incident"]
        occasion = Occasion.EXERCISE if incident["kind"] == "exercise" else Occasion.INCIDENT
        roles = [self._plan.roles[role] for role in incident["proposal"]["roles"] if role in self._plan.roles]
        return frozenset(one for role in roles for one in fillers(role, occasion))


def _is_of_the_test(state: Mapping[str, Any], named: str) -> bool:
    """Whether an answer is about the last quiet test of people's channels, and not about an incident."""
    test = state.get("channel_test")
    return test is not None and test["test"] == named


def _arguments(answer: Answer, through: str) -> dict[str, Any]:
    if answer.verb == "approve":
        return {"hash": answer.hash, "accepts_loss": answer.accepts_loss_on_page}
    if answer.verb == "ack":
        return {"way": _WAYS.get(through.split(" ", maxsplit=1)[0], "reply")}
    return {"hash": answer.hash, "reason": answer.reason[:300]}
