"""A fake Action for every block that a provider carries out, over the simulated world. One contract suite holds them and the providers.

Each act takes its time, compares its order where the effect happens, and suffers the fault that is put in for its block. An effector
that can't be reached is silent, and silence is *unknown*.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from holdfast.fencing.promise import Stage
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.values import duration_seconds
from holdfast.ports.action import Action, Answer, Finding, Mode, Outcome, Result, Task
from holdfast.ports.consent import Consent, NoConsent
from holdfast.simulation.agent import HigherOrderError, SimulatedAgent
from holdfast.simulation.effects import EFFECTS, Effect, TooMuchLostError, withdrawing
from holdfast.simulation.world import SILENCE_SECONDS, BlockFault, SimulatedWorld

_LOOK_SECONDS = 0.02
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 270.0
"""How long an act waits for what it can't do without."""
_FOR_EVER_SECONDS = 86400.0


def simulated_actions(world: SimulatedWorld, consent: Consent) -> dict[str, Action]:
    """One action for every block of the provider kind."""
    blocks = [name for name, block in BLOCKS.items() if block.actor is Actor.PROVIDER]
    special: dict[str, Action] = {
        "fence": SimulatedFence(world, consent),
        "withdraw": SimulatedAction(world, withdrawing(consent.has_consented)),
    }
    return {name: special[name] if name in special else SimulatedAction(world, EFFECTS[name]) for name in blocks}


class SimulatedAction:
    """One block."""

    def __init__(self, world: SimulatedWorld, effect: Effect) -> None:
        self._world = world
        self._effect = effect

    async def check(self, task: Task) -> Finding:
        """Whether the effect is there."""
        return await self._look(task, self._effect.holds)

    async def verify(self, task: Task) -> Finding:
        """Whether the effect does what it is for."""
        return await self._look(task, self._effect.proved or self._effect.holds)

    async def act(self, task: Task) -> Outcome:
        """Bring it about, or suffer the fault that was put in."""
        fault = self._world.faults.next(task.block)
        spoiled = await suffer_before(self._world, fault, task)
        if spoiled is not None:
            return spoiled
        if not self._reached(task):
            return await _silence(self._world)
        outcome = await asyncio.shield(self._world.go_on(self._carried_out(task)))  # an order that was sent outlives its sender
        if outcome is None:
            return await _silence(self._world)
        if fault is BlockFault.SILENT_AFTER:
            await self._world.clock.sleep(_FOR_EVER_SECONDS)
        return outcome

    async def _carried_out(self, task: Task) -> Outcome | None:
        clock = self._world.clock
        await clock.sleep((self._effect.act_seconds + _lasts_seconds(task)) * self._world.slowness)
        until = clock.steady_seconds() + _PATIENCE_SECONDS
        while (lacking := self._effect.lacks(self._world, task)) is not None and clock.steady_seconds() < until:
            await clock.sleep(_PAUSE_SECONDS)
        if lacking is not None:
            return Outcome(Result.FAILED, f"{task.block} waited for {lacking}, and did nothing more") if self._reached(task) else None
        return self._brought(task) if self._reached(task) else None

    def _brought(self, task: Task) -> Outcome:
        try:
            facts = self._effect.bring(self._world, task)
        except HigherOrderError as error:
            return Outcome(Result.REFUSED, str(error), {"highest_order": error.seen.as_list()})
        except TooMuchLostError as error:
            return Outcome(Result.REFUSED, str(error), {"would_lose_seconds": round(error.lost_seconds, 3)})
        except PermissionError as error:
            return Outcome(Result.FAILED, str(error))
        return Outcome(Result.SUCCEEDED, f"{task.block} done", facts)

    def _reached(self, task: Task) -> bool:
        world = self._world
        sites = self._effect.effectors(world, task)
        if self._effect.through_bucket and any(world.regions[site].bucket_silent for site in sites):
            return False
        if self._effect.through_agent:
            return all(world.agent_answers(world.plan.witness, site) for site in sites)
        return all(world.answers(world.plan.witness, site) for site in sites)

    async def _look(self, task: Task, look: Any) -> Finding:
        if not self._reached(task):
            await self._world.clock.sleep(SILENCE_SECONDS)
            return Finding(Answer.UNKNOWN, "no answer")
        await self._world.clock.sleep(_LOOK_SECONDS)
        finding: Finding = look(self._world, task)
        return finding


class SimulatedFence:
    """Block `fence`: the source's agent certifies it, or both grantors' promises to it have run out."""

    def __init__(self, world: SimulatedWorld, consent: Consent) -> None:
        self._world = world
        self._consent = consent

    async def check(self, task: Task) -> Finding:
        """Whether the target has consented, and the source is certified to be fenced or no promise to it runs."""
        world = self._world
        await world.clock.sleep(_LOOK_SECONDS)
        source, target = world.regions[task.source], world.regions[task.target]
        if not self._answers(task.target):
            return Finding(Answer.UNKNOWN, f"{task.target} does not answer")
        activation = target.agent.activation
        consented = activation is not None and activation.stage is Stage.CONSENTED and activation.epoch.epoch == task.order.epoch
        if not consented and target.agent.epoch.epoch != task.order.epoch:
            return Finding(Answer.NO, f"{task.target} has not consented")
        certificate = source.agent.certificate if self._answers(task.source) else None
        if certificate is not None and (certificate.order.era, certificate.order.epoch) == (task.order.era, task.order.epoch):
            return Finding(Answer.YES, f"{task.source} certifies its fence", self._facts(task, "acknowledged"))
        without_it = task.mode is Mode.UNGRACEFUL or task.parameters.get("attested") is True
        if without_it and self._consent.promise_ends_in_seconds() <= 0:
            how = "attested" if task.parameters.get("attested") is True else "lease-ran-out"
            return Finding(Answer.YES, "every promise to it has run out", self._facts(task, how))
        return Finding(Answer.NO, "a promise to it may still run")

    async def verify(self, task: Task) -> Finding:
        """The same question."""
        return await self.check(task)

    async def act(self, task: Task) -> Outcome:
        """Order the source's agent, or wait both promises out."""
        world = self._world
        fault = world.faults.next(task.block)
        spoiled = await suffer_before(world, fault, task)
        if spoiled is not None:
            return spoiled
        try:
            outcome = await self._fence(task)
        except HigherOrderError as error:
            return Outcome(Result.REFUSED, str(error), {"highest_order": error.seen.as_list()})
        except NoConsent as refusal:
            return Outcome(Result.FAILED, f"the controller does not consent: {refusal}")
        if fault is BlockFault.SILENT_AFTER:
            await world.clock.sleep(_FOR_EVER_SECONDS)
        return outcome

    async def _fence(self, task: Task) -> Outcome:
        world, clock = self._world, self._world.clock
        source, target = world.regions[task.source], world.regions[task.target]
        if not self._answers(task.target):
            await clock.sleep(SILENCE_SECONDS)
            return Outcome(Result.UNKNOWN, f"{task.target} does not answer: it can't consent")
        target.agent.orders.obey(task.block, task.order)
        if self._answers(task.source):
            source.agent.orders.obey(task.block, task.order)
        prepared = target.agent.prepare(task.order)
        if not prepared.yes and target.agent.epoch.epoch != task.order.epoch:
            return Outcome(Result.FAILED, f"{task.target} won't prepare: {prepared.reason}")
        while True:
            certificate = None
            if self._answers(task.source) and source.agent.holder == task.source:
                if task.mode == "graceful":
                    self._let_copies_catch_up(task)
                certificate = source.agent.fence(task.order, clock.steady_seconds(), clock.wall_seconds())
            if self._answers(task.target):
                consent = target.agent.consent(task.order, clock.steady_seconds(), certificate)
                if certificate is not None and consent.yes:
                    return Outcome(Result.SUCCEEDED, f"{task.source} certifies its fence", self._facts(task, "acknowledged"))
                # An orderly stop needs the source's own word, unless people attest that it can't write.
                without_it = task.mode is Mode.UNGRACEFUL or task.parameters.get("attested") is True
                if without_it and consent.yes and self._consent.remaining_seconds() <= 0:
                    how = "attested" if task.parameters.get("attested") is True else "lease-ran-out"
                    return Outcome(Result.SUCCEEDED, "every promise to it has run out", self._facts(task, how))
            await clock.sleep(_PAUSE_SECONDS)

    def _let_copies_catch_up(self, task: Task) -> None:
        """Graceful: the source stops taking writes only after its copy has them all."""
        world = self._world
        source, target = world.regions[task.source], world.regions[task.target]
        linked = world.stores_linked(task.source) and world.stores_linked(task.target)
        if linked and world.links.answers(task.source, task.target):
            for kind in ("postgres", "redis"):
                target.store_of(kind).pull(source.store_of(kind), world.clock.wall_seconds(), lag_seconds=0.0)

    def _facts(self, task: Task, how: str) -> Mapping[str, Any]:
        source, target = self._world.regions[task.source], self._world.regions[task.target]
        certificate = source.agent.certificate
        facts: dict[str, Any] = {
            "how": how,
            "last_heartbeat_seconds": target.postgres.heartbeat_seconds(),
            "skew_seconds": 0.0,
            "target_promise_ended_seconds": self._promise_ended_seconds(target.agent),
            "noticed_seconds": self._world.clock.wall_seconds(),
            "fenced_at_seconds": None,
        }
        if how != "acknowledged" or certificate is None:
            return facts
        position = {"postgres_lsn": f"0/{len(source.postgres.log):X}", "redis_offset": len(source.redis.log)}
        written = {
            "region": certificate.region,
            "era": certificate.epoch.era,
            "epoch": certificate.epoch.epoch,
            "order": certificate.order.as_list(),
            "fenced_at_seconds": certificate.fenced_at_seconds,
        }
        own = dict.fromkeys(("noticed_seconds", "fenced_at_seconds"), certificate.fenced_at_seconds)
        return {**facts, **own, "position": position, "certificate": written}

    def _promise_ended_seconds(self, agent: SimulatedAgent) -> float | None:
        """When its promise to the source ended; None when a certificate made it void."""
        ends_in = agent.promise_ends_in_seconds(self._world.clock.steady_seconds())
        return None if ends_in == float("-inf") else self._world.clock.wall_seconds() + ends_in

    def _answers(self, site: str) -> bool:
        """Whether the agent there answers."""
        return self._world.agent_answers(self._world.plan.witness, site)


async def suffer_before(world: SimulatedWorld, fault: BlockFault | None, task: Task) -> Outcome | None:
    """What becomes of an act whose fault strikes before it does anything, or None when it may do its work."""
    match fault:
        case BlockFault.REFUSE:
            return Outcome(Result.REFUSED, "refused: this fault was put in")
        case BlockFault.FAIL:
            return Outcome(Result.FAILED, "failed: this fault was put in")
        case BlockFault.NO_OP:
            return Outcome(Result.SUCCEEDED, f"{task.block} done")
        case BlockFault.SILENT_BEFORE:
            await world.clock.sleep(_FOR_EVER_SECONDS)
    return None


async def _silence(world: SimulatedWorld) -> Outcome:
    await world.clock.sleep(SILENCE_SECONDS)
    return Outcome(Result.UNKNOWN, "no answer: it may or may not have happened")


def _lasts_seconds(task: Task) -> float:
    return duration_seconds(str(task.parameters["for"])) if "for" in task.parameters else 0.0
