"""What other systems send, as they publish it: signatures, payloads, receipts, and that none of it can execute anything."""

import asyncio
import hashlib
import hmac
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from free_ports import free_port
from holdfast.app_serve import application
from holdfast.console.serving.accounts import Tokens
from holdfast.console.serving.doors import NEEDS
from holdfast.console.serving.incoming import SignalRule, alertmanager, aws_health
from holdfast.console.serving.signatures import Forged, check_pagerduty, check_slack, check_twilio
from holdfast.decision.access import Scope
from holdfast.decision.links import Deed, button
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import Paper
from unit.serve_rig import CHAT, PHONE, SECRET, PaperController, Served, reachable, running, serving, settings_with
from unit.test_serve import rung_up, slack
from unit.test_serve_alerts import signed

# -- signatures as their senders publish them ---------------------------------------------------------------------------------

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
    b"&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""The worked example of Slack's documentation, with its secret, time and signature below."""


def test_slacks_own_example_is_genuine_within_its_five_minutes() -> None:
    secret, stamp = b"8f742231b10e8888abcd99yyyzzz85a5", "1531420618"
    given_signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    for now in (1531420618.0, 1531420618.0 + 299, 1531420618.0 - 299):
        check_slack(secret, stamp, given_signature, SLACK_BODY, now)
    for now, body in ((1531420618.0 + 301, SLACK_BODY), (1531420618.0 - 301, SLACK_BODY), (1531420618.0, SLACK_BODY + b"&")):
        with pytest.raises(Forged):
            check_slack(secret, stamp, given_signature, body, now)


def test_twilios_own_example_is_genuine() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212", "Caller": "+14158675309"}
    check_twilio(b"12345", url, {name: [value] for name, value in fields.items()}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    for odd in ({**fields, "Digits": "1235"}, {**fields, "More": "x"}, {}):
        with pytest.raises(Forged):
            check_twilio(b"12345", url, {name: [value] for name, value in odd.items()}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@given(
    st.sampled_from(["https://h.example", "https://h.example:443", "https://h.example:8443", "http://h.example", "http://h.example:8080"]),
    st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=5),
    st.booleans(),
)
def test_whatever_twilios_library_takes_for_genuine_is_genuine_here_and_nothing_else(
    origin: str, fields: dict[str, str], spoiled: bool
) -> None:
    url, validator = f"{origin}/in/twilio?key=a%2Fb", RequestValidator(SECRET)
    for called in (url, url.replace(":443", "").replace(":8443", "").replace(":8080", "")):
        made = validator.compute_signature(called, fields)
        given_signature = made[:-2] + ("A=" if made[-2] != "A" else "B=") if spoiled else made
        theirs = validator.validate(url, fields, given_signature)
        try:
            check_twilio(SECRET.encode(), url, {name: [value] for name, value in fields.items()}, given_signature)
            ours = True
        except Forged:
            ours = False
        assert ours == theirs


def test_pagerduty_may_sign_with_an_old_and_a_new_secret_while_it_is_changed() -> None:
    body = '{"event":{"id":"é"}}'.encode()

    def made(secret: bytes) -> str:
        return f"v1={hmac.new(secret, body, hashlib.sha256).hexdigest()}"

    both = f"{made(b'old')},{made(b'new')}"
    for known in ([b"old"], [b"new"], [b"newer", b"new"]):
        check_pagerduty(known, both, body)
    check_pagerduty([b"new"], f" {made(b'old')} , {made(b'new')} ", body)
    for header in ("", "v1=", made(b"old").removeprefix("v1="), made(b"old").replace("v1", "v0"), made(b"another"), both + "x" * 3):
        with pytest.raises(Forged):
            check_pagerduty([b"newest"], header, body)


# -- payloads as their senders publish them -----------------------------------------------------------------------------------


def group(status: str = "firing", *, names: tuple[str, ...] = ("LoginsFail",), cut: int = 0, ends: str = "0001-01-01T00:00:00Z") -> bytes:
    """A notification with every field that Alertmanager documents."""
    labels = [{"alertname": name, "instance": "id-1:9100", "severity": "critical"} for name in names]
    alerts = [
        {
            "status": status,
            "labels": one,
            "annotations": {"summary": f"{one['alertname']} on id-1", "runbook_url": "https://wiki.example/x"},
            "startsAt": "2026-01-05T10:00:00.123456789Z",
            "endsAt": ends,
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
            "fingerprint": hashlib.sha256(one["alertname"].encode()).hexdigest()[:16],
        }
        for one in labels
    ]
    whole = {
        "version": "4",
        "groupKey": '{}:{alertname="LoginsFail"}',
        "truncatedAlerts": cut,
        "status": status,
        "receiver": "holdfast",
        "groupLabels": {"alertname": "LoginsFail"},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    }
    return json.dumps(whole).encode()


RULES = [SignalRule.model_validate({"label": "alertname", "is": "LoginsFail", "signal": "security-alert"})]


def test_a_group_of_alertmanager_is_read_alert_by_alert_with_nanoseconds_and_what_was_cut_off() -> None:
    heard = alertmanager(group(names=("LoginsFail", "DiskFull"), cut=7), RULES)
    assert (len(heard.alerts), heard.unnamed, heard.truncated) == (1, 1, 7)
    (alert,) = heard.alerts
    assert (alert.status, alert.signal, alert.says) == ("firing", "security-alert", "LoginsFail on id-1")
    assert alert.at_seconds == pytest.approx(1767607200.123456)
    over = alertmanager(group("resolved", ends="2026-01-05T10:05:00Z"), RULES).alerts[0]
    assert over.status == "resolved" and over.identity != alert.identity and over.fingerprint == alert.fingerprint


def test_a_health_event_is_read_as_eventbridge_sends_it_and_its_end_ends_it() -> None:
    event: dict[str, Any] = {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": "123456789012",
        "time": "2026-01-05T10:05:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventArn": "arn:aws:health:eu-west-1::event/RDS/AWS_RDS_OPERATIONAL_ISSUE/AWS_RDS_OPERATIONAL_ISSUE_1",
            "service": "RDS",
            "eventTypeCode": "AWS_RDS_OPERATIONAL_ISSUE",
            "eventTypeCategory": "issue",
            "eventScopeCode": "PUBLIC",
            "communicationId": "1234abc01232a4012345678-1",
            "startTime": "Mon, 5 Jan 2026 10:00:00 GMT",
            "lastUpdatedTime": "Mon, 5 Jan 2026 10:00:00 GMT",
            "statusCode": "open",
            "eventRegion": "eu-central-1",
            "eventDescription": [{"language": "en_US", "latestDescription": "Increased error rates"}],
            "page": "1",
            "totalPages": "1",
        },
    }
    rules = [SignalRule.model_validate({"label": "region", "is": "eu-central-1", "signal": "data-errors"})]
    (alert,) = aws_health(json.dumps(event).encode(), rules).alerts
    assert (alert.status, alert.says, alert.signal) == ("firing", "Increased error rates", "data-errors"), "the region that is hit counts"
    detail = event["detail"]
    for over in ({**detail, "statusCode": "closed"}, {**detail, "endTime": "Mon, 5 Jan 2026 11:00:00 GMT"}):
        (ended,) = aws_health(json.dumps({**event, "detail": over}).encode(), rules).alerts
        assert ended.status == "resolved" and ended.fingerprint == alert.fingerprint
    other = json.dumps({**event, "id": "another", "time": "2026-01-05T10:06:00Z"}).encode()
    assert aws_health(other, rules).alerts[0].identity == alert.identity, "an update of the same event is no other alert"


# -- receipts and what is said back -------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        yield one


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, "delivered"),
        ({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}, "failed"),
        ({"MessageSid": "SM1", "MessageStatus": "failed"}, "failed"),
        ({"CallSid": "CA1", "CallStatus": "completed"}, "delivered"),
        ({"CallSid": "CA1", "CallStatus": "no-answer"}, "failed"),
        ({"CallSid": "CA1", "CallStatus": "busy"}, "failed"),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, None),
        ({"CallSid": "CA1", "CallStatus": "ringing"}, None),
    ],
)
def test_what_became_of_a_message_is_handed_on_under_its_key_and_answers_for_nobody(
    served: Served, fields: dict[str, str], result: str | None
) -> None:
    served.paper.lose_region()
    path = "/in/twilio?key=inc-1-1%2Fcall%2F1%2Fsms%2Fexercise-one"
    sent = {"AccountSid": "AC1", "From": "+1", "To": PHONE, **fields}
    assert rung_up(served, sent, "another token entirely", path).status_code == 401
    assert served.controller.commands == []
    answer = rung_up(served, sent, path=path)
    if result is None:
        assert answer.status_code == 204 and served.controller.commands == []
        return
    assert answer.status_code == 200 and served.controller.commands == [("receipt", "machine:twilio")]
    assert served.controller.arguments[0]["key"] == "inc-1-1/call/1/sms/exercise-one"
    assert served.controller.arguments[0]["result"] == result
    assert PHONE not in json.dumps(served.controller.arguments), "a number has no business in the journal"
    assert "attempt" not in served.controller.arguments[0], "what was handed over before attempts were named is accepted"
    assert Kind.ACKNOWLEDGED not in served.paper.kinds()


@pytest.mark.parametrize(("named", "attempt"), [("2", 2), ("", None), ("-1", None), ("²", None), ("9" * 40, None)])
def test_a_report_names_the_attempt_that_it_is_about(served: Served, named: str, attempt: int | None) -> None:
    served.paper.lose_region()
    path = f"/in/twilio?{urlencode({'key': 'inc-1-1/call/1/sms/exercise-one', 'attempt': named})}"
    sent = {"AccountSid": "AC1", "From": "+1", "To": PHONE, "MessageSid": "SM1", "MessageStatus": "delivered"}
    assert rung_up(served, sent, path=path).status_code == 200
    assert served.controller.arguments[0].get("attempt") == attempt


def test_a_key_that_is_pressed_in_a_call_acknowledges_for_whose_telephone_rang(served: Served) -> None:
    served.paper.lose_region()
    call = {"CallSid": "CA1", "CallStatus": "in-progress", "From": "+1", "To": PHONE, "Digits": "1"}
    assert "<Say>accepted: exercise-one" in rung_up(served, call).text
    assert served.controller.commands == [("ack", "exercise-one")]
    assert served.controller.arguments[0]["way"] == "phone-key"


def test_whoever_presses_a_button_alone_is_told_what_came_of_it(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    elsewhere: list[bytes] = []
    port, foreign_port = free_port(), free_port()

    async def taken(request: Request) -> Response:
        heard.append(await request.json())
        return Response()

    async def not_meant(request: Request) -> Response:
        elsewhere.append(await request.body())
        return Response()

    there = Starlette(routes=[Route("/actions/1", taken, methods=["POST"])])
    foreign = Starlette(routes=[Route("/actions/1", not_meant, methods=["POST"])])
    secret = tmp_path / "secret"
    chat = {"signing_secret_file": secret, "replies_to": f"http://127.0.0.1:{port}/"}
    with running(there, port), running(foreign, foreign_port), serving(tmp_path, chat=chat) as served:
        served.paper.lose_region()
        for url in (f"http://127.0.0.1:{foreign_port}/actions/1", None, f"http://127.0.0.1:{port}/actions/1"):
            for value in (button(Deed.ACKNOWLEDGE, "inc-1-1"), button(Deed.ACKNOWLEDGE, "inc-9-9")):
                served.browser.post("/in/slack", **slack_press(value, url))
        until = time.monotonic() + 20.0
        while len(heard) < 2 and time.monotonic() < until:
            time.sleep(0.05)
    assert sorted(one["text"][:9] for one in heard) == ["accepted:", "inc-9-9 i"]
    assert elsewhere == [], "an address that is not Slack's is told nothing, though it was asked for first"
    assert all(one["response_type"] == "ephemeral" and one["replace_original"] is False for one in heard)


def slack_press(value: str, response_url: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": CHAT},
        "actions": [{"action_id": "go", "value": value, "action_ts": "1.1"}],
    }
    body = urlencode({"payload": json.dumps(payload | ({"response_url": response_url} if response_url else {}))})
    stamp = str(int(time.time()))
    made = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": made, "content-type": "application/x-www-form-urlencoded"}
    return {"content": body, "headers": headers}


# -- nothing from outside executes anything -----------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "security-alert", "data-errors", "LoginsFail", "RDS", "firing", "resolved", "approve", "confirm", "declare", "refuse", "failback",
        "holdfast:approve:inc-1-1:", "holdfast:confirm:inc-1-1:", "holdfast:ack:inc-1-1:", "inc-1-1", "1", "exercise-one", PHONE, CHAT,
        "incident.acknowledged", "incident.triggered", "machine:x", "true", "",
    ]
) | st.text(max_size=12)  # fmt: skip
NAMES = ("signal", "verb", "by", "person", "approve", "hash", "command", "severity", "count", "alertname", "service", "arguments")
FREE = st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=5)


def _alertmanager(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    alert = {"status": "firing", "labels": {"alertname": "LoginsFail", **free}, "annotations": free, "fingerprint": json.dumps(free)}
    return json.dumps({**free, "version": "4", "alerts": [{**free, **alert}]}).encode(), {}


def _aws(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    detail = {"eventArn": json.dumps(free), "service": "RDS", "statusCode": "open", **free}
    return json.dumps({**free, "source": "aws.health", "id": "1", "detail": detail}).encode(), {}


def _webhook(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"signal": "data-errors", **free, "id": json.dumps(free)}).encode()
    return body, signed(body)


def _slack(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    value = free.get("command", "holdfast:confirm:inc-1-1:") + free.get("hash", "")
    made = slack(value, user=CHAT)
    return made["content"].encode(), made["headers"]


def _twilio(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    fields = {**free, "MessageSid": "SM1", "From": PHONE, "Body": free.get("command", "declare")}
    made = RequestValidator(SECRET).compute_signature("http://doors/in/twilio", fields)
    return urlencode(fields).encode(), {"x-twilio-signature": made, "content-type": "application/x-www-form-urlencoded"}


def _pagerduty(free: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    kind = free.get("command", "incident.acknowledged")
    event = {
        **free,
        "id": json.dumps(free),
        "event_type": kind,
        "agent": {"id": "PUSER1"},
        "data": {"incident_key": "holdfast/inc-1-1", **free},
    }
    body = json.dumps({"event": event}).encode()
    return body, {"x-pagerduty-signature": f"v1={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"}


MADE: Mapping[str, Callable[[dict[str, str]], tuple[bytes, dict[str, str]]]] = {
    "/in/alertmanager": _alertmanager,
    "/in/aws-health": _aws,
    "/in/webhook": _webhook,
    "/in/slack": _slack,
    "/in/twilio": _twilio,
    "/in/pagerduty": _pagerduty,
}
ALERTS = ("/in/alertmanager", "/in/aws-health", "/in/webhook")
MAY_SAY = {
    "/in/slack": {"ack", "approve"},
    "/in/twilio": {"ack", "approve", "receipt"},
    "/in/pagerduty": {"ack"},
    **{path: {"alert"} for path in ALERTS},
}
EXECUTES = {Kind.STEP_INTENDED, Kind.STEP_WAITING, Kind.APPROVED, Kind.DECIDED, Kind.EPOCH_OPENED, Kind.ALERT_CONFIRMED, Kind.PROPOSED}


def test_every_door_for_other_systems_stands_in_the_tests_of_what_they_can_not_do() -> None:
    assert set(MADE) == set(MAY_SAY) == {path for _, path in NEEDS if path.startswith("/in/")}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(MADE)), FREE), min_size=1, max_size=8))
def test_whatever_genuine_senders_send_nothing_begins_without_a_person(sent: list[tuple[str, dict[str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        controller = PaperController(Paper(plan=reachable()))
        asyncio.run(_all_sent(controller, Path(folder), sent))
    kinds = set(controller.paper.kinds())
    assert not kinds & EXECUTES
    assert controller.paper.installation.serving == "eu-west-1"


async def _all_sent(controller: PaperController, directory: Path, sent: list[tuple[str, dict[str, str]]]) -> None:
    settings_here = settings_with(directory, 0).model_copy(update={"public_url": "http://doors"})
    app = application(controller, settings_here, controller.paper.plan, directory)
    token = Tokens(directory / "tokens.json").create("watcher", frozenset({Scope.ALERT}), 1e12)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doors") as client:
        for path, free in sent:
            content, headers = MADE[path](free)
            known = len(controller.commands)
            login = {"authorization": f"Bearer {token}"} if path in ALERTS else {}
            answer = await client.post(path, content=content, headers={**headers, **login})
            assert answer.status_code < 500 and answer.status_code not in (401,), (path, answer.text)
            for verb, by in controller.commands[known:]:
                assert verb in MAY_SAY[path], f"{path} led to '{verb}'"
                assert by.startswith("machine:") == (verb in ("alert", "receipt")), f"'{verb}' was said by {by}"
