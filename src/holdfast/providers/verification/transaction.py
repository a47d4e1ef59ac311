"""One real transaction of a function through a region's entry: what a client does, but without asking DNS which region serves.

The HTTP client is passed in (providers don't know each other). Request identifiers begin with `holdfast-`, so that the records
that Holdfast writes can be told from clients'. A transaction counts when the service acknowledged it; no answer is *unknown*.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import uuid4

from holdfast.plan.bindings import FunctionBinding
from holdfast.ports.clock import Clock


class Response(Protocol):
    """What the HTTP client answers."""

    @property
    def status(self) -> int:
        """Status code."""

    @property
    def body(self) -> bytes:
        """Content."""


class Request(Protocol):
    """`holdfast.providers.http.client.request`. Raises TimeoutError or ConnectionError."""

    async def __call__(
        self,
        method: str,
        host: str,
        port: int,
        path: str,
        *,
        host_header: str,
        timeout_seconds: float,
        body: bytes = b"",
        source_address: str | None = None,
    ) -> Response:
        """One request and its whole answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a region's clients come in."""

    host: str
    port: int


class Served(StrEnum):
    """What became of a transaction."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction and its result, as the service said it."""

    function: str
    served: Served
    latency_seconds: float
    detail: str
    regions: Mapping[str, str] = field(default_factory=dict)
    """Store → the region of its writer that acknowledged."""


@dataclass(frozen=True, slots=True)
class Entries:
    """How every function is reached in every region, and with what."""

    functions: Mapping[str, FunctionBinding]
    regions: Mapping[str, Entry]
    request: Request
    clock: Clock
    source_address: str | None = None

    async def transact(self, function: str, region: str, timeout_seconds: float) -> Transaction:
        """Carry out one transaction of a function in a region."""
        binding, entry = self.functions[function], self.regions[region]
        body = json.dumps({"request": f"holdfast-{uuid4().hex}"}).encode()
        started = self.clock.steady_seconds()
        try:
            answer = await self.request(
                "POST",
                entry.host,
                entry.port,
                binding.path,
                host_header=f"{binding.dns_name}:{binding.port}",
                timeout_seconds=timeout_seconds,
                body=body,
                source_address=self.source_address,
            )
        except (TimeoutError, ConnectionError) as error:
            return Transaction(function, Served.UNKNOWN, self.clock.steady_seconds() - started, f"no answer: {error}")
        latency = self.clock.steady_seconds() - started
        value = _object(answer.body)
        if answer.status == 200:
            return Transaction(function, Served.YES, latency, "acknowledged", _regions(value))
        return Transaction(function, Served.NO, latency, f"status {answer.status}: {value.get('error', 'no reason given')}")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _regions(value: Mapping[str, Any]) -> dict[str, str]:
    stores = value.get("stores")
    if not isinstance(stores, dict):
        return {}
    return {str(store): str(write["region"]) for store, write in stores.items() if isinstance(write, dict) and "region" in write}
