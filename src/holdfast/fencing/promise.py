"""A grantor's promises: when may it consent to moving the right to write, and whom may it assure that it will not?

There are two grantors for every holder: the controller, and the agent of the other region. A promotion needs the consent of *both*; so a
holder that has a running promise from *either* may write. Written once here, for both.

Why there is never a second writer:

1. `ask` grants only to the holder of the highest epoch that the grantor knows, and only while no activation is under way. What was promised
   (to whom, and the longest ttl) is durable before the first answer leaves.
2. `consent` says yes only when now ≥ the latest promise's received + ttl × (1 + drift) + margin on the grantor's own steady clock. Then
   the holder's deadline from that promise has passed (see `lease`). `drift` bounds the *relative* rate error of the two clocks.
3. After a restart the grantor doesn't know *when* it promised, so it counts the longest ttl in full from its start.
4. `prepare` comes before `consent` and stops promising at once, so between the wait's end and the promotion no new promise is made. Both
   consents are final for their activation: once both are given, the old holder has no promise and gets none.
5. `withdraw` lets it promise again only on evidence that the activation can never take effect: the other grantor states that it did not
   consent and never will, or the grantor is itself the target, has not taken the epoch up and refuses every older order. Until then it
   keeps silent and the writer stays fenced. A withdrawn epoch is never used again, so a late message under it finds no open door.
6. A certificate of fence (the holder's agent says: fenced under an order of this very activation, and I stay so) voids the promise at
   once, and only while that activation is under way, so it can't void a promise that was made after a withdrawal.
7. Epochs only grow: `learn` takes only higher ones, and a promise that still runs for another holder delays the first grant to the new one.
8. Without its memory a grantor knows none of this. It promises and consents to nothing until every region's agent has told what it
   knows (or named people have attested for one), counts the longest ttl that anybody may have been promised, and takes each
   activation that an agent reports under way for one that its lost self consented to.

Every method returns a new value; where `memory` changed, the caller writes it durably *before* it lets anybody know the answer.

Never here: a clock, I/O, or the question whether a promotion is a good idea.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from holdfast.fencing.order import Order

LONGEST_TTL_SECONDS = 300.0
"""No promise is longer than this: a wrong ttl must not hold a promotion off for hours."""
VOID_SECONDS = 86_400.0
"""A promise that a certificate made void is told as one that ended so long ago, and none as older. When it ended the certificate says."""


class Epoch(NamedTuple):
    """(era, epoch), compared in that order."""

    era: int
    epoch: int


class Stage(StrEnum):
    """How far an activation has come with this grantor."""

    PREPARED = "prepared"
    CONSENTED = "consented"
    BARRED = "barred"
    """It will never consent to it, and has said so; it does not promise yet."""


class Evidence(StrEnum):
    """What a grantor knows of the other's consent when it is asked to withdraw."""

    OTHER_NEVER_CONSENTS = "other-never-consents"
    """The other grantor states that it did not consent and never will."""
    NEVER_TAKES_EFFECT = "never-takes-effect"
    """This grantor is the target: it has not taken the epoch up, and has durably refused every order below the withdrawal's."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Timing:
    """Allowances: `drift` is the relative rate error of two clocks, as a fraction."""

    drift: float
    margin_seconds: float

    def wait_seconds(self, ttl_seconds: float) -> float:
        """How long a promise of that ttl keeps a grantor from consenting."""
        return ttl_seconds * (1 + self.drift) + self.margin_seconds


@dataclass(frozen=True, slots=True)
class Activation:
    """The opening of `epoch`, under way; `order` is the highest that spoke of it."""

    epoch: Epoch
    order: Order
    stage: Stage


@dataclass(frozen=True, slots=True)
class Memory:
    """What a grantor must still know after a restart. Never *when* it promised: its clock may not have survived."""

    epoch: Epoch
    holder: str
    promised_region: str | None = None
    promised_instance: str | None = None
    longest_ttl_seconds: float = 0.0
    activation: Activation | None = None
    withdrawn: Epoch | None = None
    unheard: frozenset[str] = frozenset()
    """Regions that a grantor that lost its memory has still to hear."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A holder's request: *promise me not to consent to a promotion before ttl*. `instance` tells two agents of one region apart."""

    region: str
    epoch: Epoch
    instance: str
    ttl_seconds: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """The source's agent states that its region's writers are fenced under `order` and stay so. Verified by the caller."""

    region: str
    epoch: Epoch
    order: Order
    fenced_at_seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The grantor after the question, whether the answer is yes, and why (or why not). `wait_seconds`: ask again then."""

    grantor: "Grantor"
    yes: bool
    reason: str
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Grantor:
    """One grantor. `runs_out_seconds`, on its own steady clock, is the moment before which it does not consent."""

    memory: Memory
    timing: Timing
    runs_out_seconds: float

    @classmethod
    def start(cls, memory: Memory, timing: Timing, now_seconds: float) -> "Grantor":
        """With its memory: a promise that it knows of counts in full from now."""
        wait = timing.wait_seconds(memory.longest_ttl_seconds) if memory.longest_ttl_seconds > 0 else 0.0
        return cls(memory, timing, now_seconds + wait)

    @classmethod
    def without_memory(cls, timing: Timing, now_seconds: float, longest_ttl_seconds: float, regions: Iterable[str]) -> "Grantor":
        """After the loss of its memory: hear every region first, and count the longest ttl in full."""
        nobody = Memory(Epoch(-1, -1), holder="", longest_ttl_seconds=longest_ttl_seconds, unheard=frozenset(regions))
        return cls.start(nobody, timing, now_seconds)

    @property
    def promising(self) -> bool:
        """Whether it would grant to the holder that it knows."""
        return self.memory.activation is None and not self.memory.unheard

    def hear(self, region: str, epoch: Epoch, holder: str, under_way: Epoch | None) -> "Grantor":
        """Without memory: what the agent of `region` knows durably (or what named people attest for it)."""
        heard = self.learn(epoch, holder)
        heard = replace(heard, memory=replace(heard.memory, unheard=heard.memory.unheard - {region}))
        memory, activation = heard.memory, heard.memory.activation
        if under_way is None or under_way <= memory.epoch or (activation is not None and activation.epoch >= under_way):
            return heard
        lost = Activation(under_way, Order(under_way.era, under_way.epoch, 0, 0), Stage.CONSENTED)
        return replace(heard, memory=replace(memory, activation=lost))

    def learn(self, epoch: Epoch, holder: str) -> "Grantor":
        """A higher epoch was opened for `holder`. Lower and equal ones teach nothing."""
        if epoch <= self.memory.epoch:
            return self
        activation = self.memory.activation
        keep = activation if activation is not None and activation.epoch > epoch else None
        return replace(self, memory=replace(self.memory, epoch=epoch, holder=holder, activation=keep))

    def ask(self, ask: Ask, now_seconds: float) -> Reply:
        """Promise, or say why not."""
        grantor = self.learn(ask.epoch, ask.region)
        refusal = grantor._refusal(ask, now_seconds)
        if refusal is not None:
            return Reply(grantor, False, refusal)
        memory = grantor.memory
        no_promise_runs = now_seconds >= grantor.runs_out_seconds
        longest = ask.ttl_seconds if no_promise_runs else max(ask.ttl_seconds, memory.longest_ttl_seconds)
        promised = replace(memory, promised_region=ask.region, promised_instance=ask.instance, longest_ttl_seconds=longest)
        until = max(grantor.runs_out_seconds, now_seconds + self.timing.wait_seconds(ask.ttl_seconds))
        return Reply(replace(grantor, memory=promised if promised != memory else memory, runs_out_seconds=until), True, "promised")

    def _refusal(self, ask: Ask, now_seconds: float) -> str | None:
        memory = self.memory
        if not 0 < ask.ttl_seconds <= LONGEST_TTL_SECONDS:
            return f"a ttl of {ask.ttl_seconds} s is outside 0 to {LONGEST_TTL_SECONDS:.0f} s"
        if memory.unheard:
            return self._lost()
        if ask.epoch < memory.epoch or ask.region != memory.holder:
            return f"epoch {memory.epoch.era}.{memory.epoch.epoch} is held by {memory.holder}"
        if memory.activation is not None:
            opening = memory.activation.epoch
            return f"epoch {opening.era}.{opening.epoch} is being opened ({memory.activation.stage})"
        if memory.promised_region is not None and now_seconds < self.runs_out_seconds:
            if memory.promised_region != ask.region:
                return f"a promise to {memory.promised_region} still runs"
            if memory.promised_instance != ask.instance:
                return f"a promise to another instance of {ask.region} still runs"
        return None

    def prepare(self, order: Order) -> Reply:
        """Stop promising at once, for the activation that the order opens."""
        epoch, memory = Epoch(order.era, order.epoch), self.memory
        refusal = self._not_to_open(epoch)
        if refusal is not None:
            return Reply(self, False, refusal)
        activation = memory.activation
        if activation is not None and activation.epoch == epoch:
            if activation.stage is Stage.BARRED:
                return Reply(self, False, f"epoch {epoch.era}.{epoch.epoch} is barred here")
            return Reply(self._with(replace(activation, order=max(order, activation.order))), True, f"already {activation.stage}")
        if activation is not None and (activation.stage is not Stage.PREPARED or activation.epoch > epoch):
            opening = activation.epoch
            return Reply(self, False, f"epoch {opening.era}.{opening.epoch} is {activation.stage} here: withdraw that first")
        return Reply(self._with(Activation(epoch, order, Stage.PREPARED)), True, "prepared: no promise is made any more")

    def consent(self, order: Order, now_seconds: float) -> Reply:
        """Agree to the activation, for good; or how long the promise still runs."""
        activation = self.memory.activation
        epoch = Epoch(order.era, order.epoch)
        if activation is None or activation.epoch != epoch or order < activation.order:
            return Reply(
                self,
                False,
                self._not_to_open(epoch) or f"epoch {epoch.era}.{epoch.epoch} was not prepared here by this or an earlier order",
            )
        if activation.stage is Stage.BARRED:
            return Reply(self, False, f"epoch {epoch.era}.{epoch.epoch} is barred here")
        if activation.stage is Stage.CONSENTED:
            return Reply(self._with(replace(activation, order=order)), True, "consented")
        if now_seconds < self.runs_out_seconds:
            wait = self.runs_out_seconds - now_seconds
            return Reply(self._with(replace(activation, order=order)), False, f"the promise runs {wait:.2f} s more", wait)
        return Reply(self._with(replace(activation, order=order, stage=Stage.CONSENTED)), True, "consented")

    def bar(self, order: Order) -> Reply:
        """First half of turning back: never consent to this activation. Yes means that the other grantor may be told so."""
        activation, epoch = self.memory.activation, Epoch(order.era, order.epoch)
        if activation is None or activation.epoch != epoch:
            if self.memory.withdrawn is not None and epoch <= self.memory.withdrawn and epoch > self.memory.epoch:
                return Reply(self, True, "withdrawn already")
            return Reply(self, False, f"epoch {epoch.era}.{epoch.epoch} is not under way here")
        if activation.stage is Stage.CONSENTED:
            return Reply(self, False, f"epoch {epoch.era}.{epoch.epoch} was consented to here: that is final")
        return Reply(self._with(replace(activation, order=max(order, activation.order), stage=Stage.BARRED)), True, "barred")

    def withdraw(self, order: Order, evidence: Evidence) -> Reply:
        """Second half of turning back: promise again, if the activation can never take effect."""
        epoch, memory = Epoch(order.era, order.epoch), self.memory
        if epoch <= memory.epoch:
            return Reply(self, False, f"epoch {epoch.era}.{epoch.epoch} is open: it cannot be withdrawn")
        activation = memory.activation
        if activation is not None and activation.epoch > epoch:
            return Reply(self, False, f"a later activation, {activation.epoch.era}.{activation.epoch.epoch}, is under way")
        if activation is not None and evidence is Evidence.UNKNOWN:
            return Reply(self, False, "whether the other grantor consented is not known: still promising nothing")
        withdrawn = epoch if memory.withdrawn is None else max(epoch, memory.withdrawn)
        return Reply(replace(self, memory=replace(memory, activation=None, withdrawn=withdrawn)), True, "withdrawn: promising again")

    def fenced(self, certificate: Certificate) -> Reply:
        """A certificate of fence came: is the promise void?"""
        memory, activation = self.memory, self.memory.activation
        opened = Epoch(certificate.order.era, certificate.order.epoch)
        if activation is None or activation.epoch != opened:
            return Reply(self, False, "the certificate belongs to no activation that is under way here")
        if certificate.epoch != memory.epoch or certificate.region not in (memory.holder, memory.promised_region):
            return Reply(self, False, "the certificate speaks of another holder or epoch")
        if memory.promised_region not in (None, certificate.region):
            return Reply(self, False, f"a promise to {memory.promised_region} still runs")
        void = replace(memory, promised_region=None, promised_instance=None, longest_ttl_seconds=0.0)
        return Reply(replace(self, memory=void, runs_out_seconds=float("-inf")), True, "the source is fenced: its promise is void")

    def take_up(self, holder: str) -> Reply:
        """The consented activation takes effect: its epoch is open, for `holder`."""
        activation = self.memory.activation
        if activation is None or activation.stage is not Stage.CONSENTED:
            return Reply(self, False, "no activation was consented to here")
        return Reply(self.learn(activation.epoch, holder), True, "taken up")

    def _lost(self) -> str:
        return f"this grantor lost its memory and has not heard {', '.join(sorted(self.memory.unheard))} yet"

    def _not_to_open(self, epoch: Epoch) -> str | None:
        if self.memory.unheard:
            return self._lost()
        if epoch <= self.memory.epoch:
            return f"epoch {epoch.era}.{epoch.epoch} is not above {self.memory.epoch.era}.{self.memory.epoch.epoch}, which is open"
        if self.memory.withdrawn is not None and epoch <= self.memory.withdrawn:
            return f"epoch {epoch.era}.{epoch.epoch} was withdrawn and is never used again"
        return None

    def _with(self, activation: Activation) -> "Grantor":
        return replace(self, memory=replace(self.memory, activation=activation))


def next_epoch(known: Iterable[Epoch]) -> Epoch:
    """An epoch that nobody can have used: above all that any agent or journal knows (open, under way, withdrawn, in orders)."""
    highest = max(known)
    return Epoch(highest.era, highest.epoch + 1)
