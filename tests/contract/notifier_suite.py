"""What every Notifier must do. A subclass says how to read what arrived, and how to make the channel fail."""

import asyncio
from dataclasses import replace

import pytest

from contract.suite import Suite
from holdfast.ports.notifier import Notification, Notifier

MESSAGE = Notification(
    key="inc-1/alert/file/i.commander",
    incident="inc-1",
    message="incident-alert",
    channel="file",
    recipient="i.commander",
    subject="EXERCISE: eu-west-1 is lost",
    body="Clients get no answer.\nNächster Schritt → approve",
    exercise=True,
)


class Channel:
    """One channel with its far end."""

    notifier: Notifier

    def reopened(self) -> Notifier:
        """The same channel after a restart of the sender."""
        return self.notifier

    def arrived(self) -> list[tuple[str, str, str]]:
        """Key, subject and body of what arrived, in order."""
        raise AssertionError("a subclass reads the channel")

    def break_down(self) -> None:
        """From now on nothing gets through."""
        raise AssertionError("a subclass breaks the channel")


class NotifierSuite(Suite):
    port = Notifier

    @pytest.fixture
    def channel(self) -> Channel:
        raise AssertionError("a subclass provides the channel")

    def test_a_message_arrives_whole_and_has_a_reference(self, channel: Channel) -> None:
        self.held(channel.notifier)
        assert asyncio.run(channel.notifier.send(MESSAGE))
        assert channel.arrived() == [(MESSAGE.key, MESSAGE.subject, MESSAGE.body)]

    def test_a_repeat_arrives_once_with_the_same_reference_also_after_a_restart(self, channel: Channel) -> None:
        first = asyncio.run(channel.notifier.send(MESSAGE))
        other = asyncio.run(channel.notifier.send(replace(MESSAGE, key="other")))
        assert asyncio.run(channel.notifier.send(MESSAGE)) == first
        assert asyncio.run(channel.reopened().send(MESSAGE)) == first != other
        assert [key for key, _, _ in channel.arrived()] == [MESSAGE.key, "other"]

    def test_an_exercise_that_does_not_say_so_is_never_sent(self, channel: Channel) -> None:
        for wrong in (replace(MESSAGE, subject="eu-west-1 is lost"), replace(MESSAGE, exercise=False)):
            with pytest.raises(ValueError, match="EXERCISE"):
                asyncio.run(channel.notifier.send(wrong))
        assert channel.arrived() == []

    def test_a_real_incident_is_sent_without_the_word(self, channel: Channel) -> None:
        asyncio.run(channel.notifier.send(replace(MESSAGE, subject="eu-west-1 is lost", exercise=False)))
        assert len(channel.arrived()) == 1

    def test_a_channel_that_is_down_is_said(self, channel: Channel) -> None:
        channel.break_down()
        with pytest.raises((ConnectionError, TimeoutError)):
            asyncio.run(channel.notifier.send(MESSAGE))
