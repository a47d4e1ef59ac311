"""The controller as a grantor: it keeps promises to the region that writes, and consents to a promotion only when none runs.

The rules are `fencing.promise`'s; here they meet a clock and durable storage. A memory is written before any answer is given.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.fencing.order import Order
from holdfast.fencing.promise import VOID_SECONDS, Activation, Ask, Certificate, Epoch, Evidence, Grantor, Memory, Reply, Stage, Timing
from holdfast.ports.clock import Clock
from holdfast.ports.consent import NoConsent, PromiseStore

_KEY = "grantor"


def _written(memory: Memory) -> dict[str, Any]:
    activation = memory.activation
    return {
        "epoch": list(memory.epoch),
        "holder": memory.holder,
        "promised_region": memory.promised_region,
        "promised_instance": memory.promised_instance,
        "longest_ttl_seconds": memory.longest_ttl_seconds,
        "activation": None if activation is None else [list(activation.epoch), activation.order.as_list(), activation.stage.value],
        "withdrawn": None if memory.withdrawn is None else list(memory.withdrawn),
        "unheard": sorted(memory.unheard),
    }


def _read(value: Mapping[str, Any]) -> Memory:
    activation = value["activation"]
    return Memory(
        epoch=Epoch(*value["epoch"]),
        holder=value["holder"],
        promised_region=value["promised_region"],
        promised_instance=value["promised_instance"],
        longest_ttl_seconds=value["longest_ttl_seconds"],
        activation=None if activation is None else Activation(Epoch(*activation[0]), Order.from_list(activation[1]), Stage(activation[2])),
        withdrawn=None if value["withdrawn"] is None else Epoch(*value["withdrawn"]),
        unheard=frozenset(value["unheard"]),
    )


class Keeper:
    """Implements the port Consent, and answers the agents' asks."""

    def __init__(self, store: PromiseStore, clock: Clock, timing: Timing, longest_ttl_seconds: float, regions: tuple[str, ...]) -> None:
        self._store = store
        self._clock = clock
        self._refusal: str | None = None
        """Why the activation that was to be prepared last was not."""
        known = store.get(_KEY)
        now = clock.steady_seconds()
        if known is not None:
            self._grantor = Grantor.start(_read(known), timing, now)
        else:
            self._grantor = Grantor.without_memory(timing, now, longest_ttl_seconds, regions)

    @property
    def epoch(self) -> Epoch:
        """The highest epoch that this grantor knows to be open."""
        return self._grantor.memory.epoch

    @property
    def holder(self) -> str:
        """The region that holds it."""
        return self._grantor.memory.holder

    @property
    def unheard(self) -> frozenset[str]:
        """Regions that a grantor without memory must still hear before it promises or consents."""
        return self._grantor.memory.unheard

    def hear(self, region: str, epoch: Epoch, holder: str, under_way: Epoch | None) -> None:
        """What the agent of a region knows durably."""
        self._keep(self._grantor.hear(region, epoch, holder, under_way))

    def ask(self, ask: Ask) -> Reply:
        """Answer a holder's request for a promise."""
        reply = self._grantor.ask(ask, self._clock.steady_seconds())
        self._keep(reply.grantor)
        return reply

    def prepare(self, order: Order) -> None:
        """See Consent. An activation that this grantor refuses to prepare is never consented to either."""
        reply = self._grantor.prepare(order)
        self._keep(reply.grantor)
        self._refusal = None if reply.yes else reply.reason

    def remaining_seconds(self) -> float:
        """See Consent."""
        if self._refusal is not None:
            raise NoConsent(self._refusal)
        now, activation = self._clock.steady_seconds(), self._grantor.memory.activation
        if activation is None:
            return max(self._grantor.runs_out_seconds - now, 0.0)
        reply = self._grantor.consent(activation.order, now)
        self._keep(reply.grantor)
        if reply.yes:
            return 0.0
        return max(reply.wait_seconds, 0.05)

    def fenced(self, certificate: Mapping[str, Any]) -> None:
        """See Consent."""
        epoch = Epoch(int(certificate["era"]), int(certificate["epoch"]))
        order = Order.from_list(list(certificate["order"]))
        known = Certificate(str(certificate["region"]), epoch, order, float(certificate["fenced_at_seconds"]))
        self._keep(self._grantor.fenced(known).grantor)

    def serve(self, era: int, epoch: int, holder: str) -> None:
        """See Consent."""
        self._refusal = None
        self._keep(self._grantor.learn(Epoch(era, epoch), holder))

    def bar(self, order: Order) -> None:
        """See Consent."""
        self._keep(self._grantor.bar(order).grantor)

    def has_consented(self) -> bool:
        """See Consent."""
        activation = self._grantor.memory.activation
        return activation is not None and activation.stage is Stage.CONSENTED

    def withdraw(self, order: Order) -> None:
        """See Consent."""
        self._refusal = None
        self._keep(self._grantor.withdraw(order, Evidence.OTHER_NEVER_CONSENTS).grantor)

    def stray(self) -> tuple[int, int] | None:
        """See Consent."""
        memory = self._grantor.memory
        if memory.activation is None or memory.unheard:
            return None
        return memory.activation.epoch.era, memory.activation.epoch.epoch

    def promise_ends_in_seconds(self) -> float:
        """See Consent."""
        return max(self._grantor.runs_out_seconds - self._clock.steady_seconds(), -VOID_SECONDS)

    def _keep(self, grantor: Grantor) -> None:
        if grantor.memory != self._grantor.memory:
            self._store.put(_KEY, _written(grantor.memory))
        self._grantor = grantor
