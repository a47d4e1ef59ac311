"""What a lab will be: the plan's regions, functions and components placed on addresses and files.

Pure: plan, number and paths in, names and addresses out. Everything that servers and bindings are configured with is asked here,
so that no two of them can disagree. Never here: writing files (see `ground`), the form of a server's configuration (see `servers`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.lab import addresses
from holdfast.lab.addresses import DR, OUTSIDE, PRIMARY, WITNESS, Host, Port
from holdfast.lab.application.services import SERVICES
from holdfast.lab.ground import LabProblem
from holdfast.lab.layout import Layout
from holdfast.lab.storage_servers import StorageServer
from holdfast.plan.model import Plan, Profile, Step

OUTSIDE_SITE = "outside"
ZONE = "voicehive.test"
TTL_SECONDS = 1
DNS_KEY = "holdfast"
DATABASE = "voicehive"
ADMIN_USER = "holdfast"
APPLICATION_USER = "voicehive"
REPLICATION_USER = "replication"
BUCKET = "voicehive"
ACCESS_KEY = "voicehive"
NAMESPACE = "voicehive"
CONFIG_MAP = "voicehive-settings"
FIRST_ERA, FIRST_EPOCH = 0, 1
RETENTION_SECONDS = 24 * 3600
"""How long a recording is held against removal. A company's law says years; a lab is thrown away with its disk."""

Replication = Literal["asynchronous", "synchronous"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As HTTP."""
        return f"http://{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A lab to be built. `identity` marks its processes and control groups."""

    identity: str
    number: int
    plan: Plan
    profile_name: str
    replication: Replication
    layout: Layout
    storage: StorageServer = StorageServer.MOTO

    @property
    def primary(self) -> str:
        """The region that serves first."""
        return self.plan.primary_region()

    @property
    def dr(self) -> str:
        """The region that takes over."""
        return self.plan.dr_region()

    @property
    def regions(self) -> tuple[str, str]:
        """Both regions, the primary first."""
        return self.primary, self.dr

    @property
    def witness(self) -> str:
        """The third place."""
        return self.plan.witness

    @property
    def sites(self) -> dict[str, int]:
        """Name of every site to its number."""
        return {self.primary: PRIMARY, self.dr: DR, self.witness: WITNESS, OUTSIDE_SITE: OUTSIDE}

    def zones(self, region: str) -> tuple[str, ...]:
        """The region's two zones, the one with its stores first: as the plan names them, or after the region where it names too few."""
        named = self.plan.regions[region].zones
        return (*named, *(f"{region}{letter}" for letter in "ab"[len(named) :]))

    @property
    def places(self) -> dict[str, int]:
        """Name of every site and zone to its number."""
        zones = {
            zone: addresses.zone(self.sites[region], place) for region in self.regions for place, zone in enumerate(self.zones(region))
        }
        return {**self.sites, **zones}

    @property
    def profile(self) -> Profile:
        """Timing of lease and decision."""
        return self.plan.profiles[self.profile_name]

    def peer(self, region: str) -> str:
        """The other region."""
        return self.dr if region == self.primary else self.primary

    def at(self, viewer: str, site: str, host: Host, port: Port) -> Endpoint:
        """Where `viewer` (a site or a zone) reaches something of a site or zone."""
        standing = addresses.standing(self.places[site], host)
        return Endpoint(addresses.seen_from(self.number, self.places[viewer], standing, host), int(port))

    def home(self, site: str, host: Host, port: Port) -> Endpoint:
        """Where a server of a site or zone listens."""
        return Endpoint(addresses.address(self.number, addresses.standing(self.places[site], host), host), int(port))

    def entry(self, region: str) -> Endpoint:
        """The public entry of a region."""
        return Endpoint(addresses.public_entry(self.number, self.sites[region]), int(Port.ENTRY))

    @property
    def resolver(self) -> Endpoint:
        """The DNS server as everybody reaches it."""
        return Endpoint(addresses.public_dns(self.number), int(Port.DNS))

    @property
    def doors(self) -> Endpoint:
        """`holdfast serve` as everybody reaches it."""
        return Endpoint(addresses.public_doors(self.number), int(Port.DOORS))

    def source(self, place: str) -> str:
        """The address that programs of a site or zone call from."""
        return addresses.source(self.number, self.places[place])

    @property
    def control(self) -> Endpoint:
        """Where the supervisor takes commands."""
        return Endpoint(addresses.address(self.number, 0, Host.SUPERVISOR), int(Port.CONTROL))

    @property
    def relay_control(self) -> Endpoint:
        """Where the relay takes commands."""
        return Endpoint(addresses.address(self.number, 0, Host.RELAY), int(Port.CONTROL))

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions, in the plan's order."""
        return tuple(self.plan.functions)

    def dns_name(self, function: str) -> str:
        """The name that clients of a function ask for."""
        return f"{function}.{ZONE}"

    def application(self, viewer: str, zone: str, function: str) -> str:
        """The host of a function's instances in a zone, as `viewer` reaches it."""
        host = addresses.application_host(self.functions.index(function))
        return addresses.seen_from(self.number, self.places[viewer], self.places[zone], host)

    def routes(self, region: str, zone: str) -> dict[str, str]:
        """First bytes of each address as the region sees it → as its zone does."""
        return addresses.routes(self.number, self.sites[region], self.places[zone])

    def component(self, kind: str) -> str | None:
        """The plan's component of a kind; the lab has one of each."""
        return next(iter(self.plan.components_of(kind)), None)

    def stores_of(self, region: str, viewer: str) -> dict[str, str]:
        """The application's settings that name a region's stores, as `viewer` reaches them."""
        return {
            "database": f"postgresql://{APPLICATION_USER}@{self.at(viewer, region, Host.POSTGRES, Port.POSTGRES)}/{DATABASE}",
            "cache": f"redis://{self.at(viewer, region, Host.REDIS, Port.REDIS)}",
            "storage": f"{self.at(viewer, region, Host.STORAGE, Port.STORAGE).url}/{BUCKET}?region={region}",
        }

    def full_size(self) -> dict[str, int]:
        """Instances of each function where it is served: the plan's size, or what the plan scales the DR region up to."""
        sizes = {function: of.size.run for function, of in self.plan.functions.items() if of.size is not None}
        replicas = self._first_parameters("application.scale").get("replicas", 2)
        if isinstance(replicas, Mapping):
            return {function: int(replicas.get(function, 1)) for function in self.functions} | sizes
        return dict.fromkeys(self.functions, int(replicas)) | sizes

    def version(self) -> str:
        """The application's version in production: what the plan brings the DR region to."""
        return str(self._first_parameters("application.deploy").get("version", "2"))

    def version_before(self) -> str:
        """The version that the DR region starts with: one behind."""
        version = self.version()
        return str(int(version) - 1) if version.isdigit() and int(version) > 0 else f"{version}-before"

    def slot(self, region: str) -> str:
        """The replication slot that a region's replica uses on the other side."""
        return "holdfast_" + "".join(character if character.isalnum() else "_" for character in region)

    def _first_parameters(self, block: str) -> Mapping[str, Any]:
        steps = (step for scenario in self.plan.scenarios.values() for phase in scenario.phases for step in phase.steps)
        return next((_parameters(step) for step in steps if step.block == block), {})


def _parameters(step: Step) -> Mapping[str, Any]:
    return step.parameters


def refuse_unsuitable(plan: Plan, profile: str, replication: str) -> None:
    """Raise LabProblem for a plan that the lab can't be built for."""
    if profile not in plan.profiles:
        raise LabProblem(f"the plan has no profile '{profile}'; it has {', '.join(plan.profiles)}")
    if replication not in ("asynchronous", "synchronous"):
        raise LabProblem(f"'{replication}' is no way to replicate; say asynchronous or synchronous")
    unknown = [function for function in plan.functions if function not in SERVICES]
    if unknown:
        raise LabProblem(f"the lab's application serves {', '.join(SERVICES)}, and the plan has {', '.join(unknown)} besides")
    for name, region in plan.regions.items():
        if len(region.zones) > addresses.ZONES_PER_REGION:
            raise LabProblem(f"the lab has {addresses.ZONES_PER_REGION} zones a region; the plan has {len(region.zones)} in {name}")
    roles = sorted(region.role for region in plan.regions.values())
    if roles != ["dr", "primary"]:
        raise LabProblem(f"the lab has two regions, a primary and a DR; the plan has {', '.join(roles) or 'none'}")
