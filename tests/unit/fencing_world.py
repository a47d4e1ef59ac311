"""Two agents, a controller, a network that delays, doubles and drops, uneven clocks: the least world with a second writer in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from holdfast.fencing.lease import Lease
from holdfast.fencing.order import Order, Verdict, accept
from holdfast.fencing.promise import Ask, Certificate, Epoch, Evidence, Grantor, Memory, Reply, Timing, next_epoch

TTL = 3.0
DRIFT = 0.05
TIMING = Timing(drift=DRIFT, margin_seconds=0.25)
FIRST = Epoch(0, 1)
NONE = Epoch(-1, -1)


@dataclass
class Site:
    """What every process has: a clock with a rate of its own, durable memory, and a grantor made from it at each start."""

    name: str
    rate: float
    memory: Memory
    grantor: Grantor = field(init=False)

    def __post_init__(self) -> None:
        self.restart(0.0)

    def clock(self, true_seconds: float) -> float:
        return 1000.0 + true_seconds * self.rate

    def restart(self, true_seconds: float) -> None:
        self.grantor = Grantor.start(self.memory, TIMING, self.clock(true_seconds))

    def keep(self, grantor: Grantor) -> None:
        """Durable before anything is answered."""
        assert grantor.memory.epoch >= self.memory.epoch or self.memory.epoch == Epoch(-1, -1)
        self.memory, self.grantor = grantor.memory, grantor


@dataclass
class Agent(Site):
    highest: Order | None = None
    yielded: Epoch | None = None
    taken_up: Epoch | None = None
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.taken_up = self.memory.epoch if self.memory.holder == self.name else None
        self.lease = Lease(self.memory.epoch)

    @property
    def holding(self) -> bool:
        return self.memory.holder == self.name and self.taken_up == self.memory.epoch and self.yielded is None

    def may_write(self, true_seconds: float) -> bool:
        return self.holding and self.lease.epoch == self.memory.epoch and self.lease.may_write(self.clock(true_seconds))


@dataclass
class World:
    """All that happens happens through these methods; a test only chooses which, when."""

    rates: tuple[float, float, float]
    now: float = 0.0
    messages: list[dict[str, Any]] = field(default_factory=list)
    term: int = 1
    step: int = 0
    opening: Epoch | None = None
    target: str = "b"
    source: str = "a"
    target_consented: bool = False
    certificate: Certificate | None = None
    highest_written: Epoch = NONE
    writes: int = 0
    cut: set[frozenset[str]] = field(default_factory=set)
    """Pairs of sites between which messages are held."""
    epochs_written: set[Epoch] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.a = Agent("a", self.rates[0], Memory(FIRST, "a"))
        self.b = Agent("b", self.rates[1], Memory(FIRST, "a"))
        self.c = Site("c", self.rates[2], Memory(FIRST, "a"))

    def site(self, name: str) -> Site:
        return {"a": self.a, "b": self.b, "c": self.c}[name]

    def true_seconds(self, site: Site) -> float:
        """When the site's promises run out."""
        return (site.grantor.runs_out_seconds - 1000.0) / site.rate + 1e-6

    def agent(self, name: str) -> Agent:
        return {"a": self.a, "b": self.b}[name]

    # -- what writers do, all the time ---------------------------------------------------------------------------------

    def write(self) -> None:
        """Whoever may write does. Never two, and never below an epoch that was written under."""
        writers = [agent for agent in (self.a, self.b) if agent.may_write(self.now)]
        assert len(writers) <= 1, f"two writers at {self.now}: {writers}"
        for writer in writers:
            assert writer.memory.epoch >= self.highest_written, (
                f"{writer.name} writes under {writer.memory.epoch} after {self.highest_written}"
            )
            self.highest_written = writer.memory.epoch
            self.epochs_written.add(writer.memory.epoch)
            self.writes += 1

    # -- holders ----------------------------------------------------------------------------------------------------------

    def ask(self, holder: str, grantor: str) -> None:
        agent = self.agent(holder)
        if agent.holding and grantor != holder:
            ask = Ask(holder, agent.memory.epoch, "1", TTL)
            self.send("ask", holder, grantor, ask=ask, sent=agent.clock(self.now))

    def send(self, kind: str, source: str, to: str, **content: Any) -> None:
        self.messages.append({"kind": kind, "from": source, "to": to, **content})

    def deliver(self, index: int, *, keep: bool) -> None:
        if frozenset((self.messages[index]["from"], self.messages[index]["to"])) in self.cut:
            return
        message = self.messages[index] if keep else self.messages.pop(index)
        getattr(self, f"on_{message['kind']}")(message)

    def on_ask(self, message: dict[str, Any]) -> None:
        site = self.site(message["to"])
        reply = site.grantor.ask(message["ask"], site.clock(self.now))
        site.keep(reply.grantor)
        kind = "granted" if reply.yes else "refused"
        known = (site.memory.epoch, site.memory.holder)
        self.send(kind, site.name, message["from"], epoch=message["ask"].epoch, sent=message["sent"], known=known)

    def on_granted(self, message: dict[str, Any]) -> None:
        agent = self.agent(message["to"])
        if agent.lease.epoch != agent.memory.epoch:
            agent.lease = Lease(agent.memory.epoch)
        agent.lease = agent.lease.granted(message["from"], message["epoch"], message["sent"], TTL)

    def on_refused(self, message: dict[str, Any]) -> None:
        agent = self.agent(message["to"])
        if message["known"][0] > Epoch(-1, -1):
            agent.keep(agent.grantor.learn(*message["known"]))

    # -- the controller ---------------------------------------------------------------------------------------------------

    def next_order(self) -> Order:
        assert self.opening is not None
        self.step += 1
        return Order(self.opening.era, self.opening.epoch, self.term, self.step)

    def open_activation(self) -> None:
        memory = self.c.memory
        if self.opening is not None or self.c.memory.unheard or memory.activation is not None:
            return
        self.source = memory.holder
        self.target = "b" if memory.holder == "a" else "a"
        self.opening = next_epoch(e for e in (memory.epoch, memory.withdrawn) if e is not None)
        self.target_consented, self.certificate = False, None
        reply = self.c.grantor.prepare(self.next_order())
        assert reply.yes, reply.reason
        self.c.keep(reply.grantor)
        self.order("prepare", self.target)

    def order(self, verb: str, to: str, **content: Any) -> None:
        if self.opening is not None and not self.c.memory.unheard:
            self.send(verb, "c", to, order=self.next_order(), certificate=self.certificate, **content)

    def promote(self) -> None:
        """Own consent last, then the epoch is opened, then the order leaves."""
        if self.opening is None or not self.target_consented:
            return
        if self.certificate is not None:
            self.c.keep(self.c.grantor.fenced(self.certificate).grantor)
        if self.c.memory.epoch < self.opening:
            reply = self.c.grantor.consent(self.next_order(), self.c.clock(self.now))
            self.c.keep(reply.grantor)
            if not reply.yes:
                return
        self.order("promote", self.target)

    def turn_back(self) -> None:
        if self.opening is None:
            return
        reply = self.c.grantor.bar(self.next_order())
        self.c.keep(reply.grantor)
        self.order("withdraw", self.target, evidence=Evidence.OTHER_NEVER_CONSENTS if reply.yes else Evidence.UNKNOWN)

    def controller_restarts(self) -> None:
        """With its journal: what was under way goes on under a new term."""
        self.term, self.step = self.term + 1, 0
        self.c.restart(self.now)

    def controller_loses_its_journal(self) -> None:
        self.opening, self.target_consented, self.certificate = None, False, None
        self.c.grantor = Grantor.without_memory(TIMING, self.c.clock(self.now), TTL, {"a", "b"})
        self.c.memory = self.c.grantor.memory

    def controller_hears(self, region: str) -> None:
        if region not in self.c.memory.unheard:
            return
        agent = self.agent(region)
        activation = agent.memory.activation
        under_way = [
            agent.highest and Epoch(agent.highest.era, agent.highest.epoch),
            activation and activation.epoch,
            agent.memory.withdrawn,
        ]
        highest = max((epoch for epoch in under_way if epoch), default=None)
        self.c.keep(self.c.grantor.hear(region, agent.memory.epoch, agent.memory.holder, highest))
        self.term = max(self.term, (agent.highest.term if agent.highest else 0) + 1)
        if not self.c.memory.unheard and self.c.memory.activation is not None:
            self.source, self.opening = self.c.memory.holder, self.c.memory.activation.epoch
            self.target = "b" if self.source == "a" else "a"

    # -- agents obey ------------------------------------------------------------------------------------------------------

    def obey(self, message: dict[str, Any]) -> Agent | None:
        agent = self.agent(message["to"])
        if accept(message["order"], agent.highest) is not Verdict.ACCEPTED:
            return None
        agent.highest = message["order"]
        return agent

    def on_prepare(self, message: dict[str, Any]) -> None:
        if (agent := self.obey(message)) is not None:
            agent.keep(agent.grantor.prepare(message["order"]).grantor)

    def on_consent(self, message: dict[str, Any]) -> None:
        if (agent := self.obey(message)) is None:
            return
        if message["certificate"] is not None:
            agent.keep(agent.grantor.fenced(message["certificate"]).grantor)
        reply: Reply = agent.grantor.consent(message["order"], agent.clock(self.now))
        agent.keep(reply.grantor)
        if reply.yes:
            self.send("consented", agent.name, "c", order=message["order"])

    def on_consented(self, message: dict[str, Any]) -> None:
        if self.opening == Epoch(message["order"].era, message["order"].epoch):
            self.target_consented = True

    def on_fence(self, message: dict[str, Any]) -> None:
        if (agent := self.obey(message)) is None or not agent.holding:
            return
        order = message["order"]
        agent.yielded = Epoch(order.era, order.epoch)
        self.send("fenced", agent.name, "c", given=Certificate(agent.name, agent.memory.epoch, order, self.now))

    def on_fenced(self, message: dict[str, Any]) -> None:
        self.certificate = message["given"]

    def on_promote(self, message: dict[str, Any]) -> None:
        if (agent := self.obey(message)) is None:
            return
        activation = agent.memory.activation
        order = message["order"]
        if activation is None or activation.epoch != Epoch(order.era, order.epoch):
            return
        reply = agent.grantor.take_up(agent.name)
        if reply.yes:
            agent.keep(reply.grantor)
            agent.taken_up, agent.yielded = agent.memory.epoch, None
            agent.lease = Lease(agent.memory.epoch)
            self.send("promoted", agent.name, "c", epoch=agent.memory.epoch)

    def on_promoted(self, message: dict[str, Any]) -> None:
        if self.opening == message["epoch"]:
            self.opening = None
            self.c.keep(self.c.grantor.learn(message["epoch"], message["from"]))

    def on_withdraw(self, message: dict[str, Any]) -> None:
        if (agent := self.obey(message)) is None:
            return
        epoch = Epoch(message["order"].era, message["order"].epoch)
        if agent.yielded == epoch:
            agent.yielded = None
        evidence = message["evidence"]
        if evidence is Evidence.UNKNOWN and agent.memory.epoch < epoch:
            evidence = Evidence.NEVER_TAKES_EFFECT
        reply = agent.grantor.withdraw(message["order"], evidence)
        agent.keep(reply.grantor)
        if reply.yes:
            self.send("withdrawn", agent.name, "c", order=message["order"])

    def on_withdrawn(self, message: dict[str, Any]) -> None:
        epoch = Epoch(message["order"].era, message["order"].epoch)
        if self.opening == epoch and message["from"] == self.target:
            reply = self.c.grantor.withdraw(self.next_order(), Evidence.OTHER_NEVER_CONSENTS)
            if reply.yes:
                self.c.keep(reply.grantor)
                self.order("withdraw", self.source, evidence=Evidence.OTHER_NEVER_CONSENTS)
                self.opening = None


def walk(seed: int, steps: int) -> World:
    """A long history by chance: renewals and steps of an activation are usual, loss of memory is rare. The seed replays it."""
    random = Random(seed)
    world = World((random.uniform(1, 1 + DRIFT), random.uniform(1, 1 + DRIFT), random.uniform(1, 1 + DRIFT)))

    def arrive(*, keep: bool) -> None:
        if world.messages:
            index = len(world.messages) - 1 if random.random() < 0.5 else random.randrange(len(world.messages))
            world.deliver(index, keep=keep)

    def renew() -> None:
        for grantor in ("a", "b", "c"):
            before = len(world.messages)
            world.ask(holder, grantor)
            for _ in range(2):
                if len(world.messages) > before and random.random() < 0.9:
                    world.deliver(len(world.messages) - 1, keep=False)

    def cut_or_heal() -> None:
        world.cut = {frozenset(pair) for pair in ("ab", "bc", "ac") if random.random() < 0.4}

    def newest_arrive() -> None:
        for _ in range(2):
            if world.messages and random.random() < 0.95:
                world.deliver(len(world.messages) - 1, keep=random.random() < 0.2)

    def activation_goes_on() -> None:
        """The usual course, quick enough that promises made before still run."""
        world.open_activation()
        for verb, to in (("fence", world.source), ("prepare", world.target), ("consent", world.target)):
            if random.random() < (0.3 if verb == "fence" else 0.9):
                world.order(verb, to)
                newest_arrive()
                if verb == "prepare" and random.random() < 0.5:  # consent at the very moment that the promises allow
                    world.now = max([world.now] + [world.true_seconds(site) for site in (world.c, world.site(world.target))])
        world.promote()
        newest_arrive()

    deeds: list[tuple[float, Callable[[], object]]] = [
        (10, renew),
        (3, cut_or_heal),
        (6, activation_goes_on),
        (24, lambda: arrive(keep=False)),
        (4, lambda: arrive(keep=True)),
        (3, world.open_activation),
        (3, lambda: world.order("prepare", world.target)),
        (5, lambda: world.order("consent", world.target)),
        (2, lambda: world.order("fence", world.source)),
        (6, world.promote),
        (1.5, world.turn_back),
        (1, lambda: world.agent(holder).restart(world.now)),
        (1, world.controller_restarts),
        (0.3, world.controller_loses_its_journal),
        (3, lambda: world.controller_hears(holder)),
    ]
    for _ in range(steps):
        holder = random.choice("ab")
        world.now += random.choice([0.0, 0.0, 0.05, 0.1, 0.2, 0.4, 1.0])
        random.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()
        world.write()
        if len(world.messages) > 12:
            world.messages.pop(0)
    return world
