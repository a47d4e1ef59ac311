"""A small PostgreSQL client (protocol 3, simple queries) on the standard library.

Why not psql as a child process: an agent must know within a bound whether its heartbeat was committed, must see warning 01000 (a
synchronous wait that was cancelled is no acknowledgement), and must not fork to ask a question. Authentication: SCRAM-SHA-256, or none
where pg_hba.conf trusts. Every operation has one deadline; when it passes, the connection is closed, because what became of the statement
is unknown. Never here: cursors, COPY, binary formats, TLS (an agent talks to the server beside it).
"""

import base64
import hashlib
import hmac
import os
import socket
import struct
import time
import unicodedata
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


class WireError(ConnectionError):
    """The connection could not be made or was lost; what a statement in flight did is unknown."""


class WireTimeout(WireError, TimeoutError):
    """No answer before the deadline."""


class StatementError(Exception):
    """The server said no: `sqlstate` and its own words."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{message} (SQLSTATE {sqlstate})")
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query answered: text values row by row, and SQLSTATEs of the warnings that came with it."""

    rows: list[tuple[str | None, ...]]
    warnings: tuple[str, ...] = ()

    def one(self) -> tuple[str | None, ...]:
        """The first row. Raises StatementError (02000, no data) when there is none."""
        if not self.rows:
            raise StatementError("02000", "the query returned no row")
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to log in, and as whom."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    application_name: str = "holdfast-agent"


class Connection:
    """One session. Used by one thread at a time; closed by the first time-out or protocol fault."""

    def __init__(self, address: Address, timeout_seconds: float) -> None:
        self._buffer = b""
        self._deadline = time.monotonic() + timeout_seconds
        try:
            self._socket = socket.create_connection((address.host, address.port), timeout=timeout_seconds)
        except TimeoutError as error:
            raise WireTimeout(f"no connection to {address.host}:{address.port} within {timeout_seconds:g} s") from error
        except OSError as error:
            raise WireError(f"cannot connect to {address.host}:{address.port}: {error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._log_in(address)
        except BaseException:
            self.close()
            raise

    def query(self, sql: str, timeout_seconds: float) -> Rows:
        """Run one or more statements (one implicit transaction); rows of the last that returned any.

        Raises StatementError when the server refused, WireError when nothing is known.
        """
        self._deadline = time.monotonic() + timeout_seconds
        self._send(b"Q", sql.encode() + b"\0")
        rows: list[tuple[str | None, ...]] = []
        warnings: list[str] = []
        refusal: StatementError | None = None
        while True:
            kind, body = self._message()
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(_data_row(body))
            elif kind == b"N":
                warnings.append(_fields(body).get("C", ""))
            elif kind == b"E":
                refusal = _refusal(body)
                if _fields(body).get("V") in ("FATAL", "PANIC"):
                    self.close()
                    raise refusal
            elif kind == b"Z":
                if refusal is not None:
                    raise refusal
                return Rows(rows, tuple(state for state in warnings if state not in ("", "00000")))

    def close(self) -> None:
        """End the session without waiting for anything."""
        self._socket.close()

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _log_in(self, address: Address) -> None:
        parameters = {
            "user": address.user,
            "database": address.database,
            "application_name": address.application_name,
            "client_encoding": "UTF8",
        }
        body = b"".join(f"{key}\0{value}\0".encode() for key, value in parameters.items()) + b"\0"
        self._send_raw(struct.pack("!ii", len(body) + 8, 196608) + body)
        scram = _Scram(address.password)
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise _refusal(body)
            if kind == b"Z":
                return
            if kind == b"R":
                self._authenticate(scram, body)

    def _authenticate(self, scram: "_Scram", body: bytes) -> None:
        (method,) = struct.unpack("!i", body[:4])
        if method == 10:  # SASL: the server's mechanisms
            if b"SCRAM-SHA-256" not in body[4:].split(b"\0"):
                raise WireError("the server offers no SCRAM-SHA-256; store the role's password with password_encryption = 'scram-sha-256'")
            first = scram.first()
            self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
        elif method == 11:
            self._send(b"p", scram.final(body[4:]))
        elif method == 12:
            scram.check_server(body[4:])
        elif method != 0:
            raise WireError(f"the server asks for authentication method {method}; use scram-sha-256 in pg_hba.conf")

    def _message(self) -> tuple[bytes, bytes]:
        head = self._receive(5)
        (length,) = struct.unpack("!i", head[1:])
        return head[:1], self._receive(length - 4)

    def _receive(self, count: int) -> bytes:
        while len(self._buffer) < count:
            try:
                self._socket.settimeout(self._left())
                data = self._socket.recv(65536)
            except TimeoutError as error:
                self.close()
                raise WireTimeout("no answer from PostgreSQL before the deadline") from error
            except OSError as error:
                self.close()
                raise WireError(f"the connection to PostgreSQL broke: {error}") from error
            if not data:
                self.close()
                raise WireError("PostgreSQL closed the connection")
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _send(self, kind: bytes, body: bytes) -> None:
        self._send_raw(kind + struct.pack("!i", len(body) + 4) + body)

    def _send_raw(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except TimeoutError as error:
            self.close()
            raise WireTimeout("PostgreSQL took no bytes before the deadline") from error
        except OSError as error:
            self.close()
            raise WireError(f"the connection to PostgreSQL broke: {error}") from error

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self.close()
            raise WireTimeout("no answer from PostgreSQL before the deadline")
        return left


class _Scram:
    """The client's side of RFC 5802 with SHA-256, without channel binding."""

    def __init__(self, password: str) -> None:
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = base64.b64encode(os.urandom(18)).decode()
        self._first_bare = f"n=,r={self._nonce}"
        self._expected = b""

    def first(self) -> bytes:
        return f"n,,{self._first_bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        values = dict(part.split("=", 1) for part in challenge.decode().split(","))
        if not values["r"].startswith(self._nonce):
            raise WireError("the server answered with a nonce that does not continue ours")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(values["s"]), int(values["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={values['r']}"
        signed = f"{self._first_bare},{challenge.decode()},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        self._expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def check_server(self, final: bytes) -> None:
        values = dict(part.split("=", 1) for part in final.decode().split(","))
        if not hmac.compare_digest(base64.b64decode(values.get("v", "")), self._expected):
            raise WireError("the server could not prove that it knows the password: another server answers at this address")


def _data_row(body: bytes) -> tuple[str | None, ...]:
    (count,) = struct.unpack("!h", body[:2])
    values: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack("!i", body[at : at + 4])
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[at : at + length].decode())
            at += length
    return tuple(values)


def _fields(body: bytes) -> dict[str, str]:
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def _refusal(body: bytes) -> StatementError:
    fields = _fields(body)
    return StatementError(fields.get("C", "XX000"), fields.get("M", "PostgreSQL refused without a reason"))


def literal(text: str) -> str:
    """A string as SQL (standard_conforming_strings is on, its default since 9.1)."""
    return "'" + text.replace("'", "''") + "'"


def identifier(text: str) -> str:
    """A name as SQL."""
    return '"' + text.replace('"', '""') + '"'
