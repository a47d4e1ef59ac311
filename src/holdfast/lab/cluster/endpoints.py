"""Keeps the load balancer to what each Service selects, as an ingress controller does: it moves the servers of a backend over.

HAProxy has a server for each place that an instance of a set can take. When a Service selects another set, each server gets the address of
the same place of that set; it is told again and again until it has taken it, and once more when another process answers than the one that
took it. Whether servers admit traffic is not touched.
"""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from holdfast.lab.cluster.deployment import Slot
from holdfast.plan.bindings import LoadBalancerBinding
from holdfast.providers.haproxy.runtime import RuntimeApi

_TIMEOUT_SECONDS = 1.0
_AGAIN_SECONDS = 0.5
_LOOK_SECONDS = 1.0
_PROCESS = re.compile(r"^Pid: (\d+)$", re.MULTILINE)
_NOWHERE_PORT = 1
"""Nobody listens there: a Service that selects no set leads nowhere."""


def servers(backend: str, named: Sequence[Slot], led_to: Sequence[Slot]) -> str:
    """The commands that lead each server of a backend to the same place of another set. `named`: the places that servers are named by."""
    commands, count = [], dict.fromkeys((slot.zone for slot in named), 0)
    for position, slot in enumerate(named):
        count[slot.zone] += 1
        there = led_to[position] if position < len(led_to) else Slot(slot.zone, slot.host, slot.seen_as, _NOWHERE_PORT)
        commands.append(f"set server {backend}/{slot.zone}-{count[slot.zone]} addr {there.seen_as} port {there.port}")
    return ";".join(commands)


class Endpoints:
    """One region's load balancer. `lead` says where; `run` tells it."""

    def __init__(self, host: str, port: int) -> None:
        binding = LoadBalancerBinding(admin_host=host, admin_port=port, entry_host="", entry_port=0, backends={})
        self._api = RuntimeApi(binding, timeout_seconds=_TIMEOUT_SECONDS)
        self._wanted: dict[str, str] = {}
        """What is still to be told."""
        self._told: dict[str, tuple[str, str]] = {}
        """Backend → what it was told, and which process took it."""
        self._changed = asyncio.Event()

    def lead(self, backend: str, named: Sequence[Slot], led_to: Sequence[Slot]) -> None:
        """From now on, this backend leads to these places."""
        self._wanted[backend] = servers(backend, named, led_to)
        self._changed.set()

    async def run(self) -> None:
        """Tell HAProxy whenever something changed or it was started anew, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            if self._told and (process := await self._process()) is not None:
                forgotten = {backend: commands for backend, (commands, told) in self._told.items() if told != process}
                self._wanted = {**forgotten, **self._wanted}
            await self._tell(dict(self._wanted))

    async def _process(self) -> str | None:
        """Which process answers; None when none does."""
        try:
            return _process_in(await self._api.command("show info"))
        except (TimeoutError, ConnectionError):
            return None

    async def _tell(self, wanted: Mapping[str, str]) -> None:
        for backend, commands in wanted.items():
            try:
                answer = await self._api.command(f"{commands};show info")
            except (TimeoutError, ConnectionError) as error:
                print(f"the load balancer was not told where {backend} is: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(_AGAIN_SECONDS)
                self._changed.set()
            else:
                print(f"the load balancer was told where {backend} is: {answer.splitlines()[0]}", file=sys.stderr, flush=True)
                self._told[backend] = (commands, _process_in(answer) or "")
                if self._wanted.get(backend) == commands:
                    del self._wanted[backend]


def _process_in(answer: str) -> str | None:
    found = _PROCESS.search(answer)
    return None if found is None else found[1]
