"""Real servers for the contract suites: each on an address of its own in 127/8, stopped by its pid whatever the test does."""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from free_ports import free_port
from holdfast.lab import storage_servers
from holdfast.lab.storage_servers import StorageServer

FUNCTIONS = ("voice", "pms")
WEST, CENTRAL = "eu-west-1", "eu-central-1"


def place() -> tuple[str, int]:
    """An address in 127/8 that nobody else uses, and a free port there."""
    host = f"127.{random.randint(100, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
    return host, free_port(host)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def listens(host: str, port: int) -> bool:
    with socket.socket() as plug:
        plug.settimeout(0.5)
        return plug.connect_ex((host, port)) == 0


@contextmanager
def server(
    command: Sequence[str], directory: Path, host: str, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that listens when the block begins and is gone when it ends."""
    log = directory / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    try:
        wait_for(lambda: child.poll() is not None or listens(host, port), f"{command[0]} listens")
        assert child.poll() is None, log.read_text(errors="replace")[-2000:]
        yield child
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGCONT)
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def started_anew(child: subprocess.Popen[bytes], directory: Path, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The same server again on the same configuration, after a kill that left it no time for anything."""
    child.kill()
    child.wait()
    assert isinstance(child.args, list)
    with server(child.args, directory, host, port) as again:
        yield again


def freeze(child: subprocess.Popen[bytes]) -> None:
    """The server is there, takes connections, and answers nothing: as behind a cut link."""
    os.kill(child.pid, signal.SIGSTOP)
    wait_for(lambda: _stopped(child.pid), f"every thread of {child.pid} has stopped")  # a signal takes a moment to reach them all


def _stopped(pid: int) -> bool:
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").iterdir()]
    return set(states) <= {"T", "t"}


def thaw(child: subprocess.Popen[bytes]) -> None:
    os.kill(child.pid, signal.SIGCONT)


# -- Knot ---------------------------------------------------------------------------------------------------------------------

ZONE, KEY_NAME = "voicehive.test", "holdfast"
ENTRIES = {WEST: "127.0.51.13", CENTRAL: "127.0.52.13"}


def new_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


@contextmanager
def knot(directory: Path, key: str) -> Iterator[tuple[str, int, subprocess.Popen[bytes]]]:
    """Knot with one zone whose functions live in WEST; the key may change it, and `reader` may not."""
    host, port = place()
    functions = "".join(f"{function} A {ENTRIES[WEST]}\n" for function in FUNCTIONS)
    (directory / "zone").write_text(f"$ORIGIN {ZONE}.\n$TTL 1\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A {host}\n{functions}")
    configuration = directory / "knot.conf"
    configuration.write_text(
        f"""\
server:
    listen: {host}@{port}
    rundir: {directory}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {directory}
key:
  - id: {KEY_NAME}
    algorithm: hmac-sha256
    secret: {key}
  - id: reader
    algorithm: hmac-sha256
    secret: {key}
acl:
  - id: writer
    key: {KEY_NAME}
    action: update
zone:
  - domain: {ZONE}
    file: {directory}/zone
    acl: writer
    zonefile-sync: -1
"""
    )
    with server([shutil.which("knotd") or "/usr/sbin/knotd", "-c", str(configuration)], directory, host, port) as child:
        yield host, port, child


# -- HAProxy ------------------------------------------------------------------------------------------------------------------


@contextmanager
def haproxy(directory: Path, *, closed: bool) -> Iterator[tuple[str, int, subprocess.Popen[bytes]]]:
    """HAProxy with a backend for each function; each has one instance that listens and one that does not."""
    host, port = place()
    with socket.create_server((host, 0)) as instance:
        there = instance.getsockname()[1]
        _, nowhere = place()
        disabled = " disabled" if closed else ""
        backends = "".join(
            f"backend {function}\n  server {function}-1 {host}:{there} check inter 100{disabled}\n"
            f"  server {function}-2 {host}:{nowhere} check inter 100{disabled}\n"
            for function in FUNCTIONS
        )
        configuration = directory / "haproxy.cfg"
        configuration.write_text(
            f"global\n  stats socket ipv4@{host}:{port} level admin\n  nbthread 1\n"
            f"defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n{backends}"
        )
        with server([shutil.which("haproxy") or "/usr/sbin/haproxy", "-f", str(configuration)], directory, host, port) as child:
            yield host, port, child


# -- storage and cluster ------------------------------------------------------------------------------------------------------


ACCESS_KEY, SECRET_KEY = "lab", "secret of the test"


@contextmanager
def storage(directory: Path, kind: StorageServer = StorageServer.MOTO) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """One of the lab's S3 servers. The real one is skipped where it isn't installed."""
    if kind is StorageServer.VERSITYGW and storage_servers.installed() is None:
        pytest.skip("versitygw is not installed: `make storage` builds it where Go is")
    host, port = place()
    storage_servers.make_folders(directory)
    start = storage_servers.start(kind, f"{host}:{port}", WEST, directory, ACCESS_KEY, SECRET_KEY)
    with server(start.command, directory, host, port, start.environment) as child:
        yield f"http://{host}:{port}", child
