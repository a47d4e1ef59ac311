"""What is said of an order about protection that came to no answer: what was heard last, how long was waited, and what to do next."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from holdfast.conduct.situation import SetMode
from holdfast.controller.protecting import SET_SECONDS, mode_set
from holdfast.fencing.order import Order
from holdfast.ports.action import Outcome, Result
from holdfast.ports.protection import ModeWish, Protector
from holdfast.providers.agents.client import AgentClient, AgentSilent, OrderAnswer
from holdfast.providers.agents.protection import AgentProtector
from holdfast.simulation.clock import VirtualClock, run_virtual

HOME = "eu-west-1"
MOVE = SetMode("ask-1", "database", "postgres", HOME, "asynchronous", Order(0, 1, 1, 1))
BUSY = "another order to postgres is being carried out"
NEXT = "look at `holdfast status`, then give the order again"


class _Agent:
    """An agent that is at another order for so long, and silent after so many answers."""

    def __init__(self, clock: VirtualClock, free_at: float, silent_after: int | None = None) -> None:
        self._clock, self._free_at, self._silent_after = clock, free_at, silent_after
        self.asked = 0

    async def order(self, order: Order, verb: str, arguments: Mapping[str, Any], timeout_seconds: float) -> OrderAnswer:
        self.asked += 1
        if self._silent_after is not None and self.asked > self._silent_after:
            await self._clock.sleep(timeout_seconds)
            raise AgentSilent(f"the agent of {HOME} did not answer within {timeout_seconds:g} s")
        await self._clock.sleep(0.5)
        if self._clock.steady_seconds() < self._free_at:
            return OrderAnswer("waiting", BUSY, {"wait_seconds": 0.5})
        return OrderAnswer("succeeded", "each write is acknowledged alone", {})


def settled(free_at: float, silent_after: int | None = None) -> tuple[str, str, float]:
    """Outcome, detail, and seconds it took."""

    async def story() -> tuple[str, str, float]:
        clock = VirtualClock()
        protector = AgentProtector({HOME: cast("AgentClient", _Agent(clock, free_at, silent_after))}, clock)
        body = (await mode_set(protector, MOVE)).body
        return body["outcome"], body["detail"], clock.steady_seconds()

    return run_virtual(story)


def test_an_agent_that_is_soon_free_does_it() -> None:
    assert settled(3.0)[0] == "succeeded"


def test_an_agent_that_stays_at_another_order_leaves_what_it_said_how_long_was_waited_and_what_to_do() -> None:
    outcome, detail, seconds = settled(1e9)
    assert outcome == "unknown"
    assert seconds < SET_SECONDS, "it ends by itself, so what it heard is not lost"
    assert BUSY in detail and f"asked for {seconds:.0f} s" in detail and NEXT in detail


def test_an_agent_that_falls_silent_leaves_what_it_said_before() -> None:
    outcome, detail, seconds = settled(1e9, silent_after=7)
    assert (outcome, seconds < SET_SECONDS) == ("unknown", True)
    assert "did not answer within 10 s" in detail and BUSY in detail and NEXT in detail


class _Endless:
    async def set_mode(self, wish: ModeWish) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError("it never ends")


class _Faulty:
    async def set_mode(self, wish: ModeWish) -> Outcome:
        raise TimeoutError("its own, after a moment")


@pytest.mark.parametrize(
    ("protector", "says"),
    [
        pytest.param(_Endless(), f"no answer within {SET_SECONDS:g} s, so whether it was done is not known", id="no end"),
        pytest.param(_Faulty(), "not answered: its own, after a moment", id="a time-out of its own"),
    ],
)
def test_what_nobody_answered_for_is_unknown_and_says_what_to_do(protector: Protector, says: str) -> None:
    async def story() -> Mapping[str, Any]:
        return (await mode_set(protector, MOVE)).body

    body = run_virtual(story)
    assert body["outcome"] == Result.UNKNOWN
    assert body["detail"] == f"{says}; {NEXT}"
