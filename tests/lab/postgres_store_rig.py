"""Two real PostgreSQL servers as two agents' stores, on free ports of one loopback address, cleaned up by pid."""

import asyncio
import atexit
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from free_ports import free_port
from holdfast.agent.postgres import PostgresStore
from holdfast.agent.postgres_files import PostgresConfiguration, slot_name
from holdfast.agent.postgres_wire import Connection, Rows
from holdfast.agent.store import Finished, StoreFailure
from holdfast.lab.postgres_setup import PostgresPasswords, prepare
from lab.removal import remove

EAST, WEST = "eu-central-1", "eu-west-1"
PASSWORDS = PostgresPasswords("admin:pass'word", "application", "repli\\cation")
OS_USER = "postgres" if os.geteuid() == 0 else None
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))


@dataclass
class PlainLauncher:
    """The launcher of the agent without its control group."""

    directory: Path
    os_user: str | None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(
                self._as_user(arguments),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, arguments: Sequence[str], *, timeout_seconds: float, environment: Mapping[str, str] | None = None) -> Finished:
        try:
            done = subprocess.run(
                self._as_user(arguments),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise StoreFailure(f"{arguments[0]} did not end") from error
        return Finished(done.returncode, done.stdout.decode(errors="replace"))

    def kill_everything(self) -> None:
        """What a fence does: every process in the directory ends at once, children included."""
        kill_all_in(self.directory, self.started)

    def _as_user(self, arguments: Sequence[str]) -> list[str]:
        prefix = ["setpriv", "--reuid", self.os_user, "--regid", self.os_user, "--init-groups"] if self.os_user else []
        return [*prefix, *arguments]


def kill_all_in(directory: Path, children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill until nothing with that working directory is left."""
    while found := processes_in(directory):
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for child in children:
            child.poll()
        time.sleep(0.005)  # the kernel takes a moment to end a process, and nothing tells about those of others
    for child in children:
        child.wait()


def processes_in(directory: Path) -> list[int]:
    """Processes with that working directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@dataclass
class Side:
    """One region's store, its launcher, and a way to ask its server."""

    store: PostgresStore
    launcher: PlainLauncher
    configuration: PostgresConfiguration

    def ask(self, sql: str) -> Rows:
        with Connection(self.configuration.address(), 5) as session:
            return session.query(sql, 10)

    def again(self) -> "Side":
        """The same region after its agent was restarted: nothing remembered, but what it starts is ended with all the rest."""
        launcher = PlainLauncher(self.launcher.directory, self.launcher.os_user, self.launcher.started)
        return Side(PostgresStore(self.configuration, launcher), launcher, self.configuration)


@dataclass
class Pair:
    """Both regions."""

    west: Side
    east: Side
    root: Path


@cache
def prepared() -> Path:
    """A prepared pair, made once a process; every test takes a copy."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-prepared-"))
    atexit.register(remove, root)
    root.chmod(0o755)
    (root / "tables.sql").write_text(
        "CREATE TABLE call (id integer PRIMARY KEY, epoch integer NOT NULL DEFAULT holdfast.current_epoch());\n"
    )
    prepare(root / "west", root / "east", bin_directory=BIN, os_user=OS_USER, passwords=PASSWORDS, sql_files=[root / "tables.sql"])
    return root


@contextmanager
def pair(*, synchronous: bool = False) -> Iterator[Pair]:
    """Prepared directories with nothing started yet."""
    host = f"127.77.{os.getpid() % 200 + 1}.{os.getpid() // 200 % 200 + 1}"
    root = Path(tempfile.mkdtemp(prefix="holdfast-stores-"))
    root.chmod(0o755)
    for name in ("west", "east"):
        subprocess.run(["cp", "-a", prepared() / name, root / name], check=True)
    for name, secret in (("admin", PASSWORDS.admin), ("replication", PASSWORDS.replication)):
        (root / name).write_text(secret)
    ports = {WEST: free_port(host), EAST: free_port(host)}

    def side(region: str, peer: str, folder: str) -> Side:
        configuration = PostgresConfiguration(
            region=region,
            peer_region=peer,
            bin_directory=BIN,
            data_directory=root / folder,
            host=host,
            port=ports[region],
            os_user=OS_USER,
            peer_host=host,
            peer_port=ports[peer],
            replication_user="replication",
            replication_password_file=root / "replication",
            slot=slot_name(peer),
            admin_user="holdfast",
            admin_password_file=root / "admin",
            database="voicehive",
            archive_directory=root / f"{folder}-archive",
            synchronous=synchronous,
            settings={"shared_buffers": "16MB", "max_connections": "30"},
        )
        launcher = PlainLauncher(root / folder, OS_USER)
        return Side(PostgresStore(configuration, launcher), launcher, configuration)

    both = Pair(side(WEST, EAST, "west"), side(EAST, WEST, "east"), root)
    try:
        yield both
    finally:
        for one in (both.west, both.east):
            one.store.close()
            one.launcher.kill_everything()
        remove(root)


class SilentRelay:
    """A link to a server that can fall silent: connections stay, bytes are held, nothing answers."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._moved = asyncio.Event()
        self._silent = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def silent(self) -> bool:
        return self._silent

    @silent.setter
    def silent(self, value: bool) -> None:
        self._silent = value
        if value:
            self._moved.clear()
        else:
            self._moved.set()

    async def __aenter__(self) -> Self:
        self._moved.set()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._there)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            self._tasks.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._moved.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.transport.abort()
