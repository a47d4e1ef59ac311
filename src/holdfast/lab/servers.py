"""The configuration of every server of a lab, as text or as what goes into a JSON file. Pure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast.agent.os_user import View
from holdfast.lab import addresses, storage_servers
from holdfast.lab.addresses import Host, Port
from holdfast.lab.archiving import backup_directory, received_directory
from holdfast.lab.blueprint import (
    ACCESS_KEY,
    ADMIN_USER,
    BUCKET,
    CONFIG_MAP,
    DATABASE,
    DNS_KEY,
    FIRST_EPOCH,
    FIRST_ERA,
    NAMESPACE,
    OUTSIDE_SITE,
    REPLICATION_USER,
    RETENTION_SECONDS,
    TTL_SECONDS,
    ZONE,
    Blueprint,
)
from holdfast.lab.ground import Programs
from holdfast.lab.relay import Listener, RelayConfig
from holdfast.lab.storage_servers import StorageServer

HERE = "/proc/self/cwd"
"""Knot turns every path into an absolute one, and a socket's may be 107 bytes at most: this is the working directory, in short."""

ZONE_FILE = f"{ZONE}.zone"


def relay(blueprint: Blueprint, token: str) -> RelayConfig:
    """Every link between any two sites, and the public entries."""
    prefixes = {f"127.{blueprint.number}.{number}.": place for place, number in blueprint.places.items()}
    listeners = (*_links(blueprint), *_instances(blueprint), *_public(blueprint))
    control = blueprint.relay_control
    zones = {zone: region for region in blueprint.regions for zone in blueprint.zones(region)}
    return RelayConfig(tuple(blueprint.sites), prefixes, OUTSIDE_SITE, listeners, control.host, control.port, token, zones)


def _links(blueprint: Blueprint) -> Iterator[Listener]:
    names = {number: place for place, number in blueprint.places.items()}
    for service in addresses.services():
        target = addresses.address(blueprint.number, service.site, service.host)
        for viewer in addresses.PLACES:
            if viewer != service.site:
                here = addresses.seen_from(blueprint.number, viewer, service.site, service.host)
                yield Listener(here, service.port, target, service.port, names[service.site], names[viewer], service.datagrams)


def _instances(blueprint: Blueprint) -> Iterator[Listener]:
    """The way of a region's load balancer, and of whoever looks after the instances, to each place that one may take."""
    for region in blueprint.regions:
        for zone in blueprint.zones(region):
            for function in blueprint.functions:
                here, target = blueprint.application(region, zone, function), blueprint.application(zone, zone, function)
                for port in (*addresses.application_ports(), *addresses.fresh_application_ports()):
                    yield Listener(here, port, target, port, zone, region)


def _public(blueprint: Blueprint) -> Iterator[Listener]:
    for region in blueprint.regions:
        here, target = blueprint.entry(region), blueprint.home(region, Host.LOADBALANCER, Port.ENTRY)
        yield Listener(here.host, here.port, target.host, target.port, region)
    here, target = blueprint.doors, blueprint.home(blueprint.witness, Host.DOORS, Port.DOORS)
    yield Listener(here.host, here.port, target.host, target.port, blueprint.witness)
    here, target = blueprint.resolver, blueprint.home(blueprint.witness, Host.DNS, Port.DNS)
    yield Listener(here.host, here.port, target.host, target.port, blueprint.witness, datagrams=True)


def knot(blueprint: Blueprint, key: str) -> str:
    """Knot's configuration: one zone that the key may change. It runs with the folder of its zone as working directory."""
    where = blueprint.home(blueprint.witness, Host.DNS, Port.DNS)
    return f"""\
server:
    listen: {where.host}@{where.port}
    rundir: {HERE}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: {HERE}/knot.sock
database:
    storage: {HERE}
log:
  - target: stdout
    any: info
key:
  - id: {DNS_KEY}
    algorithm: hmac-sha256
    secret: {key}
acl:
  - id: holder-of-the-key
    key: {DNS_KEY}
    action: update
zone:
  - domain: {ZONE}
    file: {HERE}/{ZONE_FILE}
    acl: holder-of-the-key
    zonefile-sync: -1
"""


def zone(blueprint: Blueprint) -> str:
    """The zone as it stands at the start: every function at the primary's public entry."""
    entry = blueprint.entry(blueprint.primary).host
    functions = "".join(f"{function} A {entry}\n" for function in blueprint.functions)
    return f"""\
$ORIGIN {ZONE}.
$TTL {TTL_SECONDS}
@ SOA ns hostmaster 1 3600 600 86400 {TTL_SECONDS}
@ NS ns
ns A {blueprint.resolver.host}
{functions}"""


def haproxy(blueprint: Blueprint, region: str) -> str:
    """One region's load balancer: a backend per function with a place for each possible instance; the DR region's start closed."""
    entry = blueprint.home(region, Host.LOADBALANCER, Port.ENTRY)
    admin = blueprint.home(region, Host.LOADBALANCER, Port.LOADBALANCER_ADMIN)
    closed = "" if region == blueprint.primary else " disabled"
    routes = "".join(
        f"    use_backend {function} if {{ req.hdr(host),field(1,:),lower -m str {blueprint.dns_name(function)} }}\n"
        for function in blueprint.functions
    )
    backends = "\n".join(_backend(blueprint, region, function, closed) for function in blueprint.functions)
    return f"""\
global
    stats socket ipv4@{admin.host}:{admin.port} level admin
    stats timeout 30s
    maxconn 4000
    nbthread 1
    log stdout format raw daemon notice

defaults
    mode http
    log global
    timeout connect 500ms
    timeout client 15s
    timeout server 5s
    timeout queue 1s
    timeout http-request 10s
    timeout http-keep-alive 15s
    retries 2
    option redispatch
    option dontlognull
    default-server check inter 400ms fastinter 150ms downinter 300ms fall 2 rise 1

frontend entry
    bind {entry.host}:{entry.port}
{routes}    default_backend nobody

backend nobody
    http-request return status 404 content-type text/plain string "no function has this name"

{backends}"""


def _backend(blueprint: Blueprint, region: str, function: str, closed: str) -> str:
    servers = "".join(
        f"    server {zone}-{place} {blueprint.application(region, zone, function)}:{port}{closed}\n"
        for zone in blueprint.zones(region)
        for place, port in enumerate(addresses.application_ports(), 1)
    )
    return f"""\
backend {function}
    balance leastconn
    option httpchk GET /healthz
    http-check expect status 200
{servers}"""


def agent(blueprint: Blueprint, region: str, programs: Programs, os_user: str | None, view: View | None = None) -> dict[str, Any]:
    """What the agent of a region is started with; it starts PostgreSQL and Redis itself."""
    peer, layout = blueprint.peer(region), blueprint.layout
    listen = blueprint.home(region, Host.AGENT, Port.AGENT)
    profile, zone = blueprint.profile, blueprint.zones(region)[0]
    return {
        "region": region,
        "state_directory": str(layout.site(region) / "agent"),
        "listen": [listen.host, listen.port],
        "key_file": str(layout.secret(f"agent.{region}.key")),
        "controller": {
            "url": blueprint.at(zone, blueprint.witness, Host.CONTROLLER, Port.CONTROLLER).url,
            "key_file": str(layout.secret("lease.key")),
        },
        "peer": {
            "region": peer,
            "url": blueprint.at(zone, peer, Host.AGENT, Port.AGENT).url,
            "key_file": str(layout.secret(f"agent.{peer}.key")),
        },
        "lease": {"ttl_seconds": profile.lease, "drift": profile.drift, "margin_seconds": profile.margin},
        "installation": blueprint.identity,
        "initial": {"era": FIRST_ERA, "epoch": FIRST_EPOCH, "holder": blueprint.primary},
        "cgroup": "auto",
        "replication": blueprint.replication,
        "postgres": {**_postgres(blueprint, region, programs, os_user), "view": None if view is None else view.as_json()},
        "redis": _redis(blueprint, region, programs),
    }


def _postgres(blueprint: Blueprint, region: str, programs: Programs, os_user: str | None) -> dict[str, Any]:
    peer, layout = blueprint.peer(region), blueprint.layout
    here = blueprint.home(region, Host.POSTGRES, Port.POSTGRES)
    there = blueprint.at(blueprint.zones(region)[0], peer, Host.POSTGRES, Port.POSTGRES)
    return {
        "bin_directory": str(programs.postgres_bin_directory),
        "data_directory": str(postgres_directory(blueprint, region)),
        "host": here.host,
        "port": here.port,
        "os_user": os_user,
        "settings": {},
        "peer_host": there.host,
        "peer_port": there.port,
        "replication_user": REPLICATION_USER,
        "replication_password_file": str(layout.secret("postgres.replication")),
        "slot": blueprint.slot(peer),
        "admin_user": ADMIN_USER,
        "admin_password_file": str(layout.secret("postgres.admin")),
        "database": DATABASE,
        "archive_directory": str(archive_directory(blueprint, region)),
        "backup_directory": str(backup_directory(blueprint, region)) if region == blueprint.dr else None,
        "received_directory": str(received_directory(blueprint, region)) if region == blueprint.dr else None,
    }


def _redis(blueprint: Blueprint, region: str, programs: Programs) -> dict[str, Any]:
    here = blueprint.home(region, Host.REDIS, Port.REDIS)
    there = blueprint.at(blueprint.zones(region)[0], blueprint.peer(region), Host.REDIS, Port.REDIS)
    return {
        "binary": str(programs.redis),
        "directory": str(blueprint.layout.site(region) / "redis"),
        "host": here.host,
        "port": here.port,
        "os_user": None,
        "password_file": str(blueprint.layout.secret("redis")),
        "peer_host": there.host,
        "peer_port": there.port,
    }


def postgres_directory(blueprint: Blueprint, region: str) -> Path:
    """Where a region's PostgreSQL keeps its data."""
    return blueprint.layout.site(region) / "postgres"


def archive_directory(blueprint: Blueprint, region: str) -> Path:
    """Where a region's PostgreSQL archives its log."""
    return blueprint.layout.site(region) / "archive"


def cluster(blueprint: Blueprint, region: str) -> dict[str, Any]:
    """What a region's cluster is started with. The DR region starts small, one version behind, and on the primary's stores."""
    layout = blueprint.layout
    listen = blueprint.home(region, Host.CLUSTER, Port.CLUSTER)
    serves = region == blueprint.primary
    version = blueprint.version() if serves else blueprint.version_before()
    sizes = blueprint.full_size() if serves else dict.fromkeys(blueprint.functions, 1)
    ports, fresh_ports = addresses.application_ports(), addresses.fresh_application_ports()
    admin = blueprint.home(region, Host.LOADBALANCER, Port.LOADBALANCER_ADMIN)
    return {
        "region": region,
        "listen": [listen.host, listen.port],
        "token_file": str(layout.secret(f"cluster.{region}.token")),
        "namespace": NAMESPACE,
        "load_balancer": [admin.host, admin.port],
        "directory": str(layout.site(region) / "cluster"),
        "config_map": CONFIG_MAP,
        "settings": {
            **blueprint.stores_of(blueprint.primary, region),
            "storage_retention_seconds": str(RETENTION_SECONDS),
            "access_key": ACCESS_KEY,
            "partner": blueprint.at(region, OUTSIDE_SITE, Host.PARTNER, Port.PARTNER).url,
        },
        "files": {
            "database_password": str(layout.secret("postgres.application")),
            "cache_password": str(layout.secret("redis")),
            "storage_secret_key": str(layout.secret("storage")),
        },
        "functions": {
            function: {
                "deployment": function,
                "replicas": sizes[function],
                "image": f"voicehive/{function}:{version}",
                "zones": [
                    {
                        "zone": zone,
                        "address": blueprint.application(zone, zone, function),
                        "seen_as": blueprint.application(region, zone, function),
                        "ports": [ports.start, ports.stop - 1],
                        "fresh_ports": [fresh_ports.start, fresh_ports.stop - 1],
                    }
                    for zone in blueprint.zones(region)
                ],
            }
            for function in blueprint.functions
        },
        "zones": {
            zone: {"listen": [node.host, node.port], "routes": blueprint.routes(region, zone)}
            for zone in blueprint.zones(region)
            for node in [blueprint.home(zone, Host.NODE, Port.NODE)]
        },
    }


def copier(blueprint: Blueprint, region: str) -> dict[str, Any]:
    """What the copying out of a region's bucket is started with."""
    here = blueprint.home(region, Host.STORAGE, Port.STORAGE)
    there = blueprint.at(region, blueprint.peer(region), Host.STORAGE, Port.STORAGE)
    real = blueprint.storage is StorageServer.VERSITYGW
    return {
        "region": region,
        "bucket": BUCKET,
        "access_key": ACCESS_KEY,
        "secret_key_file": str(blueprint.layout.secret("storage")),
        "here": [here.host, here.port, region],
        "there": [there.host, there.port, blueprint.peer(region)],
        "access_log": str(storage_servers.access_log(storage_directory(blueprint, region))) if real else None,
    }


def storage_directory(blueprint: Blueprint, region: str) -> Path:
    """Where a region's real storage keeps its objects."""
    return blueprint.layout.site(region) / "storage"
