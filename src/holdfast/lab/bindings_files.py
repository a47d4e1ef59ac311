"""The bindings of each site: where everything is, as seen from there. Pure."""

from pathlib import Path

from holdfast.lab.addresses import Host, Port
from holdfast.lab.application.services import RECORDINGS, SERVICES, SESSIONS, TABLES
from holdfast.lab.blueprint import (
    ACCESS_KEY,
    ADMIN_USER,
    BUCKET,
    CONFIG_MAP,
    DATABASE,
    DNS_KEY,
    NAMESPACE,
    TTL_SECONDS,
    ZONE,
    Blueprint,
    Endpoint,
)
from holdfast.lab.channels import channels_of
from holdfast.plan.bindings import (
    AgentBinding,
    Bindings,
    BucketBinding,
    ClusterBinding,
    ComponentBinding,
    ControllerBinding,
    DnsBinding,
    DoorsBinding,
    FunctionBinding,
    LoadBalancerBinding,
    PostgresBinding,
    RedisBinding,
    TableBinding,
    ZoneBinding,
)


def bindings_of(blueprint: Blueprint, site: str) -> Bindings:
    """What a site must know to reach the rest."""
    resolver = blueprint.resolver
    controller = blueprint.home(blueprint.witness, Host.CONTROLLER, Port.CONTROLLER)
    secret = blueprint.layout.secret
    return Bindings(
        environment=f"lab-{blueprint.number}",
        installation=blueprint.identity,
        site=site,
        source_address=blueprint.source(site),
        replication=blueprint.replication,
        resolver_host=resolver.host,
        resolver_port=resolver.port,
        controller=ControllerBinding(
            url=blueprint.at(site, blueprint.witness, Host.CONTROLLER, Port.CONTROLLER).url,
            host=controller.host,
            port=controller.port,
            token_file=secret("controller.token"),
            lease_key_file=secret("lease.key"),
        ),
        agents={
            region: AgentBinding(url=blueprint.at(site, region, Host.AGENT, Port.AGENT).url, key_file=secret(f"agent.{region}.key"))
            for region in blueprint.regions
        },
        components=_components(blueprint, site),
        functions={
            function: FunctionBinding(dns_name=blueprint.dns_name(function), port=Port.ENTRY, path=SERVICES[function].path)
            for function in blueprint.functions
        },
        zones={
            region: {zone: ZoneBinding(host=node.host, port=node.port) for zone, node in _nodes(blueprint, site, region).items()}
            for region in blueprint.regions
        },
        observers={
            observer: blueprint.at(site, observer, Host.OBSERVER, Port.OBSERVER).url
            for observer in blueprint.plan.observers
            if observer in blueprint.sites
        },
        channels=channels_of(blueprint) if site == blueprint.witness else {},
        doors=DoorsBinding(public_url=blueprint.doors.url) if site == blueprint.witness else None,
        state_directory=state_directory(blueprint, site),
    )


def state_directory(blueprint: Blueprint, site: str) -> Path:
    """Where Holdfast's own programs at a site keep their state; the witness's is the controller's, with the journal."""
    return blueprint.layout.controller if site == blueprint.witness else blueprint.layout.site(site) / "state"


def _nodes(blueprint: Blueprint, site: str, region: str) -> dict[str, Endpoint]:
    return {zone: blueprint.at(site, zone, Host.NODE, Port.NODE) for zone in blueprint.zones(region)}


def _components(blueprint: Blueprint, site: str) -> dict[str, dict[str, ComponentBinding]]:
    makers = {
        "postgres": _postgres,
        "redis": _redis,
        "bucket": _bucket,
        "application": _cluster,
        "loadbalancer": _load_balancer,
        "dns": _dns,
    }
    found: dict[str, dict[str, ComponentBinding]] = {}
    for kind, maker in makers.items():
        component = blueprint.component(kind)
        if component is not None:
            found[component] = {region: maker(blueprint, site, region) for region in blueprint.regions}
    return found


def _postgres(blueprint: Blueprint, site: str, region: str) -> ComponentBinding:
    where = blueprint.at(site, region, Host.POSTGRES, Port.POSTGRES)
    password = blueprint.layout.secret("postgres.admin")
    tables = {table: TableBinding() for table in TABLES}
    return PostgresBinding(host=where.host, port=where.port, database=DATABASE, user=ADMIN_USER, password_file=password, records=tables)


def _redis(blueprint: Blueprint, site: str, region: str) -> ComponentBinding:
    where = blueprint.at(site, region, Host.REDIS, Port.REDIS)
    return RedisBinding(host=where.host, port=where.port, password_file=blueprint.layout.secret("redis"), records=SESSIONS)


def _bucket(blueprint: Blueprint, site: str, region: str) -> ComponentBinding:
    return BucketBinding(
        endpoint=blueprint.at(site, region, Host.STORAGE, Port.STORAGE).url,
        bucket=BUCKET,
        access_key=ACCESS_KEY,
        secret_key_file=blueprint.layout.secret("storage"),
        peer_endpoint_from_inside=blueprint.at(region, blueprint.peer(region), Host.STORAGE, Port.STORAGE).url,
        records=RECORDINGS,
        region=region,
        copied="in-order",
    )


def _cluster(blueprint: Blueprint, site: str, region: str) -> ComponentBinding:
    return ClusterBinding(
        url=blueprint.at(site, region, Host.CLUSTER, Port.CLUSTER).url,
        token_file=blueprint.layout.secret(f"cluster.{region}.token"),
        namespace=NAMESPACE,
        deployments={function: function for function in blueprint.functions},
        services={function: function for function in blueprint.functions},
        settings_config_map=CONFIG_MAP,
        stores=blueprint.stores_of(region, region),
        other_stores={blueprint.peer(region): blueprint.stores_of(blueprint.peer(region), region)},
    )


def _load_balancer(blueprint: Blueprint, site: str, region: str) -> ComponentBinding:
    admin = blueprint.at(site, region, Host.LOADBALANCER, Port.LOADBALANCER_ADMIN)
    entry = blueprint.at(site, region, Host.LOADBALANCER, Port.ENTRY)
    return LoadBalancerBinding(
        admin_host=admin.host,
        admin_port=admin.port,
        entry_host=entry.host,
        entry_port=entry.port,
        backends={function: function for function in blueprint.functions},
    )


def _dns(blueprint: Blueprint, _site: str, _region: str) -> ComponentBinding:
    return DnsBinding(
        host=blueprint.resolver.host,
        port=blueprint.resolver.port,
        zone=ZONE,
        key_name=DNS_KEY,
        key_secret_file=blueprint.layout.secret("dns.key"),
        ttl_seconds=TTL_SECONDS,
        entries={region: blueprint.entry(region).host for region in blueprint.regions},
    )
