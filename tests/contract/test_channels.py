"""Every channel against the lab's receivers, and what each does with a far end that behaves badly."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.notifier_suite import MESSAGE
from holdfast.controller.channels import ExerciseGuard, SecondWay
from holdfast.lab.receivers.mail import MailSink
from holdfast.lab.receivers.web import Receiver, Slack, pagerduty, twilio, webhook
from holdfast.ports.notifier import Notification, Notifier, RefusedNotificationError
from holdfast.ports.post import Secret
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost
from holdfast.providers.inapp.notifier import InAppNotifier
from holdfast.providers.pagerduty.notifier import PagerDutyNotifier
from holdfast.providers.slack.notifier import SlackNotifier
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.providers.twilio.notifier import SmsNotifier, TwilioAccount, VoiceNotifier
from holdfast.providers.webhook.notifier import WebhookNotifier
from holdfast.simulation.notifier import MemoryNotifier

HARD = replace(MESSAGE, subject="EXERCISE: <b>&'\" 🚨 שלום", body="a & b < c\n🚨 שלום {{ x }}\nmore", enrolled=True)
ADDRESS = {"smtp": "a@example.org", "sms": "+4915112345678", "voice": "+4915112345678"}
FAR_END = {"sms": "twilio", "voice": "twilio"}
NETWORK = ("pagerduty", "slack", "webhook", "sms", "voice", "smtp")


class Far:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        answers = {"pagerduty": pagerduty, "slack": Slack().answer, "webhook": webhook(b"key"), "twilio": twilio("AC1", "token")}
        self.web = {name: Receiver(name, directory, answer) for name, answer in answers.items()}
        self.mail = MailSink(directory)

    def notifier(self, kind: str) -> Notifier:
        post, clock = HttpPost(1.0), SystemClock()
        account = TwilioAccount("AC1", Secret("token"), "+4930123456", post, self.web["twilio"].url)
        made: dict[str, Notifier] = {
            "pagerduty": PagerDutyNotifier(Secret("r" * 32), post, "lab", self.web["pagerduty"].url),
            "slack": SlackNotifier(Secret("xoxb-1"), post, api_url=self.web["slack"].url),
            "webhook": WebhookNotifier(Secret(self.web["webhook"].url), Secret("key"), "1", "holdfast/lab", post, clock),
            "sms": SmsNotifier(account),
            "voice": VoiceNotifier(account, "http://127.0.0.1/answer"),
            "smtp": SmtpNotifier(Relay("127.0.0.1", self.mail.port, "h@example.org", starttls=False, timeout_seconds=1.0), clock),
        }
        return made[kind]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        path = self.directory / f"{FAR_END.get(kind, kind)}.jsonl"
        return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    for receiver in made.web.values():
        receiver.close()
    made.mail.close()


@pytest.mark.parametrize("kind", NETWORK)
def test_characters_survive_and_the_receiver_finds_nothing_wrong(far: Far, kind: str) -> None:
    assert asyncio.run(far.notifier(kind).send(replace(HARD, address=ADDRESS.get(kind))))
    rows = far.rows(kind)
    assert rows and not any(row.get("wrong") for row in rows)
    text = json.dumps(rows[-1], ensure_ascii=False)
    if kind in ("sms", "voice"):
        text = str(parse_qs(rows[-1]["body"]))
    assert "🚨 שלום" in text


@pytest.mark.parametrize("kind", NETWORK)
@pytest.mark.parametrize("behaviour", ["500", "429", "hang"])
def test_a_far_end_that_behaves_badly_is_said(far: Far, kind: str, behaviour: str) -> None:
    (far.directory / f"{FAR_END.get(kind, kind)}.behaviour").write_text(behaviour)
    with pytest.raises((ConnectionError, TimeoutError)) as said:
        asyncio.run(far.notifier(kind).send(replace(HARD, address=ADDRESS.get(kind))))
    assert isinstance(said.value, RefusedNotificationError) or behaviour != "429"
    assert "127.0.0.1" not in str(said.value)


def test_slack_keeps_one_living_message_and_finds_it_again_after_a_restart(far: Far) -> None:
    first = asyncio.run(far.notifier("slack").send(MESSAGE))
    other = asyncio.run(far.notifier("slack").send(replace(MESSAGE, key="other")))
    assert asyncio.run(far.notifier("slack").send(MESSAGE)) == first != other
    assert asyncio.run(far.notifier("slack").send(replace(MESSAGE, key="other"))) == other
    assert len([row for row in far.rows("slack") if row["path"].endswith("chat.postMessage")]) == 2


def test_mail_has_the_same_identifier_for_the_same_key(far: Far) -> None:
    for _ in range(2):
        asyncio.run(far.notifier("smtp").send(replace(MESSAGE, address="a@example.org")))
    rows = far.rows("smtp")
    assert len({row["headers"]["Message-ID"] for row in rows}) == 1
    assert rows[0]["headers"]["X-Holdfast-Key"] == hashlib.sha256(MESSAGE.key.encode()).hexdigest()[:40]
    assert rows[0]["body"].rstrip("\n") == MESSAGE.body


@pytest.mark.parametrize(("kind", "address"), [("smtp", "a@b\nBcc: c@d"), ("smtp", None), ("sms", "0151 1"), ("voice", "+0")])
def test_what_is_no_address_is_never_tried(far: Far, kind: str, address: str | None) -> None:
    with pytest.raises(ValueError, match="Nothing was sent"):
        asyncio.run(far.notifier(kind).send(replace(MESSAGE, address=address)))
    assert far.rows(kind) == []


def test_page_and_feed_take_a_repeat_once_and_show_markup_as_text(tmp_path: Path) -> None:
    for notifier in (StatusPageNotifier(tmp_path, SystemClock(), "VoiceHive"), InAppNotifier(tmp_path / "feed", SystemClock())):
        assert asyncio.run(notifier.send(HARD)) == asyncio.run(notifier.send(HARD))
    assert len((tmp_path / "feed").read_text().splitlines()) == 1
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<b>" not in page and "🚨 שלום" in page
    assert json.loads((tmp_path / "api/v2/summary.json").read_text())["incidents"][0]["status"] == "identified"


def test_the_second_way_says_when_the_first_may_have_delivered(far: Far) -> None:
    (far.directory / "slack.behaviour").write_text("500")
    reference = asyncio.run(SecondWay(far.notifier("slack"), MemoryNotifier()).send(MESSAGE))
    assert reference == "second:memory:1 (first unknown)"


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.text(max_size=9))))
def test_no_sequence_of_messages_reaches_somebody_who_is_not_enrolled(sequence: list[tuple[bool, bool, bool, str]]) -> None:
    for public in (False, True):
        memory = MemoryNotifier()
        guard = ExerciseGuard(memory, public=public)
        for number, (exercise, enrolled, marked, text) in enumerate(sequence):
            subject = f"EXERCISE: {text}" if marked else text
            message: Notification = replace(MESSAGE, key=str(number), exercise=exercise, enrolled=enrolled, subject=subject, body=text)
            try:
                asyncio.run(guard.send(message))
            except ValueError:
                continue
        for sent in memory.sent.values():
            assert sent.subject.startswith("EXERCISE") == sent.exercise
            assert not sent.exercise or (sent.enrolled and not public)
