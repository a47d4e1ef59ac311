"""Talking to the zone's authoritative server: queries and signed updates, over TCP, one deadline each.

Rules: a server's *no* is a `ServerRefusal` with what to do about it; silence and broken connections are TimeoutError and
ConnectionError, and say nothing about what happened. Never here: caching, or asking any other server.
"""

from collections.abc import Mapping

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update

from holdfast.plan.bindings import DnsBinding

_WHAT_TO_DO: Mapping[type[Exception], str] = {
    dns.tsig.PeerBadKey: "the key is not known or may not update this zone: add it to the server and its zone, or correct the bindings",
    dns.tsig.PeerBadSignature: "the key's secret is another one there: make both the same",
    dns.tsig.PeerBadTime: "its clock and ours are too far apart: set both by NTP",
}


class ServerRefusal(Exception):
    """The server answered, and the answer is no: nothing was changed."""


class ZoneServer:
    """One zone on its authoritative server."""

    def __init__(self, binding: DnsBinding, *, timeout_seconds: float, source_address: str | None = None) -> None:
        self.binding = binding
        self.zone = dns.name.from_text(binding.zone)
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address

    @property
    def _place(self) -> str:
        return f"DNS server {self.binding.host}:{self.binding.port}"

    async def lookup(self, name: str, kind: str) -> dns.rrset.RRset | None:
        """The records under a name, or None when there are none. Raises ServerRefusal, TimeoutError, ConnectionError."""
        query = dns.message.make_query(dns.name.from_text(name), kind)
        query.flags = 0  # authoritative data only: no recursion is asked for
        answer = await self._exchange(query)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise ServerRefusal(f"{self._place} answers {_code(answer)} for {name} {kind}: is it authoritative for {self.binding.zone}?")
        wanted = dns.rdatatype.from_text(kind)
        found = answer.get_rrset(answer.answer, dns.name.from_text(name), dns.rdataclass.IN, wanted)
        return found if found is not None and len(found) else None

    def new_update(self) -> dns.update.UpdateMessage:
        """An empty, signed update of the zone. Raises ServerRefusal when the key can't be used."""
        try:
            secret = self.binding.key_secret_file.read_text(encoding="ascii").strip()
            ring = dns.tsigkeyring.from_text({self.binding.key_name: (self.binding.key_algorithm, secret)})
        except (OSError, ValueError) as error:
            raise ServerRefusal(
                f"the key {self.binding.key_name} in {self.binding.key_secret_file} can't be used: {error}; it must be base64 text"
            ) from error
        return dns.update.UpdateMessage(self.zone, keyring=ring, keyname=dns.name.from_text(self.binding.key_name))

    async def send(self, update: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        """Send an update; returns NOERROR, or NXRRSET / YXRRSET when its prerequisite did not hold. Raises as `lookup`."""
        answer = await self._exchange(update)
        code = answer.rcode()
        if code in (dns.rcode.NOERROR, dns.rcode.NXRRSET, dns.rcode.YXRRSET):
            return code
        hint = "allow this key to update the zone, from this address" if code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH) else "see its log"
        raise ServerRefusal(f"{self._place} answers {_code(answer)} to the update of {self.binding.zone}: {hint}")

    async def _exchange(self, message: dns.message.Message) -> dns.message.Message:
        try:
            return await dns.asyncquery.tcp(
                message, self.binding.host, timeout=self._timeout_seconds, port=self.binding.port, source=self._source_address
            )
        except dns.exception.Timeout:
            raise TimeoutError(f"{self._place} did not answer within {self._timeout_seconds:g} s") from None
        except (EOFError, OSError) as error:
            raise ConnectionError(f"{self._place} can't be reached: {error}") from error
        except dns.tsig.PeerError as error:
            hint = _WHAT_TO_DO.get(type(error), "see its log")
            raise ServerRefusal(f"{self._place} refuses the key {self.binding.key_name} ({type(error).__name__}): {hint}") from error
        except dns.exception.DNSException as error:
            raise ConnectionError(f"{self._place} answers with something that can't be read or trusted: {error}") from error


def _code(message: dns.message.Message) -> str:
    return dns.rcode.to_text(message.rcode())
