"""Publishing the target region's address under every function's name: block `dns.switch`.

The order is compared where the effect happens: the zone's TXT record `_holdfast.<zone>` carries the last order obeyed, and the one
update message that changes the addresses has the record *as it was read* as its prerequisite, and replaces it. So two controllers
can't both succeed on what they read, and a lower order is refused by the server's own data, durably.
Rules: every name changes in the same message, each by a replacement, so that no answer is ever empty; a region without an address is
refused before anything is sent. It never touches names that are not functions of the plan.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address

import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from holdfast.fencing.order import Order, Verdict, accept
from holdfast.plan.bindings import DnsBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.dns.server import ServerRefusal, ZoneServer

ORDER_LABEL = "_holdfast"
_ROUNDS = 4
"""How often an update is tried again because somebody changed the record in between."""


def order_text(order: Order, region: str) -> str:
    """What stands in the TXT record."""
    return f"order={order.as_text()} region={region}"


def order_of(records: dns.rrset.RRset | None) -> Order | None:
    """The highest order that a TXT record carries, or None when it carries none. Raises ValueError for one that can't be read."""
    orders = []
    for record in records or ():
        text = b"".join(record.strings).decode("ascii", errors="replace")
        orders += [Order.from_text(word.removeprefix("order=")) for word in text.split() if word.startswith("order=")]
    return max(orders, default=None)


def addresses_of(records: dns.rrset.RRset | None) -> tuple[str, ...]:
    """The addresses of an A record, in order."""
    return tuple(sorted(record.address for record in records or ()))


class DnsSwitchAction:
    """Switches all functions' names to `task.target`."""

    def __init__(
        self, binding: DnsBinding, names: Sequence[str], *, timeout_seconds: float = 2.0, source_address: str | None = None
    ) -> None:
        self._server = ZoneServer(binding, timeout_seconds=timeout_seconds, source_address=source_address)
        self._binding = binding
        self._names = tuple(names)
        self._order_name = f"{ORDER_LABEL}.{binding.zone}"

    async def check(self, task: Task) -> Finding:
        """Whether every name answers with the target's address, and nothing else."""
        try:
            published = {name: addresses_of(await self._server.lookup(name, "A")) for name in self._names}
            wanted = (self._entry(task.target),)
        except ServerRefusal as error:
            return Finding(Answer.UNKNOWN, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        facts = {"addresses": {name: list(found) for name, found in published.items()}}
        elsewhere = [name for name, found in published.items() if found != wanted]
        if elsewhere:
            seen = ", ".join(published[elsewhere[0]]) or "nothing"
            return Finding(Answer.NO, f"{elsewhere[0]} answers with {seen}, not with {wanted[0]} ({task.target})", facts)
        return Finding(Answer.YES, f"{len(self._names)} names answer with {wanted[0]} ({task.target})", facts)

    async def act(self, task: Task) -> Outcome:
        """Replace the addresses and the order in one message, on condition that the order is still the one that was compared."""
        try:
            entry = self._entry(task.target)
            for _ in range(_ROUNDS):
                records = await self._server.lookup(self._order_name, "TXT")
                seen = order_of(records)
                if seen is not None and accept(task.order, seen) is Verdict.REFUSED:
                    return Outcome(
                        Result.REFUSED, f"the zone has obeyed order {seen.as_text()} already, {task.order.as_text()} is lower", _facts(seen)
                    )
                if await self._replace(task, entry, records) == dns.rcode.NOERROR:
                    return Outcome(Result.SUCCEEDED, f"{len(self._names)} names point to {entry} ({task.target})", _facts(task.order))
        except (ServerRefusal, ValueError) as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: the names may or may not have been switched")
        return Outcome(Result.FAILED, f"somebody else changes {self._order_name} all the time: find out who, and stop one of the two")

    async def verify(self, task: Task) -> Finding:
        """The same question as `check`: the authoritative server's own answers are what clients get."""
        return await self.check(task)

    async def _replace(self, task: Task, entry: str, seen: dns.rrset.RRset | None) -> dns.rcode.Rcode:
        update = self._server.new_update()
        if seen is None:
            update.absent(dns.name.from_text(self._order_name), dns.rdatatype.TXT)
        else:
            update.present(dns.name.from_text(self._order_name), *seen)
        for name in self._names:
            update.replace(dns.name.from_text(name), self._binding.ttl_seconds, dns.rdatatype.A, entry)
        text = f'"{order_text(task.order, task.target)}"'
        update.replace(dns.name.from_text(self._order_name), self._binding.ttl_seconds, dns.rdatatype.TXT, text)
        return await self._server.send(update)

    def _entry(self, region: str) -> str:
        """The address to publish. Raises ServerRefusal before anything could be emptied or misdirected."""
        entry = self._binding.entries.get(region, "")
        try:
            return str(IPv4Address(entry))
        except ValueError:
            raise ServerRefusal(f"the bindings name no IPv4 address for {region} (dns, entries: {entry!r}); nothing was changed") from None


def _facts(order: Order) -> dict[str, list[int]]:
    return {"highest_order": order.as_list()}
