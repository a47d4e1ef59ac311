"""Every door for other systems against what is forged, replayed, too large or malformed: refused in words, and nothing comes of it."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from holdfast.console.serving.accounts import Tokens
from holdfast.console.serving.doors import MOST_BODY_BYTES, NEEDS
from holdfast.decision.access import Scope
from holdfast.decision.links import Deed, button
from holdfast.journal.kinds import Kind
from unit.serve_rig import CHAT, PHONE, SECRET, Served, serving
from unit.test_serve import bearer
from unit.test_serve_alerts import GROUP, HEALTH, signed

ORIGIN = "https://doors.example"
DOORS = sorted(path for method, path in NEEDS if method == "POST" and path.startswith("/in/"))
FORM = "application/x-www-form-urlencoded"
WRONG_KEY = "another secret entirely, and as long"
LATE_SECONDS = 3600.0
PROOFS = {"authorization", "holdfast-signature", "x-slack-signature", "x-twilio-signature", "x-pagerduty-signature"}
SHORTEST_PROOF = 20
"""Characters; what is shorter proves nothing, and may stand in any text."""
EXECUTES = {Kind.STEP_INTENDED, Kind.STEP_WAITING, Kind.APPROVED, Kind.DECIDED, Kind.EPOCH_OPENED, Kind.ALERT_CONFIRMED, Kind.PROPOSED}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, whole."""

    content: bytes
    headers: Mapping[str, str]


Signer = Callable[[bytes, str, float], dict[str, str]]
"""Content, key, the sender's clock → the headers by which a door knows its sender."""


def _by_token(content: bytes, key: str, at: float) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _by_own_webhook(content: bytes, key: str, at: float) -> dict[str, str]:
    return signed(content, key=key, at=at)


def _by_slack(content: bytes, key: str, at: float) -> dict[str, str]:
    stamp = str(int(at))
    made = SignatureVerifier(key).generate_signature(timestamp=stamp, body=content) or ""
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": made, "content-type": FORM}


def _by_twilio(content: bytes, key: str, at: float) -> dict[str, str]:
    """Over the form's fields; what is no form in UTF-8 has none."""
    try:
        fields = dict(httpx.QueryParams(content.decode()).items())
    except UnicodeDecodeError:
        fields = {}
    return {"x-twilio-signature": RequestValidator(key).compute_signature(f"{ORIGIN}/in/twilio", fields), "content-type": FORM}


def _by_pagerduty(content: bytes, key: str, at: float) -> dict[str, str]:
    return {"x-pagerduty-signature": f"v1={hmac.new(key.encode(), content, hashlib.sha256).hexdigest()}"}


def _interaction(**changed: Any) -> bytes:
    action = {"action_id": "acknowledge", "value": button(Deed.ACKNOWLEDGE, "inc-1-1"), "action_ts": "17.1"}
    return urlencode({"payload": json.dumps({"type": "block_actions", "user": {"id": CHAT}, "actions": [action], **changed})}).encode()


def _event(**changed: Any) -> bytes:
    event = {"id": "01", "event_type": "incident.acknowledged", "agent": {"id": "PUSER1"}, "data": {"incident_key": "holdfast/inc-1-1"}}
    return json.dumps({"event": {**event, **changed}}).encode()


LONE = "\ud800"
"""Half a character: JSON can say it, UTF-8 can't."""
NO_JSON = (b"", b"{", b"\xff\xfe\xfd", b"[" * 20_000, b"[]", b"null", b"9" * 5000)


@dataclass(frozen=True, slots=True)
class Door:
    """A door's senders. `genuine`: what has an effect; `room`: a genuine one that is as long as asked; `malformed`: signed nonsense.

    `lasts`: whether a request proves its sender at any time, because nothing in it says when it was sent.
    """

    sign: Signer
    genuine: bytes
    room: Callable[[int], bytes]
    malformed: tuple[bytes, ...]
    lasts: bool
    effect: Kind


def _roomy_json(body: bytes) -> Callable[[int], bytes]:
    return lambda size: json.dumps({**json.loads(body), "more": "x" * size}).encode()


def _roomy_form(body: bytes) -> Callable[[int], bytes]:
    return lambda size: body + b"&more=" + b"x" * size


WEBHOOK = json.dumps({"id": "7", "signal": "data-errors", "summary": "rows differ"}).encode()
KEY_PRESS = urlencode({"CallSid": "CA1", "CallStatus": "in-progress", "From": "+1", "To": PHONE, "Digits": "1"}).encode()
TABLE: Mapping[str, Door] = {
    "/in/alertmanager": Door(
        _by_token,
        json.dumps(GROUP).encode(),
        _roomy_json(json.dumps(GROUP).encode()),
        (
            *NO_JSON,
            json.dumps({**GROUP, "version": 4}).encode(),
            json.dumps({**GROUP, "alerts": [1]}).encode(),
            json.dumps({**GROUP, "truncatedAlerts": -1}).encode(),
            json.dumps({**GROUP, "alerts": [{**GROUP["alerts"][0], "fingerprint": LONE}]}).encode(),
        ),
        True,
        Kind.ALERT_HEARD,
    ),
    "/in/aws-health": Door(
        _by_token,
        json.dumps(HEALTH).encode(),
        _roomy_json(json.dumps(HEALTH).encode()),
        (
            *NO_JSON,
            json.dumps({**HEALTH, "id": ""}).encode(),
            json.dumps({**HEALTH, "time": "soon"}).encode(),
            json.dumps({**HEALTH, "detail": {**HEALTH["detail"], "eventArn": LONE}}).encode(),
        ),
        True,
        Kind.ALERT_HEARD,
    ),
    "/in/webhook": Door(
        _by_own_webhook,
        WEBHOOK,
        _roomy_json(WEBHOOK),
        (*NO_JSON, b'{"signal": "data-errors"}', b'{"id": "1", "status": "maybe"}', json.dumps({"id": LONE, "signal": LONE}).encode()),
        False,
        Kind.ALERT_HEARD,
    ),
    "/in/slack": Door(
        _by_slack,
        _interaction(),
        _roomy_form(_interaction()),
        (
            *(urlencode({"payload": body}).encode() for body in NO_JSON),
            b"",
            b"{}",
            _interaction(user=None),
            _interaction(user={"id": LONE}),
            _interaction(actions=[]),
            _interaction(actions=[7]),
            _interaction(actions=[{"action_id": "go", "value": "holdfast:declare:inc-1-1:", "action_ts": "1"}]),
        ),
        False,
        Kind.ACKNOWLEDGED,
    ),
    "/in/twilio": Door(
        _by_twilio,
        KEY_PRESS,
        _roomy_form(KEY_PRESS),
        (b"", b"\xff=\xfe", b"{", urlencode({"To": PHONE, "Digits": "1"}).encode(), urlencode({"From": PHONE, "Body": "ACK"}).encode()),
        True,
        Kind.ACKNOWLEDGED,
    ),
    "/in/pagerduty": Door(
        _by_pagerduty,
        _event(),
        _roomy_json(_event()),
        (
            *NO_JSON,
            b'{"event": []}',
            _event(agent=None),
            _event(data=None),
            _event(event_type=LONE),
            _event(agent={"id": LONE}),
            _event(id=LONE),
        ),
        True,
        Kind.ACKNOWLEDGED,
    ),
}
"""The doors' own table gives the rows; one without its senders here is a failure, and so is one that is gone."""


@dataclass
class Visited:
    """One door, who knows its keys, and what has come of what was sent."""

    served: Served
    path: str
    door: Door
    key: str
    logged: pytest.LogCaptureFixture
    known: int
    """So many records were there before anything was sent: those of the incident that some doors answer."""

    def effects(self) -> tuple[int, int]:
        """How often it had its effect, and how many incidents there are. What else the journal gains, time alone may bring."""
        kinds = self.served.paper.kinds()
        return kinds.count(self.door.effect), kinds.count(Kind.INCIDENT_OPENED)

    def genuine(self, content: bytes | None = None, key: str | None = None, at: float | None = None) -> Sent:
        body = self.door.genuine if content is None else content
        return Sent(body, self.door.sign(body, self.key if key is None else key, time.time() if at is None else at))

    def post(self, sent: Sent, at: Served | None = None) -> httpx.Response:
        return (at or self.served).browser.post(self.path, content=sent.content, headers=httpx.Headers(sent.headers, encoding="latin-1"))

    def refused(self, sent: Sent, *statuses: int) -> None:
        """With one of these, in words that hold no secret, and nothing has come of it."""
        before = len(self.served.paper.records), len(self.served.controller.commands)
        answer = self.post(sent)
        assert answer.status_code in statuses, (answer.status_code, answer.text, sent.content[:200])
        assert answer.json()["error"]
        assert (len(self.served.paper.records), len(self.served.controller.commands)) == before
        self.kept_to_itself(answer, sent)

    def kept_to_itself(self, answer: httpx.Response, sent: Sent) -> None:
        """Nothing of a secret is answered or logged, and nothing failed inside."""
        shown = "\n".join([answer.text, str(answer.headers), self.logged.text])
        proofs = [value for name, value in sent.headers.items() if name in PROOFS and len(value) > SHORTEST_PROOF]
        for secret in (SECRET, WRONG_KEY, self.key, PHONE, *proofs):
            assert secret not in shown, f"{self.path} tells {secret}"
        assert "Traceback" not in shown and not [record for record in self.logged.records if record.levelno >= logging.ERROR]
        assert not set(self.served.paper.kinds()[self.known :]) & EXECUTES


@pytest.fixture(params=DOORS)
def visited(request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Visited]:
    caplog.set_level(logging.INFO)
    door = TABLE[request.param]
    with serving(tmp_path, public_url=ORIGIN) as served:
        if door.effect is Kind.ACKNOWLEDGED:
            served.paper.lose_region()
        key = bearer(served, "alert")["authorization"].removeprefix("Bearer ") if door.sign is _by_token else SECRET
        yield Visited(served, request.param, door, key, caplog, len(served.paper.records))


def test_every_door_for_other_systems_stands_in_the_table() -> None:
    assert sorted(TABLE) == DOORS


def test_what_is_forged_is_refused_and_nothing_comes_of_it(visited: Visited) -> None:
    genuine = visited.genuine()
    visited.refused(replace(genuine, headers={"content-type": FORM}), 401)
    visited.refused(visited.genuine(key=WRONG_KEY), 401)
    if visited.door.sign is _by_token:
        tokens = Tokens(visited.served.directory / "tokens.json")
        visited.refused(visited.genuine(key=tokens.create("reader", frozenset({Scope.READ}), 1e12)), 403)
        visited.refused(visited.genuine(key=tokens.create("was", frozenset({Scope.ALERT}), time.time() - 1)), 401)
        return
    other = visited.genuine(visited.door.room(1))
    visited.refused(Sent(genuine.content, other.headers), 401)
    visited.refused(Sent(other.content, genuine.headers), 401)
    proof = next(name for name in genuine.headers if name in PROOFS)
    for odd in ("", "é" * 9, "v0=", "v1=", "=" * 4000, ",".join(["v1="] * 500), "t=,k=,v1="):
        visited.refused(replace(genuine, headers={**genuine.headers, proof: odd}), 401)


def test_what_is_replayed_has_no_second_effect_also_where_the_doors_were_opened_anew(visited: Visited, tmp_path: Path) -> None:
    sent = visited.genuine()
    first = visited.post(sent)
    assert first.status_code == 200 and visited.served.paper.kinds().count(visited.door.effect) == 1, first.text
    before = visited.effects()
    for _ in range(3):
        again = visited.post(sent)
        assert again.status_code == 200, again.text
        visited.kept_to_itself(again, sent)
    with serving(visited.served.directory, visited.served.paper, public_url=ORIGIN) as anew:
        assert visited.post(sent, anew).status_code == 200
    assert visited.effects() == before
    if visited.door.lasts:
        assert visited.genuine(at=time.time() - LATE_SECONDS) == sent, "nothing in it says when it was sent: its identity alone counts"
        return
    visited.refused(visited.genuine(at=time.time() - LATE_SECONDS), 401)
    visited.refused(visited.genuine(at=time.time() + LATE_SECONDS), 401)


def test_what_is_too_large_is_refused_though_it_is_genuine(visited: Visited) -> None:
    sent = visited.genuine(visited.door.room(MOST_BODY_BYTES))
    visited.refused(sent, 413)
    half = len(sent.content) // 2
    answer = visited.served.browser.post(visited.path, content=iter((sent.content[:half], sent.content[half:])), headers=dict(sent.headers))
    assert answer.status_code == 413, "also where its size is not said before"
    assert visited.served.controller.commands == []
    visited.kept_to_itself(answer, sent)


def test_what_is_malformed_is_refused_with_the_reason_though_it_is_genuine(visited: Visited) -> None:
    for content in visited.door.malformed:
        visited.refused(visited.genuine(content), 400)
    assert visited.post(visited.genuine()).status_code == 200, "and the door still takes what makes sense"
