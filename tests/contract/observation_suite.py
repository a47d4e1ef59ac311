"""What every ObservationSource must do. A subclass says where the observer stands, and how it falls silent and is started anew.

The observer of a ground looks by itself all the time, so a story waits until it has seen something.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from contract.suite import Suite
from holdfast.health.observation import Observation
from holdfast.ports.clock import Clock
from holdfast.ports.probe import ObservationSource

SILENT_SECONDS = 3.0
_SEEN_SECONDS = 20.0


@dataclass(frozen=True)
class Post:
    """A source and the observer behind it. `restart`: the observer ends and begins again, with nothing remembered."""

    source: ObservationSource
    clock: Clock
    cut: Callable[[], None]
    heal: Callable[[], None]
    restart: Callable[[], Awaitable[None]]


Posts = Callable[[], AbstractAsyncContextManager[Post]]


async def seen(post: Post, after: int, at_least: int = 3) -> Sequence[Observation]:
    """What was seen after that number, once it is so much. Asks on over what silence there is."""
    ends = post.clock.steady_seconds() + _SEEN_SECONDS
    while True:
        try:
            found = await post.source.since(after)
        except (TimeoutError, ConnectionError):
            found = []
        if len(found) >= at_least:
            return found
        assert post.clock.steady_seconds() < ends, f"{len(found)} observations after {after}"
        await post.clock.sleep(0.05)


class ObservationSuite(Suite):
    """`posts` is a fixture: it opens a fresh observer."""

    port = ObservationSource

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(main())

    def tell(self, posts: Posts, story: Callable[[Post], Coroutine[Any, Any, None]]) -> None:
        async def told() -> None:
            async with posts() as post:
                self.held(post.source)
                await story(post)

        self.run(told)

    def test_what_was_seen_comes_whole_and_oldest_first(self, posts: Posts) -> None:
        async def story(post: Post) -> None:
            found = await seen(post, 0)
            numbers = [one.sequence for one in found]
            assert numbers == sorted(set(numbers)) and numbers[0] > 0
            assert [one.at_seconds for one in found] == sorted(one.at_seconds for one in found)
            assert {one.observer for one in found} == {post.source.site}
            assert all(one.name and one.latency_seconds >= 0 for one in found)

        self.tell(posts, story)

    def test_asking_from_any_place_gives_what_came_after_it_and_uses_nothing_up(self, posts: Posts) -> None:
        async def story(post: Post) -> None:
            found = await seen(post, 0, at_least=6)
            middle = found[2].sequence
            assert [one for one in await post.source.since(middle) if one.sequence <= found[-1].sequence] == list(found[3:])
            assert [one for one in await post.source.since(0) if one.sequence <= found[-1].sequence] == list(found)
            later = await seen(post, found[-1].sequence)
            assert min(one.sequence for one in later) > found[-1].sequence
            assert not await post.source.since(later[-1].sequence + 1_000_000)

        self.tell(posts, story)

    def test_an_observer_that_is_silent_is_said_to_be_and_nothing_is_lost_when_it_answers_again(self, posts: Posts) -> None:
        async def story(post: Post) -> None:
            last = (await seen(post, 0))[-1].sequence
            post.cut()
            for _ in range(2):
                started = post.clock.steady_seconds()
                with pytest.raises((TimeoutError, ConnectionError)):
                    await post.source.since(last)
                assert post.clock.steady_seconds() - started < SILENT_SECONDS
            post.heal()
            found = await seen(post, last)
            again = [one for one in await post.source.since(last) if one.sequence <= found[-1].sequence]
            assert again == list(found)

        self.tell(posts, story)

    def test_numbers_grow_over_a_restart_of_the_observer(self, posts: Posts) -> None:
        async def story(post: Post) -> None:
            last = (await seen(post, 0))[-1].sequence
            await post.restart()
            assert all(one.sequence > last for one in await seen(post, last))

        self.tell(posts, story)

    def test_questions_side_by_side_get_whole_answers(self, posts: Posts) -> None:
        async def story(post: Post) -> None:
            found = await seen(post, 0)
            answers = await asyncio.gather(*(post.source.since(0) for _ in range(4)))
            for answer in answers:
                assert [one for one in answer if one.sequence <= found[-1].sequence] == list(found)

        self.tell(posts, story)
