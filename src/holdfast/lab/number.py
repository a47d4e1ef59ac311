"""Finding a lab number that is free, and holding it: the number is a bound socket, so it is free again when nobody lives to hold it.

A number is free when its lock can be bound and every address of the lab can be. Several labs on one machine, also started at the
same moment, get different numbers.
"""

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.lab import addresses
from holdfast.lab.addresses import Host, Port


class NoNumberError(Exception):
    """No lab number is free; the message says what stands in the way and what to do."""


@dataclass(frozen=True, slots=True)
class ClaimedNumber:
    """A lab number and the socket that holds it."""

    number: int
    lock: socket.socket


def claim() -> ClaimedNumber:
    """Take the lowest free number. Raises NoNumberError."""
    taken: dict[int, str] = {}
    for number in range(addresses.LOWEST_NUMBER, addresses.HIGHEST_NUMBER + 1):
        lock = _bound(addresses.address(number, 0, Host.SUPERVISOR), Port.SUPERVISOR_LOCK)
        if lock is None:
            continue
        obstacle = next((f"{host}:{port}" for host, port, kind in _needed(number) if not _is_free(host, port, kind)), None)
        if obstacle is None:
            return ClaimedNumber(number, lock)
        taken[number] = obstacle
        lock.close()
    if not taken:
        raise NoNumberError(f"{addresses.HIGHEST_NUMBER} labs run on this machine already; stop one with `holdfast lab down`")
    port = next(iter(taken.values())).rpartition(":")[2]
    raise NoNumberError(
        f"port {port} is taken on every loopback address that a lab could use (the first: {next(iter(taken.values()))}). "
        f"A program that listens on all addresses does that; see which with `ss -ltnup 'sport = :{port}'`, stop it, and try again"
    )


def _needed(number: int) -> Iterator[tuple[str, int, socket.SocketKind]]:
    yield addresses.address(number, 0, Host.SUPERVISOR), Port.CONTROL, socket.SOCK_STREAM
    yield addresses.address(number, 0, Host.RELAY), Port.CONTROL, socket.SOCK_STREAM
    for service in addresses.services():
        for viewer in addresses.PLACES:
            host = addresses.seen_from(number, viewer, service.site, service.host)
            yield host, service.port, socket.SOCK_STREAM
            if service.datagrams:
                yield host, service.port, socket.SOCK_DGRAM
    for region in addresses.REGIONS:
        yield addresses.public_entry(number, region), Port.ENTRY, socket.SOCK_STREAM
    for place in addresses.ZONES:
        for host_number in range(addresses.FIRST_APPLICATION_HOST, addresses.FIRST_APPLICATION_HOST + addresses.APPLICATION_HOSTS):
            yield addresses.address(number, place, host_number), addresses.FIRST_APPLICATION_PORT, socket.SOCK_STREAM
    for host in (addresses.public_doors(number), addresses.address(number, addresses.WITNESS, Host.DOORS)):
        yield host, Port.DOORS, socket.SOCK_STREAM
    yield addresses.public_dns(number), Port.DNS, socket.SOCK_STREAM
    yield addresses.public_dns(number), Port.DNS, socket.SOCK_DGRAM


def _bound(host: str, port: int) -> socket.socket | None:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        candidate.bind((host, port))
    except OSError as error:
        candidate.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise NoNumberError(
            f"the address {host} can't be used: {error.strerror}; the lab needs Linux, where all of 127/8 is loopback"
        ) from error
    return candidate


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As the servers do: a port on which only finished connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
