"""Channels as a site binds them: each way reaches its far end with secrets from where the bindings say; a missing one says where."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import keyring
import pytest
from keyring.backend import KeyringBackend
from pydantic import ValidationError

from contract.channels_rig import FILES, NETWORK, Far, FarChannel, post_once, to
from contract.notifier_suite import MESSAGE
from holdfast.app_channels import notifier_for, read_secret, terms_of
from holdfast.controller.outbox import Outbox
from holdfast.decision.references import SECOND
from holdfast.plan.bindings import Bindings
from holdfast.plan.channel_bindings import ChannelBinding, SecretReference
from holdfast.ports.notifier import Notifier
from holdfast.providers.clock.system import SystemClock


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


class MemoryKeyring(KeyringBackend):
    """A keyring of the test's own, through the library's own door."""

    priority = 1
    kept: ClassVar[dict[tuple[str, str], str]] = {("holdfast", "channel"): "the secret"}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))


def secret(far: Far, name: str, value: str) -> dict[str, str]:
    (far.directory / f"{name}.secret").write_text(value + "\n")
    return {"file": str(far.directory / f"{name}.secret")}


def bound(far: Far, kind: str) -> dict[str, Any]:
    """A way of a kind, as it stands in bindings."""
    ends = far.settings()
    telephone = {"account": "AC1", "token": secret(far, "phone", "token"), "sender": "+4930123456", "api_url": ends["twilio"]}
    ways: dict[str, dict[str, Any]] = {
        "pagerduty": {"routing_key": secret(far, "paging", "r" * 32), "url": ends["pagerduty"]},
        "slack": {"token": secret(far, "chat", "xoxb-1"), "api_url": ends["slack"]},
        "slack-webhook": {"url": secret(far, "hook", f"{ends['slack']}/services/T0/B0/x")},
        "webhook": {"url": secret(far, "partner", ends["webhook"]), "key": secret(far, "key", "key")},
        "sms": telephone,
        "voice": {**telephone, "answer_url": "https://holdfast.example.org/in/twilio"},
        "smtp": {"host": "127.0.0.1", "port": int(ends["smtp"]), "sender": "h@example.org", "starttls": False},
        "apprise": {"url": secret(far, "tail", ends["apprise"].replace("http://", "json://"))},
        "status-page": {"folder": str(far.directory / "page"), "name": "VoiceHive", "url": "https://status.example.org"},
        "in-app": {"file": str(far.directory / "feed")},
    }
    return {"kind": kind, **ways[kind]}


def notifier(far: Far, **binding: Any) -> Notifier:
    return notifier_for(ChannelBinding.model_validate(binding), "production", post_once, SystemClock())


@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_each_kind_reaches_its_far_end_as_it_is_bound(far: Far, kind: str) -> None:
    channel = FarChannel(far, kind)
    real = replace(to(kind), subject="eu-west-1 is lost", exercise=False)
    asyncio.run(notifier(far, first=bound(far, kind)).send(real))
    assert channel.arrived() == [channel.shown(real)]


EVERYWHERE = {"email": "a@example.org", "sms": "+4915112345678", "phone": "+4915112345678", "slack": "U12345678"}
"""Where one person is reached, by channel."""


@pytest.mark.parametrize("channel_and_address", [("pagerduty", None), ("slack", "U12345678"), ("sms", "+4915112345678")])
@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_each_kind_can_be_the_second_way_when_the_first_is_down_and_gets_the_address_of_its_own_kind(
    far: Far, kind: str, channel_and_address: tuple[str, str | None]
) -> None:
    channel, (named, address) = FarChannel(far, kind), channel_and_address
    plain = replace(MESSAGE, subject="eu-west-1 is lost", exercise=False, channel=named)
    addresses = EVERYWHERE if kind != "slack" else {}  # there, a room of all
    real = replace(plain, address=address if addresses else None, addresses=addresses)
    down = {"kind": "webhook", "url": secret(far, "down", "http://127.0.0.1:9/"), "key": secret(far, "key", "key")}
    reference = asyncio.run(notifier(far, first=down, second=bound(far, kind)).send(real))
    assert reference.startswith(SECOND) and "unknown" not in reference
    assert channel.arrived() == [channel.shown(real)]


def test_by_chat_a_second_way_writes_to_the_person_alone(far: Far) -> None:
    real = replace(MESSAGE, subject="eu-west-1 is lost", exercise=False, channel="sms", address="+4915112345678", addresses=EVERYWHERE)
    down = {**bound(far, "sms"), "api_url": "http://127.0.0.1:9"}
    assert asyncio.run(notifier(far, first=down, second=bound(far, "slack")).send(real)).startswith(f"{SECOND}slack:")
    opened = [json.loads(row["body"]) for row in far.every_row("slack") if row["path"].endswith("/conversations.open")]
    assert [one["users"] for one in opened] == ["U12345678"]


def test_who_has_no_address_of_a_ways_kind_is_not_reached_by_it_and_no_other_address_is_tried(far: Far) -> None:
    real = replace(MESSAGE, subject="lost", exercise=False, channel="slack", address="U12345678", addresses={"slack": "U12345678"})
    down = {"kind": "slack-webhook", "url": secret(far, "down", "http://127.0.0.1:9/services/x")}
    for kind in ("smtp", "sms"):
        with pytest.raises(ValueError, match="Nothing was sent"):
            asyncio.run(notifier(far, first=down, second=bound(far, kind)).send(real))
        assert far.rows(kind) == []


@pytest.mark.parametrize(
    ("channel", "kind", "nowhere", "first_box"),
    [
        ("email", "smtp", {"port": 9}, {"exercise_address": "{recipient}@example.org"}),
        ("pagerduty", "pagerduty", {"url": "http://127.0.0.1:9/"}, {}),
    ],
)
def test_an_exercise_without_an_address_goes_to_the_mailbox_of_the_ways_own_kind(
    far: Far, channel: str, kind: str, nowhere: dict[str, Any], first_box: dict[str, str]
) -> None:
    exercise = replace(MESSAGE, channel=channel, recipient="exercise:on-call", enrolled=True)
    down = {**bound(far, kind), **nowhere}
    boxes = {**first_box, "second_exercise_address": "+4915112345678"}
    asyncio.run(notifier(far, first=down, second=bound(far, "sms"), laboratory=True, **boxes).send(exercise))
    (row,) = far.rows("sms")
    assert parse_qs(row["body"])["To"] == ["+4915112345678"]


def test_a_mailbox_that_the_second_way_could_not_use_is_refused_with_its_place(far: Far) -> None:
    binding = {"first": bound(far, "smtp"), "second": bound(far, "sms"), "exercise_address": "{recipient}@example.org"}
    with pytest.raises(ValidationError, match="name second_exercise_address") as said:
        Bindings.model_validate({"channels": {"email": binding}})
    assert ("channels", "email") in {error["loc"] for error in said.value.errors()}
    ChannelBinding.model_validate({**binding, "second": bound(far, "smtp")})


READ_BY_OTHERS = ("pagerduty", "slack-webhook", "apprise", "status-page", "in-app", "webhook")
"""Ways that lead to whoever reads there, whomever a message is for."""


@pytest.mark.parametrize("enrolled", [True, False])
@pytest.mark.parametrize("kind", READ_BY_OTHERS)
def test_where_others_read_than_a_message_is_for_no_exercise_arrives_unless_nothing_real_stands_behind_it(
    far: Far, kind: str, enrolled: bool
) -> None:
    exercise = replace(to(kind), enrolled=enrolled)
    for binding in ({"first": bound(far, kind)}, {"first": bound(far, "smtp"), "second": bound(far, kind)}):
        with pytest.raises(ValueError, match="readers are real"):
            asyncio.run(notifier(far, **binding, exercise_address="https://exercise.example/").send(exercise))
    assert FarChannel(far, kind).arrived() == [] and far.rows("smtp") == []
    asyncio.run(notifier(far, first=bound(far, kind), exercise_only=True).send(exercise))
    assert len(FarChannel(far, kind).arrived()) == 1


OWN = {"slack": "UEXERCISE1", "smtp": "ada@example.org", "sms": "+353209130001", "voice": "+353209130001"}
"""Ways that lead to a recipient's own address → one of somebody who is enrolled."""


@pytest.mark.parametrize("kind", sorted(OWN))
def test_where_a_message_goes_to_its_recipients_own_address_an_exercise_reaches_who_is_enrolled_and_nobody_else(
    far: Far, kind: str
) -> None:
    person = replace(to(kind), recipient="ada", address=OWN[kind], enrolled=True)
    refused = {
        "not enrolled": replace(person, enrolled=False),
        "has no address": replace(person, address=None),
        "bind the channel with exercise_address": replace(person, recipient="exercise:customers", address=None, enrolled=False),
    }
    for says, exercise in refused.items():
        with pytest.raises(ValueError, match=says):
            asyncio.run(notifier(far, first=bound(far, kind)).send(exercise))
    assert FarChannel(far, kind).arrived() == []
    asyncio.run(notifier(far, first=bound(far, kind)).send(person))
    asyncio.run(notifier(far, first=bound(far, kind), exercise_only=True).send(replace(person, key="another", enrolled=False)))
    assert len(FarChannel(far, kind).arrived()) == 2


def test_a_file_reaches_nobody_and_takes_every_exercise(far: Far) -> None:
    path = far.directory / "told.jsonl"
    made = notifier(far, first={"kind": "file", "file": str(path)})
    asyncio.run(made.send(replace(to("smtp"), recipient="exercise:customers", address=None, enrolled=False)))
    assert len(path.read_text().splitlines()) == 1


def test_a_rate_and_a_deadline_that_are_bound_are_kept(far: Far) -> None:
    binding = ChannelBinding.model_validate({"first": bound(far, "in-app"), "per_second": 10, "deadline_seconds": 30})
    terms, feed = terms_of(binding), notifier_for(binding, "production", post_once, SystemClock())
    assert terms.per_second == 10 and terms.bound_seconds > 30

    async def story() -> None:
        real = replace(to("in-app"), subject="lost", exercise=False, channel="in-app")
        async with Outbox({"in-app": feed}, SystemClock(), {"in-app": terms}) as outbox:
            for number in range(4):
                outbox.put(replace(real, key=str(number)), 1)
            assert [outcome.reason async for batch in outbox.outcomes() for outcome in batch] == [None] * 4

    asyncio.run(story())
    moments = [json.loads(line)["data"]["at_seconds"] for line in (far.directory / "feed").read_text().splitlines()]
    assert len(moments) == 4 and max(moments) - min(moments) >= 0.25


def test_a_secret_is_read_from_where_the_bindings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("the secret\n")
    monkeypatch.setenv("HOLDFAST_TOKEN", "the secret")
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())  # type: ignore[no-untyped-call]  # the library's own constructor
    try:
        for reference in ({"file": tmp_path / "token"}, {"environment": "HOLDFAST_TOKEN"}, {"keyring": "holdfast/channel"}):
            found = read_secret(SecretReference.model_validate(reference))
            assert found.value == "the secret"
            assert "the secret" not in f"{found} {found!r}"
        with pytest.raises(OSError, match="keyring entry holdfast/other holds no secret; write it there"):
            read_secret(SecretReference(keyring="holdfast/other"))
    finally:
        keyring.set_keyring(before)


def test_a_secret_that_is_missing_says_where_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDFAST_TOKEN", raising=False)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for reference, says in (
        ({"file": tmp_path / "none"}, r"none can't be read \(No such file or directory\); write the secret there"),
        ({"file": tmp_path}, r"can't be read \(Is a directory\)"),
        ({"file": tmp_path / "empty"}, "empty holds no secret; write it there"),
        ({"file": tmp_path / "binary"}, "binary holds no text"),
        ({"environment": "HOLDFAST_TOKEN"}, "environment variable HOLDFAST_TOKEN holds no secret; write it there"),
    ):
        with pytest.raises(OSError, match=says):
            read_secret(SecretReference.model_validate(reference))


def test_a_keyring_that_is_not_installed_names_the_other_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(OSError, match="not installed; use file or environment"):
        read_secret(SecretReference(keyring="holdfast/channel"))


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ({"kind": "pagerduty", "routing_key": {}}, "exactly one of file, environment, keyring"),
        ({"kind": "pagerduty", "routing_key": {"file": "a", "environment": "B"}}, "exactly one of file, environment, keyring"),
        ({"kind": "pagerduty", "routing_key": "in-the-open"}, "SecretReference"),
        ({"kind": "smtp", "host": "h", "sender": "a@b", "user": "u"}, "user and password go together"),
        ({"kind": "smtp", "host": "h", "sender": "a@b", "user": "u", "password": {"file": "p"}, "starttls": False}, "in the clear"),
        ({"kind": "carrier-pigeon"}, "carrier-pigeon"),
    ],
)
def test_a_binding_that_makes_no_sense_is_refused_before_anything_is_sent(way: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ChannelBinding.model_validate({"first": way})


def test_no_secret_stands_in_what_is_raised_or_shown(far: Far) -> None:
    hook = {"kind": "slack-webhook", "url": secret(far, "hook", f"{far.web['slack'].url}/services/T0/B0/very-secret")}
    far.behaves("slack", "500")
    made = notifier(far, first=hook)
    with pytest.raises(TimeoutError) as said:
        asyncio.run(made.send(replace(to("slack-webhook"), subject="lost", exercise=False)))
    assert "very-secret" not in f"{said.value} {made!r} {vars(made)}"


def test_the_relays_bindings_reach_the_notifier(far: Far) -> None:
    """STARTTLS is on unless the binding says otherwise."""
    way = {"kind": "smtp", "host": "127.0.0.1", "port": int(far.settings()["smtp"]), "sender": "h@example.org"}
    with pytest.raises(ConnectionError, match="no STARTTLS"):
        asyncio.run(notifier(far, first=way).send(replace(to("smtp"), subject="lost", exercise=False)))
    assert far.rows("smtp") == []
