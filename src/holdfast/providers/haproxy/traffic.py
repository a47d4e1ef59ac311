"""Letting a region's load balancer admit traffic, and stopping it: blocks `loadbalancer.switch` and `loadbalancer.drain`.

HAProxy has no durable place of its own: the highest order obeyed is kept in a variable of its process and is gone after a restart.
That is safe: a restart also forgets the server states and goes back to the configuration (a region that is not home starts drained),
and the two effects that decide who writes and where clients go, fence and DNS, keep their orders durably. An old controller that
opens a load balancer admits clients that no name sends there, to writers that are fenced.
Never here: adding or removing servers, or waiting for them to come up (the caller looks again until they are).
"""

from collections.abc import Mapping

from holdfast.fencing.order import Verdict, accept
from holdfast.plan.bindings import LoadBalancerBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.haproxy.runtime import CommandRefused, RuntimeApi, Server


class _Traffic:
    """What both blocks share: each region's HAProxy, and the comparing of orders."""

    def __init__(
        self, bindings: Mapping[str, LoadBalancerBinding], *, timeout_seconds: float = 2.0, source_address: str | None = None
    ) -> None:
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

    async def _set(self, task: Task, region: str, state: str) -> Outcome:
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


def _states(servers: list[Server]) -> dict[str, dict[str, str]]:
    return {"servers": {f"{server.backend}/{server.name}": server.status for server in servers}}
