"""Handlers of what other systems send: alerts in, buttons, key presses, replies, acknowledgements. Each proves first who sends it.

Rules: what can't be proved gets 401 and is logged without its content; what makes no sense 400 with the reason; a repeat gets the answer
of the first. An alert ends in the command `alert`, which can execute nothing. An answer ends in the command that `holdfast approve` gives.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response

from holdfast.communications.signing import ForgedError, verify
from holdfast.console.serving.answering import Answer, Answering
from holdfast.console.serving.doors import Handler, Refused, Visit
from holdfast.console.serving.incoming import BadAlert, Heard, alertmanager, aws_health, json_object, webhook
from holdfast.console.serving.pages import is_open, must_accept
from holdfast.console.serving.recent import Recent
from holdfast.console.serving.settings import ServeSettings
from holdfast.console.serving.signatures import Forged, check_pagerduty, check_slack, check_twilio
from holdfast.decision.access import person
from holdfast.decision.links import BadLink, Deed, code_fits, pressed
from holdfast.ports.post import Post

log = logging.getLogger(__name__)

_TRIES = 5
_LONGEST_KEY = 500
_LONGEST_ATTEMPT = 9
_ENDED_AS = {
    "delivered": "delivered", "read": "delivered", "completed": "delivered",
    "undelivered": "failed", "failed": "failed", "busy": "failed", "no-answer": "failed", "canceled": "failed",
}  # fmt: skip
"""What the telephone service calls the end of a message or call → what came of it. Everything before the end says nothing."""
Secrets = Mapping[str, tuple[bytes, ...]]
"""chat, phone, paging → their secrets."""


class Receiving:
    """The doors for other systems."""

    def __init__(
        self, settings: ServeSettings, answering: Answering, secrets: Secrets, webhook_keys: Mapping[str, bytes], link_key: bytes,
        post: Post, now: Callable[[], float], origin: str,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._answering = answering
        self._secrets = secrets
        self._webhook_keys = webhook_keys
        self._link_key = link_key
        self._post = post
        self._now = now
        self._origin = origin
        self._sent: dict[str, Recent] = {}
        self._tried: dict[tuple[str, str], int] = {}
        self._saying: set[asyncio.Task[None]] = set()

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Route → handler."""
        return {
            ("POST", "/in/alertmanager"): self._alertmanager,
            ("POST", "/in/aws-health"): self._aws_health,
            ("POST", "/in/webhook"): self._webhook,
            ("POST", "/in/slack"): self._slack,
            ("POST", "/in/twilio"): self._twilio,
            ("POST", "/in/pagerduty"): self._pagerduty,
        }

    # -- alerts ---------------------------------------------------------------------------------------------------------------

    async def _alertmanager(self, visit: Visit) -> Response:
        return await self._heard(visit.principal.name, lambda: alertmanager(visit.body, self._settings.alerts.alertmanager))

    async def _aws_health(self, visit: Visit) -> Response:
        return await self._heard(visit.principal.name, lambda: aws_health(visit.body, self._settings.alerts.aws_health))

    async def _webhook(self, visit: Visit) -> Response:
        header = visit.request.headers.get("holdfast-signature", "")
        name = _proved(lambda: verify(self._webhook_keys, header, visit.body, self._now()))
        return await self._heard(name, lambda: webhook(visit.body, name, self._settings.alerts.webhook))

    async def _heard(self, sender: str, read: Callable[[], Heard]) -> Response:
        try:
            heard = read()
        except BadAlert as error:
            raise Refused(400, str(error)) from error
        if heard.alerts and (silent := (await self._answering.state()).get("hears")):  # an alert that is answered is not sent again
            raise Refused(
                503, f"nothing was taken: the controller first hears the agents of {', '.join(silent)}. Send it again in a minute"
            )
        self._within_rate(sender, len(heard.alerts))
        if heard.truncated and not heard.alerts:  # with an alert that means something here it is journalled
            log.warning("%s left out %d alerts of a group in which none is a signal of the plan", sender, heard.truncated)
        answers = []
        for alert in heard.alerts:
            arguments = {name: value for name, value in asdict(alert).items() if name != "identity"} | {"truncated": heard.truncated}
            identifier = f"alert-{hashlib.sha256(f'{sender}:{alert.identity}'.encode()).hexdigest()[:40]}"
            said = await self._answering.command("alert", f"machine:{sender}", arguments, identifier)
            if said.startswith("refused"):
                log.warning("an alert of %s counted for nothing: %s", sender, " ".join(said.split()))
            answers.append({"fingerprint": alert.fingerprint, "signal": alert.signal, "answer": said})
        return JSONResponse({"alerts": answers, "not_mapped": heard.unnamed, "truncated_by_sender": heard.truncated})

    def _within_rate(self, sender: str, count: int) -> None:
        """Each alert is journalled: a storm must not fill the disk. A group alone is taken whole, however large. Raises Refused."""
        sent, now = self._sent.setdefault(sender, Recent(60.0)), self._now()
        if (lately := sent.count(now)) and lately + count > self._settings.alerts.most_a_minute:
            raise Refused(
                429, f"more than {self._settings.alerts.most_a_minute} alerts a minute from {sender}: send them again in a minute"
            )
        sent.add(now, count)

    # -- answers --------------------------------------------------------------------------------------------------------------

    def _secret(self, name: str) -> tuple[bytes, ...]:
        if name not in self._secrets:
            raise Refused(404, "this way is not configured here")
        return self._secrets[name]

    async def _slack(self, visit: Visit) -> Response:
        """A button: `action_id` acknowledge (of any message about the incident), or a value of Holdfast's own."""
        secret, headers = self._secret("chat")[0], visit.request.headers
        stamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        _proved(lambda: check_slack(secret, stamp, signature, visit.body, self._now()))
        try:
            payload = json_object(visit.first("payload").encode())
            user, action = str(payload["user"]["id"]), dict(payload["actions"][0])
            moment = str(action["action_ts"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise Refused(400, "'payload' must be a block_actions interaction") from error
        try:
            said = await self._pressed(user, action, moment)
        except Refused as refused:
            self._say_back(payload, refused.text)
            raise
        self._say_back(payload, said)
        return JSONResponse({"answer": said})

    async def _pressed(self, user: str, action: Mapping[str, Any], moment: str) -> str:
        value = str(action.get("value", ""))
        who = self._person(lambda one: one.chat == user, f"Slack user {user[:40]}")
        state = await self._answering.state()
        if action.get("action_id") == "acknowledge" and not value.startswith("holdfast:"):
            deed, incident, wanted = Deed.ACKNOWLEDGE, _named_in(state, value), ""
        else:
            try:
                deed, incident, wanted = pressed(value)
            except BadLink as error:
                raise Refused(400, str(error)) from error
        return await self._given(who, "chat", state, Answer(deed.value, incident, f"{moment}-{deed}", wanted))

    def _say_back(self, payload: Mapping[str, Any], said: str) -> None:
        """To whoever pressed, and nobody else. Slack shows nothing of what a button is answered with: it names an address for that."""
        url = str(payload.get("response_url", ""))
        if self._settings.chat is None or not url.startswith(self._settings.chat.replies_to):
            return
        body = json.dumps({"response_type": "ephemeral", "replace_original": False, "text": said}).encode()
        task = asyncio.create_task(self._posted(url, body))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _posted(self, url: str, body: bytes) -> None:
        try:
            await self._post(url, {"content-type": "application/json"}, body)
        except (OSError, TimeoutError) as error:  # what was answered counts all the same
            log.warning("POST /in/slack: nobody could be told what came of it: %s", type(error).__name__)

    async def _twilio(self, visit: Visit) -> Response:
        """A pressed key or a text: 1 or ACK acknowledges, six digits approve. A call was made to `To`; a text comes from `From`.

        The same address hears what became of a message or call that was handed to the service: a receipt, never an answer.
        """
        url, query = f"{self._origin}/in/twilio", visit.request.url.query
        token, signature = self._secret("phone")[0], visit.request.headers.get("x-twilio-signature", "")
        _proved(lambda: check_twilio(token, f"{url}?{query}" if query else url, visit.fields, signature))
        call, status = visit.first("CallSid"), visit.first("MessageStatus") or visit.first("CallStatus")
        identifier = call or visit.first("MessageSid")
        if not identifier:  # nothing could tell its repeat from another one, and nobody listens
            raise Refused(400, "the body must be a form with a 'CallSid' or a 'MessageSid'")
        if status and not visit.first("Digits") and not visit.first("Body"):
            return await self._reported(visit, identifier, status)
        try:
            said = await self._rung_up(visit, call)
        except Refused as refused:  # somebody listens: a status code would be read to them as a fault of the telephone
            log.warning("POST /in/twilio: refused: %s", refused.text)
            said = f"Refused: {refused.text}."
        return _spoken(said, call)

    async def _reported(self, visit: Visit, identifier: str, status: str) -> Response:
        """Handed on to the controller, which knows what was handed over under the key. Nothing is asked where nothing has ended yet."""
        key = visit.request.query_params.get("key", "")
        if status not in _ENDED_AS or not key:
            return Response(status_code=204)
        code = visit.first("ErrorCode")
        how = f"the telephone service says {status}{f', error {code[:20]}' if code else ''}"
        named = hashlib.sha256(f"{key}\n{identifier}\n{status}".encode()).hexdigest()[:40]
        attempt = visit.request.query_params.get("attempt", "")
        which = {"attempt": int(attempt)} if attempt.isascii() and attempt.isdigit() and len(attempt) <= _LONGEST_ATTEMPT else {}
        arguments = {"key": key[:_LONGEST_KEY], "result": _ENDED_AS[status], "how": how, **which}
        said = await self._answering.command("receipt", "machine:twilio", arguments, f"receipt-{named}")
        return JSONResponse({"answer": said})

    async def _rung_up(self, visit: Visit, call: str) -> str:
        number, said = (visit.first("To"), visit.first("Digits")) if call else (visit.first("From"), visit.first("Body"))
        who = self._person(lambda one: one.phone is not None and _digits(one.phone) == _digits(number), "this number")
        words, state = said.strip().lower().removeprefix("approve").strip(), await self._answering.state()
        incident = state["incident"]["incident"] if is_open(state) else ""
        once, through = call or visit.first("MessageSid"), "phone" if call else "sms"
        if words in ("1", "ack", "yes", "ok"):
            answer = Answer("ack", incident, f"{once}-ack")
        elif len(words) == 6 and words.isascii() and words.isdigit():
            answer = Answer("approve", incident, f"{once}-{words}", self._code_fits(who, state, words))
        else:
            return "Not understood. Answer 1 to say that you have it, or the six digits to approve."
        return await self._given(who, through, state, answer)

    def _code_fits(self, who: str, state: Mapping[str, Any], digits: str) -> str:
        """The hash that these digits of this person stand for. Raises Refused; after some wrong tries they count no more."""
        proposal = state["incident"]["proposal"] if is_open(state) else None
        if proposal is None:
            raise Refused(409, "nothing waits for approval now")
        place = (who, proposal["hash"])
        if self._tried.get(place, 0) >= _TRIES:
            raise Refused(429, "too many wrong codes for this proposal: use the page")
        if not code_fits(self._link_key, who, proposal["hash"], digits):
            self._tried = {known: tries for known, tries in self._tried.items() if known[1] == proposal["hash"]}
            self._tried[place] = self._tried.get(place, 0) + 1
            raise Refused(403, "these are not the digits for what is proposed now")
        return str(proposal["hash"])

    async def _pagerduty(self, visit: Visit) -> Response:
        header = visit.request.headers.get("x-pagerduty-signature", "")
        keys = self._secret("paging")
        _proved(lambda: check_pagerduty(keys, header, visit.body))
        try:
            event = json_object(visit.body)["event"]
            kind, once = str(event["event_type"]), str(event["id"])
            if kind != "incident.acknowledged":
                return JSONResponse({"answer": f"'{kind[:60]}' means nothing here"})
            user, about = str(event["agent"]["id"]), str(event["data"].get("incident_key") or "")
        except (BadAlert, KeyError, TypeError, AttributeError) as error:
            raise Refused(400, "the body must hold an 'event' with id, event_type, agent and data") from error
        people = self._settings.paging.people if self._settings.paging is not None else {}
        if user not in people:
            raise Refused(403, f"PagerDuty user {user[:40]} is nobody in the configuration")
        state = await self._answering.state()
        answer = Answer("ack", _named_in(state, about), f"pagerduty-{once}")
        return JSONResponse({"answer": await self._given(people[user], "pagerduty", state, answer)})

    def _person(self, fits: Callable[[Any], bool], called: str) -> str:
        found = [name for name, one in self._answering.plan.people.items() if fits(one)]
        if len(found) != 1:
            raise Refused(403, f"{called} is {'nobody' if not found else 'more than one person'} in the plan")
        return found[0]

    async def _given(self, who: str, through: str, state: Mapping[str, Any], answer: Answer) -> str:
        """A loss that somebody must accept needs the page: the last approval is not taken from a button."""
        proposal = state["incident"]["proposal"] if is_open(state) else None
        if answer.verb == "approve" and proposal is not None and must_accept(proposal):
            raise Refused(403, "the loss is above the RPO or unknown: accept it on the page, where the region's name is typed")
        return await self._answering.give(person(who, through), answer)


def _proved(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except (Forged, ForgedError) as error:
        raise Refused(401, str(error)) from error


def _named_in(state: Mapping[str, Any], text: str) -> str:
    """The open incident, where the text (a message's or an alert's key) names it as one of its parts."""
    incident = str(state["incident"]["incident"]) if is_open(state) else ""
    parts = text.replace("/", ":").replace(" ", ":").split(":")
    return incident if incident and incident in parts else ""


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _spoken(said: str, call: str) -> Response:
    from xml.sax.saxutils import escape

    inner = f"<Say>{escape(said)}</Say>" if call else f"<Message>{escape(said)}</Message>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', media_type="application/xml")
