"""The blocks that a region's agent carries out: promotion of a store in the target, and making the source follow it.

An agent compares orders durably, so every act may be repeated. `verify` of a promotion is a proof of its own, given from outside: that the
agent says so is not enough. Never here: fencing (see `fence`), and how a store does it.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from holdfast.fencing.order import Order
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.providers.agents.client import AgentClient, AgentSilent, OrderAnswer

Proof = Callable[[Task], Awaitable[Finding]]
"""Whether the target's store takes a write under the task's epoch: asked of the store itself."""

_RESULTS = {"succeeded": Result.SUCCEEDED, "refused": Result.REFUSED, "failed": Result.FAILED}
_AGAIN_SECONDS = 0.25
_LAG_LIMIT_SECONDS = 5.0
CATCH_UP_SECONDS = 8.0
"""How long a replica may take to replay what it has received before what it lacks is called lost."""
CLOCK_SECONDS = 0.2
"""Allowed between the clocks of the two regions and of the controller."""


async def give(
    agent: AgentClient,
    order: Order,
    verb: str,
    arguments: Mapping[str, Any],
    clock: Clock,
    timeout_seconds: float,
    *,
    patience_seconds: float = math.inf,
) -> Outcome:
    """Give an order and ask again while the agent says that it is at it, or at another one.

    `timeout_seconds`: of each asking; `patience_seconds`: when it isn't asked again any more. What it said last is kept. Without patience
    of its own the caller's time limit ends the asking.
    """
    began, heard = clock.steady_seconds(), ""
    while True:
        try:
            answer = await agent.order(order, verb, arguments, timeout_seconds)
        except AgentSilent as silence:
            return Outcome(Result.UNKNOWN, f"{silence}{heard}: whether {verb} was obeyed is not known")
        if answer.result != "waiting":
            return outcome_of(answer)
        wait, asked = wait_seconds(answer, _AGAIN_SECONDS), clock.steady_seconds() - began
        if asked + wait >= patience_seconds:
            return Outcome(Result.UNKNOWN, f"{answer.detail}, asked for {asked:.0f} s: whether {verb} will be obeyed is not known")
        heard = f" (before that it said: {answer.detail})"
        await clock.sleep(wait)


def outcome_of(answer: OrderAnswer) -> Outcome:
    """An agent's final answer in the port's words."""
    return Outcome(_RESULTS.get(answer.result, Result.UNKNOWN), answer.detail, dict(answer.facts))


def wait_seconds(answer: OrderAnswer, default_seconds: float) -> float:
    """When an agent that waits wants to be asked again."""
    wait = answer.facts.get("wait_seconds")
    return max(0.01, float(wait)) if isinstance(wait, int | float) else default_seconds


async def store_status(agent: AgentClient, store: str) -> dict[str, Any]:
    """What an agent says of one store. Raises AgentSilent."""
    status = await agent.status()
    found = (status.get("stores") or {}).get(store)
    return dict(found) if isinstance(found, Mapping) else {}


class _PromoteAction:
    """A store of the target becomes the writer of the task's epoch."""

    store: str

    def __init__(self, agents: Mapping[str, AgentClient], clock: Clock, proof: Proof, *, timeout_seconds: float = 100.0) -> None:
        self._agents = agents
        self._clock = clock
        self._proof = proof
        self._timeout_seconds = timeout_seconds

    async def check(self, task: Task) -> Finding:
        """Whether the target's store is the writer of this epoch already."""
        try:
            status = await store_status(self._agents[task.target], self.store)
        except AgentSilent as silence:
            return Finding(Answer.UNKNOWN, str(silence))
        role, written = status.get("role"), (status.get("era"), status.get("epoch"))
        facts = {"role": role, "era": written[0], "epoch": written[1]}
        if role == "writer" and written == (task.order.era, task.order.epoch) and status.get("writer_region") == task.target:
            return Finding(Answer.YES, f"{self.store} in {task.target} is the writer of epoch {task.order.epoch}", facts)
        if role in ("replica", "stopped", "writer"):
            return Finding(Answer.NO, f"{self.store} in {task.target} is {role} under epoch {written[1]}", facts)
        return Finding(
            Answer.UNKNOWN, f"{self.store} in {task.target}: {status.get('detail') or 'its agent does not know what it is'}", facts
        )

    async def act(self, task: Task) -> Outcome:
        """Order the promotion, with the position that the source stopped at where that is known.

        Refused without an order when the target lacks more than people approved: it is behind, or stopped replaying.
        """
        too_much = await self._lacks_too_much(task)
        if too_much is not None:
            return too_much
        arguments = {"source_position": dict(task.parameters.get("source_position") or {})}
        return await give(self._agents[task.target], task.order, f"{self.store}.promote", arguments, self._clock, self._timeout_seconds)

    async def verify(self, task: Task) -> Finding:
        """A committed write under the epoch, asked of the store itself."""
        return await self._proof(task)

    async def _lacks_too_much(self, task: Task) -> Outcome | None:
        promised = task.parameters.get("promised") or {}
        if not promised:
            return None
        ends = self._clock.steady_seconds() + CATCH_UP_SECONDS
        while True:
            try:
                status = await store_status(self._agents[task.target], self.store)
            except AgentSilent as silence:
                return Outcome(Result.UNKNOWN, f"{silence}: what {task.target} lacks is not known, so nothing was ordered")
            if status.get("role") == "writer":
                return None  # Promoted by an earlier attempt: what it lacked was looked at then.
            lost = _would_lose(promised, status)
            if lost is not None and lost <= float(promised["loss_bound_seconds"]) + CLOCK_SECONDS:
                return _rather_restored(self.store, task, promised, status, lost)
            if self._clock.steady_seconds() >= ends:
                return _too_much(self.store, task, promised, status, lost)
            await self._clock.sleep(_AGAIN_SECONDS)


def _would_lose(promised: Mapping[str, Any], status: Mapping[str, Any]) -> float | None:
    newest = status.get("last_heartbeat_seconds")
    return None if newest is None else max(0.0, float(promised["stopped_seconds"]) - float(newest))


def _rather_restored(store: str, task: Task, promised: Mapping[str, Any], status: Mapping[str, Any], lost: float) -> Outcome | None:
    """A loss that people approved is still not taken where the plan's other way would lose less: then a named person says which."""
    above, restorable = promised.get("rather_restore_above_seconds"), status.get("restorable_seconds")
    if above is None or restorable is None or lost <= float(above):
        return None
    other = max(0.0, float(promised["stopped_seconds"]) - float(restorable))
    if other + CLOCK_SECONDS >= lost:
        return None
    detail = (
        f"{store} in {task.target} is {lost:.1f} s behind the moment when {task.source} stopped, more than the {float(above):.1f} s that "
        f"the plan promises; the log that was archived in {task.target} would lose about {other:.1f} s, if it came as it was written, "
        "so it was not promoted"
    )
    facts = {"would_lose_seconds": round(lost, 3), "restore_would_lose_seconds": round(other, 3)}
    return Outcome(Result.REFUSED, detail, facts)


def _too_much(store: str, task: Task, promised: Mapping[str, Any], status: Mapping[str, Any], lost: float | None) -> Outcome:
    bound = float(promised["loss_bound_seconds"])
    if lost is None:
        return Outcome(Result.UNKNOWN, f"{store} in {task.target} says no time of its newest data: what it lacks is not known")
    detail = (
        f"{store} in {task.target} is {lost:.1f} s behind the moment when {task.source} stopped; people approved a loss of at most "
        f"{bound:.1f} s, so it was not promoted"
    )
    restorable = status.get("restorable_seconds")
    facts: dict[str, Any] = {"would_lose_seconds": round(lost, 3), "approved_seconds": bound}
    if restorable is not None:
        other = max(0.0, float(promised["stopped_seconds"]) - float(restorable))
        facts["restore_would_lose_seconds"] = round(other, 3)
        detail += f"; the log that was archived in {task.target} would lose about {other:.1f} s, if it came as it was written"
    return Outcome(Result.REFUSED, detail, facts)


class PostgresPromoteAction(_PromoteAction):
    """Block `postgres.promote`."""

    store = "postgres"


class PostgresRestoreAction(_PromoteAction):
    """Block `postgres.restore`: as a promotion, of what base backup and archived log in the target give. Proved like one."""

    store = "postgres"

    async def act(self, task: Task) -> Outcome:
        """Order it, with what people approved: the agent reads out of the restored copy what it lacks, before it swaps it in."""
        promised = task.parameters.get("promised") or {}
        arguments = {name: promised[name] for name in ("loss_bound_seconds", "stopped_seconds") if name in promised}
        return await give(self._agents[task.target], task.order, "postgres.restore", arguments, self._clock, self._timeout_seconds)


class RedisPromoteAction(_PromoteAction):
    """Block `redis.promote`."""

    store = "redis"


class _ReprotectAction:
    """The source's store becomes a replica of the target's. Where the plan replicates synchronously, what the new writer writes waits for
    that replica again from then on."""

    store: str

    def __init__(
        self,
        agents: Mapping[str, AgentClient],
        clock: Clock,
        *,
        replication: Literal["asynchronous", "synchronous"] = "asynchronous",
        timeout_seconds: float = 280.0,
    ) -> None:
        self._agents = agents
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._replication = replication

    async def act(self, task: Task) -> Outcome:
        """Order it, then the writer's mode."""
        outcome = await give(self._agents[task.source], task.order, f"{self.store}.reprotect", {}, self._clock, self._timeout_seconds)
        if outcome.result is not Result.SUCCEEDED or self._replication == "asynchronous":
            return outcome
        wish = {"mode": self._replication}
        mode = await give(self._agents[task.target], task.order, f"{self.store}.synchronous", wish, self._clock, 15.0)
        if mode.result is not Result.SUCCEEDED:
            detail = f"{outcome.detail}; but {task.target} does not wait for it: {mode.detail}"
            return Outcome(mode.result, detail, {**outcome.facts, "replication": "asynchronous"})
        return Outcome(outcome.result, outcome.detail, {**outcome.facts, "replication": self._replication})

    async def check(self, task: Task) -> Finding:
        """Whether the source's store follows the target's already, and the writer waits for it where the plan says so."""
        try:
            finding = _following(self.store, task, await store_status(self._agents[task.source], self.store))
        except AgentSilent as silence:
            return Finding(Answer.UNKNOWN, str(silence))
        if finding.answer is not Answer.YES or self._replication == "asynchronous":
            return finding
        try:
            status = await store_status(self._agents[task.target], self.store)
        except AgentSilent as silence:
            return Finding(Answer.UNKNOWN, str(silence), finding.facts)
        if status.get("synchronous") is not True:
            return Finding(Answer.NO, f"{finding.detail}, but {self.store} in {task.target} does not wait for it", finding.facts)
        return finding

    async def verify(self, task: Task) -> Finding:
        """Whether it follows with little lag. The caller looks again while it doesn't yet."""
        return await self.check(task)


class PostgresReprotectAction(_ReprotectAction):
    """Block `postgres.reprotect`."""

    store = "postgres"


class RedisReprotectAction(_ReprotectAction):
    """Block `redis.reprotect`."""

    store = "redis"


def _following(store: str, task: Task, status: Mapping[str, Any]) -> Finding:
    role, sender, lag = status.get("role"), status.get("replaying_from"), status.get("lag_seconds")
    facts = {"role": role, "replaying_from": sender, "lag_seconds": lag, "epoch": status.get("epoch")}
    where = f"{store} in {task.source}"
    if role == "unknown" or role is None:
        return Finding(Answer.UNKNOWN, f"{where}: {status.get('detail') or 'its agent does not know what it is'}", facts)
    if role != "replica" or sender is None:
        return Finding(Answer.NO, f"{where} is {role} and follows nobody. {status.get('detail') or ''}".rstrip(), facts)
    if (status.get("era") or 0, status.get("epoch") or 0) < (task.order.era, task.order.epoch):
        return Finding(Answer.NO, f"{where} has not replayed the writer's mark of epoch {task.order.epoch} yet", facts)
    if lag is None or float(lag) > _LAG_LIMIT_SECONDS:
        return Finding(Answer.NO, f"{where} follows {sender}, {'an unknown time' if lag is None else f'{lag:.1f} s'} behind", facts)
    return Finding(Answer.YES, f"{where} follows {sender}, {float(lag):.1f} s behind", facts)
