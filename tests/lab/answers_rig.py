"""How people answer in tests of messages: by what a far end of the lab was handed for them, a link or digits, through the real doors."""

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from twilio.request_validator import RequestValidator

from holdfast.plan.model import Plan

NUMBER = "+353209120100"
"""Of the company: what people's texts go to."""


def received(lab: Path, name: str) -> list[dict[str, Any]]:
    """What a far end wrote down, in a lab that runs or is over."""
    file = lab / "received" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def by_link(lab: Path, relay: str, plan: Plan, person: str, word: str, fields: dict[str, str]) -> str | None:
    """The person opens the newest link of a mail whose line holds the word, and answers; None as long as there is none that counts."""
    mine = [row["body"] for row in received(lab, relay) if row["to"] == [plan.people[person].email]]
    found = [link for body in mine for link in re.findall(rf"{word}[^\n]*: (http\S+/a/\S+)", body)]
    if not found:
        return None
    page = httpx.get(found[-1], trust_env=False, timeout=20.0)
    once = re.search(r'name="once" value="([^"]+)"', page.text)
    if once is None:  # what the link was made for is not what is asked now; a newer mail is on its way
        return None
    answered = httpx.post(found[-1], data={"once": once[1], **fields}, trust_env=False, timeout=20.0)
    return f"{person} by link" if answered.status_code == 200 and "accepted" in answered.text else None


def by_digits(lab: Path, provider: str, plan: Plan, person: str, public_url: str) -> str | None:
    """The person answers a text message with the digits in it; None as long as there are none that count."""
    number = (plan.people[person].phone or "").replace(" ", "")
    texts = [parse_qs(row["body"]) for row in received(lab, provider) if "/Messages" in row.get("path", "")]
    codes = [found[1] for text in texts if text["To"] == [number] and (found := re.search(r"answer (\d{6})", text["Body"][0]))]
    if not codes:
        return None
    url, fields = f"{public_url}/in/twilio", {"MessageSid": f"SM{time.time_ns()}", "From": number, "To": NUMBER, "Body": codes[-1]}
    token = (lab / "secrets" / "telephone.token").read_text(encoding="utf-8")
    signature = RequestValidator(token).compute_signature(url, fields)
    said = httpx.post(url, data=fields, headers={"x-twilio-signature": signature}, trust_env=False, timeout=20.0)
    return f"{person} by text" if "accepted" in said.text else None
