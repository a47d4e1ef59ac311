"""Addresses of functions from DNS, each kept exactly as long as its TTL and not a moment longer.

No system resolver and no hosts file: one named server is asked over UDP. One question per name is on its way at a time.
"""

import asyncio
import secrets
import time

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

_TRY_SECONDS = 0.3


class NoAddressError(Exception):
    """DNS gave no address; the message says why. Nothing was sent to the function."""


class Resolver:
    """A stub resolver with a cache."""

    def __init__(self, host: str, port: int, source_address: str | None) -> None:
        self._host = host
        self._port = port
        self._source = source_address
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a name, at least one. Raises NoAddressError."""
        until, addresses = self._known.get(name, (0.0, ()))
        if time.monotonic() < until:
            return addresses
        self._known.pop(name, None)
        if name not in self._asking:
            task = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda done: self._asked(name, done))
            self._asking[name] = task
        return await asyncio.shield(self._asking[name])

    def _asked(self, name: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever asked has heard it, or has given up waiting

    async def _ask(self, name: str) -> tuple[str, ...]:
        question = dns.message.make_query(name, dns.rdatatype.A, id=secrets.randbelow(65536))
        asked = time.monotonic()
        try:
            answer = await dns.asyncquery.udp(question, self._host, timeout=_TRY_SECONDS, port=self._port, source=self._source)
        except dns.exception.Timeout:
            raise NoAddressError(f"the DNS server {self._host}:{self._port} did not answer for {name} within {_TRY_SECONDS:g} s") from None
        except (OSError, dns.exception.DNSException) as error:
            raise NoAddressError(f"the DNS server {self._host}:{self._port} cannot be asked for {name}: {error}") from error
        if answer.rcode() != dns.rcode.NOERROR:
            raise NoAddressError(f"DNS says {dns.rcode.to_text(answer.rcode())} for {name}")
        found = [record for record in answer.answer if record.rdtype == dns.rdatatype.A]
        addresses = tuple(sorted(data.address for record in found for data in record))
        if not addresses:
            raise NoAddressError(f"DNS has no address for {name}")
        # From when the question was sent: an answer must not live longer because it was late.
        self._known[name] = (asked + min(record.ttl for record in found), addresses)
        return addresses
