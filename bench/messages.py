"""`python -m bench.messages`: 100, 1,000 and 10,000 recipients handed to a mail relay and a webhook, an urgent one put in last."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from holdfast.controller.outbox import Outbox
from holdfast.lab.receivers.mail import MailSink
from holdfast.lab.receivers.web import Receiver
from holdfast.lab.receivers.webhook import webhook
from holdfast.ports.notifier import Notification, Notifier
from holdfast.ports.post import Secret
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier
from holdfast.providers.webhook.notifier import WebhookNotifier

AIM_SECONDS = 60.0


def message(number: int, channel: str) -> Notification:
    address = f"p{number}@example.org" if channel == "email" else None
    return Notification(f"{channel}/{number}", "inc", "m", channel, f"p{number}", "A subject", "A body", False, address=address)


async def run(count: int, directory: Path) -> tuple[float, int, int]:
    mail, web = MailSink(directory), Receiver("webhook", directory, webhook(b"key"))
    clock = SystemClock()
    notifiers: dict[str, Notifier] = {
        "email": SmtpNotifier(Relay("127.0.0.1", mail.port, "h@example.org", starttls=False), clock),
        "webhook": WebhookNotifier(Secret(web.url), Secret("key"), "1", "bench", HttpPost(), clock),
    }
    begun, done, place = time.monotonic(), 0, -1
    failed = 0
    async with Outbox(notifiers, clock) as outbox:
        for number in range(count):
            outbox.put(message(number, ("email", "webhook")[number % 2]), 9)
        outbox.put(message(count, "email"), 0)
        async for batch in outbox.outcomes():
            for outcome in batch:
                failed += outcome.reference is None
                done += 1
                if outcome.notification.key == f"email/{count}":
                    place = done
    seconds = time.monotonic() - begun
    mail.close()
    web.close()
    return seconds, failed, place


missed = False
for recipients in (100, 1_000, 10_000):
    with tempfile.TemporaryDirectory() as place:
        took, lost, turn = asyncio.run(run(recipients, Path(place)))
    rate = recipients / took
    print(f"{recipients:6} recipients  {took:6.1f} s  {rate:6.0f} messages/s  {lost} failed  urgent one left as number {turn}", flush=True)
    missed = missed or took > AIM_SECONDS or lost > 0
sys.exit(missed)
