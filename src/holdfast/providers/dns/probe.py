"""Looking at what DNS says of a function: the addresses, and which region they lead to.

It asks the authoritative server, as the clients' resolvers do when their copy has run out. It never changes anything.
"""

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.bindings import DnsBinding
from holdfast.ports.clock import Clock
from holdfast.providers.dns.server import ServerRefusal, ZoneServer
from holdfast.providers.dns.switch import addresses_of

NOWHERE = ""
"""Region of an observation whose answer leads to no region of the plan."""


class DnsProbe:
    """One function's name, from one site."""

    def __init__(
        self,
        observer: str,
        function: str,
        dns_name: str,
        binding: DnsBinding,
        clock: Clock,
        *,
        timeout_seconds: float,
        source_address: str | None = None,
    ) -> None:
        self._observer = observer
        self._function = function
        self._dns_name = dns_name
        self._server = ZoneServer(binding, timeout_seconds=timeout_seconds, source_address=source_address)
        self._regions = {address: region for region, address in binding.entries.items()}
        self._clock = clock

    async def observe(self) -> Observation:
        """One question. `silent` without an answer; `down` when the answer is no, is empty or leads nowhere."""
        at_seconds, started = self._clock.wall_seconds(), self._clock.steady_seconds()
        seen, region, detail, addresses = Seen.UP, NOWHERE, "", []
        try:
            addresses = list(addresses_of(await self._server.lookup(self._dns_name, "A")))
        except ServerRefusal as error:
            seen, detail = Seen.DOWN, str(error)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = Seen.SILENT, str(error)
        else:
            regions = sorted({self._regions.get(address, NOWHERE) for address in addresses})
            if len(regions) == 1 and regions[0] != NOWHERE:
                region = regions[0]
            else:
                seen = Seen.DOWN
                detail = f"{self._dns_name} answers with {', '.join(addresses) or 'nothing'}, which is not one region's entry"
        return Observation(
            observer=self._observer,
            sequence=0,
            at_seconds=at_seconds,
            region=region,
            subject=Subject.DNS,
            name=self._function,
            seen=seen,
            latency_seconds=self._clock.steady_seconds() - started,
            detail=detail,
            facts={"addresses": addresses},
        )
