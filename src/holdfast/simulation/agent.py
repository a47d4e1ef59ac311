"""A simulated agent: it holds the lease of its region's writers by the very rules of `fencing`, and obeys orders that only grow.

The holder asks both grantors (the controller and the other region's agent) and fences itself when no promise is left; when it is
granted one again under the same epoch, it goes on, unasked. A higher epoch that it hears of leaves it fenced until it is made a replica.
Durability is taken for granted here: a simulated agent never loses its memory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from holdfast.fencing.lease import Lease
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Activation, Ask, Certificate, Epoch, Evidence, Grantor, Memory, Reply, Stage, Timing
from holdfast.plan.blocks import BLOCKS, BlockClass
from holdfast.simulation.stores import LogStore, StoreRole

Grants = Callable[[Ask], Reply]
"""A grantor that can be reached now: the question and its answer."""


class HigherOrderError(Exception):
    """An effector has seen a higher order."""

    def __init__(self, seen: Order, order: Order) -> None:
        super().__init__(f"order {seen.as_text()} was obeyed already, {order.as_text()} is lower")
        self.seen = seen


@dataclass
class Orders:
    """The highest orders that one effector has obeyed: by block, since independent steps of one activation may come in any order."""

    highest: dict[str, Order] = field(default_factory=dict)

    def obey(self, block: str, order: Order) -> None:
        """Keep the order, or raise HigherOrderError. Blocks that may always be repeated carry orders that bind nobody."""
        if BLOCKS[block].block_class is not BlockClass.COMPARE:
            return
        for name, seen in self.highest.items():
            later = (seen.era, seen.epoch, seen.term) > (order.era, order.epoch, order.term)
            if later or (name in (block, "withdraw") and seen > order):
                raise HigherOrderError(seen, order)
        self.highest[block] = order

    @property
    def all_highest(self) -> Order | None:
        """The highest of all that were obeyed."""
        return max(self.highest.values(), default=None)


class SimulatedAgent:
    """The agent of one region, over its PostgreSQL and its Redis."""

    def __init__(self, region: str, holder: str, stores: Iterable[LogStore], timing: Timing, ttl_seconds: float) -> None:
        self.region = region
        self.orders = Orders()
        self.alive = True
        self.fences = True
        """False: neither it nor its guard can stop the writers any more, and it certifies what isn't so."""
        self.records: list[tuple[float, str]] = []
        self._stores = tuple(stores)
        self._ttl_seconds = ttl_seconds
        self._grantor = Grantor.start(Memory(Epoch(0, 1), holder), timing, 0.0)
        self._lease = Lease(Epoch(0, 1))
        self._asked_seconds = float("-inf")
        self._ordered_fence: Certificate | None = None

    @property
    def epoch(self) -> Epoch:
        """The highest epoch that it knows to be open."""
        return self._grantor.memory.epoch

    @property
    def holder(self) -> str:
        """The region that holds it."""
        return self._grantor.memory.holder

    @property
    def activation(self) -> Activation | None:
        """The activation that is under way here."""
        return self._grantor.memory.activation

    @property
    def certificate(self) -> Certificate | None:
        """Its statement that it is fenced under an order, as long as that is so."""
        return self._ordered_fence

    @property
    def promising(self) -> bool:
        """Whether it would grant to the holder that it knows."""
        return self._grantor.promising

    def promise_ends_in_seconds(self, now_seconds: float) -> float:
        """When the latest promise to the other region ends."""
        return self._grantor.runs_out_seconds - now_seconds

    def lease_remaining_seconds(self, now_seconds: float) -> float:
        """How long its writers may still write."""
        return self._lease.remaining_seconds(now_seconds)

    def may_write(self, now_seconds: float) -> bool:
        """Whether its writers may write at this moment: the guard holds them to it even when the agent is dead."""
        if not self.fences:
            return self.holder == self.region
        return self.holder == self.region and self._ordered_fence is None and self._lease.may_write(now_seconds)

    def hang(self) -> None:
        """The host of the database hangs: its writer died, and nobody there does or says anything. The guard keeps its own count."""
        self.alive = False
        self._stores[0].fence()

    def tick(self, now_seconds: float, grantors: dict[str, Grants]) -> None:
        """Ask for the lease when it is time; fence and go on by it."""
        if self.holder != self.region:
            return
        if self.alive and self._ordered_fence is None and now_seconds - self._asked_seconds >= self._ttl_seconds / 4:
            self._asked_seconds = now_seconds
            for name, grants in grantors.items():
                if self.holder == self.region:  # the answer before may have taught it that it isn't any more
                    self._ask(name, grants, now_seconds)
        if self.may_write(now_seconds) and self.alive:
            for store in self._stores:
                store.unfence()
        elif not self.may_write(now_seconds):
            self._fence_stores(now_seconds, "the lease ran out")

    def _ask(self, name: str, grants: Grants, now_seconds: float) -> None:
        epoch = self.epoch
        if self._lease.epoch != epoch:
            self._lease = Lease(epoch)
        reply = grants(Ask(self.region, epoch, "only", self._ttl_seconds))
        if reply.yes:
            self._lease = self._lease.granted(name, epoch, now_seconds, self._ttl_seconds)
        else:
            self._grantor = self._grantor.learn(reply.grantor.memory.epoch, reply.grantor.memory.holder)

    def promise(self, ask: Ask, now_seconds: float) -> Reply:
        """The other region's agent asks."""
        return self._keep(self._grantor.ask(ask, now_seconds))

    def prepare(self, order: Order) -> Reply:
        """Stop promising, for this activation."""
        return self._keep(self._grantor.prepare(order))

    def consent(self, order: Order, now_seconds: float, certificate: Certificate | None = None) -> Reply:
        """Agree to the activation, or say how long a promise still runs."""
        if certificate is not None:
            self._keep(self._grantor.fenced(certificate))
        return self._keep(self._grantor.consent(order, now_seconds))

    def take_up(self, order: Order) -> None:
        """Open the epoch of the order here. Raises PermissionError without consent."""
        wanted = Epoch(order.era, order.epoch)
        if self.epoch == wanted and self.holder == self.region:
            return
        old = [store for store in self._stores if store.role is not StoreRole.STANDBY]
        if old:
            raise PermissionError(f"{self.region} holds the writer of epoch {self.epoch.epoch} and no replica: make it one first")
        activation = self.activation
        if activation is None or activation.stage is not Stage.CONSENTED or activation.epoch != wanted:
            raise PermissionError(f"{self.region} did not consent to epoch {wanted.era}.{wanted.epoch}: fence first")
        self._keep(self._grantor.take_up(self.region))
        self._ordered_fence, self._asked_seconds = None, float("-inf")

    def fence(self, order: Order, now_seconds: float, wall_seconds: float) -> Certificate:
        """Fence by order, and certify it."""
        fenced = Certificate(self.region, self.epoch, order, wall_seconds)
        self._fence_stores(now_seconds, f"fenced by order {order.as_text()}")
        self._ordered_fence = self._ordered_fence or fenced
        return self._ordered_fence

    def withdraw(self, order: Order, *, controller_consented: bool, now_seconds: float) -> None:
        """Turn back, as the order of the same name. Raises PermissionError when the epoch is open here."""
        evidence = Evidence.UNKNOWN if controller_consented else Evidence.OTHER_NEVER_CONSENTS
        if controller_consented and self.epoch < Epoch(order.era, order.epoch):
            evidence = Evidence.NEVER_TAKES_EFFECT
        reply = self._keep(self._grantor.withdraw(order, evidence))
        if not reply.yes:
            raise PermissionError(f"{self.region}: {reply.reason}")
        if self.holder == self.region and self._ordered_fence is not None:
            self._ordered_fence, self._lease, self._asked_seconds = None, Lease(self.epoch), float("-inf")
            self.records.append((now_seconds, "ordered back"))

    @property
    def withdrawn(self) -> Epoch | None:
        """The highest epoch that was withdrawn here."""
        return self._grantor.memory.withdrawn

    def follow(self, epoch: Epoch, holder: str) -> None:
        """Another region holds a higher epoch: this one becomes its replica and promises to it from now on."""
        self._grantor = self._grantor.learn(epoch, holder)
        self._ordered_fence = None

    def _fence_stores(self, now_seconds: float, why: str) -> None:
        if not self.fences:
            return
        before = [store.role for store in self._stores]
        for store in self._stores:
            store.fence()
        if before != [store.role for store in self._stores]:
            self.records.append((now_seconds, why))

    def _keep(self, reply: Reply) -> Reply:
        self._grantor = reply.grantor
        return reply
