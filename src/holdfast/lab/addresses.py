"""Where everything stands in a lab on loopback addresses: sites, hosts, ports, and what one site sees of another.

Pure arithmetic over `127.N.x.y` (see docs/architecture.md): a lab has a number N, a server listens on its own site's
address, and whoever is elsewhere reaches it only through the relay of the link between the two sites. Never here:
sockets (see `number`), names of regions other than those passed in.
"""

from dataclasses import dataclass
from enum import IntEnum

PRIMARY, DR, WITNESS, OUTSIDE = 1, 2, 3, 4
"""Sites. The primary and the DR region keep their numbers whatever the plan calls them."""
SITES = (PRIMARY, DR, WITNESS, OUTSIDE)
REGIONS = (PRIMARY, DR)
ZONES_PER_REGION = 2
ZONES = (5, 6, 7, 8)
"""Zones are places of their own: two of the primary region, then two of the DR region."""
PLACES = (*SITES, *ZONES)

FIRST_APPLICATION_HOST = 20
APPLICATION_HOSTS = 10
FIRST_APPLICATION_PORT = 28100
APPLICATION_SLOTS = 4
"""Instances of one function that a region's load balancer leads to in each zone: ports 28100 to 28103 on the function's host there."""

LOWEST_NUMBER, HIGHEST_NUMBER = 1, 250


class Host(IntEnum):
    """Last byte of an address: what stands there."""

    SUPERVISOR = 1
    RELAY = 2
    POSTGRES = 10
    REDIS = 11
    STORAGE = 12
    LOADBALANCER = 13
    CLUSTER = 14
    AGENT = 15
    OBSERVER = 16
    NODE = 17
    """Says what runs in a zone."""
    DNS = 30
    CONTROLLER = 31
    DOORS = 32
    PARTNER = 40
    RECEIVERS = 41
    """The far ends of the channels."""
    CALLER = 50
    """Nothing listens here: connections that a site's programs make come from it."""


ZONAL_HOSTS = frozenset({Host.POSTGRES, Host.REDIS, Host.AGENT})
"""What stands in a region's first zone."""


class Port(IntEnum):
    """One port per service; all below the range that the kernel gives to outgoing connections."""

    POSTGRES = 25432
    REDIS = 26379
    STORAGE = 29000
    ENTRY = 28080
    LOADBALANCER_ADMIN = 28081
    CLUSTER = 26443
    AGENT = 27001
    DNS = 25353
    CONTROLLER = 27100
    OBSERVER = 27200
    PARTNER = 28090
    DOORS = 27300
    PAGES = 28201
    CHAT = 28202
    CHAT_SECOND = 28203
    MAIL = 28204
    MAIL_SECOND = 28205
    TELEPHONE = 28206
    TELEPHONE_SECOND = 28207
    WEBHOOKS = 28208
    WEBHOOKS_SECOND = 28209
    NODE = 26250
    SUPERVISOR_LOCK = 27998
    CONTROL = 27999


RECEIVERS = (
    Port.PAGES,
    Port.CHAT,
    Port.CHAT_SECOND,
    Port.MAIL,
    Port.MAIL_SECOND,
    Port.TELEPHONE,
    Port.TELEPHONE_SECOND,
    Port.WEBHOOKS,
    Port.WEBHOOKS_SECOND,
)
"""Where the far ends of the channels listen, outside."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something that other places reach through links. `site`: the place where it stands."""

    site: int
    host: int
    port: int
    datagrams: bool = False
    """Reached over UDP too."""


def zone(region: int, place: int) -> int:
    """The first (0) or second (1) zone of a region."""
    return ZONES[ZONES_PER_REGION * (region - 1) + place]


def standing(site: int, host: int) -> int:
    """The place where a host of a site stands: in a region, stores and their agent stand in the first zone, the rest spans the zones."""
    return zone(site, 0) if site in REGIONS and host in ZONAL_HOSTS else site


def address(number: int, site: int, host: int) -> str:
    """The host itself, as its own place sees it and as its server listens."""
    return f"127.{number}.{site}.{host}"


def seen_from(number: int, viewer: int, site: int, host: int) -> str:
    """The address under which `viewer` reaches a host of `site` (both places): the host itself at home, else the relay between the two."""
    return address(number, site, host) if viewer == site else f"127.{number}.{_relayed(viewer, site)}.{host}"


def _relayed(viewer: int, place: int) -> int:
    # Those of two sites are 12 to 43, the public entries 51 to 53, and all that concern a zone lie above.
    pair = 10 * viewer + place
    return pair if viewer in SITES and place in SITES else 100 + pair


def routes(number: int, region: int, viewer: int) -> dict[str, str]:
    """First bytes of every address as a region sees it → the same place as a zone of it (`viewer`) sees it."""
    return {
        _network(seen_from(number, region, place, 0)): _network(seen_from(number, viewer, place, 0)) for place in PLACES if place != viewer
    } | {_network(seen_from(number, region, viewer, 0)): _network(address(number, viewer, 0))}


def _network(host: str) -> str:
    return host.rpartition(".")[0] + "."


def public_entry(number: int, region: int) -> str:
    """The public address of a region, for every caller alike; the relay knows the caller's site by its source address."""
    return f"127.{number}.{50 + region}.{Host.LOADBALANCER.value}"


def public_dns(number: int) -> str:
    """The public address of the DNS server, for every caller alike."""
    return f"127.{number}.{50 + WITNESS}.{Host.DNS.value}"


def public_doors(number: int) -> str:
    """The public address of the doors (`holdfast serve`), for every caller alike."""
    return f"127.{number}.{50 + WITNESS}.{Host.DOORS.value}"


def source(number: int, site: int) -> str:
    """The address that programs of a site make their connections from."""
    return address(number, site, Host.CALLER)


def caller_site(number: int, caller: str) -> int:
    """The place that a source address belongs to; whoever is no part of the lab is outside."""
    prefix, third = f"127.{number}.", caller.split(".")[2:3]
    if caller.startswith(prefix) and third and third[0].isdigit() and int(third[0]) in PLACES:
        return int(third[0])
    return OUTSIDE


def application_host(function_index: int) -> int:
    """The host of a function's instances, by its place in the plan. Raises ValueError above ten functions."""
    if not 0 <= function_index < APPLICATION_HOSTS:
        raise ValueError(f"the lab has hosts for {APPLICATION_HOSTS} functions; the plan has more")
    return FIRST_APPLICATION_HOST + function_index


def application_ports() -> range:
    """The ports that the instances of one function may take in one zone."""
    return range(FIRST_APPLICATION_PORT, FIRST_APPLICATION_PORT + APPLICATION_SLOTS)


def fresh_application_ports() -> range:
    """Those of a second set of instances, beside the first. The load balancer leads there when the function's Service selects it."""
    return range(FIRST_APPLICATION_PORT + APPLICATION_SLOTS, FIRST_APPLICATION_PORT + 2 * APPLICATION_SLOTS)


def services() -> tuple[Service, ...]:
    """Everything that any other place reaches through links."""
    regional = (
        (Host.POSTGRES, Port.POSTGRES),
        (Host.REDIS, Port.REDIS),
        (Host.STORAGE, Port.STORAGE),
        (Host.LOADBALANCER, Port.ENTRY),
        (Host.LOADBALANCER, Port.LOADBALANCER_ADMIN),
        (Host.CLUSTER, Port.CLUSTER),
        (Host.AGENT, Port.AGENT),
    )
    observers = tuple(Service(site, Host.OBSERVER, Port.OBSERVER) for site in SITES)
    return (
        *(Service(standing(region, host), host, port) for region in REGIONS for host, port in regional),
        *(Service(place, Host.NODE, Port.NODE) for place in ZONES),
        *observers,
        Service(WITNESS, Host.DNS, Port.DNS, datagrams=True),
        Service(WITNESS, Host.CONTROLLER, Port.CONTROLLER),
        Service(OUTSIDE, Host.PARTNER, Port.PARTNER),
        *(Service(OUTSIDE, Host.RECEIVERS, port) for port in RECEIVERS),
    )
