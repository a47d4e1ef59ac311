"""The SMTP sink: takes every mail, checks that it is one, and writes it down. With a certificate it takes none without STARTTLS."""

import asyncio
import json
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ONCE = ("Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted")
"""Headers that a mail of a machine has exactly once."""
_LINE = 998


@dataclass(frozen=True, slots=True)
class Guarded:
    """A relay that wants STARTTLS, and a sign-in where `login` holds user and password."""

    certificate: Path
    key: Path
    login: tuple[str, str] | None = None


class MailSink:
    """Listens until closed, on a free loopback port where none is named."""

    def __init__(self, directory: Path, guarded: Guarded | None = None, name: str = "smtp", host: str = "127.0.0.1", port: int = 0) -> None:
        self.name = name
        self.file = directory / f"{name}.jsonl"
        self._behaviour = directory / f"{name}.behaviour"
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind((host, port))
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname=host, port=self.port, **_options(guarded))
        self._controller.start()

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """The library calls this for every recipient."""
        behaviour = self._told()
        if behaviour == "no-such-user":
            return "550 5.1.1 no such user"
        if behaviour == "greylist":
            return "450 4.7.1 greylisted, later"
        if behaviour == "closing":
            return "421 4.3.2 too many mails on this connection"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The library calls this for every mail."""
        behaviour = self._told()
        if behaviour == "hang":
            await asyncio.sleep(30)
        if behaviour in ("hang", "500"):
            return "554 5.3.0 broken"
        if behaviour == "429":
            return "451 4.7.1 later"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=default)
        headers = mail.items()  # parsed at each look, and dear
        wrong = [str(defect) for defect in mail.defects] or _wrong(headers, content, envelope.mail_from)
        row = {"to": envelope.rcpt_tos, "headers": dict(headers), "body": mail.get_content(), "wrong": wrong}
        if behaviour != "drop":
            known = {"tls": session.ssl is not None, "signed_in": bool(session.authenticated), "connection": str(session.peer)}
            told = {"at_seconds": time.time(), **known, **row}
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
            if behaviour == "keep":
                (self.file.parent / f"{self.file.stem}.eml").write_bytes(content)
        if behaviour == "taken-and-reset" and server.transport is not None:
            server.transport.close()
        return f"554 5.6.0 {wrong[0]}" if wrong else "250 2.0.0 taken"

    def _told(self) -> str:
        return self._behaviour.read_text().strip() if self._behaviour.exists() else "ok"

    def close(self) -> None:
        """Stop listening."""
        self._controller.stop()


def _options(guarded: Guarded | None) -> Mapping[str, Any]:
    if guarded is None:
        return {}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(guarded.certificate, guarded.key)
    options: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    if guarded.login is not None:
        user, password = (part.encode() for part in guarded.login)

        def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
            fits = isinstance(given, LoginPassword) and (given.login, given.password) == (user, password)
            return AuthResult(success=fits, handled=fits)

        options |= {"authenticator": authenticator, "auth_required": True, "auth_require_tls": True}
    return options


def _wrong(headers: Sequence[tuple[str, Any]], content: bytes, sender: str | None) -> list[str]:
    """What a careful relay would object to, as RFC 5321 and 5322 have it."""
    counted = Counter(name for name, _ in headers)
    found = [f"{name} must be there once" for name in ONCE if counted[name] != 1]
    found += [f"{name}: {defect}" for name, value in headers for defect in getattr(value, "defects", ())]
    if found:
        return found
    said = dict(headers)
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(said["Message-ID"])):
        found.append("Message-ID is none")
    if len(said["To"].addresses) != 1 or [address.addr_spec for address in said["From"].addresses] != [sender]:
        found.append("one person a mail, from who sends it")
    if parsedate_to_datetime(str(said["Date"])).tzinfo is None:
        found.append("Date names no zone")
    if any(len(line) > _LINE or line.rstrip(b"\r").count(b"\r") for line in content.split(b"\n")) or not content.isascii():
        found.append("a line that is too long, or not plain")
    return found
