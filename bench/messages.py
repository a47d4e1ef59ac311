"""How fast people are told: mails to a relay and signed webhooks, handed over through the outbox and journalled in batches.

The far ends run in a process of their own, as they do anywhere. Beside it stands the floor: the same mails over one bare SMTP connection
and the same webhooks over one bare HTTP connection, one after the other, with nothing of Holdfast around them. An urgent message is put
in last of all, and must not wait for those before it.

Run: python -m bench.messages [COUNT ...]. Exit code 1 when 10,000 take more than 60 s, one is lost, or the urgent one takes a second.
"""

import asyncio
import json
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.communications.signing import SIGNATURE_HEADER, signature
from holdfast.controller.channels import Outcome
from holdfast.controller.outbox import Outbox
from holdfast.journal.record import Record, following
from holdfast.ports.notifier import Notification, Notifier
from holdfast.ports.post import Secret
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.client import Connection
from holdfast.providers.http.post import HttpPost
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier, mail
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.providers.webhook.notifier import WebhookNotifier, cloud_event

COUNTS = (100, 1_000, 10_000)
AIM, AIM_SECONDS, URGENT_SECONDS = 10_000, 60.0, 1.0
FLOOR = 500
KEY, SENDER = "bench-key", "h@example.org"
WORDS = (
    "VoiceHive is impaired: calls in eu-west-1 are not answered. Calls can be redirected to the front desk. Next update in 15 minutes.\n"
)


def message(number: int, channel: str) -> Notification:
    address = f"p{number}@example.org" if channel == "email" else None
    key, recipient = f"inc-1/customers/1/{channel}/{number}", f"customers:{number}"
    return Notification(key, "inc-1", "customers", channel, recipient, "Service is impaired", WORDS * 6, False, address=address)


@contextmanager
def far_ends(directory: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "holdfast.lab.receivers", "--directory", str(directory / "arrived"), "--key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["ready"]
        finally:
            process.terminate()


@dataclass(frozen=True)
class Measured:
    """One run. Seconds by the wall and of this process's own processor; how long the urgent one took, and the journal's transactions."""

    seconds: float
    own_seconds: float
    lost: int
    urgent_seconds: float
    transactions: int


class Journalled:
    """Intents and outcomes, each batch in one durable transaction, as the controller keeps them."""

    def __init__(self, path: Path) -> None:
        self.journal = SqliteJournal(path)
        self.transactions = 0

    def keep(self, kind: str, bodies: Sequence[dict[str, object]]) -> None:
        head, records = self.journal.head(), list[Record]()
        for body in bodies:
            records.append(following(head, time.time(), kind, "inc-1", body))
            head = (records[-1].sequence, records[-1].hash)
        self.journal.append(records)
        self.transactions += 1


def body_of(notification: Notification, **more: object) -> dict[str, object]:
    return {"key": notification.key, "message": "customers", "channel": notification.channel, "recipient": notification.recipient, **more}


async def handed_over(count: int, ends: dict[str, str], journal: Journalled) -> Measured:
    clock = SystemClock()
    relay, post = SmtpNotifier(Relay("127.0.0.1", int(ends["smtp"].rpartition(":")[2]), SENDER, starttls=False), clock), HttpPost()
    notifiers: dict[str, Notifier] = {
        "email": relay,
        "webhook": WebhookNotifier(Secret(ends["webhook"]), Secret(KEY), "1", "bench", post, clock),
    }
    messages = [message(number, ("email", "webhook")[number % 2]) for number in range(count)]
    urgent = message(count, "email")
    begun, own, lost, urgent_seconds = time.monotonic(), time.process_time(), 0, float("inf")
    journal.keep("notification.intended", [body_of(one, attempt=1) for one in (*messages, urgent)])
    async with Outbox(notifiers, clock) as outbox:
        for one in messages:
            outbox.put(one, 3)
        put = time.monotonic()
        outbox.put(urgent, 0)
        async for batch in outbox.outcomes():
            if any(outcome.notification is urgent for outcome in batch):
                urgent_seconds = time.monotonic() - put
            lost += sum(outcome.reference is None for outcome in batch)
            journal.keep("notification.sent", [_sent(outcome) for outcome in batch])
    seconds, own_seconds = time.monotonic() - begun, time.process_time() - own
    relay.close()
    await post.close()
    return Measured(seconds, own_seconds, lost, urgent_seconds, journal.transactions)


def _sent(outcome: Outcome) -> dict[str, object]:
    return body_of(outcome.notification, reference=outcome.reference or outcome.reason)


async def floor(ends: dict[str, str]) -> float:
    """Messages a second over bare connections, half mails and half webhooks."""
    content = mail(message(0, "email"), SENDER, time.time())
    event = json.dumps(cloud_event(message(0, "webhook"), "bench", time.time())).encode()
    begun = time.monotonic()
    with smtplib.SMTP("127.0.0.1", int(ends["smtp"].rpartition(":")[2])) as server:
        for number in range(FLOOR):
            server.sendmail(SENDER, f"p{number}@example.org", content)
    parts = urlsplit(ends["webhook"])
    async with await Connection.open(str(parts.hostname), parts.port or 80, timeout_seconds=8) as connection:
        for _ in range(FLOOR):
            headers = {"content-type": "application/cloudevents+json", SIGNATURE_HEADER: signature(KEY.encode(), "1", time.time(), event)}
            await connection.exchange("POST", "/", host_header=parts.netloc, timeout_seconds=8, body=event, headers=headers)
    return 2 * FLOOR / (time.monotonic() - begun)


def main() -> int:
    counts = tuple(int(count) for count in sys.argv[1:]) or COUNTS
    print("recipients    seconds   a second   of the floor   own ms a message   the urgent one   transactions   times as long", flush=True)
    missed, before = False, None
    for count in counts:
        with tempfile.TemporaryDirectory() as place, far_ends(Path(place)) as ends:
            bare = asyncio.run(floor(ends))
            journal = Journalled(Path(place) / "journal.db")
            found = asyncio.run(handed_over(count, ends, journal))
            journal.journal.close()
        rate = count / found.seconds
        longer = "" if before is None else f"{found.seconds / before[1]:.1f} for {count / before[0]:.0f}"
        print(
            f"{count:10,}{found.seconds:11.2f}{rate:11.0f}{100 * rate / bare:13.0f} %{1000 * found.own_seconds / count:19.2f}"
            f"{1000 * found.urgent_seconds:14.0f} ms{found.transactions:15,}{longer:>16}" + (f"  {found.lost} LOST" if found.lost else ""),
            flush=True,
        )
        before = (count, found.seconds)
        late = count == AIM and found.seconds > AIM_SECONDS
        missed = missed or late or found.lost > 0 or found.urgent_seconds > URGENT_SECONDS
    print(f"the floor: {bare:.0f} a second over one bare connection each")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
