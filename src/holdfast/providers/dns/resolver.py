"""Names to addresses as a client's resolver does it: one question, and the answer kept for as long as it says.

Rules: an answer is kept for its time to live and no longer, also when the server falls silent; names that are asked for at the same time
are asked for once. Never here: other servers, search lists, or the system's own resolver.
"""

import asyncio
from dataclasses import dataclass

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from holdfast.ports.clock import Clock


class NoAddressError(LookupError):
    """DNS says that the name has no address."""


@dataclass(frozen=True, slots=True)
class _Kept:
    address: str
    until_seconds: float


class CachingResolver:
    """Asks one resolver over UDP."""

    def __init__(self, host: str, port: int, clock: Clock, *, timeout_seconds: float, source_address: str | None = None) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def address(self, name: str) -> str:
        """The first address of a name. Raises NoAddressError, TimeoutError or ConnectionError."""
        async with self._asking.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is not None and self._clock.steady_seconds() < kept.until_seconds:
                return kept.address
            self._kept.pop(name, None)
            address, ttl_seconds = await self._ask(name)
            self._kept[name] = _Kept(address, self._clock.steady_seconds() + ttl_seconds)
            return address

    async def _ask(self, name: str) -> tuple[str, int]:
        question = dns.message.make_query(dns.name.from_text(name), dns.rdatatype.A)
        try:
            answer = await dns.asyncquery.udp(
                question, self._host, timeout=self._timeout_seconds, port=self._port, source=self._source_address
            )
        except dns.exception.Timeout:
            raise TimeoutError(f"DNS at {self._host}:{self._port} did not answer for {name} within {self._timeout_seconds:g} s") from None
        except (OSError, dns.exception.DNSException) as error:
            raise ConnectionError(f"DNS at {self._host}:{self._port} can't be asked for {name}: {error}") from error
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise ConnectionError(f"DNS at {self._host}:{self._port} answers {dns.rcode.to_text(answer.rcode())} for {name}")
        found = answer.get_rrset(answer.answer, question.question[0].name, dns.rdataclass.IN, dns.rdatatype.A)
        if found is None or not len(found):
            raise NoAddressError(f"DNS has no address for {name}")
        return min(record.address for record in found), found.ttl
