"""Reading what a fenced region's stores hold, without starting them: from copies, in private servers that nobody else can find.

The single-writer check needs both databases. The fenced originals stay as they are: they are copied aside, the copies recover as after
any crash, are read, and are thrown away. A store that can't be read this way is *unknown*, never empty.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from holdfast.agent.os_user import View, as_user
from holdfast.lab.audit import contents
from holdfast.ledger.contents import StoreContents
from holdfast.plan.bindings import Bindings, ComponentBinding, PostgresBinding, RedisBinding

START_SECONDS = 20.0


def fenced_contents(agent_configuration: Path, bindings: Bindings, region: str, aside: Path) -> tuple[StoreContents, ...]:
    """What PostgreSQL and Redis of a region whose writers are fenced hold; `bindings` of any site, for credentials and names.

    `aside`: a directory for the copies, emptied before and after.
    """
    configuration: Mapping[str, Any] = json.loads(agent_configuration.read_text())
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    aside.chmod(0o755)
    places: dict[str, dict[str, ComponentBinding]] = {}
    try:
        with ExitStack() as stack:
            for name, by_region in bindings.components.items():
                binding = by_region.get(region)
                if isinstance(binding, PostgresBinding):
                    places[name] = {region: stack.enter_context(_postgres(configuration["postgres"], binding, aside / "postgres"))}
                elif isinstance(binding, RedisBinding):
                    places[name] = {region: stack.enter_context(_redis(configuration["redis"], binding, aside / "redis"))}
            return contents(bindings.model_copy(update={"components": places}), region)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _free_port(host: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(command: list[str], directory: Path, host: str, port: int) -> Iterator[None]:
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(lambda: process.poll() is not None or _answers(host, port), START_SECONDS)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(host: str, port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


@contextmanager
def _postgres(configured: Mapping[str, Any], binding: PostgresBinding, copy: Path) -> Iterator[PostgresBinding]:
    """A private PostgreSQL on a copy: it recovers as after a crash, follows nobody, archives nothing."""
    shutil.copytree(configured["data_directory"], copy, symlinks=True, ignore=shutil.ignore_patterns("postmaster.pid", "standby.signal"))
    copy.chmod(0o700)
    user = configured.get("os_user")
    if user and os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{user}:", str(copy)], check=True)
    host = str(configured["host"])
    port = _free_port(host)
    options = {
        "listen_addresses": host,
        "port": str(port),
        "unix_socket_directories": "",
        "archive_mode": "off",
        "fsync": "off",
        "logging_collector": "off",
        "max_wal_senders": "10",
        "synchronous_standby_names": "",
        "dynamic_shared_memory_type": "mmap",  # in the copy, so that it goes with it, however the server ends
    }
    command = [f"{configured['bin_directory']}/postgres", "-D", str(copy)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with _server(as_user(command, user, View.from_json(configured.get("view"))), copy, host, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not _accepts(binding, host, port):
            time.sleep(0.1)
        yield binding.model_copy(update={"host": host, "port": port})


def _accepts(binding: PostgresBinding, host: str, port: int) -> bool:
    import psycopg

    password = binding.password_file.read_text(encoding="utf-8").strip()
    try:
        with psycopg.connect(host=host, port=port, dbname=binding.database, user=binding.user, password=password, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


@contextmanager
def _redis(configured: Mapping[str, Any], binding: RedisBinding, copy: Path) -> Iterator[RedisBinding]:
    """A private Redis on a copy: it loads what was on disk and follows nobody."""
    shutil.copytree(configured["directory"], copy, symlinks=True)
    host = str(configured["host"])
    port = _free_port(host)
    password = binding.password_file.read_text(encoding="utf-8").strip()
    command = [configured["binary"], "--dir", str(copy), "--bind", host, "--port", str(port), "--appendonly", "yes", "--save", ""]
    if password:
        command += ["--requirepass", password]
    with _server(command, copy, host, port):
        yield binding.model_copy(update={"host": host, "port": port})
