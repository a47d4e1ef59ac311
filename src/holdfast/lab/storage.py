"""A region's object storage: moto's S3, kept in memory, and a list of what changed.

Run as `python -m holdfast.lab.storage --listen HOST:PORT`. It stands in for the cloud's; moto keeps state but copies nothing between
regions, so `copier` does that, told by `GET /-/changes?after=N` what was written since (`{"last": N, "keys": ["bucket/key"]}`), as a
cloud's own copying is told by events. Signatures are accepted and not checked. Never here: buckets (the supervisor makes the one).
"""

import argparse
import json
import logging
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from holdfast.lab.storage_paths import CHANGES_PATH

_MOST_AT_ONCE = 500


class Handler(MotoRequestHandler):
    """moto's handler, speaking HTTP/1.1."""

    protocol_version = "HTTP/1.1"


class Changes:
    """Every object that was written, in order; a WSGI application around the storage's own."""

    def __init__(self, storage: Callable[..., Iterable[bytes]]) -> None:
        self._storage = storage
        self._written: list[str] = []
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        path = str(environ.get("PATH_INFO", ""))
        if path == CHANGES_PATH:
            return self._tell(environ, start_response)
        if environ.get("REQUEST_METHOD") not in ("PUT", "POST") or path.count("/") < 2:
            return self._storage(environ, start_response)

        def started(status: str, *rest: Any) -> Any:
            if status.startswith("200"):
                with self._lock:
                    self._written.append(path.lstrip("/"))
            return start_response(status, *rest)

        return self._storage(environ, started)

    def _tell(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = parse_qs(str(environ.get("QUERY_STRING", ""))).get("after", ["0"])[-1]
        after = int(given) if given.isdigit() else 0
        with self._lock:
            keys = self._written[after : after + _MOST_AT_ONCE]
        body = json.dumps({"last": after + len(keys), "keys": keys}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description="Serve a region's object storage.")
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    host, _, port = parser.parse_args().listen.rpartition(":")
    # A line for each request would fill the disk under load and says nothing that the clients' ledgers don't.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = Changes(create_backend_app("s3"))
    make_server(host, int(port), application, threaded=True, request_handler=Handler).serve_forever()


if __name__ == "__main__":
    main()
