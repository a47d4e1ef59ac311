"""The SMTP sink: takes every mail, checks that it is one, and writes it down."""

import asyncio
import json
import socket
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailSink:
    """Listens until closed, on a free loopback port where none is named."""

    def __init__(self, directory: Path, name: str = "smtp", host: str = "127.0.0.1", port: int = 0) -> None:
        self.name = name
        self.file = directory / f"{name}.jsonl"
        self._behaviour = directory / f"{name}.behaviour"
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind((host, port))
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname=host, port=self.port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The library calls this for every mail."""
        behaviour = self._behaviour.read_text().strip() if self._behaviour.exists() else "ok"
        if behaviour == "hang":
            await asyncio.sleep(30)
        if behaviour in ("hang", "500"):
            return "554 5.3.0 broken"
        if behaviour == "429":
            return "451 4.7.1 later"
        mail = message_from_bytes(envelope.content if isinstance(envelope.content, bytes) else b"", policy=default)
        missing = [name for name in ("Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted") if mail[name] is None]
        row = {"to": envelope.rcpt_tos, "headers": dict(mail.items()), "body": mail.get_content(), "wrong": missing}
        if behaviour != "drop":
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"at_seconds": time.time(), **row}, ensure_ascii=False) + "\n")
        return "554 5.6.0 headers are missing" if missing else "250 2.0.0 taken"

    def close(self) -> None:
        """Stop listening."""
        self._controller.stop()
