"""One simulated region: its stores and bucket, the application with its settings, the load balancer, and the agent beside the writers."""

from dataclasses import dataclass, field

from holdfast.simulation.agent import Orders, SimulatedAgent
from holdfast.simulation.stores import BucketStore, LogStore


@dataclass
class Deployment:
    """One function's instances. A wish takes effect `ready_at_seconds`."""

    replicas: int
    version: str
    wished_replicas: int = field(init=False)
    wished_version: str = field(init=False)
    ready_at_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.wished_replicas, self.wished_version = self.replicas, self.version

    def wish(self, now_seconds: float, takes_seconds: float, *, replicas: int | None = None, version: str | None = None) -> None:
        """Change what should run."""
        wanted = (self.wished_replicas if replicas is None else replicas, self.wished_version if version is None else version)
        if wanted != (self.wished_replicas, self.wished_version):
            self.wished_replicas, self.wished_version = wanted
            self.ready_at_seconds = now_seconds + takes_seconds

    def settle(self, now_seconds: float) -> None:
        """Let wishes come true that are due."""
        if now_seconds >= self.ready_at_seconds:
            self.replicas, self.version = self.wished_replicas, self.wished_version

    @property
    def settled(self) -> bool:
        """Whether what runs is what was wished for."""
        return (self.replicas, self.version) == (self.wished_replicas, self.wished_version)


@dataclass
class SimulatedRegion:
    """One region."""

    name: str
    postgres: LogStore
    redis: LogStore
    bucket: BucketStore
    agent: SimulatedAgent
    deployments: dict[str, Deployment]
    stores_of: dict[str, str]
    """Kind of store → the region whose store this region's application is told to use."""
    admits: bool
    """Whether the load balancer lets traffic in."""
    archive: LogStore
    """What of the other region's log was archived here: nobody reads or promotes it, a restore takes a copy."""
    runs_nothing: bool = False
    """A fault: every instance died, and none can be started."""
    bucket_silent: bool = False
    """A fault: the bucket answers nothing and takes nothing."""
    resting: dict[str, Deployment] = field(default_factory=dict)
    """Function → the set of instances beside the one that serves, where there is one; `deployments` are those that serve."""
    fresh_for: str | None = None
    """The activation whose fresh set serves."""
    orders: dict[str, Orders] = field(default_factory=dict)
    """Component kind → what that effector has obeyed (the agent keeps its own)."""

    def orders_of(self, effector: str) -> Orders:
        """The orders of one effector."""
        return self.orders.setdefault(effector, Orders())

    def store_of(self, kind: str) -> LogStore:
        """The PostgreSQL or the Redis."""
        return {"postgres": self.postgres, "redis": self.redis}[kind]
