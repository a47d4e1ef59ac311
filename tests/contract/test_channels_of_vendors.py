"""What each vendor's own library, model or validator says of what is sent, and of the far ends that stand in for them."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import jsonschema
import pytest
import smsutil  # type: ignore[import-untyped]  # it has none
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import example, given
from hypothesis import strategies as st
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from contract.channels_rig import Far, post_once, to
from contract.notifier_suite import MESSAGE
from holdfast.decision.links import Deed, pressed
from holdfast.lab.receivers.pagerduty import PagerDuty
from holdfast.lab.receivers.slack import wrong_message
from holdfast.ports.notifier import Purpose, RefusedNotificationError
from holdfast.ports.post import Secret
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.slack.content import content, posted_once_more
from holdfast.providers.slack.notifier import SlackNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.providers.twilio.notifier import SmsNotifier, TwilioAccount, VoiceNotifier, sms_text, spoken
from holdfast.providers.twilio.numbers import segments, within

ALERT = replace(MESSAGE, purpose=Purpose.ALERT, severity="P1")
HASH = "3f" * 32
ASKED = replace(
    ALERT,
    acknowledge_url="https://holdfast.example.org/a/" + "x" * 180,
    approve_url="https://holdfast.example.org/a/" + "y" * 180,
    approve_hash=HASH,
    code="123456",
)
LONG = "EXERCISE: " + "Überlänge & 🚨 " * 12_000


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


# -- PagerDuty -------------------------------------------------------------------------------------------------------------------


def test_one_key_an_incident_is_triggered_updated_acknowledged_and_resolved(far: Far) -> None:
    notifier = far.notifier("pagerduty")
    for number, purpose in enumerate((Purpose.ALERT, Purpose.UPDATE, Purpose.ACKNOWLEDGED, Purpose.UPDATE, Purpose.RESOLVED)):
        asyncio.run(notifier.send(replace(ALERT, key=str(number), recipient=f"person-{number}", purpose=purpose)))
    rows = far.rows("pagerduty")
    assert [row["alert"] for row in rows] == ["opened", "joined", "acknowledged", "joined", "resolved"]
    assert {json.loads(row["body"])["dedup_key"] for row in rows} == {"holdfast/inc-1"}


def test_a_resolution_is_repeated_without_harm_and_trouble_after_it_is_a_new_alert(far: Far) -> None:
    notifier = far.notifier("pagerduty")
    asyncio.run(notifier.send(ALERT))
    for _ in range(2):
        asyncio.run(notifier.send(replace(ALERT, key="over", purpose=Purpose.RESOLVED)))
    asyncio.run(notifier.send(replace(ALERT, key="lost once more", purpose=Purpose.UPDATE)))
    assert [row["alert"] for row in far.rows("pagerduty")] == ["opened", "resolved", "dropped", "opened"]


def test_what_is_too_long_for_pagerduty_is_cut_and_not_refused(far: Far) -> None:
    facts = {f"field-{number}": "ö" * 5000 for number in range(80)}
    asyncio.run(far.notifier("pagerduty").send(replace(ALERT, subject=LONG, body=LONG, incident="i" * 900, facts=facts)))
    [row] = far.rows("pagerduty")
    assert not row.get("wrong") and len(row["body"].encode()) <= 512 * 1024


def test_no_persons_own_link_or_digits_stand_where_others_read(far: Far) -> None:
    for kind in ("pagerduty", "slack", "slack-webhook", "webhook", "apprise"):
        asyncio.run(far.notifier(kind).send(ASKED))
        text = json.dumps(far.rows(kind), ensure_ascii=False)
        assert "/a/" not in text and "123456" not in text, kind


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 202),
        ({"links": [{"href": "https://example.org", "text": "More"}], "client": "monitor", "client_url": "https://example.org"}, 202),
        ({"event_action": "acknowledge", "payload": None}, 202),
        ({"routing_key": "short"}, 400),
        ({"event_action": "close"}, 400),
        ({"dedup_key": "k" * 256}, 400),
        ({"payload": None}, 400),
        ({"payload": {"summary": "x" * 1025, "source": "host", "severity": "error"}}, 400),
        ({"payload": {"summary": "x", "source": "host", "severity": "P1"}}, 400),
        ({"payload": {"summary": "x", "severity": "error"}}, 400),
        ({"links": [{"text": "leads nowhere"}]}, 400),
        ({"payload": {"summary": "x", "source": "host", "severity": "error", "custom_details": {"x": "x" * 600_000}}}, 413),
    ],
)
def test_the_far_end_takes_and_refuses_what_pagerduty_says_that_it_does(changed: dict[str, Any], status: int) -> None:
    event = {
        "routing_key": "r" * 32,
        "event_action": "trigger",
        "dedup_key": "key",
        "payload": {"summary": "x", "source": "host", "severity": "error", "timestamp": "2027-01-01T00:00:00Z", "component": "db"},
        **changed,
    }
    body = json.dumps({name: value for name, value in event.items() if value is not None}).encode()
    assert PagerDuty().answer("/v2/enqueue", {}, body)[0] == status


# -- Slack -----------------------------------------------------------------------------------------------------------------------


def test_slack_keeps_one_living_message_with_the_latest_and_a_thread_with_all(far: Far) -> None:
    notifier = far.notifier("slack")
    texts = [("a", Purpose.ALERT, "EXERCISE: lost"), ("b", Purpose.UPDATE, "EXERCISE: moving"), ("c", Purpose.RESOLVED, "EXERCISE: back")]
    references = [asyncio.run(notifier.send(replace(MESSAGE, key=key, purpose=purpose, subject=text))) for key, purpose, text in texts]
    [living, *thread] = far.slack.messages
    assert living["blocks"][0]["text"]["text"] == "EXERCISE: back" and "thread_ts" not in living
    assert [one["thread_ts"] for one in thread] == [living["ts"]] * 2
    assert [one["blocks"][0]["text"]["text"] for one in thread] == ["EXERCISE: moving", "EXERCISE: back"]
    after_restart = far.notifier("slack")
    assert [asyncio.run(after_restart.send(replace(MESSAGE, key=key, subject=text))) for key, _, text in texts] == references
    assert len(far.slack.messages) == 3


def test_the_war_room_is_the_plans_and_a_person_is_written_to_alone(far: Far) -> None:
    facts = {"war_room": "#incident-2027-01-01-0312"}
    asyncio.run(far.notifier("slack").send(replace(MESSAGE, facts=facts)))
    assert far.slack.rooms == {"exercise-incident-2027-01-01-0312": "C000000000"}
    reference = asyncio.run(far.notifier("slack").send(replace(ASKED, key="other", address="U012AB3CD", facts=facts)))
    assert reference.startswith("slack:D012AB3CD/")
    assert "/a/" in json.dumps(far.slack.messages[-1]) and "123456" in json.dumps(far.slack.messages[-1])


def test_a_room_that_somebody_made_before_is_joined_also_far_down_the_list(far: Far) -> None:
    for number in range(1500):
        far.slack.rooms[f"room-{number}"] = f"C{number + 100:09d}"
    far.slack.rooms["exercise-incident-inc-1"] = "C000999999"
    assert asyncio.run(far.notifier("slack").send(MESSAGE)).startswith("slack:C000999999/")


def test_a_busy_rooms_living_message_is_found_behind_many_others(far: Far) -> None:
    first = asyncio.run(far.notifier("slack").send(MESSAGE))
    room = first.removeprefix("slack:").partition("/")[0]
    far.slack.messages += [{"channel": room, "ts": f"{1_700_001_000 + number}.0", "text": "chatter"} for number in range(450)]
    assert asyncio.run(far.notifier("slack").send(MESSAGE)) == first


def test_a_living_message_that_somebody_deleted_is_made_anew(far: Far) -> None:
    notifier = far.notifier("slack")
    asyncio.run(notifier.send(MESSAGE))
    asyncio.run(notifier.send(replace(MESSAGE, key="b")))
    far.slack.messages.clear()
    asyncio.run(notifier.send(replace(MESSAGE, key="c")))
    assert [one.get("thread_ts") for one in far.slack.messages] == [None]


def test_a_room_that_somebody_put_away_is_looked_for_again(far: Far) -> None:
    notifier = far.notifier("slack")
    asyncio.run(notifier.send(MESSAGE))
    far.slack.rooms.clear()
    far.slack.joined.clear()
    with pytest.raises(RefusedNotificationError, match="channel_not_found"):
        asyncio.run(notifier.send(replace(MESSAGE, key="b")))
    asyncio.run(notifier.send(replace(MESSAGE, key="b")))
    assert [json.loads(row["body"])["metadata"]["event_payload"]["key"] for row in far.rows("slack") if "refused" not in row][-1] == "b"


@given(
    subject=st.text(max_size=400),
    body=st.text(max_size=9000),
    approve=st.sampled_from([None, HASH]),
    private=st.booleans(),
)
def test_slacks_own_models_take_every_message(subject: str, body: str, approve: str | None, private: bool) -> None:
    message = replace(ASKED, subject=subject, body=body, approve_hash=approve, again=True)
    for said in (content(message, private=private), posted_once_more(message)):
        assert wrong_message(said) is None
        for block in said["blocks"]:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()


def test_buttons_carry_what_the_door_for_slack_understands(far: Far) -> None:
    asyncio.run(far.notifier("slack").send(ASKED))
    [actions] = [Block.parse(block) for block in far.slack.messages[0]["blocks"] if block["type"] == "actions"]
    assert isinstance(actions, ActionsBlock)
    buttons = [element for element in actions.elements if isinstance(element, ButtonElement)]
    values = {button.action_id or "": button.value or "" for button in buttons}
    assert pressed(values["acknowledge"]) == (Deed.ACKNOWLEDGE, "inc-1", "")
    assert pressed(values["approve"]) == (Deed.APPROVE, "inc-1", HASH)
    asyncio.run(far.notifier("slack").send(replace(MESSAGE, key="later", purpose=Purpose.RESOLVED)))
    assert not any(block["type"] == "actions" for block in far.slack.messages[0]["blocks"]), "an old button must not stand for long"


def test_slacks_own_client_is_understood_by_the_far_end_and_refused_what_slack_refuses(far: Far) -> None:
    client = WebClient("xoxb-1", base_url=f"{far.web['slack'].url}/api/")
    room = client.conversations_create(name="a-room")["channel"]["id"]
    posted = client.chat_postMessage(channel=room, text="hello")
    assert [one["ts"] for one in client.conversations_history(channel=room)["messages"]] == [posted["ts"]]
    header = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: client.conversations_create(name="a-room"), "name_taken"),
        (lambda: client.conversations_history(channel="U012AB3CD"), "channel_not_found"),
        (lambda: client.chat_postMessage(channel=room, text="x", blocks=header), "invalid_blocks"),
        (lambda: WebClient("bad", base_url=f"{far.web['slack'].url}/api/").auth_test(), "invalid_auth"),
    ]
    for attempt, error in refused:
        with pytest.raises(SlackApiError, match=error):
            attempt()


def test_what_slack_says_no_to_is_refused_with_its_word(far: Far) -> None:
    notifier = SlackNotifier(Secret("bad"), post_once, api_url=far.web["slack"].url)
    with pytest.raises(RefusedNotificationError, match="invalid_auth"):
        asyncio.run(notifier.send(MESSAGE))


# -- telephone -------------------------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.one_of(st.sampled_from("aZ 09@£€{}[]~^\\|ÄÖÜäöüßñ"), st.characters(codec="utf-16")), max_size=500))
def test_the_length_of_a_short_message_is_what_the_standard_says(text: str) -> None:
    """Counted another way: the septets and code units written out, and cut where the standard lets them be cut."""
    library = smsutil.split(text)
    assert segments(text) == max(1, len(library.parts))


def test_umlauts_stay_in_the_short_alphabet_and_one_emoji_halves_the_room() -> None:
    assert segments("Ü" * 160) == 1 and segments("Ü" * 161) == 2
    assert segments("€" * 80) == 1 and segments("€" * 81) == 2
    assert segments("🚨" * 35) == 1 and segments("🚨" * 36) == 2
    assert segments("שלום" * 17) == 1 and segments("שלום" * 18) == 2


@given(st.text(min_size=1, max_size=3000), st.sampled_from([1, 3]))
@example("€" * 3000, 3)
def test_a_text_is_cut_to_its_segments_and_never_beyond_what_the_interface_takes(text: str, most: int) -> None:
    cut = within(text, most)
    assert segments(cut) <= most and len(cut) <= 1600
    assert cut == text or cut.endswith("...")


@given(st.text(max_size=2000), st.booleans(), st.booleans(), st.integers(min_value=0, max_value=900))
@example("ש" * 2000, True, True, 200)
@example("x" * 2000, True, True, 850)
def test_link_and_digits_of_a_short_message_are_whole_or_not_there(text: str, again: bool, approves: bool, length: int) -> None:
    url = "https://h.example/a/" + "x" * length
    message = replace(MESSAGE, short=f"EXERCISE {text}", acknowledge_url=url, code="123456" if approves else None, again=again)
    said = sms_text(message)
    assert said.endswith(url) or "/a/" not in said
    assert ("answer 123456" in said) == approves
    assert ("(again)" in said.replace(text, "")) or not again
    assert segments(said) <= 6 and len(said) <= 1600


@given(st.text(max_size=6000), st.booleans(), st.booleans())
@example("x" * 6000, True, True)
@example("&" * 3000, False, False)
def test_every_call_is_twiml_that_the_interface_takes(text: str, again: bool, approves: bool) -> None:
    message = replace(MESSAGE, short=f"EXERCISE {text}", again=again, code="123456" if approves else None)
    twiml = spoken(message, "https://h.example/in/twilio?key=a&b=<c>")
    assert len(twiml) <= 4000
    root = ElementTree.fromstring(twiml)
    gathers = root.findall("Gather")
    assert len(gathers) == 2 and {gather.get("action") for gather in gathers} == {"https://h.example/in/twilio?key=a&b=<c>"}
    assert "123456" not in twiml, "a voicemail would keep them"
    assert all(gather.get("numDigits") == (None if approves else "1") for gather in gathers)


class Door:
    """Where reports and pressed keys come back, checked by Twilio's own validator."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, str]]] = []
        said = self.said

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
                url = f"http://{self.headers['host']}{self.path}"
                if RequestValidator("token").validate(url, fields, self.headers["x-twilio-signature"]):
                    said.append((self.path, fields))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/in/twilio"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def test_the_service_is_asked_to_report_and_its_reports_and_keys_come_back_signed(far: Far) -> None:
    door = Door()
    (far.directory / "twilio.keys").write_text("1")
    account = TwilioAccount("AC1", Secret("token"), "+4930123456", post_once, far.web["twilio"].url, door.url)
    asyncio.run(SmsNotifier(account).send(replace(to("sms"), attempt=2)))
    asyncio.run(VoiceNotifier(account, door.url).send(replace(to("voice"), attempt=2)))
    for _ in range(200):
        if len(door.said) == 3:
            break
        asyncio.run(asyncio.sleep(0.02))
    door.server.shutdown()
    door.server.server_close()
    assert {path for path, _ in door.said} == {"/in/twilio?key=inc-1%2Falert%2Ffile%2Fi.commander&attempt=2"}
    said = [{name: fields[name] for name in ("MessageStatus", "CallStatus", "Digits") if name in fields} for _, fields in door.said]
    assert {"MessageStatus": "delivered"} in said
    assert (
        {"MessageStatus": "delivered"} in said
        and {"CallStatus": "in-progress", "Digits": "1"} in said
        and {"CallStatus": "completed"} in said
    )


def test_twilios_own_client_is_understood_by_the_far_end_and_refused_what_twilio_refuses(far: Far) -> None:
    class ToTheFarEnd(TwilioHttpClient):  # type: ignore[misc]  # it has no types
        def request(self, method: str, url: str, *more: Any, **others: Any) -> Any:
            return super().request(method, url.replace("https://api.twilio.com", far.web["twilio"].url), *more, **others)

    def client(token: str) -> Any:
        return Client("AC1", token, http_client=ToTheFarEnd())

    def message(to: str = "+4915112345678", body: str = "hello", token: str = "token") -> Any:
        return client(token).messages.create(to=to, from_="+4930123456", body=body)

    def call(twiml: str) -> Any:
        return client("token").calls.create(to="+4915112345678", from_="+4930123456", twiml=f"<Response>{twiml}</Response>")

    assert message().sid.startswith("SM") and call("<Say>hello</Say>").sid.startswith("CA")
    assert message().sid != message().sid, "a repeat is another message"
    refused: list[tuple[int, Callable[[], Any]]] = [
        (21211, lambda: message(to="+49")),
        (21617, lambda: message(body="x" * 1601)),
        (21602, lambda: message(body="")),
        (20003, lambda: message(token="other")),
        (12200, lambda: call("<Say loud='1'>hello</Say>")),
        (12200, lambda: call("<Shout>hello</Shout>")),
        (12100, lambda: call("<Say>hello & bye</Say>")),
        (21205, lambda: call(f"<Say>{'x' * 4000}</Say>")),
    ]
    for code, attempt in refused:
        with pytest.raises(TwilioRestException) as said:
            attempt()
        assert said.value.code == code


# -- webhook ---------------------------------------------------------------------------------------------------------------------


def test_the_cloudevents_library_reads_the_webhook_as_it_was_meant(far: Far) -> None:
    asyncio.run(far.notifier("webhook").send(replace(ASKED, body="Grüße 🚨 <b>")))
    [row] = far.rows("webhook")
    event = from_http_event(HTTPMessage(row["headers"], row["body"].encode()), JSONFormat())
    assert (event.get_id(), event.get_source(), event.get_type()) == (MESSAGE.key, "holdfast/lab", "holdfast.message.alert")
    assert event.get_subject() == "inc-1"
    data = event.get_data()
    assert isinstance(data, dict) and data["body"] == "Grüße 🚨 <b>"


# -- status page -----------------------------------------------------------------------------------------------------------------

STAMP = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
NAMED = ["created_at", "id", "status", "updated_at"]
STATUS = {"enum": ["investigating", "identified", "monitoring", "resolved"]}
UPDATE = {
    "type": "object",
    "required": [*NAMED, "body", "display_at", "incident_id"],
    "properties": {"status": STATUS, "created_at": STAMP, "display_at": STAMP, "updated_at": STAMP},
}
INCIDENT = {
    "type": "object",
    "required": [
        "created_at",
        "id",
        "impact",
        "incident_updates",
        "monitoring_at",
        "name",
        "page_id",
        "resolved_at",
        "shortlink",
        "status",
        "updated_at",
    ],
    "properties": {
        "impact": {"enum": ["none", "minor", "major", "critical"]},
        "status": STATUS,
        "shortlink": {"type": "string", "pattern": "^https://"},
        "incident_updates": {"type": "array", "minItems": 1, "items": UPDATE},
        "monitoring_at": {"anyOf": [{"type": "null"}, STAMP]},
        "resolved_at": {"anyOf": [{"type": "null"}, STAMP]},
    },
}
SUMMARY = {
    "type": "object",
    "required": ["page", "status", "components", "incidents", "scheduled_maintenances"],
    "properties": {
        "page": {"type": "object", "required": ["id", "name", "url", "time_zone", "updated_at"]},
        "status": {
            "type": "object",
            "required": ["indicator", "description"],
            "properties": {"indicator": {"enum": ["none", "minor", "major", "critical"]}},
        },
        "incidents": {"type": "array", "items": INCIDENT},
    },
}
"""Statuspage's summary, as its documentation shows it."""


def test_the_status_page_has_the_shape_that_readers_of_statuspage_know(far: Far) -> None:
    words = {"investigating": "We are looking into it", "resolved": "All is well again"}
    folder = far.directory / "page"
    notifier = StatusPageNotifier(folder, SystemClock(), "VoiceHive", "https://status.example.org", words)

    def publish(key: str, purpose: Purpose, **facts: str) -> dict[str, Any]:
        asyncio.run(notifier.send(replace(ALERT, key=key, purpose=purpose, facts=facts)))
        summary: dict[str, Any] = json.loads((folder / "api/v2/summary.json").read_bytes())
        jsonschema.validate(summary, SUMMARY)
        status = json.loads((folder / "api/v2/status.json").read_bytes())
        unresolved = json.loads((folder / "api/v2/incidents/unresolved.json").read_bytes())
        assert status["status"] == summary["status"] and unresolved["incidents"] == summary["incidents"]
        return summary

    opened = publish("a", Purpose.ALERT)
    assert opened["status"] == {"indicator": "critical", "description": "Major Service Outage"}
    assert opened["incidents"][0]["status"] == "investigating"
    watched = publish("b", Purpose.UPDATE, status="monitoring")
    assert watched["incidents"][0]["status"] == "monitoring" and watched["incidents"][0]["monitoring_at"]
    assert "We are looking into it" in (folder / "index.html").read_text()
    over = publish("c", Purpose.RESOLVED)
    assert over["incidents"] == [] and over["status"] == {"indicator": "none", "description": "All Systems Operational"}
    [past] = json.loads((folder / "api/v2/incidents.json").read_bytes())["incidents"]
    jsonschema.validate(past, INCIDENT)
    assert [update["status"] for update in past["incident_updates"]] == ["resolved", "monitoring", "investigating"]
    assert datetime.fromisoformat(past["resolved_at"]) >= datetime.fromisoformat(past["created_at"])


def test_the_page_asks_nothing_of_anybody_else(far: Far) -> None:
    asyncio.run(far.notifier("status-page").send(MESSAGE))
    page = (far.directory / "page" / "index.html").read_text()
    assert not re.search(r"<script|src=|url\(|@import|https?://(?!status\.example\.org)", page)
