"""HAProxy's runtime API over TCP: one command a connection, one deadline each.

Rules: silence is TimeoutError, a broken connection ConnectionError; what HAProxy itself says against a command is `CommandRefused`.
Never here: deciding which servers should serve.
"""

import asyncio
import csv
from dataclasses import dataclass

from holdfast.fencing.order import Order
from holdfast.plan.bindings import LoadBalancerBinding

_ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
ORDER_VARIABLE = "proc.holdfast_order"


class CommandRefused(Exception):
    """HAProxy answered, and the answer is no."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a backend. `status` is HAProxy's word: UP, DOWN, MAINT, DRAIN, `no check`, sometimes with more after it."""

    backend: str
    name: str
    status: str

    @property
    def admits(self) -> bool:
        """Whether it gets traffic."""
        return self.status.startswith("UP") or self.status == "no check"

    @property
    def in_maintenance(self) -> bool:
        """Whether it was taken out by an operator."""
        return self.status.startswith("MAINT")


class RuntimeApi:
    """One HAProxy."""

    def __init__(self, binding: LoadBalancerBinding, *, timeout_seconds: float, source_address: str | None = None) -> None:
        self._host, self._port = binding.admin_host, binding.admin_port
        self._timeout_seconds = timeout_seconds
        self._local = (source_address, 0) if source_address else None

    async def command(self, text: str) -> str:
        """Send one line; returns the whole answer. Raises TimeoutError, ConnectionError."""
        place = f"HAProxy's runtime API at {self._host}:{self._port}"
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=self._local)
                writer.write(text.encode() + b"\n")
                answer = await reader.read(_ANSWER_LIMIT_BYTES)
                while chunk := await reader.read(_ANSWER_LIMIT_BYTES):
                    answer += chunk
        except TimeoutError:
            raise TimeoutError(f"{place} did not answer within {self._timeout_seconds:g} s") from None
        except OSError as error:
            raise ConnectionError(f"{place} can't be reached: {error.strerror or error}") from error
        finally:
            if writer is not None:
                writer.transport.abort()
        if not answer:
            raise ConnectionError(f"{place} closed the connection without an answer")
        return answer.decode(errors="replace").strip()

    async def servers(self, backends: set[str]) -> list[Server]:
        """Every server of these backends. Raises CommandRefused when a backend is not there."""
        answer = await self.command("show stat -1 4 -1")  # of every proxy, servers only
        if not answer.startswith("#"):
            raise CommandRefused(f"HAProxy at {self._host}:{self._port} answers to `show stat`: {answer.splitlines()[0]}")
        rows = csv.DictReader(answer.removeprefix("# ").splitlines())
        found = [Server(row["pxname"], row["svname"], row["status"]) for row in rows if row["pxname"] in backends]
        absent = sorted(backends - {server.backend for server in found})
        if absent:
            raise CommandRefused(f"HAProxy at {self._host}:{self._port} has no backend {', '.join(absent)}: correct the bindings")
        return found

    async def set_states(self, servers: list[Server], state: str) -> None:
        """Set each server's state (`ready`, `maint`). Raises CommandRefused with what HAProxy says against it."""
        if not servers:
            return
        answer = await self.command(";".join(f"set server {server.backend}/{server.name} state {state}" for server in servers))
        if answer:
            raise CommandRefused(f"HAProxy at {self._host}:{self._port} answers: {answer.splitlines()[0]}")

    async def order(self) -> Order | None:
        """The highest order that this process has obeyed since it started, or None."""
        answer = await self.command(f"get var {ORDER_VARIABLE}")
        _, found, rest = answer.partition("value=<")
        return Order.from_text(rest.partition(">")[0]) if found else None

    async def note_order(self, order: Order) -> None:
        """Keep an order in the process."""
        answer = await self.command(f"experimental-mode on; set var {ORDER_VARIABLE} str({order.as_text()})")
        if answer:
            raise CommandRefused(f"HAProxy at {self._host}:{self._port} can't keep the order: {answer.splitlines()[0]}")
