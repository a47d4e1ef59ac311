"""The PMS partner: what the application says to it, and the stub that stands for it outside the regions.

    python -m holdfast.lab.application.partner --listen HOST:PORT

The stub takes `PUT /reservations/<key>`, remembers it, and answers a repeat with the first reference. `GET /reservations` counts them.
"""

import argparse
import asyncio
import json
import signal
import sys
from typing import Any

from holdfast.lab.application.outcomes import CONNECT_SECONDS, RefusedError
from holdfast.lab.application.web import Call, Reply, Server, json_object
from holdfast.providers.http.client import Connection


class Partner:
    """The application's side: one connection, kept while it works."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[Connection] = []
        self._closed = False

    async def reserve(self, request: str, reservation: dict[str, str], timeout_seconds: float) -> str:
        """The partner's reference. Any trouble is a refusal: the key makes a repeat harmless, so nothing is left open here."""
        try:
            connection = self._idle.pop() if self._idle else None
            if connection is None or not connection.reusable:
                connection = await Connection.open(self._host, self._port, timeout_seconds=CONNECT_SECONDS)
            answer = await connection.exchange(
                "PUT",
                f"/reservations/{request}",
                host_header=f"{self._host}:{self._port}",
                timeout_seconds=timeout_seconds,
                body=json.dumps(reservation).encode(),
            )
        except (TimeoutError, ConnectionError) as error:
            raise RefusedError(f"partner: {error}") from error
        if self._closed or not connection.reusable:
            connection.drop()
        else:
            self._idle.append(connection)
        if answer.status != 200:
            raise RefusedError(f"partner: status {answer.status}")
        return str(json.loads(answer.body)["reference"])

    def close(self) -> None:
        """No connection stays."""
        self._closed = True
        while self._idle:
            self._idle.pop().drop()


class Reservations:
    """The stub's side: what it was told, in memory."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}

    async def answer(self, call: Call) -> Reply:
        """One request to the stub."""
        prefix, key = call.path[:14], call.path[14:]
        if call.method == "GET" and call.path == "/healthz":
            return Reply(200, {"status": "ready"})
        if call.method == "GET" and call.path == "/reservations":
            return Reply(200, {"reservations": len(self._known)})
        if call.method == "PUT" and prefix == "/reservations/" and key:
            reference, _ = self._known.setdefault(key, (f"PMS-{len(self._known) + 1:07d}", json_object(call.body)))
            return Reply(200, {"reference": reference})
        return Reply(404, {"error": f"no {call.method} {call.path} here; use PUT /reservations/<key>"})


async def _serve(host: str, port: int) -> None:
    server = Server(Reservations().answer)
    await server.start(host, port)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await server.stop(within_seconds=0.5)


def main(arguments: list[str] | None = None) -> int:
    """Run the stub until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.lab.application.partner", description="Stand for the PMS partner.")
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    host, _, port = parser.parse_args(arguments).listen.rpartition(":")
    try:
        asyncio.run(_serve(host, int(port)))
    except OSError as error:
        print(f"the partner cannot listen on {host}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
