"""Twilio as its API is published: Messages and Calls of one account, with its own numbers for errors, and its reports.

Where a request asks for reports (`StatusCallback`), one comes: signed as Twilio signs, by its own library. The pressed keys of a call come
the same way, where the directory holds `twilio.keys` with the digits to press. Where it holds `twilio.reports`, that says what is reported:
`lost` (it could not be delivered) or `nothing`.
"""

import base64
import inspect
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from holdfast.lab.receivers.callbacks import Callback, send_later
from holdfast.lab.receivers.web import Reply

BODY_CHARACTERS = 1600
TWIML_CHARACTERS = 4000
_VERBS = {
    "Say": VoiceResponse.say,
    "Pause": VoiceResponse.pause,
    "Gather": VoiceResponse.gather,
}


class Twilio:
    """One account. `reports_after_seconds`: how long a message is on its way."""

    def __init__(self, account: str, token: str, directory: Path | None = None, reports_after_seconds: float = 0.0) -> None:
        self._account = account
        self._token = token
        self._keys = None if directory is None else directory / "twilio.keys"
        self._reports = None if directory is None else directory / "twilio.reports"
        self._after_seconds = reports_after_seconds
        self._validator = RequestValidator(token)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One message or call; beside it is written its identifier."""
        if headers.get("authorization") != "Basic " + base64.b64encode(f"{self._account}:{self._token}".encode()).decode():
            return _refused(401, 20003, "Authenticate")
        if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _refused(415, 20415, "Unsupported media type")
        found = re.fullmatch(rf"/2010-04-01/Accounts/{self._account}/(Messages|Calls)\.json", path)
        if found is None:
            return _refused(404, 20404, "The requested resource was not found")
        fields = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True, keep_blank_values=True).items()}
        wrong = _wrong(fields) or (_wrong_message if found[1] == "Messages" else _wrong_call)(fields)
        if wrong is not None:
            return _refused(400, *wrong)
        sid = ("SM" if found[1] == "Messages" else "CA") + uuid.uuid4().hex
        self._report_later(sid, fields)
        return 201, {"sid": sid, "status": "queued", "to": fields["To"], "from": fields["From"]}, {"sid": sid}

    def _report_later(self, sid: str, fields: Mapping[str, str]) -> None:
        named = {"AccountSid": self._account, "To": fields["To"], "From": fields["From"], "ApiVersion": "2010-04-01"}
        posts: list[tuple[str, dict[str, str]]] = []
        if sid.startswith("CA"):
            action = next((gather.get("action") for gather in ElementTree.fromstring(fields["Twiml"]).iter("Gather")), None)  # noqa: S314
            if action and self._keys is not None and self._keys.exists():
                posts.append((action, {**named, "CallSid": sid, "CallStatus": "in-progress", "Digits": self._keys.read_text().strip()}))
        told = self._reports.read_text().strip() if self._reports is not None and self._reports.exists() else "delivered"
        if (url := fields.get("StatusCallback")) and told != "nothing":
            posts.append((url, {**named, **_ended(sid, lost=told == "lost")}))
        send_later([self._signed(url, said) for url, said in posts], self._after_seconds)

    def _signed(self, url: str, fields: dict[str, str]) -> Callback:
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, fields),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return Callback(url, headers, urlencode(fields).encode())


def _ended(sid: str, *, lost: bool) -> dict[str, str]:
    """What became of a message or call, in the service's words."""
    if sid.startswith("CA"):
        return {"CallSid": sid, "CallStatus": "no-answer" if lost else "completed"}
    more = {"MessageStatus": "undelivered", "ErrorCode": "30003"} if lost else {"MessageStatus": "delivered"}
    return {"MessageSid": sid, **more}


def _refused(status: int, code: int, message: str) -> Reply:
    said = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return status, said, {"wrong": f"{code} {message}"}


def _wrong(fields: Mapping[str, str]) -> tuple[int, str] | None:
    if not re.fullmatch(r"\+[1-9]\d{7,14}", fields.get("To", "")):
        return 21211, "Invalid 'To' Phone Number"
    if not re.fullmatch(r"\+[1-9]\d{7,14}", fields.get("From", "")):
        return 21212, "Invalid 'From' Phone Number"
    url = fields.get("StatusCallback")
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        return 21609, "Invalid 'StatusCallback' URL"
    return None


def _wrong_message(fields: Mapping[str, str]) -> tuple[int, str] | None:
    if not fields.get("Body"):
        return 21602, "Message body is required"
    if len(fields["Body"]) > BODY_CHARACTERS:
        return 21617, "The concatenated message body exceeds the 1600 character limit"
    return None


def _wrong_call(fields: Mapping[str, str]) -> tuple[int, str] | None:
    twiml = fields.get("Twiml")
    if not twiml:
        return 21205, "Url or Twiml is required"
    if len(twiml) > TWIML_CHARACTERS:
        return 21205, "Twiml is longer than 4000 characters"
    try:
        root = ElementTree.fromstring(twiml)  # noqa: S314 - made by this machine's own sender
    except ElementTree.ParseError as error:
        return 12100, f"Document parse failure: {error}"
    if root.tag != "Response":
        return 12102, "The root of TwiML is Response"
    return next((found for verb in root.iter() if verb is not root and (found := _wrong_verb(verb)) is not None), None)


def _wrong_verb(verb: ElementTree.Element) -> tuple[int, str] | None:
    """By the arguments that Twilio's own library has for the verb."""
    made = _VERBS.get(verb.tag)
    if made is None:
        return 12200, f"Unknown verb {verb.tag}"
    known = {_camel(name) for name in inspect.signature(made).parameters}
    unknown = set(verb.keys()) - known
    if unknown:
        return 12200, f"{verb.tag} has no attribute {', '.join(sorted(unknown))}"
    inner = (
        [child.tag for child in verb if not hasattr(Gather, child.tag.lower())] if verb.tag == "Gather" else [child.tag for child in verb]
    )
    return (12200, f"{inner[0]} can't stand in {verb.tag}") if inner else None


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
