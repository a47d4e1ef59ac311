"""What the far ends wrote down, beside what the journal says was sent."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlencode

from holdfast.decision.references import SECOND
from holdfast.drill.arrivals import arrival_findings, arrivals, refused
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following

REFERENCES = {
    "email": "smtp:<1@x>",
    "pagerduty": "pagerduty:holdfast/inc-1",
    "sms": "sms:SM1",
    "slack": f"{SECOND}slack-webhook:k",
    "in-app": "file:messages.in-app.jsonl:1",
}


def handed(channel: str, kind: Kind = Kind.NOTIFICATION_SENT) -> Record:
    body = {"key": "inc-1/told/1", "message": "told", "channel": channel, "recipient": "ada", "reference": REFERENCES[channel]}
    return following((1, GENESIS), 1000.0, kind.value, "inc-1", body)


def journal(*channels: str) -> list[Record]:
    return [handed(channel, kind) for channel in channels for kind in (Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_SENT)]


def wrote(directory: Path, name: str, *rows: dict[str, object]) -> None:
    directory.mkdir(exist_ok=True)
    lines = [json.dumps({"at_seconds": 1001.0 + number, **row}) for number, row in enumerate(rows)]
    (directory / f"{name}.jsonl").write_text("\n".join([*lines, '{"torn']), encoding="utf-8")


def mail(key: str) -> dict[str, object]:
    return {"headers": {"X-Holdfast-Key": hashlib.sha256(key.encode()).hexdigest()[:40]}, "wrong": []}


def text(key: str) -> dict[str, object]:
    return {"path": "/Messages.json", "body": urlencode({"StatusCallback": f"https://doors/in/twilio?{urlencode({'key': key})}"})}


def page(key: str) -> dict[str, object]:
    return {"body": json.dumps({"payload": {"custom_details": {"key": key}}})}


def said(directory: Path, records: list[Record]) -> list[tuple[str, str]]:
    found = arrivals(directory, directory, records)
    return [(finding.result, finding.sentence) for finding in arrival_findings(found, refused(directory), records)]


def test_everything_that_was_sent_is_found_by_its_key_in_whatever_shape_it_arrived(tmp_path: Path) -> None:
    records = journal("email", "pagerduty", "sms", "slack", "in-app")
    wrote(tmp_path, "smtp-second", mail("inc-1/told/1/email/ada"))
    wrote(tmp_path, "pagerduty", page("inc-1/told/1/pagerduty/ada"), page("inc-1/told/1/pagerduty/ada"))
    wrote(tmp_path, "twilio", text("inc-1/told/1/sms/ada"))
    assert arrivals(tmp_path, tmp_path, records)["inc-1/told/1/email/ada"] == (1001.0,)
    assert said(tmp_path, records) == [
        ("pass", "All 3 deliveries whose ways carry a key were seen at the far ends, each once."),
    ], "the fourth went a way without a key, the fifth into a file, and PagerDuty drops a repeat by itself"


def test_what_never_arrived_what_came_twice_and_what_was_refused_is_said(tmp_path: Path) -> None:
    wrote(tmp_path, "smtp", mail("inc-1/told/1/email/ada"), mail("inc-1/told/1/email/ada"))
    wrote(tmp_path, "twilio", {"wrong": "21211 Invalid 'To' Phone Number", "path": "/Messages.json"})
    assert said(tmp_path, journal("email", "sms")) == [
        ("fail", "Sent, and never seen at the far end: inc-1/told/1/sms/ada."),
        ("fail", "Seen more than once at the far end: inc-1/told/1/email/ada."),
        ("fail", "A far end refused what is not as published: twilio: 21211 Invalid 'To' Phone Number."),
    ]
