"""Two real agents with real stores, and half a controller: a grantor with its lease endpoint. Cleaned up by pid."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from free_ports import free_port
from holdfast.agent.postgres_files import slot_name
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Ask, Certificate, Epoch, Grantor, Memory, Timing
from holdfast.fencing.signing import SIGNATURE_HEADER, open_request, sign_answer
from holdfast.plan.bindings import AgentBinding, PostgresBinding, RedisBinding
from holdfast.providers.agents.client import AgentClient, AgentSilent
from holdfast.providers.clock.system import SystemClock
from lab.postgres_store_rig import BIN, EAST, OS_USER, PASSWORDS, WEST, kill_all_in, prepared
from lab.removal import remove

HOST = "127.0.0.1"
TTL_SECONDS = 2.0
TIMING = Timing(0.01, 0.1)
CLOCK = SystemClock()
LEASE_KEY = b"the lease key of the tests"


class Controller:
    """The half of a controller that promises."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.grantor = Grantor.start(Memory(Epoch(0, 1), WEST), TIMING, CLOCK.steady_seconds())
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                payload = open_request(LEASE_KEY, self.path, body, self.headers.get(SIGNATURE_HEADER))
                answer, signed = sign_answer(LEASE_KEY, self.path, owner.answer(payload), payload["nonce"])
                self.send_response(200)
                self.send_header(SIGNATURE_HEADER, signed)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server.server_address[1]}"

    def answer(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        ask = Ask(payload["region"], Epoch(payload["era"], payload["epoch"]), payload["instance"], payload["ttl_seconds"])
        with self.lock:
            reply = self.grantor.ask(ask, CLOCK.steady_seconds())
            self.grantor = reply.grantor
            epoch = self.grantor.memory.epoch
        return {"granted": reply.yes, "reason": reply.reason, "era": epoch.era, "epoch": epoch.epoch, "holder": self.grantor.memory.holder}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def prepare(self, order: Order) -> None:
        with self.lock:
            self.grantor = self.grantor.prepare(order).grantor

    def remaining_seconds(self) -> float:
        with self.lock:
            activation = self.grantor.memory.activation
            if activation is None:
                return max(0.0, self.grantor.runs_out_seconds - CLOCK.steady_seconds())
            reply = self.grantor.consent(activation.order, CLOCK.steady_seconds())
            self.grantor = reply.grantor
            return 0.0 if reply.yes else max(reply.wait_seconds, 0.01)

    def fenced(self, given: Mapping[str, Any]) -> None:
        order = Order.from_list(given["order"])
        known = Certificate(given["region"], Epoch(given["era"], given["epoch"]), order, given["fenced_at_seconds"])
        with self.lock:
            self.grantor = self.grantor.fenced(known).grantor
        self.remaining_seconds()

    def serve(self, epoch: int, holder: str) -> None:
        with self.lock:
            self.grantor = self.grantor.learn(Epoch(0, epoch), holder)


@dataclass
class Agents:
    """Both regions' agents and what they look after."""

    root: Path
    controller: Controller
    stores: tuple[str, ...]
    ports: dict[tuple[str, str], int]
    replication: str
    clients: dict[str, AgentClient] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    databases: dict[str, PostgresBinding] = field(default_factory=dict)
    caches: dict[str, RedisBinding] = field(default_factory=dict)

    def connect(self) -> None:
        """Clients of its own for each event loop."""
        for region in (WEST, EAST):
            self.clients[region] = AgentClient(region, self.agent_binding(region), CLOCK)

    def agent_binding(self, region: str) -> AgentBinding:
        return AgentBinding(url=f"http://{HOST}:{self.ports[region, 'agent']}", key_file=self.root / f"{region}.key")

    def start(self, region: str) -> None:
        command = [sys.executable, "-m", "holdfast.agent", "--config", str(self.root / f"{region}.json")]
        with (self.root / f"{region}.agent.log").open("ab") as log:
            self.processes[region] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def lose(self, region: str) -> None:
        """The region is gone at once: agent, guard and stores."""
        self.processes[region].kill()
        self.processes[region].wait()
        for guard in self._guards(region):
            with suppress(ProcessLookupError):
                os.kill(guard, signal.SIGKILL)
        for store in self.stores:
            kill_all_in(self.root / region / store, [])

    def freeze(self, region: str) -> None:
        self.processes[region].send_signal(signal.SIGSTOP)
        self.frozen.add(region)

    async def status(self, region: str) -> dict[str, Any]:
        return await self.clients[region].status()

    async def until(self, region: str, wanted: Mapping[str, str], seconds: float = 20.0) -> dict[str, Any]:
        """Wait until every store has that role (a replica: follows)."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    with suppress(AgentSilent):
                        status = await self.status(region)
                        found = {name: store for name, store in status["stores"].items() if name in wanted}
                        if all(
                            store["role"] == wanted[name] and (wanted[name] != "replica" or store.get("replaying_from"))
                            for name, store in found.items()
                        ):
                            return status
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{region} is not {wanted}: {status}\n{(self.root / f'{region}.agent.log').read_text()}") from None

    async def consented(self, epoch: int, source: str, target: str, *, term: int) -> None:
        """An activation as far as before the promotion, by orders of that term."""
        fence = await self.clients[source].order(Order(0, epoch, term, 1), "fence", {"mode": "graceful"}, 20)
        await self.clients[target].order(Order(0, epoch, term, 1), "prepare", {}, 5)
        answer = await self.clients[target].order(Order(0, epoch, term, 2), "consent", {"certificate": fence.facts["certificate"]}, 5)
        assert answer.result == "succeeded", answer
        self.controller.serve(epoch, target)

    def _guards(self, region: str) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                if entry.name.isdigit() and str(self.root / region / "state" / "guard.json").encode() in words:
                    found.append(int(entry.name))
        return found

    async def stop(self) -> None:
        for client in self.clients.values():
            await client.close()
        for region in self.frozen:
            self.lose(region)
        for process in self.processes.values():
            process.terminate()
        for region, process in self.processes.items():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for guard in self._guards(region):
                os.kill(guard, signal.SIGKILL)
            for store in self.stores:
                kill_all_in(self.root / region / store, [])


def made(*stores: str, postgres: Mapping[str, str] | None = None, replication: str = "asynchronous") -> Agents:
    """Both regions on disk, with nothing started but what answers in the controller's place."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-agents-"))
    root.chmod(0o755)
    ports = {(region, part): free_port(HOST) for region in (WEST, EAST) for part in ("agent", *stores)}
    both = Agents(root, Controller(), stores, ports, replication)
    for name, secret in (("admin", PASSWORDS.admin), ("replication", PASSWORDS.replication), ("redis", "redis password")):
        (root / name).write_text(secret)
    (root / "lease.key").write_bytes(LEASE_KEY)
    for region, peer in ((WEST, EAST), (EAST, WEST)):
        (root / region).mkdir()
        (root / f"{region}.key").write_text(f"the key of {region} in the tests")
        (root / f"{region}.json").write_text(json.dumps(_configuration(both, region, peer, postgres or {})))
        if "postgres" in stores:
            subprocess.run(["cp", "-a", prepared() / ("west" if region == WEST else "east"), root / region / "postgres"], check=True)
    both.connect()
    return both


@asynccontextmanager
async def agents(*stores: str, postgres: Mapping[str, str] | None = None, replication: str = "asynchronous") -> AsyncIterator[Agents]:
    """Running agents: eu-west-1 writes under epoch 1, eu-central-1 follows."""
    both = made(*stores, postgres=postgres, replication=replication)
    try:
        for region in (WEST, EAST):
            both.start(region)
        await both.until(WEST, dict.fromkeys(stores, "writer"))
        await both.until(EAST, dict.fromkeys(stores, "replica"))
        yield both
    finally:
        await both.stop()
        both.controller.close()
        remove(both.root)


def _configuration(both: Agents, region: str, peer: str, settings: Mapping[str, str]) -> dict[str, Any]:
    root, ports = both.root, both.ports
    here: dict[str, Any] = {
        "region": region,
        "state_directory": str(root / region / "state"),
        "listen": [HOST, ports[region, "agent"]],
        "key_file": str(root / f"{region}.key"),
        "controller": {"url": both.controller.url, "key_file": str(root / "lease.key")},
        "peer": {"region": peer, "url": f"http://{HOST}:{ports[peer, 'agent']}", "key_file": str(root / f"{peer}.key")},
        "lease": {"ttl_seconds": TTL_SECONDS, "drift": TIMING.drift, "margin_seconds": TIMING.margin_seconds},
        "initial": {"era": 0, "epoch": 1, "holder": WEST},
        "cgroup": "none",
        "replication": both.replication,
    }
    if "redis" in both.stores:
        here["redis"] = {
            "binary": shutil.which("redis-server"),
            "directory": str(root / region / "redis"),
            "host": HOST,
            "port": ports[region, "redis"],
            "os_user": None,
            "password_file": str(root / "redis"),
            "peer_host": HOST,
            "peer_port": ports[peer, "redis"],
        }
        both.caches[region] = RedisBinding(host=HOST, port=ports[region, "redis"], password_file=root / "redis")
    if "postgres" in both.stores:
        here["postgres"] = {
            "bin_directory": str(BIN),
            "data_directory": str(root / region / "postgres"),
            "host": HOST,
            "port": ports[region, "postgres"],
            "os_user": OS_USER,
            "settings": {"shared_buffers": "16MB", **settings},
            "peer_host": HOST,
            "peer_port": ports[peer, "postgres"],
            "replication_user": "replication",
            "replication_password_file": str(root / "replication"),
            "slot": slot_name(peer),
            "admin_user": "holdfast",
            "admin_password_file": str(root / "admin"),
            "database": "voicehive",
            "archive_directory": str(root / region / "archive"),
            "backup_directory": str(_owned(root / region / "backup")),
            "received_directory": str(_owned(root / region / "received")),
        }
        both.databases[region] = PostgresBinding(
            host=HOST, port=ports[region, "postgres"], database="voicehive", user="holdfast", password_file=root / "admin"
        )
    return here


def _owned(directory: Path) -> Path:
    """An empty directory that PostgreSQL's own user may fill."""
    directory.mkdir(mode=0o700)
    if OS_USER is not None:
        shutil.chown(directory, OS_USER, OS_USER)
    return directory


def seconds_since(moment: float) -> float:
    return round(time.monotonic() - moment, 3)
