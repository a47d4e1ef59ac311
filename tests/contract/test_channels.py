"""Every channel against the lab's far ends: the suite that all notifiers pass, hostile characters, and far ends that behave badly."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.channels_rig import FILES, NETWORK, Far, FarChannel, to
from contract.notifier_suite import MESSAGE, Channel, NotifierSuite
from holdfast.conduct.situation import Tell, Write
from holdfast.controller.channels import handed_over
from holdfast.controller.telling import notification_of, records_of
from holdfast.decision.deliveries import Attempts, after_one_more
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, following
from holdfast.plan.plan_clock import AS_ON_THE_WALL
from holdfast.ports.notifier import RefusedNotificationError
from holdfast.providers.apprise.notifier import AppriseNotifier
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.inapp.notifier import InAppNotifier
from holdfast.providers.pagerduty.notifier import PagerDutyNotifier
from holdfast.providers.slack.notifier import SlackNotifier, SlackWebhookNotifier
from holdfast.providers.smtp.notifier import SmtpNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.providers.twilio.notifier import SmsNotifier, VoiceNotifier
from holdfast.providers.webhook.notifier import WebhookNotifier

HARD = replace(
    MESSAGE,
    subject="EXERCISE: <b>&'\"</script><script>alert(1)</script> 🚨 Grüße שלום",
    body='a & b < c\n🚨 "Grüße", שלום {{ x }} <!channel> <@U12345678>\n.\n..\nFrom here on\nlast',
    short="EXERCISE: <b>&'\" 🚨 Grüße שלום",
)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


class TestEveryChannel(NotifierSuite):
    implementations = (
        AppriseNotifier,
        InAppNotifier,
        PagerDutyNotifier,
        SlackNotifier,
        SlackWebhookNotifier,
        SmsNotifier,
        SmtpNotifier,
        StatusPageNotifier,
        VoiceNotifier,
        WebhookNotifier,
    )

    @pytest.fixture(params=[*NETWORK, *FILES])
    def channel(self, far: Far, request: pytest.FixtureRequest) -> Channel:
        return FarChannel(far, request.param)

    def told(self, channel: Channel) -> list[tuple[str, str, str]]:
        """PagerDuty takes a repeat into the alert's log; of the four events here the first opened it, and nobody was paged again."""
        assert isinstance(channel, FarChannel)
        if channel.kind != "pagerduty":
            return channel.arrived()
        assert [row["alert"] for row in channel.far.rows("pagerduty")] == ["opened", "joined", "joined", "joined"]
        return channel.arrived()[:2]


@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_characters_survive_and_the_receiver_finds_nothing_wrong(far: Far, kind: str) -> None:
    channel = FarChannel(far, kind)
    asyncio.run(channel.notifier.send(to(kind, HARD)))
    [(_, subject, body)] = channel.arrived()
    assert subject == (HARD.short if kind in ("sms", "voice") else HARD.subject)
    assert body == ("" if kind in ("sms", "voice") else HARD.body)


def test_nothing_in_a_message_mentions_a_channel_a_person_or_a_script(far: Far) -> None:
    for kind in ("slack", "slack-webhook", "status-page"):
        asyncio.run(far.notifier(kind).send(HARD))
    for kind in ("slack", "slack-webhook"):
        said = json.loads(far.rows(kind)[-1]["body"])
        assert "<" not in said["text"]  # the fallback is read as markup
        assert {block["text"]["type"] for block in said["blocks"] if "text" in block} == {"plain_text"}  # these are not
    page = (far.directory / "page" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("kind", NETWORK)
def test_a_line_break_in_what_becomes_a_header_stays_text(far: Far, kind: str) -> None:
    channel = FarChannel(far, kind)
    asyncio.run(channel.notifier.send(to(kind, replace(MESSAGE, subject="EXERCISE: lost\r\nBcc: everybody@example.org\r\n\r\nHello"))))
    [row] = far.rows(kind)
    assert not row.get("wrong")
    assert not any("bcc" in name.lower() for name in row["headers"])
    if kind == "smtp":
        assert row["to"] == ["a@example.org"]
        assert row["headers"]["Subject"] == "EXERCISE: lost Bcc: everybody@example.org Hello"


NO_MAIL = ("a@b\nBcc: c@d", "a@b.example\r\nRCPT TO:<c@d>", "a@b.example, c@d.example", "a b@c", "@b", None)
NO_NUMBER = ("0151 1", "+0", "+49151\n123456", "+4915112345678,,1", "٠١٢٣٤٥٦٧٨", None)


@pytest.mark.parametrize(
    ("kind", "address"), [*(("smtp", one) for one in NO_MAIL), *((kind, one) for kind in ("sms", "voice") for one in NO_NUMBER)]
)
def test_what_is_no_address_is_never_tried(far: Far, kind: str, address: str | None) -> None:
    with pytest.raises(ValueError, match="Nothing was sent"):
        asyncio.run(far.notifier(kind).send(replace(MESSAGE, address=address)))
    assert far.rows(kind) == []


RECEIPT_SECONDS = 120.0
SURELY_NOT_TAKEN = {"429", "503", "no-such-user", "greylist", "closing"}
BAD = [
    *((kind, how) for kind in NETWORK[:-2] for how in ("500", "503", "429", "hang", "reset", "taken-and-reset")),
    *(("smtp", how) for how in ("500", "429", "hang", "taken-and-reset", "no-such-user", "greylist", "closing")),
    *(("apprise", how) for how in ("500", "429", "hang")),
]


@pytest.mark.parametrize(("kind", "how"), BAD)
def test_what_a_far_end_does_is_told_as_far_as_it_is_known(far: Far, kind: str, how: str) -> None:
    """A no is a refusal, with its time where there is one; silence and a broken connection are unknown, never a failure."""
    far.behaves(kind, how)
    with pytest.raises((ConnectionError, TimeoutError)) as said:
        asyncio.run(far.notifier(kind).send(to(kind)))
    raised = said.value
    if kind == "apprise":
        assert isinstance(raised, TimeoutError)  # it says no more than no
    elif how in SURELY_NOT_TAKEN or (kind == "smtp" and how == "500"):
        assert isinstance(raised, RefusedNotificationError)
    elif kind == "slack":
        assert isinstance(raised, ConnectionError) and "nothing was posted" in str(raised)  # it did not come as far as the message
    else:
        assert isinstance(raised, TimeoutError), raised
    if how in ("429", "503") and kind not in ("smtp", "apprise"):
        assert isinstance(raised, RefusedNotificationError)
        assert raised.retry_after_seconds == {"429": 7.0, "503": 3.0}[how]
    if kind == "smtp" and isinstance(raised, RefusedNotificationError):
        assert (raised.retry_after_seconds is None) == (how in ("no-such-user", "500"))
    assert "127.0.0.1" not in str(raised) and "services" not in str(raised), "an address may be a secret"


HANDED_OVER, TAKEN_AT_ITS_WORD, AWAITED = "handed over", "taken at its word", "awaited"
DROPS = {
    "pagerduty": TAKEN_AT_ITS_WORD,
    "slack": TAKEN_AT_ITS_WORD,
    "webhook": TAKEN_AT_ITS_WORD,
    "slack-webhook": HANDED_OVER,
    "smtp": HANDED_OVER,
    "apprise": HANDED_OVER,
    "sms": AWAITED,
    "voice": AWAITED,
}
"""What is said of a message that a far end accepts and drops: no more than that it was handed over, or what the far end itself says; where
receipts come, that one is missing is found out."""


@pytest.mark.parametrize("kind", NETWORK)
def test_what_a_far_end_accepts_and_drops_is_never_more_than_what_it_said(far: Far, kind: str) -> None:
    far.behaves(kind, "drop")
    tell = Tell("inc-1", "inc-1/told/1", "told", kind, "ada", MESSAGE.subject, MESSAGE.body, enrolled=True, address=to(kind).address)
    told = notification_of(tell, "exercise-7", None, 0.0)
    outcome = asyncio.run(handed_over({kind: far.notifier(kind)}, told, SystemClock(), 10.0))
    assert far.rows(kind) == [], "nothing of it is left there"
    writes = list(records_of(tell, outcome, RECEIPT_SECONDS, 1000.0))
    delivered = any(write.kind is Kind.NOTIFICATION_DELIVERED for write in writes)
    awaited = writes[0].body.get("receipt_within_seconds") is not None
    assert writes[0].kind is Kind.NOTIFICATION_SENT
    assert (delivered, awaited) == {HANDED_OVER: (False, False), TAKEN_AT_ITS_WORD: (True, False), AWAITED: (False, True)}[DROPS[kind]]
    known = Attempts()
    for write in (Write(Kind.NOTIFICATION_INTENDED, "inc-1", writes[0].body), *writes):
        known = after_one_more(known, following((0, GENESIS), 1000.0, write.kind.value, write.incident, write.body))
    assert known.lacks_receipt(1000.0 + RECEIPT_SECONDS, AS_ON_THE_WALL) == awaited, "and then it goes the second way"


@pytest.mark.parametrize("kind", NETWORK)
def test_a_far_end_that_is_not_there_is_known_to_have_taken_nothing(far: Far, kind: str) -> None:
    far.close()
    with pytest.raises(TimeoutError if kind == "apprise" else ConnectionError):
        asyncio.run(far.notifier(kind).send(to(kind)))
