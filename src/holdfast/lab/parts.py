"""The parts of a lab: what is started or done, what each needs before, and how one knows that it is ready.

A list that reads from the ground up. Pure but for the questions that `ready` asks. Never here: starting anything (see `supervisor`).
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path

from holdfast.agent.os_user import View
from holdfast.lab import channels, readiness, servers, storage_servers
from holdfast.lab.addresses import Host, Port
from holdfast.lab.application.services import SERVICES
from holdfast.lab.archiving import Archiving
from holdfast.lab.blueprint import ACCESS_KEY, BUCKET, OUTSIDE_SITE, Blueprint
from holdfast.lab.bucket import Bucket
from holdfast.lab.ground import Programs, write_whole
from holdfast.lab.postgres_setup import PostgresPasswords, prepare
from holdfast.lab.readiness import Question

APPLICATION_SCHEMA = Path(__file__).resolve().parent / "application" / "schema.sql"


class Wave(IntEnum):
    """The order of stopping: those who ask before those who answer."""

    CALLERS = 0
    SERVERS = 1
    NETWORK = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a lab consists of: a process (`command`), or work that is done once (`work`)."""

    name: str
    title: str
    site: str
    needs: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the command's environment holds besides: secrets belong there, a command line is for everybody."""
    work: Callable[[], None] | None = None
    """Blocking, done in a thread."""
    ready: Question | None = None
    time_limit_seconds: float = 30.0
    wave: Wave = Wave.SERVERS
    working_directory: Path | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What the parts are made with, besides the blueprint."""

    programs: Programs
    os_user: str | None
    secrets: dict[str, str] = field(repr=False)
    plan_path: Path
    view: View | None = None
    """What the programs of `os_user` must be given to reach the lab's directory."""


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def parts_of(blueprint: Blueprint, made_with: Ingredients) -> tuple[Part, ...]:
    """Every part, and before it those that it needs."""
    return (
        _relay(blueprint, made_with),
        _dns(blueprint, made_with),
        _partner(blueprint),
        _receivers(blueprint),
        _doors(blueprint, made_with),
        *(_storage(blueprint, made_with, region) for region in blueprint.regions),
        *(_copier(blueprint, region) for region in blueprint.regions),
        _copying(blueprint, made_with),
        *(_load_balancer(blueprint, made_with, region) for region in blueprint.regions),
        _databases(blueprint, made_with),
        *(_agent(blueprint, region) for region in blueprint.regions),
        *(_stores(blueprint, made_with, region) for region in blueprint.regions),
        *_archive(blueprint, made_with),
        *(_cluster(blueprint, region) for region in blueprint.regions),
        _service(blueprint),
        *(_observer(blueprint, made_with, site) for site in blueprint.plan.observers if site in blueprint.sites),
    )


def with_needs(parts: tuple[Part, ...], names: frozenset[str]) -> tuple[Part, ...]:
    """Only the named parts and all that they need. Raises KeyError for a name that is none."""
    known = {part.name: part for part in parts}
    wanted: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in wanted:
            wanted.add(name)
            left.extend(known[name].needs)
    return tuple(part for part in parts if part.name in wanted)


def _relay(blueprint: Blueprint, made_with: Ingredients) -> Part:
    return Part(
        "relay",
        "network between the sites",
        "",
        command=_module("holdfast.lab.relay", "--config", str(blueprint.layout.configuration_of("relay.json"))),
        ready=readiness.relay(blueprint.relay_control, made_with.secrets["relay.token"]),
        wave=Wave.NETWORK,
        address=str(blueprint.relay_control),
    )


def _dns(blueprint: Blueprint, made_with: Ingredients) -> Part:
    configuration = blueprint.layout.configuration_of("knot.conf")
    return Part(
        "dns",
        "DNS",
        blueprint.witness,
        needs=("relay",),
        command=(str(made_with.programs.knot), "-c", str(configuration)),
        ready=readiness.dns(blueprint),
        working_directory=blueprint.layout.site(blueprint.witness) / "dns",
        address=str(blueprint.resolver),
    )


def _partner(blueprint: Blueprint) -> Part:
    where = blueprint.home(OUTSIDE_SITE, Host.PARTNER, Port.PARTNER)
    return Part(
        "partner",
        "PMS partner",
        OUTSIDE_SITE,
        command=_module("holdfast.lab.application.partner", "--listen", str(where)),
        ready=readiness.http(where, "/healthz"),
        address=str(where),
    )


def _receivers(blueprint: Blueprint) -> Part:
    where = blueprint.home(OUTSIDE_SITE, Host.RECEIVERS, Port.PAGES)
    return Part(
        "receivers",
        "far ends of the channels",
        OUTSIDE_SITE,
        # They stand for other companies' machines, and must not take this one's time from the region that is being saved.
        command=("nice", "-n", "10", *_module("holdfast.lab.receivers", *channels.receivers(blueprint))),
        ready=readiness.log_says(blueprint.layout.log_of("receivers"), "receivers: ready"),
        address=str(where),
    )


def _doors(blueprint: Blueprint, made_with: Ingredients) -> Part:
    settings, bindings = blueprint.layout.configuration_of("serve.json"), blueprint.layout.bindings(blueprint.witness)
    arguments = (str(made_with.plan_path), "--bindings", str(bindings), "--config", str(settings))
    return Part(
        "serve",
        "doors for people's answers",
        blueprint.witness,
        needs=("relay",),
        command=_module("holdfast", "serve", *arguments),
        ready=readiness.http(blueprint.doors, "/healthz"),
        wave=Wave.CALLERS,
        address=str(blueprint.doors),
    )


def _storage(blueprint: Blueprint, made_with: Ingredients, region: str) -> Part:
    where = blueprint.home(region, Host.STORAGE, Port.STORAGE)
    directory, secret = servers.storage_directory(blueprint, region), made_with.secrets["storage"]
    start = storage_servers.start(blueprint.storage, str(where), region, directory, ACCESS_KEY, secret)
    return Part(
        f"storage.{region}",
        f"object storage ({blueprint.storage})",
        region,
        command=start.command,
        environment=start.environment,
        ready=readiness.bucket(_bucket(blueprint, made_with, region), blueprint.primary),
        address=str(where),
    )


def _bucket(blueprint: Blueprint, made_with: Ingredients, region: str) -> Bucket:
    where = blueprint.home(region, Host.STORAGE, Port.STORAGE)
    return Bucket(where.host, where.port, BUCKET, region, ACCESS_KEY, made_with.secrets["storage"])


def _copier(blueprint: Blueprint, region: str) -> Part:
    configuration = blueprint.layout.configuration_of(f"copier.{region}.json")
    return Part(
        f"copier.{region}",
        "copying between buckets",
        region,
        needs=("relay", *(f"storage.{other}" for other in blueprint.regions)),
        command=_module("holdfast.lab.copier", "--config", str(configuration)),
        wave=Wave.CALLERS,
    )


def _copying(blueprint: Blueprint, made_with: Ingredients) -> Part:
    primary, dr = (_bucket(blueprint, made_with, region) for region in blueprint.regions)
    return Part(
        "copying",
        "first object copied across",
        "",
        needs=tuple(f"copier.{region}" for region in blueprint.regions),
        ready=readiness.copying(primary, dr),
    )


def _load_balancer(blueprint: Blueprint, made_with: Ingredients, region: str) -> Part:
    admin = blueprint.home(region, Host.LOADBALANCER, Port.LOADBALANCER_ADMIN)
    configuration = blueprint.layout.configuration_of(f"haproxy.{region}.cfg")
    return Part(
        f"loadbalancer.{region}",
        "load balancer",
        region,
        command=(str(made_with.programs.haproxy), "-db", "-f", str(configuration)),
        ready=readiness.load_balancer(admin),
        address=str(blueprint.home(region, Host.LOADBALANCER, Port.ENTRY)),
    )


def _databases(blueprint: Blueprint, made_with: Ingredients) -> Part:
    primary, replica = (servers.postgres_directory(blueprint, region) for region in blueprint.regions)
    secrets = made_with.secrets
    work = partial(
        prepare,
        primary,
        replica,
        bin_directory=made_with.programs.postgres_bin_directory,
        os_user=made_with.os_user,
        view=made_with.view,
        passwords=PostgresPasswords(secrets["postgres.admin"], secrets["postgres.application"], secrets["postgres.replication"]),
        sql_files=(APPLICATION_SCHEMA,),
    )
    return Part("databases", "PostgreSQL data of both regions", "", work=work, time_limit_seconds=120.0)


def _agent(blueprint: Blueprint, region: str) -> Part:
    where = blueprint.home(region, Host.AGENT, Port.AGENT)
    configuration = blueprint.layout.configuration_of(f"agent.{region}.json")
    return Part(
        f"agent.{region}",
        "agent with guard",
        region,
        needs=("relay", "databases"),
        command=_module("holdfast.agent", "--config", str(configuration)),
        address=str(where),
    )


def _stores(blueprint: Blueprint, made_with: Ingredients, region: str) -> Part:
    writes = region == blueprint.primary
    postgres = blueprint.home(region, Host.POSTGRES, Port.POSTGRES)
    redis = blueprint.home(region, Host.REDIS, Port.REDIS)
    passwords = (made_with.secrets["postgres.admin"], made_with.secrets["redis"])
    return Part(
        f"stores.{region}",
        "PostgreSQL and Redis",
        region,
        # Every agent of both regions: a writer asks the other side for its promise, a replica for its data.
        needs=tuple(f"agent.{other}" for other in blueprint.regions),
        ready=readiness.stores(region, writes, postgres, redis, *passwords),
        time_limit_seconds=60.0,
        address=f"{postgres}, {redis}",
    )


def _archiving(blueprint: Blueprint, made_with: Ingredients) -> Archiving:
    return Archiving(blueprint, blueprint.dr, made_with.programs.postgres_bin_directory, made_with.os_user, made_with.view)


def _archive(blueprint: Blueprint, made_with: Ingredients) -> tuple[Part, Part]:
    """What the DR region can restore from: the primary's log, and a base backup taken once the log flows."""
    archiving, password = _archiving(blueprint, made_with), made_with.secrets["postgres.replication"]
    receiver = f"receiver.{blueprint.dr}"
    return (
        Part(
            receiver,
            "log of the other region's PostgreSQL",
            blueprint.dr,
            needs=("relay", f"stores.{blueprint.primary}"),
            command=archiving.receiving(),
            environment={"PGPASSWORD": password},
            ready=archiving.arrives(),
            wave=Wave.CALLERS,
        ),
        Part(
            f"backup.{blueprint.dr}",
            "base backup of PostgreSQL",
            blueprint.dr,
            needs=(receiver,),
            work=partial(archiving.take_backup, password),
            time_limit_seconds=60.0,
        ),
    )


def _cluster(blueprint: Blueprint, region: str) -> Part:
    configuration = blueprint.layout.configuration_of(f"cluster.{region}.json")
    name = f"cluster.{region}"
    return Part(
        name,
        "application",
        region,
        needs=("partner", f"storage.{blueprint.primary}", f"stores.{blueprint.primary}"),
        command=_module("holdfast.lab.cluster", "--config", str(configuration)),
        ready=readiness.log_says(blueprint.layout.log_of(name), f"ready {region}"),
        time_limit_seconds=60.0,
        wave=Wave.CALLERS,
        address=str(blueprint.home(region, Host.CLUSTER, Port.CLUSTER)),
    )


def _service(blueprint: Blueprint) -> Part:
    paths = {function: SERVICES[function].path for function in blueprint.functions}
    return Part(
        "service",
        "first transaction of every function",
        "",
        needs=("dns", f"cluster.{blueprint.primary}", f"loadbalancer.{blueprint.primary}"),
        ready=readiness.service(blueprint, paths),
        address=str(blueprint.entry(blueprint.primary)),
    )


def _observer(blueprint: Blueprint, made_with: Ingredients, site: str) -> Part:
    where = blueprint.home(site, Host.OBSERVER, Port.OBSERVER)
    bindings, plan = str(blueprint.layout.bindings(site)), str(made_with.plan_path)
    return Part(
        f"observer.{site}",
        "observer",
        site,
        needs=("dns", "service", *(f"stores.{region}" for region in blueprint.regions)),
        command=_module("holdfast", "observe", "--bindings", bindings, "--plan", plan, "--profile", blueprint.profile_name),
        ready=readiness.http(where, "/healthz"),
        wave=Wave.CALLERS,
        address=str(where),
    )


def write_configuration(blueprint: Blueprint, made_with: Ingredients) -> None:
    """Write the configuration file of every server."""
    layout, secrets = blueprint.layout, made_with.secrets
    # Holds the relay's token, so it is for the owner's eyes like the secrets: the folder is closed for others.
    layout.configuration.chmod(0o700)

    def write_json(name: str, value: object) -> None:
        write_whole(layout.configuration_of(name), json.dumps(value, indent=2))

    write_json("serve.json", channels.doors(blueprint))
    write_json("relay.json", servers.relay(blueprint, secrets["relay.token"]).as_json())
    write_whole(layout.configuration_of("knot.conf"), servers.knot(blueprint, secrets["dns.key"]))
    zone = layout.site(blueprint.witness) / "dns" / servers.ZONE_FILE
    zone.parent.mkdir(parents=True)
    write_whole(zone, servers.zone(blueprint))
    _archiving(blueprint, made_with).make_folders()
    for region in blueprint.regions:
        for folder in ("agent", "cluster"):
            (layout.site(region) / folder).mkdir(parents=True)
        storage_servers.make_folders(servers.storage_directory(blueprint, region))
        write_whole(layout.configuration_of(f"haproxy.{region}.cfg"), servers.haproxy(blueprint, region))
        write_json(f"agent.{region}.json", servers.agent(blueprint, region, made_with.programs, made_with.os_user, made_with.view))
        write_json(f"cluster.{region}.json", servers.cluster(blueprint, region))
        write_json(f"copier.{region}.json", servers.copier(blueprint, region))
