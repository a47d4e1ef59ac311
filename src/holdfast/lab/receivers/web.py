"""A far end that speaks HTTP: behaves as it is told, has its vendor's checks done, and writes down what arrived."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HANG_SECONDS = 30.0
POLL_SECONDS = 0.02
"""How long closing may take. The shorter, the more often an idle one wakes up."""
Reply = tuple[int, Mapping[str, Any], Mapping[str, Any]]
"""Status, what is answered, and what is written down beside the request."""
Check = Callable[[str, Mapping[str, str], bytes], Reply]
"""Path, headers (lower case), body. Raises for a request that the vendor's documents don't allow."""


class Receiver:
    """One far end in a thread of its own; closes with `close`."""

    def __init__(
        self, name: str, directory: Path, answer: Check, host: str = "127.0.0.1", port: int = 0, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self.name = name
        self.file = directory / f"{name}.jsonl"
        self._behaviour = directory / f"{name}.behaviour"
        self._answer = answer
        self._mutex = threading.Lock()
        self._server = _Server((host, port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(poll_seconds,), daemon=True).start()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes] | None:
        """Behave as told, check, and write down. None: break the connection off without an answer."""
        behaviour = self._behaviour.read_text().strip() if self._behaviour.exists() else "ok"
        if behaviour == "hang":
            time.sleep(HANG_SECONDS)
        if behaviour in ("hang", "500"):
            return 500, {}, b"{}"
        if behaviour == "503":
            return 503, {"retry-after": "3"}, b"{}"
        if behaviour == "429":
            return 429, {"retry-after": "7"}, b"{}"
        if behaviour == "reset":
            return None
        with self._mutex:
            try:
                status, said, beside = self._answer(path, headers, body)
            except Exception as error:  # a check that fails in any way is a request that is wrong
                self._write({"wrong": f"{type(error).__name__}: {error}"[:500], "path": path})
                return 400, {}, json.dumps({"status": "invalid", "message": "the request is not as published"}).encode()
            if behaviour != "drop":
                shown = {name: value for name, value in headers.items() if name != "authorization"}
                self._write({"path": path, "headers": shown, "body": body.decode(), **beside})
            return None if behaviour == "taken-and-reset" else (status, {}, json.dumps(said).encode())

    def _write(self, fields: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at_seconds": time.time(), **fields}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            self._answered(body)

        def do_GET(self) -> None:
            self._answered(b"")

        def _answered(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            status, more, said = answer
            try:
                self.send_response(status)
                for name, value in {**more, "content-length": str(len(said)), "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                self.close_connection = True  # the sender gave up waiting

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: what arrived stands in the file."""

    return Handler
