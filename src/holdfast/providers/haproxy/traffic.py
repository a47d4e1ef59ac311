"""Letting a region's load balancer admit traffic, and stopping it: blocks `loadbalancer.switch` and `loadbalancer.drain`.

HAProxy has no durable place of its own: the highest order obeyed is kept in a variable of its process. A restart takes both, the order and
the server states, and goes back to the configuration (a region that is not home starts drained). A process without an order is how a
restart is known (`recalls`), and the controller says again what the journal holds as the region's last word. An old controller that
opens a load balancer just then admits clients that no name sends there, to writers that are fenced: fence and DNS keep orders durably.
Never here: adding or removing servers, or waiting for them to come up (the caller looks again until they are).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from holdfast.fencing.order import Verdict, accept
from holdfast.plan.bindings import LoadBalancerBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.haproxy.runtime import CommandRefused, RuntimeApi, Server


class Turns:
    """One at a time speaks to a region's HAProxy: it can't compare an order and take it in one go. Shared by all that speak to it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, region: str) -> asyncio.Lock:
        """The region's own."""
        return self._locks.setdefault(region, asyncio.Lock())


class _Traffic:
    """What both blocks share: each region's HAProxy, and the comparing of orders."""

    def __init__(
        self,
        bindings: Mapping[str, LoadBalancerBinding],
        *,
        timeout_seconds: float = 2.0,
        source_address: str | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._turns = turns or Turns()
        self._bindings = bindings
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address

    def _api(self, region: str) -> RuntimeApi:
        return RuntimeApi(self._binding(region), timeout_seconds=self._timeout_seconds, source_address=self._source_address)

    def _binding(self, region: str) -> LoadBalancerBinding:
        if region not in self._bindings:
            raise CommandRefused(f"the bindings name no load balancer in {region}; nothing was changed")
        return self._bindings[region]

    async def _servers(self, region: str) -> list[Server]:
        return await self._api(region).servers(set(self._binding(region).backends.values()))

    async def _looked(self, region: str) -> list[Server] | Finding:
        """The servers, or why they can't be seen."""
        try:
            return await self._servers(region)
        except (CommandRefused, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))

    async def _recalled(self, task: Task, region: str, look: Callable[[Task], Awaitable[Finding]]) -> Finding:
        """See `Forgetful`."""
        async with self._turns.of(region):
            try:
                api = self._api(region)
                kept = await api.order()
                if kept is not None:
                    return Finding(Answer.YES, f"the load balancer in {region} keeps order {kept.as_text()}")
                finding = await look(task)
                if finding.answer is Answer.YES:
                    await api.note_order(task.order)
            except (CommandRefused, ValueError, TimeoutError, ConnectionError) as error:
                return Finding(Answer.UNKNOWN, str(error))
        if finding.answer is not Answer.NO:
            return finding
        return Finding(Answer.NO, f"the load balancer in {region} was started anew: {finding.detail}", finding.facts)

    async def _set(self, task: Task, region: str, state: str) -> Outcome:
        async with self._turns.of(region):
            return await self._set_now(task, region, state)

    async def _set_now(self, task: Task, region: str, state: str) -> Outcome:
        try:
            api = self._api(region)
            seen = await api.order()
            if accept(task.order, seen) is Verdict.REFUSED and seen is not None:
                detail = f"the load balancer in {region} has obeyed order {seen.as_text()} already, {task.order.as_text()} is lower"
                return Outcome(Result.REFUSED, detail, {"highest_order": seen.as_list()})
            await api.note_order(task.order)
            servers = await self._servers(region)
            await api.set_states(servers, state)
        except (CommandRefused, ValueError) as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: it may or may not have happened")
        return Outcome(Result.SUCCEEDED, f"{len(servers)} servers in {region} set to {state}", {"highest_order": task.order.as_list()})


class LoadBalancerSwitchAction(_Traffic):
    """Lets the target region's load balancer admit traffic to every function."""

    async def check(self, task: Task) -> Finding:
        """Whether no server of the target is held in maintenance."""
        servers = await self._looked(task.target)
        if isinstance(servers, Finding):
            return servers
        held = [f"{server.backend}/{server.name}" for server in servers if server.in_maintenance]
        if held:
            return Finding(
                Answer.NO, f"{len(held)} of {len(servers)} servers in {task.target} are held back, such as {held[0]}", _states(servers)
            )
        return Finding(Answer.YES, f"all {len(servers)} servers in {task.target} may serve", _states(servers))

    async def act(self, task: Task) -> Outcome:
        """Take every server of the target out of maintenance."""
        return await self._set(task, task.target, "ready")

    async def verify(self, task: Task) -> Finding:
        """Whether every function has a server that HAProxy itself finds up."""
        servers = await self._looked(task.target)
        if isinstance(servers, Finding):
            return servers
        backends = self._bindings[task.target].backends
        admitting = {server.backend for server in servers if server.admits}
        without = sorted(function for function, backend in backends.items() if backend not in admitting)
        if without:
            return Finding(Answer.NO, f"no server is up in {task.target} for {', '.join(without)}", _states(servers))
        return Finding(Answer.YES, f"every function has a server that is up in {task.target}", _states(servers))

    async def recalls(self, task: Task) -> Finding:
        """See `Forgetful`."""
        return await self._recalled(task, task.target, self.check)


class LoadBalancerDrainAction(_Traffic):
    """Stops the source region's load balancer from admitting traffic. A source that is lost can't be asked: that is *unknown*."""

    async def check(self, task: Task) -> Finding:
        """Whether every server of the source is held in maintenance."""
        servers = await self._looked(task.source)
        if isinstance(servers, Finding):
            return servers
        serving = [f"{server.backend}/{server.name}" for server in servers if not server.in_maintenance]
        if serving:
            detail = f"{len(serving)} of {len(servers)} servers in {task.source} still take traffic, such as {serving[0]}"
            return Finding(Answer.NO, detail, _states(servers))
        return Finding(Answer.YES, f"all {len(servers)} servers in {task.source} are held back", _states(servers))

    async def act(self, task: Task) -> Outcome:
        """Put every server of the source into maintenance. Requests in hand are finished."""
        return await self._set(task, task.source, "maint")

    async def verify(self, task: Task) -> Finding:
        """The same question as `check`."""
        return await self.check(task)

    async def recalls(self, task: Task) -> Finding:
        """See `Forgetful`."""
        return await self._recalled(task, task.source, self.check)


def _states(servers: list[Server]) -> dict[str, dict[str, str]]:
    return {"servers": {f"{server.backend}/{server.name}": server.status for server in servers}}
