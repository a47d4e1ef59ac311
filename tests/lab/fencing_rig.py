"""Two real agents with real PostgreSQL and Redis, a grantor in the controller's place, and links between them that can be cut."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from free_ports import free_port
from holdfast.agent import fence
from holdfast.agent.groups import remove_group
from holdfast.agent.postgres_files import slot_name
from holdfast.agent.pulse import boot_seconds
from holdfast.agent.redis_wire import Connection
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Evidence
from holdfast.fencing.signing import SIGNATURE_HEADER, new_nonce, open_answer, sign_query, sign_request
from lab.fencing_sessions import PostgresSession, RedisSession, Session
from lab.fencing_surroundings import TIMING, Link, StandIn
from lab.postgres_store_rig import BIN, EAST, OS_USER, PASSWORDS, WEST, prepared
from lab.removal import remove

TTL = 3.0


@dataclass
class AgentSide:
    """One region's agent process and what it keeps."""

    region: str
    root: Path
    config: dict[str, Any]
    key: bytes
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.root / f"agent-{self.region}.log"

    @property
    def state(self) -> Path:
        return Path(self.config["state_directory"])

    @property
    def data(self) -> Path:
        return Path(self.config["postgres"]["data_directory"])

    def start(self, *more: str) -> None:
        file = self.root / f"agent-{self.region}.json"
        file.write_text(json.dumps(self.config))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "holdfast.agent", "--config", str(file), *more], stdout=log, stderr=log, start_new_session=True
            )

    def end(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def guard(self) -> int:
        """The process id of its guard."""
        for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
            with suppress(OSError):
                if str(self.state / "guard.json").encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        return 0

    def kill_guard(self) -> None:
        """Kill the guard, if it has not ended by itself: without anything to fence it ends with its agent."""
        if guard := self.guard():  # 0 would be the test's own process group, and with it the whole run
            with suppress(ProcessLookupError):
                os.kill(guard, signal.SIGKILL)

    def postmaster(self) -> int:
        with suppress(OSError, ValueError):
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        return 0

    def status(self) -> dict[str, Any]:
        nonce = new_nonce()
        path, signature = sign_query(self.key, "/v1/status", {}, nonce, time.time())
        return self._call("GET", path, None, signature, nonce)

    def answers(self) -> bool:
        """Whether its server answers at all."""
        with suppress(OSError):
            socket.create_connection(tuple(self.config["listen"]), timeout=1).close()
            return True
        return False

    def order(self, order: Order, verb: str, **arguments: Any) -> dict[str, Any]:
        nonce = new_nonce()
        body, signature = sign_request(
            self.key, "/v1/orders", {"order": order.as_list(), "verb": verb, "arguments": arguments}, nonce, time.time()
        )
        return self._call("POST", "/v1/orders", body, signature, nonce)

    def _call(self, method: str, path: str, body: bytes | None, signature: str, nonce: str) -> dict[str, Any]:
        host, port = self.config["listen"]
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.request(method, path, body, {SIGNATURE_HEADER: signature})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, content
        opened = open_answer(self.key, urlsplit(path).path, content, answer.headers[SIGNATURE_HEADER], nonce)
        return {name: value for name, value in opened.items() if name != "nonce"}

    def records(self) -> list[dict[str, Any]]:
        file = self.state / "records.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def did(self, what: str) -> int:
        return sum(record["what"] == what for record in self.records())

    def connect(self) -> "psycopg.Connection[Any]":
        place = self.config["postgres"]
        return psycopg.connect(
            host=place["host"],
            port=place["port"],
            dbname="voicehive",
            user="voicehive",
            password=PASSWORDS.application,
            connect_timeout=2,
            autocommit=True,
        )

    def connect_redis(self) -> Connection:
        place = self.config["redis"]
        return Connection(place["host"], place["port"], Path(place["password_file"]).read_text(), 2)

    def redis_server(self) -> int:
        """The process id of its Redis."""
        with self.connect_redis() as session:
            return int(session.information("server", 2)["process_id"])

    def writes(self) -> bool:
        """Whether a new session can commit."""
        try:
            with self.connect() as session:
                session.execute("CREATE TABLE IF NOT EXISTS proof (at timestamptz)")
                session.execute("INSERT INTO proof VALUES (now())")
        except psycopg.Error:
            return False
        return True

    def sweep(self) -> None:
        """Whatever a test left: killed by what it belongs to."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self.kill_guard()
        configuration = self.state / "guard.json"
        targets = json.loads(configuration.read_text())["targets"] if configuration.exists() else []
        for target in targets:
            group = fence.Group(target["group_kind"], Path(target["group"])) if target["group"] else None
            assert fence.fence(fence.Target(target["name"], Path(target["directory"]), group)).clean
            assert remove_group(group), f"{group} stays behind"


@dataclass
class Rig:
    """All of it."""

    west: AgentSide
    east: AgentSide
    controller: StandIn
    links: dict[str, Link]
    step: int = 0

    def follows(self) -> bool:
        """Whether west's PostgreSQL sends to a replica."""
        with psycopg.connect(
            host=self.west.config["postgres"]["host"],
            port=self.west.config["postgres"]["port"],
            dbname="voicehive",
            user="holdfast",
            password=PASSWORDS.admin,
        ) as session:
            return session.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchone() is not None

    def isolate_west(self) -> float:
        """Cut west from everybody but its own clients. Since when."""
        for link in self.links.values():
            link.cut()
        return boot_seconds()

    def heal(self) -> None:
        for link in self.links.values():
            link.heal()

    def next_order(self, epoch: int) -> Order:
        self.step += 1
        return Order(0, epoch, 1, self.step)

    def sessions(self, count: int = 3) -> list[Session]:
        """Clients of west's PostgreSQL."""
        return _started([PostgresSession(self.west.connect()) for _ in range(count)])

    def redis_sessions(self, count: int = 3) -> list[Session]:
        """Clients of west's Redis."""
        return _started([RedisSession(self.west.connect_redis()) for _ in range(count)])

    def fail_over(self, epoch: int = 2, certificate: dict[str, Any] | None = None) -> float:
        """As the controller does it: prepare, both consents, promote. When the first store was promoted."""
        order = self.next_order(epoch)
        with self.controller.lock:
            reply = self.controller.grantor.prepare(order)
            assert reply.yes, reply.reason
            self.controller.grantor = reply.grantor
        assert self.east.order(self.next_order(epoch), "prepare")["result"] == "succeeded"
        wait_for(lambda: self._consents(epoch, certificate), 30, "both consents")
        with self.controller.lock:
            self.controller.grantor = self.controller.grantor.take_up(EAST).grantor
        promoted = boot_seconds()
        for store in ("redis", "postgres"):
            answer = self.east.order(self.next_order(epoch), f"{store}.promote")
            assert answer["result"] == "succeeded", answer
        return promoted

    def _consents(self, epoch: int, certificate: dict[str, Any] | None) -> bool:
        answer = self.east.order(self.next_order(epoch), "consent", certificate=certificate)
        assert answer["result"] in ("succeeded", "waiting"), answer
        with self.controller.lock:
            reply = self.controller.grantor.consent(self.next_order(epoch), boot_seconds())
            self.controller.grantor = reply.grantor
        return answer["result"] == "succeeded" and reply.yes

    def turn_back(self, epoch: int = 2) -> None:
        order = self.next_order(epoch)
        with self.controller.lock:
            reply = self.controller.grantor.bar(order)
            self.controller.grantor = reply.grantor
        answer = self.east.order(self.next_order(epoch), "withdraw", controller_consented=not reply.yes)
        assert answer["result"] == "succeeded", answer
        with self.controller.lock:
            reply = self.controller.grantor.withdraw(self.next_order(epoch), Evidence.OTHER_NEVER_CONSENTS)
            assert reply.yes, reply.reason
            self.controller.grantor = reply.grantor
        assert self.west.order(self.next_order(epoch), "withdraw", controller_consented=False)["result"] == "succeeded"


def _started(sessions: Sequence[Session]) -> list[Session]:
    for session in sessions:
        session.start()
    return list(sessions)


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> None:
    """Ask until it is so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@contextmanager
def rig(*, cgroup: str = "auto", ttl: float = TTL, started: bool = True) -> Iterator[Rig]:
    """Both regions; with `started`, west writes and east follows."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-fencing-"))
    root.chmod(0o755)
    host = f"127.78.{os.getpid() % 200 + 1}.{os.getpid() // 200 % 200 + 1}"
    for name in ("west", "east"):
        subprocess.run(["cp", "-a", prepared() / name, root / name], check=True)
    keys: dict[str, bytes] = {name: f"key of {name} in the test rig".encode() for name in (WEST, EAST, "lease")}
    passwords = {"admin": PASSWORDS.admin, "replication": PASSWORDS.replication, "redis": "secret"}
    for name, content in {**keys, **{name: password.encode() for name, password in passwords.items()}}.items():
        (root / f"{name}.secret").write_bytes(content)
    ports = {name: free_port(host) for name in ("wa", "ea", "wp", "ep", "wr", "er")}
    controller = StandIn(host, keys["lease"])
    links = {
        "west→controller": Link(host, (host, controller.port)),
        "west→east": Link(host, (host, ports["ea"])),
        "east→west": Link(host, (host, ports["wa"])),
        "postgres": Link(host, (host, ports["wp"])),
        "redis": Link(host, (host, ports["wr"])),
    }

    def side(region: str, folder: str, mark: str, peer: dict[str, Any], controller_port: int) -> AgentSide:
        config = {
            "region": region,
            "state_directory": str(root / f"agent-{folder}"),
            "listen": [host, ports[f"{mark}a"]],
            "key_file": str(root / f"{region}.secret"),
            "controller": {"url": f"http://{host}:{controller_port}", "key_file": str(root / "lease.secret")},
            "peer": {
                "region": peer["region"],
                "url": f"http://{host}:{peer['agent']}",
                "key_file": str(root / f"{peer['region']}.secret"),
            },
            "lease": {"ttl_seconds": ttl, "drift": TIMING.drift, "margin_seconds": TIMING.margin_seconds},
            "initial": {"era": 0, "epoch": 1, "holder": WEST},
            "cgroup": cgroup,
            "replication": "asynchronous",
            "postgres": {
                "bin_directory": str(BIN),
                "data_directory": str(root / folder),
                "host": host,
                "port": ports[f"{mark}p"],
                "os_user": OS_USER,
                "settings": {"shared_buffers": "16MB", "max_connections": "30"},
                "peer_host": host,
                "peer_port": peer["postgres"],
                "replication_user": "replication",
                "replication_password_file": str(root / "replication.secret"),
                "slot": slot_name(peer["region"]),
                "admin_user": "holdfast",
                "admin_password_file": str(root / "admin.secret"),
                "database": "voicehive",
                "archive_directory": str(root / f"{folder}-archive"),
            },
            "redis": {
                "binary": shutil.which("redis-server"),
                "directory": str(root / f"{folder}-redis"),
                "host": host,
                "port": ports[f"{mark}r"],
                "os_user": None,
                "password_file": str(root / "redis.secret"),
                "peer_host": host,
                "peer_port": peer["redis"],
            },
        }
        return AgentSide(region, root, config, keys[region])

    to_west = {"region": WEST, "agent": links["east→west"].port, "postgres": links["postgres"].port, "redis": links["redis"].port}
    to_east = {"region": EAST, "agent": links["west→east"].port, "postgres": ports["ep"], "redis": ports["er"]}
    made = Rig(
        side(WEST, "west", "w", to_east, links["west→controller"].port),
        side(EAST, "east", "e", to_west, controller.port),
        controller,
        links,
    )
    try:
        if started:
            made.west.start()
            made.east.start()
            wait_for(made.west.writes, 30, f"west writes; {made.west.log.read_text()}")
            wait_for(lambda: made.east.postmaster() and made.follows(), 30, "east follows")
        yield made
    except BaseException:
        for each in (made.west, made.east):
            print(f"--- {each.region}", each.log.read_text()[-3000:] if each.log.exists() else "never started")
            for record in each.records():
                print(record["at_seconds"], record["what"], record["detail"], record["facts"])
        raise
    finally:
        with ExitStack() as last:  # every part is cleaned up, whatever another part's cleaning met
            last.callback(remove, root)
            last.callback(controller.close)
            for link in links.values():
                last.callback(link.close)
            for each in (made.west, made.east):
                last.callback(each.sweep)
