"""What becomes of a hand-over in the journal: receipts, second ways, links that only the recipient gets, and never an address."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from holdfast.conduct.situation import Asked, Tell, Write
from holdfast.controller.channels import ExerciseGuard, Mailbox, SecondWay, handed_over
from holdfast.controller.telling import Links, Telling, notification_of, records_of
from holdfast.decision.links import Deed, code_fits, opened
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Notification, Notifier, RefusedNotificationError, Repeats, Way
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.file.keys import own_key

ADDRESS = "ada@example.org"
TELL = Tell("inc-1", "inc-1/call/1", "call", "sms", "ada", "EXERCISE: s", "b", enrolled=True, address=ADDRESS)
KEY = b"a key of the tests, long enough"


@dataclass
class Far:
    """A far end that answers as it is told."""

    answer: str | Exception = "sms:1"
    repeats: Repeats = Repeats.POSSIBLE
    taken: list[Notification] = field(default_factory=list)

    async def send(self, notification: Notification) -> str:
        self.taken.append(notification)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def recorded(far: object, tell: Tell = TELL, waits: float | None = None) -> list[Write]:
    """What one hand-over leaves in the journal."""
    kept: list[Write] = []

    async def story() -> None:
        done = asyncio.Event()

        async def keep(writes: Sequence[Write]) -> None:
            kept.extend(writes)

        telling = Telling({tell.channel: far}, SystemClock(), keep, done.set)  # type: ignore[dict-item]
        telling.receipt_within_seconds = {} if waits is None else {tell.channel: waits}
        telling.begin(tell, "exercise-7")
        assert telling.under_way == {(tell.key, tell.channel, tell.recipient)}
        await asyncio.wait_for(done.wait(), 10)
        assert telling.under_way == frozenset()
        await telling.stop()

    asyncio.run(story())
    return kept


def test_a_channel_whose_answer_is_the_receipt_delivered_it_and_a_mail_relay_only_took_it() -> None:
    assert [write.kind for write in recorded(Far("slack:C1/1.2"))] == [Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_DELIVERED]
    assert [write.kind for write in recorded(Far("smtp:<1@x>"))] == [Kind.NOTIFICATION_SENT]


def test_a_receipt_is_waited_for_where_it_comes_later_and_a_second_way_is_left() -> None:
    (first,) = recorded(Far("sms:1"), waits=120.0)
    assert first.body["receipt_within_seconds"] == 120.0
    (second,) = recorded(Far(f"{SECOND}sms:1{FIRST_UNKNOWN}"), waits=120.0)
    assert "receipt_within_seconds" not in second.body and second.body["second_way"] == "sms:1 (first unknown)"


@pytest.mark.parametrize(
    ("fault", "kind", "final"),
    [
        (TimeoutError(f"{ADDRESS} is silent"), Kind.NOTIFICATION_UNKNOWN, None),
        (RefusedNotificationError(f"no such person {ADDRESS}"), Kind.NOTIFICATION_FAILED, True),
        (RefusedNotificationError("later", 7.0), Kind.NOTIFICATION_FAILED, False),
        (ConnectionError(f"no way to {ADDRESS}"), Kind.NOTIFICATION_FAILED, None),
        (ValueError(f"{ADDRESS} is not enrolled"), Kind.NOTIFICATION_FAILED, True),
        (KeyError("a fault of the adapter"), Kind.NOTIFICATION_FAILED, None),
    ],
)
def test_what_was_not_handed_over_says_whether_to_try_again_and_names_no_address(fault: Exception, kind: Kind, final: bool | None) -> None:
    (write,) = recorded(Far(fault))
    assert (write.kind, write.body.get("final")) == (kind, final)
    assert ADDRESS not in str(write.body)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("slack:anna/1.2", {"reference": "slack:anna-berg/1.2", "second_way": "slack: slack:anna-berg/1.2"}),
        (RefusedNotificationError("anna has left"), {"reason": "refused: anna-berg has left"}),
        (TimeoutError("silent: anna@example.org"), {"reason": "no answer: silent: anna-berg"}),
        (ValueError("anna-berg is not enrolled"), {"reason": "not sent: anna-berg is not enrolled"}),
    ],
)
def test_an_address_that_is_part_of_a_name_is_taken_out_of_what_was_said_and_never_out_of_what_tells_a_delivery(
    answer: str | Exception, said: dict[str, str]
) -> None:
    named = {"key": "inc-1/anna/1", "message": "anna", "channel": "anna-pager", "recipient": "anna-berg", "over": "slack"}
    tell = replace(TELL, **named, address="anna", addresses={"email": "anna@example.org"})  # type: ignore[arg-type]
    notification = notification_of(tell, "exercise-7", None, 1000.0)
    outcome = asyncio.run(handed_over({"slack": Far(answer)}, notification, SystemClock(), 10.0))
    first, *receipt = records_of(tell, outcome, None, 1000.0)
    assert named.items() <= first.body.items()
    assert {name: value for name, value in first.body.items() if name in ("reason", "reference", "second_way")} == said
    assert all(write.body.items() >= {name: named[name] for name in ("key", "channel", "recipient")}.items() for write in receipt)


def test_nothing_is_left_running_where_whoever_ends_it_is_ended_in_the_same_moment() -> None:
    class Silent(Far):
        async def send(self, notification: Notification) -> str:
            self.taken.append(notification)
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

    async def story() -> None:
        async def keep(_: Sequence[Write]) -> None:
            raise AssertionError("nothing came of it")

        far = Silent()
        telling = Telling({TELL.channel: far}, SystemClock(), keep, lambda: None)
        telling.begin(TELL, "exercise-7")
        while not far.taken:
            await asyncio.sleep(0)

        async def end() -> None:
            own = asyncio.current_task()
            assert own is not None
            own.cancel()
            await asyncio.gather(telling.stop(), return_exceptions=True)

        await asyncio.wait({asyncio.create_task(end())})
        left = asyncio.all_tasks() - {asyncio.current_task()}
        _, running = await asyncio.wait(left, timeout=5.0) if left else (left, set[asyncio.Task[None]]())
        assert running == set()

    asyncio.run(story())


@dataclass
class Held(Far):
    """A far end that takes what it is given when it is told to."""

    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, notification: Notification) -> str:
        await self.told.wait()
        return await super().send(notification)


@pytest.mark.parametrize(
    ("answer", "priority", "wakes"),
    [
        ("sms:1", 1, False),
        ("sms:1", 0, True),
        (RefusedNotificationError("no such person"), 1, True),
        (TimeoutError("it is silent"), 1, True),
    ],
    ids=["told", "called", "refused", "unknown"],
)
def test_while_more_is_handed_over_only_what_asks_for_more_wakes_the_loop(answer: str | Exception, priority: int, wakes: bool) -> None:
    first, second = replace(TELL, priority=priority), replace(TELL, key="inc-1/mailing/1", channel="email")

    async def story() -> None:
        recorded, over, woken = asyncio.Event(), asyncio.Event(), list[int]()
        held = Held("smtp:1")

        async def keep(_: Sequence[Write]) -> None:
            recorded.set()

        def ended() -> None:
            woken.append(len(telling.under_way))
            if not telling.under_way:
                over.set()

        telling = Telling({first.channel: Far(answer), second.channel: held}, SystemClock(), keep, ended)
        for tell in (first, second):
            telling.begin(tell, "exercise-7")
        await asyncio.wait_for(recorded.wait(), 10)
        while len(telling.under_way) == 2:
            await asyncio.sleep(0)
        assert woken == ([1] if wakes else [])
        held.told.set()
        await asyncio.wait_for(over.wait(), 10)
        assert woken[-1] == 0, "the last one wakes it, whatever it is"
        await telling.stop()

    asyncio.run(story())


def test_a_link_and_digits_stand_for_their_person_and_for_exactly_what_was_proposed() -> None:
    tell = replace(TELL, asked=Asked("ada", 2000.0, "h" * 64, 1500.0))
    made = notification_of(tell, "exercise-7", Links("https://doors.example/", KEY), 1000.0)
    assert made.acknowledge_url is not None and made.approve_url is not None and made.code is not None
    acknowledge, approve = (
        opened(KEY, url.removeprefix("https://doors.example/a/"), 1000.0) for url in (made.acknowledge_url, made.approve_url)
    )
    assert (acknowledge.person, acknowledge.deed, acknowledge.hash, acknowledge.until_seconds) == ("ada", Deed.ACKNOWLEDGE, "", 2000.0)
    assert (approve.person, approve.deed, approve.hash, approve.until_seconds) == ("ada", Deed.APPROVE, "h" * 64, 1500.0)
    assert code_fits(KEY, "ada", "h" * 64, made.code)
    assert notification_of(tell, "exercise-7", None, 1000.0).acknowledge_url is None
    plain = notification_of(TELL, "exercise-7", Links("https://doors.example/", KEY), 1000.0)
    assert (plain.acknowledge_url, plain.approve_url, plain.code) == (None, None, None)


def sent(notifier: Notifier, tell: Tell = TELL) -> str:
    return asyncio.run(notifier.send(notification_of(tell, "exercise-7", None, 1000.0)))


def test_the_second_way_alone_is_gone_where_nothing_came_of_the_first() -> None:
    first, second = Far("sms:1"), Far("sms:2")
    assert sent(SecondWay(first, second), replace(TELL, way="second")) == f"{SECOND}sms:2"
    assert (first.taken, [one.way for one in second.taken]) == ([], [Way.SECOND])


def test_what_is_for_the_first_way_alone_reaches_nobody_by_the_second() -> None:
    first, second = Far("pagerduty:1"), Far("voice:2")
    assert sent(SecondWay(first, second), replace(TELL, way="first")) == "pagerduty:1"
    assert [one.way for one in first.taken] == [Way.FIRST]
    for down in (ConnectionError("down"), TimeoutError("no answer")):
        with pytest.raises(type(down), match=str(down)):
            sent(SecondWay(Far(down), second), replace(TELL, way="first"))
    assert second.taken == []


def test_a_message_that_is_due_soon_gives_the_first_way_only_its_share_of_the_time() -> None:
    class Silent(Far):
        async def send(self, notification: Notification) -> str:
            await asyncio.sleep(60.0)
            raise AssertionError("nobody waits so long")

    begun = SystemClock().steady_seconds()
    assert sent(SecondWay(Silent(), Far("sms:2"), 60.0), replace(TELL, due_seconds=1001.0)) == f"{SECOND}sms:2{FIRST_UNKNOWN}"
    assert SystemClock().steady_seconds() - begun < 20.0


def test_who_has_no_address_is_reached_at_the_mailbox_of_exercises_and_only_in_one() -> None:
    far = Far()
    guard = ExerciseGuard(far, public=False, rehearsed=Mailbox(far, "exercise+{recipient}@example.org"))
    sent(guard, replace(TELL, address=None, recipient="exercise:on-call"))
    sent(guard)
    assert [one.address for one in far.taken] == ["exercise+exercise-on-call@example.org", ADDRESS]
    real = notification_of(Tell("inc-1", "k", "call", "sms", "ada", "s", "b"), None, None, 1000.0)
    asyncio.run(guard.send(real))
    assert far.taken[-1].address is None


def test_everybody_who_comes_first_at_once_reads_the_same_whole_key(tmp_path: Path) -> None:
    path = tmp_path / "serve" / "link.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: own_key(path), range(32)))
    assert len(keys) == 1 and path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["link.key"]
    path.write_bytes(b"short")
    with pytest.raises(OSError, match="holds 5 bytes"):
        own_key(path)
