"""What every Notifier must do. A subclass says how to read what arrived, and how to make the channel fail."""

import asyncio
from dataclasses import replace

import pytest

from contract.suite import Suite
from holdfast.ports.notifier import Notification, Notifier, Repeats

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
    message = MESSAGE
    """The suite's message, with an address where this channel needs one."""

    def reopened(self) -> Notifier:
        """The same channel after a restart of the sender."""
        return self.notifier

    def shown(self, message: Notification) -> tuple[str, str, str]:
        """Key, subject and body of a message as they arrive here; empty where the channel has no place for one of them."""
        return message.key, message.subject, message.body

    def arrived(self) -> list[tuple[str, str, str]]:
        """Key, subject and body of what arrived, in order."""
        raise AssertionError("a subclass reads the channel")

    def says_again(self) -> list[bool]:
        """Whether what arrived says that it may be a repeat, in order. Only for channels that can't drop one."""
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
        assert asyncio.run(channel.notifier.send(channel.message))
        assert channel.arrived() == [channel.shown(channel.message)]

    def test_a_repeat_after_a_restart_arrives_once_with_the_same_reference_or_says_that_it_may_be_one(self, channel: Channel) -> None:
        other = replace(channel.message, key="other")
        first = asyncio.run(channel.notifier.send(channel.message))
        asyncio.run(channel.notifier.send(other))
        repeated = [asyncio.run(sender.send(replace(channel.message, again=True))) for sender in (channel.notifier, channel.reopened())]
        if channel.notifier.repeats is Repeats.DROPPED:
            assert repeated == [first, first]
            assert self.told(channel) == [channel.shown(channel.message), channel.shown(other)]
        else:
            assert channel.arrived() == [channel.shown(one) for one in (channel.message, other, channel.message, channel.message)]
            assert channel.says_again() == [False, False, True, True]

    def told(self, channel: Channel) -> list[tuple[str, str, str]]:
        """What people were told, of what arrived."""
        return channel.arrived()

    def test_an_exercise_that_does_not_say_so_is_never_sent(self, channel: Channel) -> None:
        for wrong in (replace(channel.message, subject="eu-west-1 is lost"), replace(channel.message, exercise=False)):
            with pytest.raises(ValueError, match="EXERCISE"):
                asyncio.run(channel.notifier.send(wrong))
        assert channel.arrived() == []

    def test_a_real_incident_is_sent_without_the_word(self, channel: Channel) -> None:
        real = replace(channel.message, subject="eu-west-1 is lost", exercise=False)
        asyncio.run(channel.notifier.send(real))
        assert channel.arrived() == [channel.shown(real)]

    def test_a_channel_that_is_down_is_said(self, channel: Channel) -> None:
        channel.break_down()
        with pytest.raises((ConnectionError, TimeoutError)):
            asyncio.run(channel.notifier.send(channel.message))
