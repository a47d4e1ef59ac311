"""The lab's cluster of one region, with real instances and no stores behind them, for the actions that speak Kubernetes."""

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx

from contract.action_suite import Ground, Opens
from contract.server_rig import CENTRAL, FUNCTIONS, freeze, place, server, thaw
from holdfast.plan.bindings import ClusterBinding
from holdfast.ports.action import Task
from holdfast.providers.kubernetes.sets import FIRST, LABEL

PRIMARY_STORES = {"database": "127.9.9.9:25432", "cache": "redis://127.9.9.9:26379", "storage": "http://127.9.9.9:29000/recordings"}
OWN_STORES = {"database": "127.8.8.8:25432", "cache": "redis://127.8.8.8:26379", "storage": "http://127.8.8.8:29000/recordings"}
NAMESPACE, CONFIG_MAP = "voicehive", "voicehive-settings"


class LabCluster:
    """The cluster of eu-central-1, and its objects as they were at the start."""

    def __init__(self, binding: ClusterBinding, process: Popen[bytes]) -> None:
        self.binding = binding
        self.bindings = {CENTRAL: binding}
        self.process = process
        headers = {"authorization": f"Bearer {binding.token_file.read_text()}"}
        self.client = httpx.Client(base_url=binding.url, headers=headers, trust_env=False, timeout=10)

    def path(self, name: str) -> str:
        return f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}"

    @property
    def settings_path(self) -> str:
        return f"/api/v1/namespaces/{NAMESPACE}/configmaps/{CONFIG_MAP}"

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def patch(self, path: str, body: Mapping[str, Any]) -> None:
        kind = {"content-type": "application/merge-patch+json"}
        self.client.patch(path, content=json.dumps(body), headers=kind).raise_for_status()

    def reset(self) -> None:
        """As at the start: one instance each, version 1, the primary's stores, no orders."""
        for function in FUNCTIONS:
            self.client.delete(self.path(f"{function}-fresh"))
            self.patch(self.service(function), {"metadata": {"annotations": None}, "spec": {"selector": {LABEL: FIRST}}})
            containers = self.get(self.path(function))["spec"]["template"]["spec"]["containers"]
            old = [{**container, "image": f"registry.test:5000/voicehive/{function}:1"} for container in containers]
            self.patch(
                self.path(function),
                {"metadata": {"annotations": None}, "spec": {"replicas": 1, "paused": None, "template": {"spec": {"containers": old}}}},
            )
        self.patch(self.settings_path, {"metadata": {"annotations": None}, "data": PRIMARY_STORES})

    def service(self, name: str) -> str:
        return f"/api/v1/namespaces/{NAMESPACE}/services/{name}"

    def deployments(self) -> dict[str, Any]:
        return {found["metadata"]["name"]: found for found in self.get(self.path("").rstrip("/"))["items"]}

    async def snapshot(self) -> Any:
        services = [self.get(self.service(function)) for function in FUNCTIONS]
        return [self.get(self.settings_path)["data"]] + [
            (found["metadata"]["name"], found["spec"], found["metadata"].get("annotations"))
            for found in (*self.deployments().values(), *services)
        ]

    async def cut(self) -> None:
        freeze(self.process)

    def ground(self, action: Any, task: Task) -> Opens:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Ground]:
            try:
                yield Ground(action, task, self.snapshot, self.cut)
            finally:
                thaw(self.process)

        return opened


@contextmanager
def lab_cluster(directory: Path) -> Iterator[LabCluster]:
    """It runs as long as the block does."""
    host, port = place()
    (directory / "token").write_text("token of the test")
    (directory / "secret").write_text("secret of the test")
    functions = {
        function: {
            "replicas": 1,
            "image": f"registry.test:5000/voicehive/{function}:1",
            "address": place()[0],
            "ports": [28100, 28103],
            "fresh_ports": [28104, 28107],
        }
        for function in FUNCTIONS
    }
    configuration = {
        "region": CENTRAL,
        "listen": [host, port],
        "token_file": str(directory / "token"),
        "namespace": NAMESPACE,
        "directory": str(directory / "state"),
        "config_map": CONFIG_MAP,
        "settings": {**PRIMARY_STORES, "partner": "127.9.9.9:28090"},
        "files": {name: str(directory / "secret") for name in ("database_password", "cache_password", "storage_secret_key")},
        "functions": functions,
    }
    (directory / "config.json").write_text(json.dumps(configuration))
    binding = ClusterBinding(
        url=f"http://{host}:{port}",
        token_file=directory / "token",
        namespace=NAMESPACE,
        deployments={function: function for function in FUNCTIONS},
        services={function: function for function in FUNCTIONS},
        settings_config_map=CONFIG_MAP,
        stores=OWN_STORES,
    )
    command = [sys.executable, "-m", "holdfast.lab.cluster", "--config", str(directory / "config.json")]
    with server(command, directory, host, port) as process:
        found = LabCluster(binding, process)
        yield found
        found.client.close()
