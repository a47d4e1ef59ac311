"""The blocks that a step can name: what each does, how it may be repeated, and what it takes.

A block's class says what may happen after a crash or a time-out between its intent and its outcome:
`idempotent` is repeated, `compare` is repeated because the effector refuses a second effect, `once` is
settled by the block's read-only check or else by a person. This table is the only place that knows.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class BlockClass(StrEnum):
    """How an effect whose outcome is not known may be settled."""

    IDEMPOTENT = "idempotent"
    COMPARE = "compare"
    ONCE = "once"


class Actor(StrEnum):
    """Who carries a block out: a provider, the controller's own bookkeeping, or a person."""

    PROVIDER = "provider"
    CONTROLLER = "controller"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class BlockSpecification:
    """One block. Times in seconds; `grants_write` blocks need a journalled epoch and a confirmed fence first."""

    name: str
    summary: str
    block_class: BlockClass
    actor: Actor = Actor.PROVIDER
    component_kind: str | None = None
    parameters: frozenset[str] = field(default_factory=frozenset)
    """Parameters that it knows; what each may hold stands in `parameters`."""
    required: frozenset[str] = field(default_factory=frozenset)
    """Parameters that a step must give."""
    time_limit_seconds: float = 60.0
    attempts: int = 3
    grants_write: bool = False
    removes_write: bool = False
    moves_traffic: bool = False
    stops_traffic: bool = False
    """The source region admits none any more; that brings nothing back by itself."""
    overwrites_source: bool = False
    """What only the source holds may be gone afterwards: it is exported before (invariant 11)."""
    may_lose_data: bool = False
    """As another way it may lose more than the first: without a word in the plan, a person is asked before it is gone."""
    of_the_plan: bool = True
    """Whether a plan's step may name it; False for what only Holdfast itself orders."""

    activates: bool = False
    """A store that has no write epoch is written in the target from then on."""

    @property
    def begins_writing(self) -> bool:
        """Whether a store is written where it was not from then on, without what its copy lacked: held to the loss that people approved."""
        return self.grants_write or self.activates


_I, _C, _O = BlockClass.IDEMPOTENT, BlockClass.COMPARE, BlockClass.ONCE

_ALL = (
    BlockSpecification("assess", "state which functions are hit, since when, and what it costs", _I, Actor.CONTROLLER),
    BlockSpecification("notify", "tell an audience what the plan says it must hear", _I, Actor.CONTROLLER, parameters=frozenset({"message"}), required=frozenset({"message"})),
    BlockSpecification("approve", "wait until the plan's people approve the proposal", _I, Actor.PERSON),
    BlockSpecification("manual", "a person does something and ticks it off", _I, Actor.PERSON, parameters=frozenset({"text"}), required=frozenset({"text"})),
    BlockSpecification("fence", "make the source region's writers unable to write, or wait out their lease", _C, removes_write=True, time_limit_seconds=120.0),
    BlockSpecification("withdraw", "turn back: tell a region's agent that an epoch is never opened", _C, parameters=frozenset({"region"}), required=frozenset({"region"}), time_limit_seconds=15.0, attempts=4, of_the_plan=False),
    BlockSpecification("postgres.promote", "make the target region's PostgreSQL the writer", _C, component_kind="postgres", grants_write=True, time_limit_seconds=120.0),
    BlockSpecification("postgres.verify", "prove a committed write and the integrity of the target's PostgreSQL", _I, component_kind="postgres"),
    BlockSpecification("divergence.export", "write down what only the source region's stores hold, before anything there is overwritten", _I, parameters=frozenset({"components"}), time_limit_seconds=900.0),
    BlockSpecification("postgres.reprotect", "make the source region's PostgreSQL a replica of the target's", _C, component_kind="postgres", overwrites_source=True, time_limit_seconds=300.0),
    BlockSpecification("postgres.restore", "make the target region's PostgreSQL the writer out of a base backup and the archived log that reached the target", _C, component_kind="postgres", grants_write=True, may_lose_data=True, time_limit_seconds=300.0, attempts=2),
    BlockSpecification("redis.promote", "make the target region's Redis the writer", _C, component_kind="redis", grants_write=True),
    BlockSpecification("redis.reprotect", "make the source region's Redis a replica of the target's", _C, component_kind="redis", overwrites_source=True, time_limit_seconds=120.0),
    BlockSpecification("bucket.activate", "make the target region's bucket the one that is written, and turn its copying round", _C, component_kind="bucket", activates=True),
    BlockSpecification("bucket.reconcile", "copy what either bucket has and the other lacks", _I, component_kind="bucket", overwrites_source=True, time_limit_seconds=300.0),
    BlockSpecification("bucket.restore", "bring back from the versions in the target region's bucket what was deleted there", _I, component_kind="bucket", time_limit_seconds=300.0),
    BlockSpecification("settings.update", "point a region's application (`region: target`, the default, or `source`) at stores: the target's, or as `stores` says", _C, component_kind="application", parameters=frozenset({"region", "stores"})),
    BlockSpecification("application.scale", "run as many instances in a region (`region: target`, the default, or `source`) as the load needs", _I, component_kind="application", parameters=frozenset({"replicas", "region"}), required=frozenset({"replicas"}), time_limit_seconds=120.0),
    BlockSpecification("application.deploy", "bring the target region's application to the version of production", _I, component_kind="application", parameters=frozenset({"version"}), required=frozenset({"version"}), time_limit_seconds=120.0),
    BlockSpecification("application.fresh", "start a fresh set of instances in the target region beside the set that serves, and serve from it once it is ready and answers real transactions", _C, component_kind="application", parameters=frozenset({"version", "replicas"}), required=frozenset({"version", "replicas"}), time_limit_seconds=300.0, attempts=2),
    BlockSpecification("loadbalancer.switch", "let the target region's load balancer admit traffic", _C, component_kind="loadbalancer", moves_traffic=True),
    BlockSpecification("loadbalancer.drain", "stop the source region's load balancer from admitting traffic", _C, component_kind="loadbalancer", stops_traffic=True),
    BlockSpecification("dns.switch", "publish the target region's address under the functions' names", _C, component_kind="dns", moves_traffic=True),
    BlockSpecification("smoke.test", "carry out one real transaction of every function in the target region, or as `region` and `stores` say", _I, parameters=frozenset({"region", "stores"}), attempts=12),
    BlockSpecification("performance.watch", "see success and latency of every function hold the plan's numbers", _I, parameters=frozenset({"for", "region"}), time_limit_seconds=120.0, attempts=10),
    BlockSpecification("confirm", "state that every function is served from the target region again", _I, Actor.CONTROLLER),
)

BLOCKS: dict[str, BlockSpecification] = {block.name: block for block in _ALL}
