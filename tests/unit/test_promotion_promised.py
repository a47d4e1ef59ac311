"""A promotion is held to the loss that people approved: a replica that lacks more is not ordered to become the writer."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from holdfast.fencing.order import Order
from holdfast.ports.action import Answer, Finding, Mode, Outcome, Result, Task
from holdfast.providers.agents.actions import PostgresPromoteAction
from holdfast.providers.agents.client import AgentClient, AgentSilent, OrderAnswer
from holdfast.simulation.clock import VirtualClock, run_virtual

STOPPED = 5000.0


class _Agent:
    """An agent that says how far its replica is and keeps what it is ordered."""

    def __init__(self, clock: VirtualClock, newest: float | None, catches_up_after: float = 1e9, role: str = "replica") -> None:
        self.clock, self.newest, self.role, self.catches_up_after = clock, newest, role, catches_up_after
        self.ordered: list[str] = []
        self.silent = False

    async def status(self) -> dict[str, Any]:
        if self.silent:
            raise AgentSilent("no answer")
        newest = STOPPED - 0.2 if self.clock.steady_seconds() >= self.catches_up_after else self.newest
        return {"stores": {"postgres": {"role": self.role, "last_heartbeat_seconds": newest, "restorable_seconds": STOPPED - 6.0}}}

    async def order(self, order: Order, verb: str, arguments: Mapping[str, Any], timeout_seconds: float) -> OrderAnswer:
        self.ordered.append(verb)
        return OrderAnswer("succeeded", "promoted", {})


async def _proof(task: Task) -> Finding:
    return Finding(Answer.YES, "a write was committed")


def outcome(
    agent_facts: dict[str, Any], bound: float | None = 3.5, *, silent: bool = False, rather: float | None = None
) -> tuple[Outcome, _Agent, float]:
    async def story() -> tuple[Outcome, _Agent, float]:
        clock = VirtualClock()
        agent = _Agent(clock, **agent_facts)
        agent.silent = silent
        action = PostgresPromoteAction({"dr": cast("AgentClient", agent)}, clock, _proof)
        promised = {} if bound is None else {"loss_bound_seconds": bound, "stopped_seconds": STOPPED}
        promised |= {} if rather is None else {"rather_restore_above_seconds": rather}
        task = Task("p", "postgres.promote", "db", "home", "dr", Mode.UNGRACEFUL, Order(0, 2, 1, 3), {"promised": promised})
        return await action.act(task), agent, clock.steady_seconds()

    return run_virtual(story)


def test_a_replica_within_the_approved_loss_is_promoted_at_once() -> None:
    done, agent, seconds = outcome({"newest": STOPPED - 3.0})
    assert (done.result, agent.ordered) == (Result.SUCCEEDED, ["postgres.promote"])
    assert seconds == 0.0


def test_a_replica_twenty_minutes_behind_is_refused_with_the_figures_and_nothing_is_ordered() -> None:
    done, agent, _ = outcome({"newest": STOPPED - 1200.0})
    assert (done.result, agent.ordered) == (Result.REFUSED, [])
    assert "1200.0 s behind" in done.detail
    assert "at most 3.5 s" in done.detail
    assert "would lose about 6.0 s" in done.detail
    assert done.facts["would_lose_seconds"] == 1200.0


def test_an_approved_loss_is_not_taken_where_the_archived_log_would_lose_less_than_the_plan_promises() -> None:
    done, agent, _ = outcome({"newest": STOPPED - 1200.0}, bound=1300.0, rather=300.0)
    assert (done.result, agent.ordered) == (Result.REFUSED, [])
    assert "more than the 300.0 s that the plan promises" in done.detail
    assert done.facts == {"would_lose_seconds": 1200.0, "restore_would_lose_seconds": 6.0}


@pytest.mark.parametrize(("behind", "rather"), [(1200.0, None), (200.0, 300.0), (5.0, 1.0)])
def test_it_is_taken_where_no_restore_is_bound_the_promise_holds_or_the_log_is_no_better(behind: float, rather: float | None) -> None:
    assert outcome({"newest": STOPPED - behind}, bound=1300.0, rather=rather)[0].result is Result.SUCCEEDED


def test_a_replica_that_still_replays_what_it_received_is_waited_for() -> None:
    done, agent, seconds = outcome({"newest": STOPPED - 60.0, "catches_up_after": 4.0})
    assert (done.result, agent.ordered) == (Result.SUCCEEDED, ["postgres.promote"])
    assert 4.0 <= seconds < 5.0


def test_who_accepted_an_unknown_loss_is_held_to_nothing() -> None:
    assert outcome({"newest": None}, bound=None)[0].result is Result.SUCCEEDED


@pytest.mark.parametrize("silent", [True, False])
def test_what_is_not_known_is_unknown_and_nothing_is_ordered(silent: bool) -> None:
    done, agent, _ = outcome({"newest": None}, silent=silent)
    assert (done.result, agent.ordered) == (Result.UNKNOWN, [])


def test_a_promotion_that_an_earlier_attempt_made_is_not_judged_again() -> None:
    assert outcome({"newest": STOPPED - 1200.0, "role": "writer"})[0].result is Result.SUCCEEDED
