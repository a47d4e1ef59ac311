"""Where the plan's things really are: addresses and references to secrets, as one site sees them.

The plan says what; bindings say where. The lab writes one file per site (`bindings.<site>.json`), because
the same PostgreSQL has another address behind every link. Secrets stand in files of their own.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from holdfast.plan.channel_bindings import AudienceBinding, ChannelBinding


class _Binding(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableBinding(_Binding):
    """Where a table keeps what transactions write: which column holds the request's identifier, and which say who wrote when.

    A ledger's key for its rows is `<table>/<request>`."""

    request: str = "request"
    epoch: str | None = "epoch"
    region: str | None = "region"
    written_at: str | None = "written_at"
    """A column of the type `timestamptz`: the store's own clock."""


class PostgresBinding(_Binding):
    """One PostgreSQL server, as an administrator and prober reaches it."""

    kind: Literal["postgres"] = "postgres"
    host: str
    port: int
    database: str
    user: str
    password_file: Path
    records: dict[str, TableBinding] = Field(default_factory=dict)
    """Tables that transactions write, for the count of what was lost. None named: not known."""


class RedisBinding(_Binding):
    """One Redis server."""

    kind: Literal["redis"] = "redis"
    host: str
    port: int
    password_file: Path
    records: tuple[str, ...] = ()
    """What stands before the request's identifier in the keys that transactions write. None named: not known."""


class BucketBinding(_Binding):
    """One S3-compatible bucket, and the control address of the copying into it from the other region."""

    kind: Literal["bucket"] = "bucket"
    endpoint: str
    bucket: str
    access_key: str
    secret_key_file: Path
    peer_endpoint_from_inside: str
    """The other region's endpoint as this region itself reaches it: what replication is configured with."""
    records: tuple[str, ...] = ()
    """As with Redis, for names of objects."""
    region: str = "us-east-1"
    """The region's name as the storage itself knows it: requests are signed for it."""
    copied: Literal["in-order", "any-order"] = "any-order"
    """Whether the copying keeps the order of writing. Where it doesn't (a cloud's own), the marker's arrival proves nothing about
    what was written before it: the live RPO is then taken from comparing both buckets' lists. Order must be said: where nobody
    does, none is promised."""


class ClusterBinding(_Binding):
    """One Kubernetes API. `deployments` maps each function to its Deployment.

    What the token must be allowed to do, all in the one namespace: `get`, `patch` on Deployments and ConfigMaps. Where `services` are
    bound, and so `application.fresh` may start a second set of instances: `get`, `create`, `update`, `patch` on Deployments, `get`,
    `patch` on Services, `list` on Pods and `create` on `pods/proxy`. Nothing is ever deleted.
    """

    kind: Literal["application"] = "application"
    url: str
    token_file: Path
    namespace: str
    deployments: dict[str, str]
    services: dict[str, str] = Field(default_factory=dict)
    """Function → its Service, whose selector says by the label `holdfast/set` which set of instances serves. None named: there is one."""
    settings_config_map: str
    stores: dict[str, str]
    """What `settings.update` writes: key of the ConfigMap to address of this region's store, as the application here reaches it.

    Keys that are named as components of the plan can be pointed at the other region's one by one."""
    other_stores: dict[str, dict[str, str]] = Field(default_factory=dict)
    """The same for stores of another region, by that region: for what moves without the rest."""


class LoadBalancerBinding(_Binding):
    """One HAProxy: its runtime API over TCP, and the address that clients use."""

    kind: Literal["loadbalancer"] = "loadbalancer"
    admin_host: str
    admin_port: int
    entry_host: str
    entry_port: int
    backends: dict[str, str]
    """Function to HAProxy backend."""


class DnsBinding(_Binding):
    """The authoritative server of the functions' zone. The same for every region."""

    kind: Literal["dns"] = "dns"
    host: str
    port: int
    zone: str
    key_name: str
    key_secret_file: Path
    key_algorithm: str = "hmac-sha256"
    ttl_seconds: int
    entries: dict[str, str]
    """Region to the public address that is published when it serves."""


ComponentBinding = Annotated[
    PostgresBinding | RedisBinding | BucketBinding | ClusterBinding | LoadBalancerBinding | DnsBinding,
    Field(discriminator="kind"),
]


class FunctionBinding(_Binding):
    """How a client reaches a function: name in DNS, port of the entry, and the path of its transaction."""

    dns_name: str
    port: int
    path: str
    tls: bool = False
    """HTTPS, with the certificate checked against `dns_name`."""
    ca_file: Path | None = None
    """Who may sign that certificate; the machine's own list when absent."""
    token_file: Path | None = None
    """Sent as `authorization: Bearer`: the test customer's."""


class ZoneBinding(_Binding):
    """Something that stands in a zone and answers over HTTP as long as the zone does: a zonal entry, a node's health check.

    Status 200 is up. When its JSON holds `instances` (function → how many are ready there), Holdfast says what a lost zone leaves.
    """

    host: str
    port: int
    path: str = "/healthz"


class AgentBinding(_Binding):
    """The agent beside a region's writers; orders are signed with the key in `key_file`."""

    url: str
    key_file: Path


class ControllerBinding(_Binding):
    """Where the controller listens (agents' leases, people's commands)."""

    url: str
    host: str
    port: int
    token_file: Path
    lease_key_file: Path


class DoorsBinding(_Binding):
    """`holdfast serve` as people reach it: what links in messages lead to."""

    public_url: str
    link_key_file: Path | None = None
    """The key that seals links; `serve/link.key` in the state directory when absent, as `holdfast serve` has it."""


class Bindings(_Binding):
    """Everything one site must know to reach the rest."""

    schema_: Literal["holdfast/bindings/v1"] = Field(alias="schema", default="holdfast/bindings/v1")
    environment: str
    installation: str = ""
    """Which installation this is: the journal and the agents must say the same. Empty: what the journal or the agents say."""
    site: str
    source_address: str | None = None
    """Address that outgoing connections are made from (loopback fabric: it says which site they come from)."""
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    """How the database really replicates here: an environment may differ from the plan, and says so."""
    resolver_host: str
    resolver_port: int
    controller: ControllerBinding
    agents: dict[str, AgentBinding]
    components: dict[str, dict[str, ComponentBinding]]
    """Component of the plan → region → where it is. DNS stands under every region alike."""
    functions: dict[str, FunctionBinding]
    zones: dict[str, dict[str, ZoneBinding]] = Field(default_factory=dict)
    """Region → zone → where it is looked at."""
    observers: dict[str, str]
    """Site to base URL of its observer."""
    channels: dict[str, ChannelBinding] = Field(default_factory=dict)
    """Channel of the plan → its ways. One that isn't bound is written to a file of the state directory."""
    audiences: dict[str, AudienceBinding] = Field(default_factory=dict)
    """Audience of the plan → what its directory asks for."""
    doors: DoorsBinding | None = None
    """Where links in messages lead. None: messages carry no links."""
    state_directory: Path

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
