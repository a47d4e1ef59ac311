"""Every channel with the lab's far end behind it: how it is opened, what arrived there, and how it is made to behave badly."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from contract.notifier_suite import MESSAGE, Channel
from holdfast.lab.receivers.mail import MailSink
from holdfast.lab.receivers.pagerduty import PagerDuty
from holdfast.lab.receivers.slack import Slack
from holdfast.lab.receivers.twilio import Twilio
from holdfast.lab.receivers.web import Receiver
from holdfast.lab.receivers.webhook import webhook
from holdfast.ports.notifier import Notification, Notifier
from holdfast.ports.post import REPEAT_MARK, REPEAT_NOTE, Answer, Post, Secret
from holdfast.providers.apprise.notifier import AppriseNotifier
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost
from holdfast.providers.inapp.notifier import InAppNotifier
from holdfast.providers.pagerduty.notifier import PagerDutyNotifier
from holdfast.providers.slack.notifier import SlackNotifier, SlackWebhookNotifier
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.providers.twilio.notifier import SmsNotifier, TwilioAccount, VoiceNotifier
from holdfast.providers.webhook.notifier import WebhookNotifier

ADDRESSES = {"smtp": "a@example.org", "sms": "+4915112345678", "voice": "+4915112345678"}
FAR_ENDS = {"sms": "twilio", "voice": "twilio", "slack-webhook": "slack"}
"""Kinds whose receiver has another name."""
PATHS = {"slack": "/chat.postMessage$", "slack-webhook": "^/services/", "sms": "/Messages.json$", "voice": "/Calls.json$"}
"""What of a receiver with several ways in belongs to a kind."""
NETWORK = ("pagerduty", "slack", "slack-webhook", "webhook", "sms", "voice", "smtp", "apprise")
FILES = ("status-page", "in-app")
WAITS_SECONDS = 1.0


class Far:
    """The far ends, and a notifier of each kind before them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.slack = Slack()
        answers = {
            "pagerduty": PagerDuty().answer,
            "slack": self.slack.answer,
            "webhook": webhook(b"key"),
            "twilio": Twilio("AC1", "token", directory).answer,
            "apprise": lambda path, headers, body: (200, {}, {}),
        }
        self.web = {name: Receiver(name, directory, answer) for name, answer in answers.items()}
        self.mail = MailSink(directory)
        self._opened: list[Notifier] = []
        self.closed = False

    def close(self) -> None:
        for opened in self._opened:
            if isinstance(opened, SmtpNotifier):
                opened.close()
        for receiver in self.web.values():
            receiver.close()
        if not self.closed:
            self.mail.close()
        self.closed = True

    def behaves(self, kind: str, how: str) -> None:
        (self.directory / f"{FAR_ENDS.get(kind, kind)}.behaviour").write_text(how)

    def settings(self) -> dict[str, str]:
        """What another process needs to open the same channels."""
        return {**{name: one.url for name, one in self.web.items()}, "smtp": str(self.mail.port), "directory": str(self.directory)}

    def notifier(self, kind: str) -> Notifier:
        self._opened.append(notifier(kind, self.settings()))
        return self._opened[-1]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """What arrived, as the receiver wrote it down."""
        return [row for row in self.every_row(kind) if re.search(PATHS.get(kind, ""), row.get("path", ""))]

    def every_row(self, kind: str) -> list[dict[str, Any]]:
        """The same with what is asked before and after a message."""
        path = self.directory / f"{FAR_ENDS.get(kind, kind)}.jsonl"
        return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


async def post_once(url: str, headers: Mapping[str, str], content: bytes) -> Answer:
    """On a connection of its own: each test has an event loop of its own, and leaves nothing open behind it."""
    post = HttpPost(WAITS_SECONDS)
    try:
        return await post(url, headers, content)
    finally:
        await post.close()


def notifier(kind: str, settings: dict[str, str], post: Post = post_once) -> Notifier:
    """A fresh one, as after a restart."""
    clock = SystemClock()
    directory = Path(settings["directory"])
    account = TwilioAccount("AC1", Secret("token"), "+4930123456", post, settings["twilio"])
    made: dict[str, Callable[[], Notifier]] = {
        "pagerduty": lambda: PagerDutyNotifier(Secret("r" * 32), post, "lab", settings["pagerduty"]),
        "slack": lambda: SlackNotifier(Secret("xoxb-1"), post, api_url=settings["slack"]),
        "slack-webhook": lambda: SlackWebhookNotifier(Secret(f"{settings['slack']}/services/T0/B0/x"), post),
        "webhook": lambda: WebhookNotifier(Secret(settings["webhook"]), Secret("key"), "1", "holdfast/lab", post, clock),
        "sms": lambda: SmsNotifier(account),
        "voice": lambda: VoiceNotifier(account, "http://127.0.0.1/answer"),
        "smtp": lambda: SmtpNotifier(
            Relay("127.0.0.1", int(settings["smtp"]), "h@example.org", starttls=False, timeout_seconds=WAITS_SECONDS), clock
        ),
        "apprise": lambda: AppriseNotifier(Secret(f"json://{urlsplit(settings['apprise']).netloc}/?rto={WAITS_SECONDS:g}")),
        "status-page": lambda: StatusPageNotifier(directory / "page", clock, "VoiceHive", "https://status.example.org"),
        "in-app": lambda: InAppNotifier(directory / "feed", clock),
    }
    return made[kind]()


def to(kind: str, message: Notification = MESSAGE) -> Notification:
    """The message with an address where the kind needs one."""
    return replace(message, address=ADDRESSES.get(kind))


class FarChannel(Channel):
    """One kind for the suite."""

    def __init__(self, far: Far, kind: str) -> None:
        self.far = far
        self.kind = kind
        self.notifier = far.notifier(kind)
        self.message = to(kind)

    def reopened(self) -> Notifier:
        return self.far.notifier(self.kind)

    def break_down(self) -> None:
        if self.kind in FILES:
            place = self.far.directory / {"status-page": "page", "in-app": "feed"}[self.kind]
            if self.kind == "status-page":
                place.write_text("no folder")
            else:
                place.mkdir()
        else:
            self.far.behaves(self.kind, "500")

    def shown(self, message: Notification) -> tuple[str, str, str]:
        if self.kind in ("sms", "voice"):
            return "", message.subject, ""
        return ("" if self.kind in ("slack-webhook", "apprise") else message.key), message.subject, message.body

    def arrived(self) -> list[tuple[str, str, str]]:
        rows = self.far.rows(self.kind)
        assert not any(row.get("wrong") for row in rows), rows
        return [found for row in rows if (found := _READ[self.kind](row)) is not None] if self.kind in NETWORK else self._published()

    def says_again(self) -> list[bool]:
        return [REPEAT_NOTE in text or REPEAT_MARK in text for text in map(_everything, self.far.rows(self.kind))]

    def _published(self) -> list[tuple[str, str, str]]:
        if self.kind == "in-app":
            feed = self.far.directory / "feed"
            rows = [json.loads(line)["data"] for line in feed.read_text("utf-8").splitlines()] if feed.is_file() else []
            return [(row["key"], row["subject"], row["body"]) for row in rows]
        kept = self.far.directory / "page" / "history.json"
        updates = [update for incident in json.loads(kept.read_bytes()).values() for update in incident] if kept.exists() else []
        return [(update["key"], update["subject"], update["body"]) for update in updates]


def _everything(row: dict[str, Any]) -> str:
    """All text of a request, whatever it is packed in."""
    return json.dumps(parse_qs(row["body"]) if row.get("path", "").startswith("/2010") else row, ensure_ascii=False)


def _sections(said: dict[str, Any]) -> str:
    return "".join(block["text"]["text"] for block in said["blocks"] if block["type"] == "section")


def _pagerduty(row: dict[str, Any]) -> tuple[str, str, str] | None:
    payload = json.loads(row["body"]).get("payload")
    if payload is None or row["alert"] == "dropped":
        return None
    return payload["custom_details"]["key"], payload["summary"], payload["custom_details"]["body"]


def _slack(row: dict[str, Any]) -> tuple[str, str, str]:
    said = json.loads(row["body"])
    key = said.get("metadata", {}).get("event_payload", {}).get("key", "")
    return key, said["blocks"][0]["text"]["text"], _sections(said)


def _webhook(row: dict[str, Any]) -> tuple[str, str, str] | None:
    event = json.loads(row["body"])
    return None if row["repeat"] else (event["id"], event["data"]["subject"], event["data"]["body"])


def _sms(row: dict[str, Any]) -> tuple[str, str, str]:
    return "", parse_qs(row["body"])["Body"][0].removesuffix(f" {REPEAT_MARK}"), ""


def _voice(row: dict[str, Any]) -> tuple[str, str, str]:
    says = ElementTree.fromstring(parse_qs(row["body"])["Twiml"][0]).iter("Say")
    return "", str(next(iter(says)).text), ""


def _smtp(row: dict[str, Any]) -> tuple[str, str, str]:
    mail = message_from_bytes(b"Subject: " + row["headers"]["Subject"].encode(), policy=default)
    key = {f"<{_digest(key)}@example.org>": key for key in (MESSAGE.key, "other")}.get(row["headers"]["Message-ID"], "?")
    return key, str(mail["Subject"]), _without_note(row["body"].rstrip("\n"))


def _apprise(row: dict[str, Any]) -> tuple[str, str, str]:
    said = json.loads(row["body"])
    return "", said["title"], _without_note(said["message"])


def _without_note(text: str) -> str:
    return text.removeprefix(REPEAT_NOTE).lstrip("\n")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:40]


_READ: dict[str, Callable[[dict[str, Any]], tuple[str, str, str] | None]] = {
    "pagerduty": _pagerduty,
    "slack": _slack,
    "slack-webhook": _slack,
    "webhook": _webhook,
    "sms": _sms,
    "voice": _voice,
    "smtp": _smtp,
    "apprise": _apprise,
}
