"""The outbox and what stands before a channel, in virtual time: priority, lanes, rate, the second way, and what is known at the end."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.controller.channels import BothUnknownError, ExerciseGuard, Outcome, SecondWay, WithoutAddress
from holdfast.controller.outbox import AT_ONCE, BATCH, URGENT_AT_ONCE, Outbox, Terms
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.ports.notifier import Notification, Notifier, RefusedNotificationError, Repeats
from holdfast.simulation.clock import VirtualClock, run_virtual

PLAIN = Notification("k", "inc-1", "status", "email", "someone", "A subject", "A body", False)


class Scripted:
    """A channel that takes so long and then does as it is told; remembers what began when."""

    def __init__(
        self,
        takes_seconds: float = 1.0,
        ends: Exception | None = None,
        repeats: Repeats = Repeats.POSSIBLE,
        *,
        hangs: frozenset[str] = frozenset(),
    ) -> None:
        self.repeats = repeats
        self.begun: list[tuple[float, str]] = []
        self.most_at_once = 0
        self._takes_seconds = takes_seconds
        self._ends = ends
        self._hangs = hangs
        self._now = 0

    async def send(self, notification: Notification) -> str:
        self.begun.append((asyncio.get_running_loop().time(), notification.key))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(3600.0 if notification.key in self._hangs else self._takes_seconds)
            if self._ends is not None:
                raise self._ends
            return f"ref:{notification.key}"
        finally:
            self._now -= 1


def message(key: str, channel: str = "email") -> Notification:
    return replace(PLAIN, key=key, channel=channel)


async def everything(outbox: Outbox) -> list[Outcome]:
    return [outcome async for batch in outbox.outcomes() for outcome in batch]


def played(story: Callable[[VirtualClock], Awaitable[None]]) -> None:
    async def main() -> None:
        await story(VirtualClock())

    run_virtual(main)


# -- outbox ----------------------------------------------------------------------------------------------------------------------


def test_within_a_channel_the_lowest_number_leaves_first_and_equals_in_the_order_they_came() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted()
        async with Outbox({"email": channel}, clock, {"email": Terms(at_once=1)}) as outbox:
            for key, priority in (("late", 3), ("b1", 2), ("a", 1), ("b2", 2)):
                outbox.put(message(key), priority)
            await everything(outbox)
        assert [key for _, key in channel.begun] == ["a", "b1", "b2", "late"]

    played(story)


def test_an_urgent_message_does_not_wait_for_a_mailing_of_thousands_nor_for_a_relay_that_hangs() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted(hangs=frozenset(str(number) for number in range(100)))
        async with Outbox({"email": channel}, clock) as outbox:
            for number in range(2000):
                outbox.put(message(str(number)), 3)
            await clock.sleep(5.0)
            before = asyncio.get_running_loop().time()
            outbox.put(message("commander"), 0)
            async for batch in outbox.outcomes():
                found = [outcome.reference for outcome in batch if outcome.notification.key == "commander"]
                if found:
                    break
            assert found == ["ref:commander"] and asyncio.get_running_loop().time() - before < 1.5

    played(story)


def test_a_channel_that_hangs_keeps_only_its_own_waiting() -> None:
    async def story(clock: VirtualClock) -> None:
        hanging, quick = Scripted(hangs=frozenset("x")), Scripted()
        async with Outbox({"email": hanging, "slack": quick}, clock, {"email": Terms(20.0)}) as outbox:
            outbox.put(message("x"), 1)
            outbox.put(message("y", "slack"), 1)
            outcomes = await everything(outbox)
        assert [(one.notification.key, one.unknown) for one in outcomes] == [("y", False), ("x", True)]
        assert quick.begun[0][0] - hanging.begun[0][0] == pytest.approx(0.0)

    played(story)


def test_so_many_are_under_way_at_once_and_no_more() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted()
        async with Outbox({"email": channel}, clock, {"email": Terms(at_once=4)}) as outbox:
            for number in range(40):
                outbox.put(message(str(number)), 2)
            await everything(outbox)
        assert channel.most_at_once == 4

    played(story)


@given(st.lists(st.sampled_from(["fine", "no", "unknown", "broken", "unbound"]), max_size=40))
def test_every_message_gets_exactly_one_outcome_and_silence_is_never_a_no(fates: list[str]) -> None:
    ends = {"no": RefusedNotificationError("no"), "unknown": TimeoutError("silence"), "broken": RuntimeError("a fault"), "fine": None}

    async def story(clock: VirtualClock) -> None:
        channels: dict[str, Notifier] = {name: Scripted(0.1, end) for name, end in ends.items()}
        async with Outbox(channels, clock) as outbox:
            for number, fate in enumerate(fates):
                outbox.put(message(str(number), fate), number % 3)
            outcomes = {outcome.notification.key: outcome for outcome in await everything(outbox)}
        assert sorted(outcomes) == sorted(str(number) for number in range(len(fates)))
        for number, fate in enumerate(fates):
            outcome = outcomes[str(number)]
            assert (outcome.reference is None) == (fate != "fine") and (outcome.reason is None) == (fate == "fine")
            assert outcome.unknown == (fate == "unknown") == outcome.repeat_possible

    played(story)


def test_a_mailings_results_come_in_few_batches_and_a_single_one_at_once() -> None:
    async def story(clock: VirtualClock) -> None:
        async with Outbox({"email": Scripted(0.01)}, clock) as outbox:
            for number in range(1000):
                outbox.put(message(str(number)), 3)
            sizes = [len(batch) async for batch in outbox.outcomes()]
            assert sum(sizes) == 1000 and max(sizes) <= BATCH
            assert len(sizes) < 100, "each batch costs the journal a synchronisation"
            begun = asyncio.get_running_loop().time()
            outbox.put(message("alone"), 0)
            await everything(outbox)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(0.01)

    played(story)


def test_an_outbox_that_is_left_hands_nothing_over_any_more() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted(5.0)
        async with Outbox({"email": channel}, clock, {"email": Terms(at_once=1)}) as outbox:
            for number in range(3):
                outbox.put(message(str(number)), 2)
            await clock.sleep(1.0)
        await clock.sleep(60.0)
        assert [key for _, key in channel.begun] == ["0"]

    played(story)


# -- rate ------------------------------------------------------------------------------------------------------------------------


def test_a_channel_gets_no_more_than_so_many_a_second_and_none_is_lost() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted(0.0)
        async with Outbox({"email": channel}, clock, {"email": Terms(per_second=5.0)}) as outbox:
            for number in range(50):
                outbox.put(message(str(number)), 2)
            await everything(outbox)
            moments = [moment for moment, _ in channel.begun]
            assert len(moments) == 50 and moments == sorted(moments)
            assert all(later - earlier >= 0.2 - 1e-6 for earlier, later in itertools.pairwise(moments))
            await clock.sleep(60.0)
            before = asyncio.get_running_loop().time()
            outbox.put(message("later"), 2)
            await everything(outbox)
            assert channel.begun[-1][0] == pytest.approx(before), "time without messages is not held against the next"

    played(story)


def test_at_one_a_second_an_urgent_message_leaves_next_and_waiting_for_a_turn_is_no_silence() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted(0.1)
        async with Outbox({"email": channel}, clock, {"email": Terms(10.0, per_second=1.0)}) as outbox:
            for number in range(100):
                outbox.put(replace(message(str(number)), within_seconds=900.0), 3)
            await clock.sleep(20.4)
            left = len(channel.begun)
            outbox.put(message("commander"), 0)
            outcomes = await everything(outbox)
        keys = [key for _, key in channel.begun]
        assert keys[left] == "commander" and channel.begun[left][0] - 20.4 <= 1.0
        assert keys[:left] + keys[left + 1 :] == [str(number) for number in range(100)], "each left once, in the order they came"
        assert [one.notification.key for one in outcomes if one.unknown or one.reference is None] == []
        assert channel.begun[-1][0] == pytest.approx(100.0), "so many a second, the urgent one among them"

    played(story)


def test_with_everything_busy_the_most_urgent_of_those_who_wait_get_the_next_turns() -> None:
    async def story(clock: VirtualClock) -> None:
        channel = Scripted(0.1)
        async with Outbox({"email": channel}, clock, {"email": Terms(per_second=1.0)}) as outbox:
            for number in range(3 * AT_ONCE):
                outbox.put(message(f"m{number}"), 3)
            await clock.sleep(0.5)
            for number in range(2 * URGENT_AT_ONCE):
                outbox.put(message(f"u{number}"), 0)
            outcomes = await everything(outbox)
        keys = [key for _, key in channel.begun]
        assert keys[0] == "m0" and keys[1 : 1 + 2 * URGENT_AT_ONCE] == [f"u{number}" for number in range(2 * URGENT_AT_ONCE)]
        assert not any(outcome.unknown for outcome in outcomes)

    played(story)


def test_after_it_waited_for_its_turn_less_time_is_left_until_it_is_due() -> None:
    class Noting(Scripted):
        async def send(self, notification: Notification) -> str:
            left.append(notification.within_seconds)
            return await super().send(notification)

    left: list[float | None] = []

    async def story(clock: VirtualClock) -> None:
        async with Outbox({"email": Noting(0.0)}, clock, {"email": Terms(per_second=0.1)}) as outbox:
            for number in range(3):
                outbox.put(replace(message(str(number)), within_seconds=60.0), 2)
            await everything(outbox)

    played(story)
    assert left == [pytest.approx(60.0), pytest.approx(50.0), pytest.approx(40.0)]


def test_a_channel_is_waited_for_as_long_as_its_terms_say() -> None:
    async def story(clock: VirtualClock) -> None:
        slow = SecondWay(Scripted(hangs=frozenset({"k"})), Scripted(14.0), deadline_seconds=30.0)
        async with Outbox({"email": slow}, clock, {"email": Terms(32.0)}) as outbox:
            outbox.put(PLAIN, 1)
            (outcome,) = await everything(outbox)
        assert outcome.reference == f"{SECOND}ref:k{FIRST_UNKNOWN}" and outcome.seconds == pytest.approx(29.0)

    played(story)


# -- second way ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "reference"),
    [
        (Scripted(), "ref:k"),
        (Scripted(ends=RefusedNotificationError("no")), f"{SECOND}ref:k"),
        (Scripted(ends=RefusedNotificationError("later", 60.0)), f"{SECOND}ref:k"),
        (Scripted(ends=ConnectionError("down")), f"{SECOND}ref:k"),
        (Scripted(ends=TimeoutError("no answer")), f"{SECOND}ref:k{FIRST_UNKNOWN}"),
        (Scripted(hangs=frozenset("k")), f"{SECOND}ref:k{FIRST_UNKNOWN}"),
    ],
)
def test_the_second_way_is_gone_within_the_deadline_and_says_what_is_known_of_the_first(first: Scripted, reference: str) -> None:
    async def story(clock: VirtualClock) -> None:
        begun = asyncio.get_running_loop().time()
        assert await SecondWay(first, Scripted(), deadline_seconds=8.0).send(PLAIN) == reference
        assert asyncio.get_running_loop().time() - begun <= 8.0

    played(story)


@pytest.mark.parametrize(
    ("first", "second", "raised"),
    [
        (RefusedNotificationError("first no"), RefusedNotificationError("second no"), ConnectionError),
        (TimeoutError("first silent"), RefusedNotificationError("second no"), TimeoutError),
        (TimeoutError("first silent"), TimeoutError("second silent"), BothUnknownError),
        (RefusedNotificationError("first no"), TimeoutError("second silent"), TimeoutError),
    ],
)
def test_when_both_ways_fail_both_reasons_are_said_and_doubt_stays_doubt(
    first: Exception, second: Exception, raised: type[Exception]
) -> None:
    async def story(clock: VirtualClock) -> None:
        with pytest.raises(raised, match=f"{first}.*{second}") as said:
            await SecondWay(Scripted(ends=first), Scripted(ends=second)).send(PLAIN)
        assert isinstance(said.value, TimeoutError) == issubclass(raised, TimeoutError)
        assert isinstance(said.value, BothUnknownError) == (raised is BothUnknownError)

    played(story)


def test_what_must_not_be_sent_goes_no_second_way() -> None:
    async def story(clock: VirtualClock) -> None:
        second = Scripted()
        with pytest.raises(ValueError, match="must not"):
            await SecondWay(Scripted(ends=ValueError("must not")), second).send(PLAIN)
        assert second.begun == []

    played(story)


# -- guard -----------------------------------------------------------------------------------------------------------------------

EXERCISE = replace(PLAIN, exercise=True, subject="eu-west-1 is lost", short="lost")


class Kept:
    """Keeps what gets through."""

    repeats = Repeats.DROPPED

    def __init__(self) -> None:
        self.sent: list[Notification] = []

    async def send(self, notification: Notification) -> str:
        self.sent.append(notification)
        return "kept"


def test_an_exercise_reaches_an_enrolled_person_with_every_text_marked() -> None:
    kept = Kept()
    asyncio.run(ExerciseGuard(kept, public=False).send(replace(EXERCISE, enrolled=True, address="ada@example.org")))
    [sent] = kept.sent
    assert all(text.startswith("EXERCISE") for text in (sent.subject, sent.body, sent.short))


@pytest.mark.parametrize("address", [None, "ada@example.org"])
@pytest.mark.parametrize(("public", "enrolled"), [(False, False), (True, False), (True, True)])
def test_an_exercise_reaches_nobody_else(public: bool, enrolled: bool, address: str | None) -> None:
    kept = Kept()
    with pytest.raises(ValueError, match=r"[Nn]othing was sent"):
        asyncio.run(ExerciseGuard(kept, public=public).send(replace(EXERCISE, enrolled=enrolled, address=address)))
    assert kept.sent == []


def test_an_exercise_without_an_address_goes_to_no_place_that_all_look_at_but_to_its_own_mailbox() -> None:
    kept, boxed = Kept(), Kept()
    circle = replace(EXERCISE, recipient="exercise:customers")
    for nowhere in (circle, replace(EXERCISE, enrolled=True)):
        with pytest.raises(ValueError, match="bind the channel with exercise_address"):
            asyncio.run(ExerciseGuard(kept, public=False).send(nowhere))
    mailbox = ExerciseGuard(kept, public=False, rehearsed=boxed)
    asyncio.run(mailbox.send(circle))
    asyncio.run(mailbox.send(replace(EXERCISE, enrolled=True)))
    with pytest.raises(ValueError, match="not enrolled"):
        asyncio.run(mailbox.send(EXERCISE))
    with pytest.raises(ValueError, match="not enrolled"):
        asyncio.run(mailbox.send(replace(circle, address="desk@hotel.example")))
    assert (len(boxed.sent), kept.sent) == (2, [])


def test_a_place_for_exercises_takes_them_all_but_to_no_address_of_a_customer_and_nothing_real() -> None:
    kept = Kept()
    guard = ExerciseGuard(None, WithoutAddress(kept), public=True)
    asyncio.run(guard.send(replace(EXERCISE, address="https://customer.example/hook", addresses={"email": "somebody@customer.example"})))
    assert kept.sent[0].address is None and kept.sent[0].addresses == {}
    with pytest.raises(RefusedNotificationError, match="bound for exercises only"):
        asyncio.run(guard.send(PLAIN))
    assert len(kept.sent) == 1


def test_a_real_message_never_says_that_it_is_an_exercise() -> None:
    for wrong in (replace(PLAIN, subject="EXERCISE"), replace(PLAIN, body="EXERCISE: x"), replace(PLAIN, short="EXERCISE")):
        kept = Kept()
        with pytest.raises(ValueError, match="nothing was sent"):
            asyncio.run(ExerciseGuard(kept, public=False).send(wrong))
        assert kept.sent == []


def test_the_guard_stands_before_the_second_way_too() -> None:
    first, second = Kept(), Kept()
    with pytest.raises(ValueError, match="not enrolled"):
        asyncio.run(ExerciseGuard(SecondWay(first, second), public=False).send(EXERCISE))
    assert first.sent == second.sent == []
