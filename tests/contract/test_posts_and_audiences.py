"""Handing a request to somebody's interface, and asking a directory who is in an audience."""

import asyncio
import csv
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from contract.audience_suite import AudienceSuite, Directory
from contract.post_suite import Behaviour, FarEnd, PostSuite
from holdfast.ports.audience import DirectoryUnreadableError
from holdfast.providers.file.contacts import CsvAudience, member_of
from holdfast.providers.http.audience import HttpAudience
from holdfast.providers.http.post import HttpPost


class Answering:
    """A server of which each answer is a function of the handler."""

    def __init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.answer(self)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.ended = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        raise AssertionError("a subclass answers")

    def close(self) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class Interface(Answering, FarEnd):
    def __init__(self) -> None:
        super().__init__()
        self.post = HttpPost(1.0)
        self.url = f"{self.base}/hook/secret-path"
        self.how = Behaviour.YES
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def behave(self, how: Behaviour) -> None:
        self.how = how

    def got(self) -> list[tuple[dict[str, str], bytes]]:
        return self.requests

    def go(self) -> None:
        self.close()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        content = call.rfile.read(int(call.headers["content-length"]))
        self.requests.append(({name.lower(): value for name, value in call.headers.items()}, content))
        match self.how:
            case Behaviour.SILENT:
                self.ended.wait(30)
            case Behaviour.BREAKS:
                call.connection.shutdown(socket.SHUT_RDWR)
            case Behaviour.NONSENSE:
                call.wfile.write(b"who are you?\r\n\r\n")
            case Behaviour.BREAKS_IN_THE_BODY:
                call.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                call.wfile.flush()
                call.connection.shutdown(socket.SHUT_RDWR)
            case Behaviour.ENDLESS:
                call.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                try:
                    while not self.ended.is_set():
                        call.wfile.write(b"x" * 65536)
                except OSError:
                    pass  # whoever asked has had enough
            case _:
                call.send_response(int(self.how))
                call.send_header("X-Reference", "R1")
                call.send_header("Location", f"{self.base}/elsewhere")
                call.send_header("Content-Length", "8")
                call.end_headers()
                call.wfile.write(b"answered")
        call.close_connection = True


class TestHttpPost(PostSuite):
    implementations = (HttpPost,)

    @pytest.fixture
    def far(self) -> Iterator[Interface]:
        interface = Interface()
        yield interface
        interface.close()


class File(Directory):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = CsvAudience(path)

    def hold(self, members: Sequence[dict[str, str]]) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "name", "email", "phone"], restval="")
            writer.writeheader()
            writer.writerows(members)

    def spoil(self) -> None:
        self.path.write_bytes(b"\xff\xfe no list")

    def take_away(self) -> None:
        self.path.unlink()


class TestCsvAudience(AudienceSuite):
    implementations = (CsvAudience,)

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Directory:
        return File(tmp_path / "hotels.csv")


class Listing(Answering, Directory):
    def __init__(self) -> None:
        super().__init__()
        self.body = b""
        self.source = HttpAudience(f"{self.base}/members", member_of)

    def hold(self, members: Sequence[dict[str, str]]) -> None:
        self.body = json.dumps({"members": list(members)}).encode()

    def spoil(self) -> None:
        self.body = b'{"members": 7}'

    def take_away(self) -> None:
        self.close()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        call.send_response(200)
        call.send_header("Content-Length", str(len(self.body)))
        call.end_headers()
        call.wfile.write(self.body)
        call.close_connection = True


class TestHttpAudience(AudienceSuite):
    implementations = (HttpAudience,)

    @pytest.fixture
    def directory(self) -> Iterator[Directory]:
        listing = Listing()
        yield listing
        listing.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/members", "http://", "nowhere", "ftp://127.0.0.1/members"])
def test_a_directory_whose_address_is_none_is_unreadable(url: str) -> None:
    with pytest.raises(DirectoryUnreadableError):
        asyncio.run(HttpAudience(url, member_of).members())
