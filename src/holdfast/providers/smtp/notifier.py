"""Mail: one message a person, over a connection that stays open between messages.

Rules: STARTTLS is required unless the binding says that there is none (a relay on the same machine): without it, or with a certificate
that isn't trusted, nothing is sent, and no password. `Message-ID` is derived from the key, so that a mailbox that drops doubles can;
whether it does is not known, so a repeat is possible, and the mail says so. A relay's 4xx and 5xx are told apart. An address or a subject
that would add a header line is not an address or a subject. A connection that the relay ended between two mails costs no mail: it is
opened again.
"""

import asyncio
import hashlib
import queue
import re
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

import idna

from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, RefusedNotificationError, Repeats
from holdfast.ports.post import Secret, answer_text, body_text, check_mark

LATER_SECONDS = 60.0
"""When a relay's "not now" is tried again."""
LONGEST_SUBJECT = 400
THREADS = 32
"""Mails under way at once. Of its own, and not the few threads that all of a process shares: a relay that hangs holds nobody else up."""
_CLOSING = 421
"""The relay ends the connection, whatever was asked."""
_WIRE = SMTP.clone(cte_type="7bit")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Relay:
    """One SMTP server. `password` and `user` go together; `starttls` False only where the way to it is the machine itself."""

    host: str
    port: int
    sender: str
    starttls: bool = True
    user: str | None = None
    password: Secret | None = None
    ca_file: str | None = None
    timeout_seconds: float = 8.0


class SmtpNotifier:
    """Sends through one relay. As many connections are kept as messages are under way at once."""

    repeats = Repeats.POSSIBLE

    def __init__(self, relay: Relay, clock: Clock) -> None:
        self._relay = relay
        self._clock = clock
        self._idle: queue.SimpleQueue[smtplib.SMTP] = queue.SimpleQueue()
        self._tls: ssl.SSLContext | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="smtp")

    async def send(self, notification: Notification) -> str:
        """Returns `smtp:<Message-ID>`."""
        check_mark(notification)
        sender = self._relay.sender
        address = checked_address(notification.address, notification.recipient)
        content = mail(notification, sender, self._clock.wall_seconds())
        await asyncio.get_running_loop().run_in_executor(self._threads, self._hand_over, address, content)
        return f"smtp:{message_id(notification.key, sender.partition('@')[2])}"

    def _hand_over(self, recipient: str, content: bytes) -> None:
        server = self._begun(recipient)
        kept = False
        try:
            code, text = server.data(content)
            kept = True
            if code >= 400:
                raise _refusal(code, text)
        except smtplib.SMTPDataError as error:
            kept = True
            raise _refusal(error.smtp_code, error.smtp_error) from None
        except RefusedNotificationError:
            raise
        except (smtplib.SMTPException, OSError) as error:
            raise TimeoutError(f"the relay broke off after the message ({type(error).__name__}); whether it took it isn't known") from None
        finally:
            self._let_go(server, kept=kept)

    def _begun(self, recipient: str) -> smtplib.SMTP:
        """A connection on which the relay takes a mail to this recipient. An idle one that turns out to be over is replaced once."""
        idle = self._usable()
        if idle is not None:
            try:
                return self._envelope(idle, recipient)
            except ConnectionError as error:
                if isinstance(error, RefusedNotificationError) and not _has_ended(idle):
                    self._let_go(idle, kept=True)
                    raise
                idle.close()
        server = self._opened()
        try:
            return self._envelope(server, recipient)
        except ConnectionError as error:
            self._let_go(server, kept=isinstance(error, RefusedNotificationError))
            raise

    def _envelope(self, server: smtplib.SMTP, recipient: str) -> smtplib.SMTP:
        """Raises RefusedNotificationError or ConnectionError: nothing was sent yet."""
        try:
            code, text = server.mail(self._relay.sender)
            if code < 400:
                code, text = server.rcpt(recipient)
            if code >= 400 and code != _CLOSING:
                server.rset()
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionError(f"the relay broke off before the message ({type(error).__name__}); nothing was sent") from None
        if code == _CLOSING:
            server.close()
        if code >= 400:
            raise _refusal(code, text)
        return server

    def _let_go(self, server: smtplib.SMTP, *, kept: bool) -> None:
        if kept and server.sock is not None:
            self._idle.put(server)
        else:
            server.close()

    def _usable(self) -> smtplib.SMTP | None:
        while True:
            try:
                server = self._idle.get_nowait()
            except queue.Empty:
                return None
            if not _has_ended(server):
                return server
            server.close()

    def _opened(self) -> smtplib.SMTP:
        relay = self._relay
        server = None
        try:
            server = smtplib.SMTP(relay.host, relay.port, relay.sender.partition("@")[2], relay.timeout_seconds)
            server.ehlo_or_helo_if_needed()
            if relay.starttls:
                if self._tls is None:
                    self._tls = ssl.create_default_context(cafile=relay.ca_file)
                server.starttls(context=self._tls)
                server.ehlo()
            if relay.user is not None and relay.password is not None:
                server.login(relay.user, relay.password.value)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if server is not None:
                server.close()
            if isinstance(error, smtplib.SMTPAuthenticationError):
                raise _refusal(error.smtp_code, b"the sign-in: correct user and password in the bindings") from None
            if isinstance(error, smtplib.SMTPResponseException):
                raise _refusal(error.smtp_code, b"the greeting") from None
            raise ConnectionError(f"relay {relay.host}:{relay.port} can't be used: {_why(error)}; nothing was sent") from None
        return server

    def close(self) -> None:
        """Say goodbye on every connection that waits. What is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        while (server := self._usable()) is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()


def checked_address(given: str | None, recipient: str) -> str:
    """The address as relays take it: a domain in another alphabet is written in its plain form. Raises ValueError for what is none."""
    name, at, domain = (given or "").rpartition("@")
    try:
        address = name + at + (domain if domain.isascii() else idna.encode(domain, uts46=True).decode())
    except UnicodeError:
        address = ""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{recipient} has no mail address that can be used; correct it in the plan. Nothing was sent")
    return address


def mail(notification: Notification, sender: str, at_seconds: float) -> bytes:
    """The message as it crosses the wire, with the headers that DKIM signs and that keep vacation answers away.

    Raises ValueError for what is no address. What all recipients of a mailing have in common is made once: it costs a millisecond.
    """
    address = checked_address(notification.address, notification.recipient)
    key = hashlib.sha256(notification.key.encode()).hexdigest()[:40]  # a longer one is folded, and arrives with a space
    own = {
        "Date": format_datetime(datetime.fromtimestamp(at_seconds, UTC)),
        "Message-ID": message_id(notification.key, sender.partition("@")[2]),
        "To": address,
        "X-Holdfast-Key": key,
        **({"X-Holdfast-Repeat": "possible"} if notification.again else {}),
    }
    answers = answer_text(notification)
    body = body_text(notification) + (f"\n\n{answers}\n" if answers else "")
    head = "".join(f"{name}: {value}\r\n" for name, value in own.items())  # all of it plain by what it is made of
    return head.encode("ascii") + _shared(sender, notification.incident, notification.subject, body)


@lru_cache(maxsize=32)
def _shared(sender: str, incident: str, subject: str, body: str) -> bytes:
    domain = sender.partition("@")[2]
    message = EmailMessage()
    message["From"] = Address("Holdfast", addr_spec=sender)
    message["Subject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
    message["Auto-Submitted"] = "auto-generated"
    message["References"] = message_id(f"incident/{incident}", domain)
    message["List-Id"] = f"Holdfast incidents <incidents.{domain}>"
    message["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe>"
    message.set_content(body, cte="base64")
    return message.as_bytes(policy=_WIRE)


def message_id(key: str, domain: str) -> str:
    """The same for the same key, for ever."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _refusal(code: int, text: bytes | str) -> RefusedNotificationError:
    said = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).splitlines()[:1]
    return RefusedNotificationError(
        f"the relay refused with {code} {said[0][:200] if said else ''}; nothing was delivered", LATER_SECONDS if code < 500 else None
    )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); name its authority in ca_file, or the host as it does"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it offers no STARTTLS" if "STARTTLS" in str(error) else "it offers no sign-in"
    return type(error).__name__


def _has_ended(server: smtplib.SMTP) -> bool:
    """Whether the relay hung up while the connection was idle: then data (the goodbye, or the end) waits to be read."""
    import select

    if server.sock is None:
        return True
    try:
        return bool(select.select([server.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True
