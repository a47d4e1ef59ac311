"""The supervisor's control port: a JSON object a line there, a JSON object a line back, the lab's token in each.

    {"token", "verb", "arguments"}  →  {"ok": true, ...} or {"ok": false, "error": text}

Both sides are here so that the form is written once. Never here: what a verb does.
"""

import asyncio
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from holdfast.lab.ground import LabProblem

LONGEST_LINE_BYTES = 1024 * 1024
Obey = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class ControlServer:
    """The supervisor's side."""

    def __init__(self, host: str, port: int, token: str, obey: Obey) -> None:
        self._host, self._port = host, port
        self._token = token
        self._obey = obey
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=LONGEST_LINE_BYTES)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # the caller left in the middle, or sent a line without end
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            token, verb, arguments = str(request["token"]), str(request["verb"]), dict(request.get("arguments", {}))
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"not a command: {error!r}"}
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "error": "wrong token"}
        try:
            return {"ok": True, **await self._obey(verb, arguments)}
        except (LabProblem, KeyError, ValueError) as error:
            return {"ok": False, "error": str(error)}


def ask(host: str, port: int, token: str, verb: str, arguments: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
    """The other side: one command and its answer. Raises LabProblem when it is refused, OSError when nobody answers."""
    with socket.create_connection((host, port), timeout=timeout_seconds) as connection:
        connection.sendall(json.dumps({"token": token, "verb": verb, "arguments": arguments}).encode() + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline()
    if not line:
        raise ConnectionError(f"{host}:{port} closed the connection without an answer")
    answer: dict[str, Any] = json.loads(line)
    if not answer.pop("ok"):
        raise LabProblem(str(answer["error"]))
    return answer
