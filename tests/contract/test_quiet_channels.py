"""A quiet test over channels as they are bound, before the far ends of the lab: it arrives marked, wakes nobody, no way leads past that."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from contract.channels_rig import Far
from contract.test_channels_bound import EVERYWHERE, bound, notifier
from holdfast.conduct.situation import Tell
from holdfast.controller.telling import notification_of
from holdfast.ports.notifier import Loudness, Notification
from unit.conduct_on_paper import Paper

TOM, NIGHT = "tom-okafor", 1_781_575_200.0


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


def told(channel: str, *rings: str) -> Notification:
    """What the production policy hands over to Tom Okafor over one channel, at night."""
    paper = Paper(exercise=None)
    paper.now = NIGHT
    paper.command("test-channels", "aoife-brennan", people=[TOM], rings=list(rings))
    move: Tell = next(tell for tell in paper.told if tell.channel == channel)
    return replace(notification_of(move, move.test, None, paper.now), addresses=EVERYWHERE)


def arrivals(far: Far) -> dict[str, int]:
    found = {kind: len(far.rows(kind)) for kind in ("smtp", "sms", "voice", "pagerduty", "webhook")}
    return {kind: count for kind, count in found.items() if count}


def test_it_arrives_by_mail_marked_as_a_test(far: Far) -> None:
    asyncio.run(notifier(far, first=bound(far, "smtp")).send(told("email")))
    [row] = far.rows("smtp")
    assert "EXERCISE: TEST of your channels" in json.dumps(row) and arrivals(far) == {"smtp": 1}


def test_it_arrives_by_text_message_and_call_only_where_somebody_asked_for_them_and_says_what_it_is(far: Far) -> None:
    asyncio.run(notifier(far, first=bound(far, "sms")).send(told("sms", "sms")))
    asyncio.run(notifier(far, first=bound(far, "voice")).send(told("phone", "phone")))
    [text] = far.rows("sms")
    assert parse_qs(text["body"])["Body"][0].startswith("EXERCISE: TEST of your channels")
    assert arrivals(far) == {"sms": 1, "voice": 1}


@pytest.mark.parametrize("kind", ["sms", "voice", "pagerduty", "apprise"])
def test_a_quiet_channel_that_is_bound_to_something_loud_is_not_used(far: Far, kind: str) -> None:
    with pytest.raises(ValueError, match=r"[Nn]othing was sent"):
        asyncio.run(notifier(far, first=bound(far, kind)).send(told("email")))
    assert arrivals(far) == {}


def test_no_second_way_is_louder_than_the_channel(far: Far) -> None:
    down = {**bound(far, "smtp"), "port": 9}
    with pytest.raises(ValueError, match="it must wake nobody"):
        asyncio.run(notifier(far, first=down, second=bound(far, "voice")).send(told("email")))
    texts_down = {**bound(far, "sms"), "api_url": "http://127.0.0.1:9"}
    with pytest.raises(ValueError, match="it must wake nobody"):
        asyncio.run(notifier(far, first=texts_down, second=bound(far, "voice")).send(told("sms", "sms")))
    assert arrivals(far) == {}


def test_what_the_first_way_may_have_delivered_stays_unknown_although_the_second_is_too_loud(far: Far) -> None:
    binding: dict[str, Any] = {"first": bound(far, "webhook"), "second": bound(far, "voice"), "deadline_seconds": 4}
    far.behaves("webhook", "500")
    message = replace(told("email"), exercise=False, subject="s", body="b", short="", address=None)
    with pytest.raises(TimeoutError, match="it must wake nobody"):
        asyncio.run(notifier(far, **binding).send(message))


@pytest.mark.parametrize("kind", ["smtp", "sms", "webhook", "pagerduty", "slack-webhook", "status-page", "in-app"])
def test_customers_and_partners_are_stopped_below_the_channels_whatever_the_policy_says(far: Far, kind: str) -> None:
    customer = replace(told("email"), recipient="customers:7", enrolled=False, loudest=Loudness.CALL)
    with pytest.raises(ValueError, match=r"[Nn]othing was sent"):
        asyncio.run(notifier(far, first=bound(far, kind)).send(customer))
    assert arrivals(far) == {}
