"""One region's stores, partner and cluster for tests: real servers on a 127/8 network of the test's own."""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
import redis

from holdfast.lab.application.capacity import CAPACITIES
from holdfast.lab.postgres_setup import PostgresPasswords, prepare
from holdfast.providers.http.client import Response, request
from lab.removal import remove

FUNCTIONS = tuple(CAPACITIES)
PATHS = {
    "voice": "/voice/calls",
    "pms": "/pms/reservations",
    "authentication": "/authentication/sessions",
    "analytics": "/analytics/aggregates",
    "configuration": "/configuration/settings",
}
TOKEN = "token-of-the-test"
PASSWORD = "secret-of-the-test"
BUCKET = "recordings-here"
POSTGRES = Path(shutil.which("postgres") or next(iter(Path("/usr/lib/postgresql").glob("*/bin/postgres")), "postgres"))
AS_POSTGRES = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []


def eventually(look: Callable[[], Any], what: str, within_seconds: float = 10.0) -> Any:
    """The first truthy value of `look`; a failure with `what` after the time."""
    end = time.monotonic() + within_seconds
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within_seconds:g} s: {what}"
        time.sleep(0.03)


def answers(host: str, port: int) -> bool:
    with socket.socket() as plug:
        plug.settimeout(0.5)
        return plug.connect_ex((host, port)) == 0


@contextmanager
def process(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A child that is gone afterwards, whatever the test did with it."""
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGCONT)
            child.terminate()
            try:
                child.wait(6)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child.stdout is not None:
            child.stdout.close()


@dataclass
class Rig:
    """What runs, where, and how to ask it."""

    directory: Path
    network: str
    cluster: subprocess.Popen[bytes]
    postgres: subprocess.Popen[bytes]
    redis: subprocess.Popen[bytes]
    settings: dict[str, str]
    others: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def host(self, last: int) -> str:
        return f"{self.network}.{last}"

    def api(
        self, method: str, path: str, body: Any = None, kind: str = "application/merge-patch+json", token: str = TOKEN
    ) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}", "content-type": kind}
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._ask(method, self.host(14), 26443, path, content, headers)
        return answer.status, json.loads(answer.body)

    def deployment(self, name: str, suffix: str = "") -> str:
        return f"/apis/apps/v1/namespaces/voicehive/deployments/{name}{suffix}"

    def post(self, function: str, body: dict[str, Any], port: int = 28100, timeout_seconds: float = 3.0) -> tuple[int, Any]:
        host = self.host(20 + FUNCTIONS.index(function))
        answer = self._ask("POST", host, port, PATHS[function], json.dumps(body).encode(), {}, timeout_seconds)
        return answer.status, json.loads(answer.body)

    def get(self, function: str, path: str, port: int = 28100) -> tuple[int, Any]:
        answer = self._ask("GET", self.host(20 + FUNCTIONS.index(function)), port, path, b"", {})
        return answer.status, json.loads(answer.body)

    def _ask(
        self, method: str, host: str, port: int, path: str, body: bytes, headers: dict[str, str], timeout_seconds: float = 3.0
    ) -> Response:
        return asyncio.run(request(method, host, port, path, host_header=host, timeout_seconds=timeout_seconds, body=body, headers=headers))

    def sql(self, statement: str) -> list[Any]:
        url = f"host={self.host(10)} port=25432 dbname=voicehive user=holdfast password={PASSWORD}"
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def cache(self) -> Any:
        return redis.Redis(host=self.host(11), port=26379, password=PASSWORD, decode_responses=True)

    def bucket(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=f"http://{self.host(12)}:29000",
            aws_access_key_id="lab",
            aws_secret_access_key=PASSWORD,
            region_name="eu-west-1",
        )


def free_network() -> str:
    """The first three bytes of a network on which nobody listens."""
    while True:
        network = f"127.{random.randint(100, 250)}.{random.randint(100, 250)}"
        if not any(answers(f"{network}.{host}", port) for host, port in ((10, 25432), (14, 26443), (20, 28100))):
            return network


@contextmanager
def running_rig(replicas: int = 1, image_tag: str = "2") -> Iterator[Rig]:
    directory = Path(tempfile.mkdtemp(prefix="holdfast-app-"))
    directory.chmod(0o755)
    try:
        with ExitStack() as stack:
            yield _start(stack, directory, free_network(), replicas, image_tag)
    finally:
        remove(directory)


def _start(stack: ExitStack, directory: Path, network: str, replicas: int, image_tag: str) -> Rig:
    postgres = _start_postgres(stack, directory, f"{network}.10")
    cache = stack.enter_context(
        process(
            [
                "redis-server",
                "--bind",
                f"{network}.11",
                "--port",
                "26379",
                "--requirepass",
                PASSWORD,
                "--save",
                "",
                "--dir",
                str(directory),
            ],
            stdout=subprocess.DEVNULL,
        )
    )
    storage = stack.enter_context(
        process(
            [sys.executable, "-m", "moto.server", "-H", f"{network}.12", "-p", "29000"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    partner = stack.enter_context(process([sys.executable, "-m", "holdfast.lab.application.partner", "--listen", f"{network}.40:28090"]))
    settings = {
        "database": f"{network}.10:25432",
        "cache": f"redis://{network}.11:26379",
        "storage": f"http://{network}.12:29000/{BUCKET}",
        "partner": f"{network}.40:28090",
    }
    rig = Rig(directory, network, postgres, postgres, cache, settings, {"storage": storage, "partner": partner})
    for host, port in ((10, 25432), (11, 26379), (12, 29000), (40, 28090)):
        eventually(lambda host=host, port=port: answers(rig.host(host), port), f"{host}:{port} answers", 30)  # type: ignore[misc]
    rig.sql("INSERT INTO holdfast.writer (era, epoch, region) VALUES (0, 1, 'eu-west-1') ON CONFLICT DO NOTHING")
    mark = json.dumps({"era": 0, "epoch": 1, "region": "eu-west-1"})
    rig.cache().set("holdfast:writer", mark)
    rig.bucket().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rig.bucket().put_object(Bucket=BUCKET, Key="holdfast/writer.json", Body=mark.encode())
    rig.cluster = _start_cluster(stack, rig, replicas, image_tag)
    return rig


def _start_postgres(stack: ExitStack, directory: Path, host: str) -> subprocess.Popen[bytes]:
    data, copy = directory / "primary", directory / "replica"
    schema = Path(__file__).parents[2] / "src" / "holdfast" / "lab" / "application" / "schema.sql"
    passwords = PostgresPasswords(PASSWORD, PASSWORD, PASSWORD)
    prepare(data, copy, bin_directory=POSTGRES.parent, os_user="postgres" if AS_POSTGRES else None, passwords=passwords, sql_files=[schema])
    (data / "standby.signal").unlink()
    settings = {"listen_addresses": host, "port": "25432", "unix_socket_directories": "", "fsync": "off", "max_connections": "100"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return stack.enter_context(process([*AS_POSTGRES, str(POSTGRES), "-D", str(data), *options], stderr=subprocess.DEVNULL))


def _start_cluster(stack: ExitStack, rig: Rig, replicas: int, image_tag: str) -> subprocess.Popen[bytes]:
    (rig.directory / "token").write_text(TOKEN)
    (rig.directory / "password").write_text(PASSWORD)
    functions = {
        name: {
            "replicas": replicas,
            "image": f"voicehive/{name}:{image_tag}",
            "address": rig.host(20 + place),
            "ports": [28100, 28107],
            "fresh_ports": [28108, 28111],
        }
        for place, name in enumerate(FUNCTIONS)
    }
    configuration = {
        "region": "eu-west-1",
        "listen": [rig.host(14), 26443],
        "token_file": str(rig.directory / "token"),
        "namespace": "voicehive",
        "directory": str(rig.directory / "cluster"),
        "config_map": "voicehive-settings",
        "settings": rig.settings,
        "files": {name: str(rig.directory / "password") for name in ("database_password", "cache_password", "storage_secret_key")},
        "functions": functions,
    }
    (rig.directory / "cluster.json").write_text(json.dumps(configuration))
    child = stack.enter_context(
        process([sys.executable, "-m", "holdfast.lab.cluster", "--config", str(rig.directory / "cluster.json")], stdout=subprocess.PIPE)
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready eu-west-1\n"
    return child
