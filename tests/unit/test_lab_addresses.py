"""Addresses of a lab: nobody shares one, and each says where it is seen from."""

from collections import Counter
from ipaddress import IPv4Address
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.lab import addresses
from holdfast.lab.addresses import DR, OUTSIDE, PLACES, PRIMARY, WITNESS, ZONES, Host, Port

numbers = st.integers(addresses.LOWEST_NUMBER, addresses.HIGHEST_NUMBER)


def listening(number: int) -> list[tuple[str, int]]:
    """Everything that somebody listens on in a lab."""
    found = [
        (addresses.seen_from(number, viewer, service.site, service.host), int(service.port))
        for service, viewer in product(addresses.services(), PLACES)
    ]
    found += [(addresses.public_entry(number, region), int(Port.ENTRY)) for region in addresses.REGIONS]
    found += [(addresses.public_dns(number), int(Port.DNS))]
    found += [(host, int(Port.DOORS)) for host in (addresses.public_doors(number), addresses.address(number, WITNESS, Host.DOORS))]
    found += [(addresses.address(number, 0, host), int(Port.CONTROL)) for host in (Host.SUPERVISOR, Host.RELAY)]
    found += [
        (addresses.seen_from(number, viewer, zone, addresses.application_host(function)), port)
        for place, zone in enumerate(ZONES)
        for viewer in (zone, addresses.REGIONS[place // addresses.ZONES_PER_REGION])
        for function, port in product(range(addresses.APPLICATION_HOSTS), addresses.application_ports())
    ]
    return found


@given(numbers)
def test_no_two_things_of_a_lab_share_an_address_and_all_are_loopback(number: int) -> None:
    found = listening(number)
    assert [place for place, times in Counter(found).items() if times > 1] == []
    assert all(IPv4Address(host).is_loopback for host, _ in found)


@given(numbers, numbers)
def test_two_labs_share_no_address(one: int, other: int) -> None:
    if one != other:
        assert not {host for host, _ in listening(one)} & {host for host, _ in listening(other)}


def test_all_ports_are_below_those_that_the_kernel_gives_to_callers() -> None:
    assert all(port < 32768 for _, port in listening(1))


def test_the_documented_examples_hold() -> None:
    assert addresses.address(7, PRIMARY, Host.POSTGRES) == "127.7.1.10"
    assert addresses.seen_from(7, PRIMARY, DR, Host.POSTGRES) == "127.7.12.10"
    assert addresses.seen_from(7, DR, DR, Host.POSTGRES) == "127.7.2.10"
    assert addresses.public_entry(7, DR) == "127.7.52.13"
    assert addresses.public_dns(7) == "127.7.53.30"
    assert [addresses.zone(region, place) for region in addresses.REGIONS for place in (0, 1)] == [5, 6, 7, 8]
    assert addresses.standing(PRIMARY, Host.POSTGRES) == 5
    assert addresses.standing(PRIMARY, Host.STORAGE) == PRIMARY
    assert addresses.seen_from(7, 5, 7, Host.POSTGRES) == "127.7.157.10"
    assert addresses.seen_from(7, PRIMARY, 6, 20) == "127.7.116.20"


@given(numbers, st.sampled_from(PLACES))
def test_a_zone_finds_everything_that_its_region_finds_under_its_own_address(number: int, place: int) -> None:
    for region, zone in ((PRIMARY, 5), (PRIMARY, 6), (DR, 7), (DR, 8)):
        routes = addresses.routes(number, region, zone)
        seen = addresses.seen_from(number, region, place, 10)
        network = seen.rpartition(".")[0] + "."
        assert routes[network] + "10" == addresses.seen_from(number, zone, place, 10)


@given(numbers, st.sampled_from(PLACES))
def test_a_caller_is_known_by_its_source_and_a_stranger_is_outside(number: int, site: int) -> None:
    assert addresses.caller_site(number, addresses.source(number, site)) == site
    assert addresses.caller_site(number, "127.0.0.1") == OUTSIDE
    assert addresses.caller_site(number, addresses.seen_from(number, PRIMARY, WITNESS, Host.DNS)) == OUTSIDE


def test_an_eleventh_function_has_no_host() -> None:
    with pytest.raises(ValueError, match="hosts for 10 functions"):
        addresses.application_host(10)
