"""Mail over a real SMTP server: STARTTLS with an authority of the test's own, sign-in, connections that last, and what a relay can sign."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
import trustme

from contract.notifier_suite import MESSAGE
from holdfast.lab.receivers.mail import Guarded, MailSink
from holdfast.ports.notifier import RefusedNotificationError
from holdfast.ports.post import Secret
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier

MAIL = replace(MESSAGE, address="a@example.org")
LOGIN = ("holdfast", "relay-password")


class Relays:
    """A relay that wants STARTTLS and a sign-in, and the authority that signed its certificate."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = self._authority("ca.pem")
        self.sinks: list[MailSink] = []
        self.notifiers: list[SmtpNotifier] = []

    def _authority(self, name: str) -> trustme.CA:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.directory / name))
        return authority

    def other_authority(self) -> Path:
        self._authority("other.pem")
        return self.directory / "other.pem"

    def guarded(self, certified_for: str = "localhost") -> MailSink:
        issued = self.authority.issue_cert(certified_for)
        issued.private_key_pem.write_to_path(str(self.directory / "key.pem"))
        for number, pem in enumerate(issued.cert_chain_pems):
            pem.write_to_path(str(self.directory / "cert.pem"), append=number > 0)
        return self._kept(MailSink(self.directory, Guarded(self.directory / "cert.pem", self.directory / "key.pem", LOGIN)))

    def plain(self) -> MailSink:
        return self._kept(MailSink(self.directory))

    def _kept(self, sink: MailSink) -> MailSink:
        self.sinks.append(sink)
        return sink

    def notifier(self, sink: MailSink, **changed: Any) -> SmtpNotifier:
        settings = {"host": "localhost", "sender": "h@example.org", "ca_file": str(self.directory / "ca.pem"), "timeout_seconds": 2.0}
        self.notifiers.append(SmtpNotifier(Relay(port=sink.port, **{**settings, **changed}), SystemClock()))
        return self.notifiers[-1]

    def signed_in(self, sink: MailSink, password: str = LOGIN[1], **changed: Any) -> SmtpNotifier:
        return self.notifier(sink, user=LOGIN[0], password=Secret(password), **changed)

    def rows(self) -> list[dict[str, Any]]:
        path = self.directory / "smtp.jsonl"
        return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def close(self) -> None:
        for notifier in self.notifiers:
            notifier.close()
        for sink in self.sinks:
            sink.close()


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[Relays]:
    made = Relays(tmp_path)
    yield made
    made.close()


def test_a_mail_goes_encrypted_and_signed_in(relays: Relays) -> None:
    notifier = relays.signed_in(relays.guarded())
    for number in range(5):
        asyncio.run(notifier.send(replace(MAIL, key=str(number))))
    rows = relays.rows()
    assert len(rows) == 5 and all(row["tls"] and row["signed_in"] and not row["wrong"] for row in rows)
    assert len({row["connection"] for row in rows}) == 1, "signing in costs more than a mail does"


def test_a_relay_without_starttls_gets_neither_mail_nor_password(relays: Relays) -> None:
    with pytest.raises(ConnectionError, match=r"no STARTTLS.*nothing was sent"):
        asyncio.run(relays.signed_in(relays.plain()).send(MAIL))
    assert relays.rows() == []


@pytest.mark.parametrize(
    ("certified_for", "authority", "says"),
    [
        ("localhost", "other", "name its authority in ca_file"),
        ("mail.example.org", "own", "[Hh]ostname mismatch"),
        ("localhost", "none", "not trusted"),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted_gets_neither_mail_nor_password(
    relays: Relays, certified_for: str, authority: str, says: str
) -> None:
    ca_file = {"other": str(relays.other_authority()), "own": str(relays.directory / "ca.pem"), "none": None}[authority]
    with pytest.raises(ConnectionError, match=says) as said:
        asyncio.run(relays.signed_in(relays.guarded(certified_for), ca_file=ca_file).send(MAIL))
    assert "nothing was sent" in str(said.value)
    assert relays.rows() == []


def test_a_wrong_password_is_refused_for_good_and_never_named(relays: Relays) -> None:
    with pytest.raises(RefusedNotificationError, match="correct user and password") as said:
        asyncio.run(relays.signed_in(relays.guarded(), password="wrong-one").send(MAIL))
    assert said.value.retry_after_seconds is None and "wrong-one" not in str(said.value)
    assert relays.rows() == []


def test_many_mails_go_over_one_connection_and_one_that_the_relay_ended_costs_none(relays: Relays) -> None:
    sink = relays.plain()
    notifier = relays.notifier(sink, starttls=False)

    async def send(count: int) -> None:
        for number in range(count):
            await notifier.send(replace(MAIL, key=str(number)))

    asyncio.run(send(20))
    assert len({row["connection"] for row in relays.rows()}) == 1
    (relays.directory / "smtp.behaviour").write_text("closing")  # 421 between two mails
    with pytest.raises(RefusedNotificationError, match="421") as said:
        asyncio.run(send(1))  # the fresh connection is closed, too
    assert said.value.retry_after_seconds == 60.0
    (relays.directory / "smtp.behaviour").write_text("ok")
    asyncio.run(send(1))
    assert len(relays.rows()) == 21 and len({row["connection"] for row in relays.rows()}) == 2


def test_a_relay_that_hangs_up_between_two_mails_or_inside_the_second_costs_none() -> None:
    """A relay by hand: it takes one mail a connection, then goes away, once silently and once at the next MAIL."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for ends_silently in (True, False, True):
                connection, _ = server.accept()
                with connection, connection.makefile("rwb") as wire:
                    wire.write(b"220 here\r\n")
                    wire.flush()
                    mails = 0
                    while line := wire.readline():
                        verb = line[:4].upper()
                        if verb == b"MAIL" and mails:
                            wire.write(b"421 enough\r\n")
                            break
                        if verb == b"DATA":
                            wire.write(b"354 go on\r\n")
                            wire.flush()
                            while (text := wire.readline()) != b".\r\n":
                                taken.append(text)
                            mails += 1
                        wire.write(b"250 yes\r\n")
                        wire.flush()
                        if mails and ends_silently:
                            break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        relay = Relay("127.0.0.1", server.getsockname()[1], "h@example.org", starttls=False, timeout_seconds=2.0)
        notifier = SmtpNotifier(relay, SystemClock())

        async def send() -> None:
            for number in range(3):
                await notifier.send(replace(MAIL, key=str(number)))

        asyncio.run(send())
        thread.join(5)
        notifier.close()
    assert len([line for line in taken if line.startswith(b"Message-ID")]) == 3


def test_a_relay_can_sign_the_mail_as_it_leaves_and_it_fits_on_arrival(relays: Relays) -> None:
    """RFC 6376: what a relay signs must not change on the way, so it is 7-bit in short lines, and what it covers is there exactly once."""
    (relays.directory / "smtp.behaviour").write_text("keep")
    hard = replace(MAIL, subject="EXERCISE: 🚨 Grüße " + "lang " * 60, body="Grüße שלום 🚨\n.\nFrom here\n" + "x" * 3000)
    asyncio.run(relays.notifier(relays.plain(), starttls=False).send(hard))
    content = (relays.directory / "smtp.eml").read_bytes()
    lines = content.split(b"\r\n")
    assert content.isascii() and all(len(line) <= 998 and b"\n" not in line and b"\r" not in line for line in lines)
    read = message_from_bytes(content, policy=SMTP)
    for header in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"):
        assert len(read.get_all(header) or ()) == 1, header
    assert str(read["Subject"]) == " ".join(hard.subject.split())[:400] and not read.defects


def test_mails_of_one_incident_make_one_thread_and_keep_vacation_answers_away(relays: Relays) -> None:
    notifier = relays.notifier(relays.plain(), starttls=False)
    for key in ("a", "b"):
        asyncio.run(notifier.send(replace(MAIL, key=key)))
    first, second = (row["headers"] for row in relays.rows())
    assert first["References"] == second["References"] and first["Message-ID"] != second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"


def test_links_and_digits_of_a_person_are_in_the_mail_to_that_person(relays: Relays) -> None:
    asked = replace(MAIL, acknowledge_url="https://h.example/a/one", approve_url="https://h.example/a/two", code="012345")
    asyncio.run(relays.notifier(relays.plain(), starttls=False).send(asked))
    [row] = relays.rows()
    assert all(text in row["body"] for text in ("https://h.example/a/one", "https://h.example/a/two", "012345"))


def test_a_relay_that_hangs_holds_up_no_other_mail() -> None:
    """Sixteen mails hang at a relay that never greets; the seventeenth still gets a connection of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        relay = Relay("127.0.0.1", server.getsockname()[1], "h@example.org", starttls=False, timeout_seconds=5.0)
        notifier = SmtpNotifier(relay, SystemClock())

        async def story() -> None:
            server.setblocking(False)
            sending = [asyncio.create_task(notifier.send(replace(MAIL, key=str(number)))) for number in range(17)]
            taken: list[socket.socket] = []
            async with asyncio.timeout(4.0):
                while len(taken) < 17:
                    taken.append((await asyncio.get_running_loop().sock_accept(server))[0])
            for connection in taken:
                connection.close()
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
            assert all(isinstance(outcome, ConnectionError) and "nothing was sent" in str(outcome) for outcome in outcomes)

        asyncio.run(story())
        notifier.close()


def test_a_domain_in_another_alphabet_is_written_as_relays_take_it(relays: Relays) -> None:
    """By the rules of 2008: those of 2003 make another domain of it, where somebody else may read the mail."""
    asyncio.run(relays.notifier(relays.plain(), starttls=False).send(replace(MAIL, address="desk@grüße.example")))
    assert relays.rows()[0]["to"] == ["desk@xn--gre-6ka8l.example"]
    for wrong in ("grüße@example.org", "a@" + "ü" * 300 + ".example", "a@..example"):
        with pytest.raises(ValueError, match="Nothing was sent"):
            asyncio.run(relays.notifier(relays.plain(), starttls=False).send(replace(MAIL, address=wrong)))
