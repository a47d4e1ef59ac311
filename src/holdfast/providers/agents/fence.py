"""Block `fence`: nothing in the source may write any more, and both grantors have agreed to the target.

Three things run side by side, after the target's agent was told to stop promising: the source's agent is ordered to fence; the target's
agent is asked for its consent until its promise to the source has run out; the controller's own promise is waited out. A certificate from
the source ends both waits. An ungraceful fence never needs the source: silence there costs time, never the fence. A graceful one needs
it, because only the source can say at which position it stopped.

The target is prepared under step 0 of the controller's term and asked for consent under the step's own order, because an agent takes one
verb an order. Never here: fencing itself (agents), deciding to fence, and the controller's consent (the injected question asks for it).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.fencing.lease import ORDERLY_STOP_SECONDS
from holdfast.fencing.order import Order
from holdfast.fencing.promise import VOID_SECONDS
from holdfast.ports.action import Answer, Finding, Mode, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.ports.consent import NoConsent
from holdfast.providers.agents.actions import outcome_of, wait_seconds
from holdfast.providers.agents.client import AgentClient, AgentSilent, OrderAnswer

_ASK_SECONDS = 1.5
"""Longest wait for an answer that an agent gives at once."""
_GLANCE_SECONDS = 0.2
"""For a source that may well be lost: nobody waits longer for what it adds to a proof."""
_FENCE_SECONDS = 8.0
_AGAIN_SECONDS = 0.25
_GRACEFUL_SILENCE_SECONDS = 45.0


@dataclass
class _Progress:
    """What is known while the parts run."""

    started: float
    certificate: Mapping[str, Any] | None = None
    source: OrderAnswer | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    certified: asyncio.Event = field(default_factory=asyncio.Event)


class _GivenUp(Exception):
    """A part came to an end that ends the whole."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class FenceAction:
    """Implements `holdfast.ports.action.Action`. `own_promise_remaining`: seconds that the controller's own promise still runs."""

    def __init__(self, agents: Mapping[str, AgentClient], clock: Clock, own_promise_remaining: Callable[[], float]) -> None:
        self._agents = agents
        self._clock = clock
        self._own_promise_remaining = own_promise_remaining

    async def check(self, task: Task) -> Finding:
        """Whether both grantors have agreed; after a graceful fence also where the source stopped must be known. Else it is repeated."""
        try:
            target = await self._agents[task.target].status()
        except AgentSilent as silence:
            return Finding(Answer.UNKNOWN, str(silence))
        if not _holds(target, task) and not _pledged(target, task, "consented"):
            return Finding(Answer.NO, f"{task.target} has not consented to epoch {task.order.epoch}", {"pledged": target.get("pledged")})
        try:
            left = self._own_promise_remaining()
        except NoConsent as refusal:
            return Finding(Answer.NO, f"the controller does not consent: {refusal}")
        if left > 0:
            return Finding(Answer.NO, f"the controller's own promise to {task.source} still runs {left:.1f} s")
        record = await self._record_of_fence(task)
        position = dict(record.get("position") or {})
        if _needs_source(task) and not position:
            return Finding(Answer.NO, f"where {task.source} stopped is not known")
        facts = {
            "how": "acknowledged" if record else _unheard(task),
            "noticed_seconds": record.get("at_seconds", self._clock.wall_seconds()),
            "fenced_at_seconds": record.get("at_seconds"),
            "position": position,
            **_known_of(target, self._clock.wall_seconds()),
        }
        return Finding(Answer.YES, f"{task.target} has consented, and no promise to {task.source} runs", facts)

    async def act(self, task: Task) -> Outcome:
        """Prepare the target, then fence and wait out side by side. Nobody is ordered anything that this controller can't consent to."""
        try:
            self._own_promise_remaining()
        except NoConsent as refusal:
            return Outcome(Result.REFUSED, f"the controller does not consent: {refusal}")
        progress = _Progress(self._clock.steady_seconds())
        try:
            await self._prepare(task, progress)
            await self._together(task, progress)
        except _GivenUp as end:
            return Outcome(end.outcome.result, end.outcome.detail, {**end.outcome.facts, "seconds": progress.seconds})
        return await self._done(task, progress)

    async def verify(self, task: Task) -> Finding:
        """Whether the target has consented (or holds the epoch), and the source, if it answers at once, does not hold a lease."""
        target: dict[str, Any] | BaseException
        source: dict[str, Any] | BaseException
        target, source = await asyncio.gather(
            self._agents[task.target].status(), self._agents[task.source].status(_GLANCE_SECONDS), return_exceptions=True
        )
        if isinstance(target, BaseException):
            return Finding(Answer.UNKNOWN, str(target))
        if not _holds(target, task) and not _pledged(target, task, "consented"):
            return Finding(Answer.NO, f"{task.target} has not consented to epoch {task.order.epoch}", {"pledged": target.get("pledged")})
        if isinstance(source, BaseException):
            return Finding(Answer.YES, f"{task.target} has consented; {task.source} is silent, and its lease has run out", {})
        remaining = float(source.get("lease_remaining_seconds") or 0.0)
        facts = {"source_role": source.get("role"), "source_lease_remaining_seconds": remaining}
        if remaining > 0 and source.get("role") == "holder":
            return Finding(Answer.NO, f"{task.source} still holds a lease for {remaining:.1f} s", facts)
        return Finding(Answer.YES, f"{task.target} has consented, {task.source} says that it is {source.get('role')}", facts)

    async def _prepare(self, task: Task, progress: _Progress) -> None:
        """The target promises nothing any more. Without it nothing is ordered to the source: there would be nobody to take over."""
        agent, order = self._agents[task.target], task.order
        started = self._clock.steady_seconds()
        try:
            if _pledged(await agent.status(), task):
                return
            answer = await agent.order(Order(order.era, order.epoch, order.term, 0), "prepare", {}, _ASK_SECONDS)
        except AgentSilent as silence:
            raise _GivenUp(Outcome(Result.UNKNOWN, f"{silence}; {task.source} was not ordered to fence")) from silence
        finally:
            progress.seconds["prepare"] = self._since(started)
        if answer.result != "succeeded":
            raise _GivenUp(outcome_of(answer))

    async def _together(self, task: Task, progress: _Progress) -> None:
        needs_source = _needs_source(task)
        async with asyncio.TaskGroup() as group:
            fencing = group.create_task(_unraised(self._fence_source(task, progress)))
            waiting = group.create_task(_unraised(self._wait_out(task, progress)))
            while True:
                await asyncio.wait({fencing, waiting}, return_when=asyncio.FIRST_COMPLETED)
                ends = [part.result() for part in (fencing, waiting) if part.done()]
                failed = next((end for end in ends if end is not None), None)
                if failed is not None or (waiting.done() and (fencing.done() or not needs_source)):
                    fencing.cancel()
                    waiting.cancel()
                    break
                await asyncio.wait({fencing, waiting} - {part for part in (fencing, waiting) if part.done()})
        if failed is not None:
            raise _GivenUp(failed)

    async def _fence_source(self, task: Task, progress: _Progress) -> None:
        """Order it until it answers. In an ungraceful fence only a success counts, and anything else leaves it to time."""
        graceful = _needs_source(task)
        arguments = {"mode": str(task.mode), "limit_seconds": ORDERLY_STOP_SECONDS}
        limit = ORDERLY_STOP_SECONDS + _FENCE_SECONDS if graceful else _FENCE_SECONDS
        said = "nothing yet"
        while not graceful or self._since(progress.started) < _GRACEFUL_SILENCE_SECONDS:
            pause = _AGAIN_SECONDS
            try:
                answer = await self._agents[task.source].order(task.order, "fence", arguments, limit)
            except AgentSilent as silence:
                said = str(silence)
            else:
                said = answer.detail
                if answer.result == "succeeded":
                    progress.source = answer
                    progress.seconds["source"] = self._since(progress.started)
                    certificate = answer.facts.get("certificate")
                    if isinstance(certificate, Mapping):
                        progress.certificate = certificate
                        progress.certified.set()
                    return
                if answer.result == "refused" or (graceful and answer.result == "failed"):
                    raise _GivenUp(outcome_of(answer))
                pause = wait_seconds(answer, _AGAIN_SECONDS)
            await self._clock.sleep(pause)
        raise _GivenUp(Outcome(Result.UNKNOWN, f"{task.source} did not say that it has stopped writing: {said}"))

    async def _wait_out(self, task: Task, progress: _Progress) -> None:
        """Until the target consents and either a certificate is here or the controller's own promise has run out."""
        while True:
            pause = await self._consent(task, progress)
            if pause is None:
                break
            await self._pause(pause, progress)
        progress.seconds["target_promise"] = self._since(progress.started)
        while progress.certificate is None and (left := self._own_promise_remaining()) > 0:
            await self._pause(left, progress)
        progress.seconds["own_promise"] = self._since(progress.started)

    async def _consent(self, task: Task, progress: _Progress) -> float | None:
        """Ask the target once: None when it has consented, else when to ask again."""
        arguments = {"certificate": dict(progress.certificate)} if progress.certificate is not None else {}
        try:
            answer = await self._agents[task.target].order(task.order, "consent", arguments, _ASK_SECONDS)
        except AgentSilent:
            return _AGAIN_SECONDS
        if answer.result == "succeeded":
            return None
        if answer.result == "waiting":
            return wait_seconds(answer, _AGAIN_SECONDS)
        raise _GivenUp(outcome_of(answer))

    async def _pause(self, seconds: float, progress: _Progress) -> None:
        """Sleep, but no longer than until a certificate comes that has not been passed on."""
        if progress.certificate is not None:
            await self._clock.sleep(min(seconds, _AGAIN_SECONDS))
            return
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        certified = asyncio.ensure_future(progress.certified.wait())
        try:
            await asyncio.wait({sleeping, certified}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            certified.cancel()

    async def _done(self, task: Task, progress: _Progress) -> Outcome:
        acknowledged = progress.source is not None
        source_facts = progress.source.facts if progress.source is not None else {}
        position, own = dict(source_facts.get("position") or {}), source_facts.get("fenced_at_seconds")
        if task.mode is Mode.GRACEFUL and not position:
            record = await self._record_of_fence(task)
            position, own = dict(record.get("position") or {}), record.get("at_seconds", own)
        facts: dict[str, Any] = {
            "how": "acknowledged" if acknowledged else _unheard(task),
            "noticed_seconds": own or self._clock.wall_seconds(),
            "fenced_at_seconds": own,
            "position": position,
            **await self._heartbeats(task),
            "seconds": {**progress.seconds, "total": self._since(progress.started)},
        }
        if progress.certificate is not None:
            facts["certificate"] = dict(progress.certificate)
        if acknowledged:
            facts["fences"] = source_facts.get("fences", [])
            return Outcome(Result.SUCCEEDED, f"{task.source} is fenced and has said so; {task.target} has consented", facts)
        return Outcome(Result.SUCCEEDED, f"{task.source} is silent; both promises to it have run out, {task.target} has consented", facts)

    async def _record_of_fence(self, task: Task) -> dict[str, Any]:
        """What the source wrote down when it fenced itself for this activation; empty when it is silent or did not.

        A fence that is ordered again (after a crash here) finds nothing left to stop: the first record of the activation has the position.
        """
        after, found = 0, dict[str, Any]()
        try:
            while records := (await self._agents[task.source].records(after, _ASK_SECONDS)).get("records"):
                after = int(records[-1]["n"])
                for record in records:
                    facts = record.get("facts") or {}
                    if record.get("what") != "fenced-as-ordered" or tuple(facts.get("order") or ())[:2] != _epoch_of(task):
                        continue
                    if facts.get("position") or not found:
                        found = {"position": facts.get("position"), "at_seconds": record.get("at_seconds")}
        except AgentSilent:
            return found
        return found

    async def _heartbeats(self, task: Task) -> dict[str, Any]:
        try:
            return _known_of(await self._agents[task.target].status(), self._clock.wall_seconds())
        except AgentSilent:
            return _known_of({}, self._clock.wall_seconds())

    def _since(self, moment: float) -> float:
        return round(self._clock.steady_seconds() - moment, 4)


async def _unraised(part: Any) -> Outcome | None:
    """A part's early end as a value, so that one part's end does not tear the other down unheard."""
    try:
        await part
    except _GivenUp as end:
        return end.outcome
    return None


def _needs_source(task: Task) -> bool:
    """Only the source can say where it stopped orderly, unless people attest that it can't write."""
    return task.mode is Mode.GRACEFUL and task.parameters.get("attested") is not True


def _unheard(task: Task) -> str:
    return "attested" if task.parameters.get("attested") is True else "lease-ran-out"


def _epoch_of(task: Task) -> tuple[int, int]:
    return task.order.era, task.order.epoch


def _holds(status: Mapping[str, Any], task: Task) -> bool:
    return status.get("holder") == task.target and (status.get("era"), status.get("epoch")) == _epoch_of(task)


def _pledged(status: Mapping[str, Any], task: Task, stage: str | None = None) -> bool:
    pledged = status.get("pledged") or {}
    return (pledged.get("era"), pledged.get("epoch")) == _epoch_of(task) and stage in (None, pledged.get("stage"))


def _known_of(status: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The newest heartbeat that each store of the target has: what came after it may be lost. The oldest of them bounds the loss.

    Also when the target's own promise to the source ended; None when a certificate made it void, for then only that says when.
    """
    found = {name: store.get("last_heartbeat_seconds") for name, store in (status.get("stores") or {}).items()}
    known = [float(value) for value in found.values() if value is not None]
    whole = len(known) == len(found) and bool(known)
    ends_in = status.get("promise_ends_in_seconds")
    ended = now + float(ends_in) if ends_in is not None and float(ends_in) > -VOID_SECONDS else None
    return {"last_heartbeat_seconds": min(known) if whole else None, "heartbeats": found, "target_promise_ended_seconds": ended}
