"""Short messages and calls, through Twilio or another service with the same interface.

Rules: the interface has no key that drops a repeat, so one is possible. A short message is `short` where there is one, and never more
than three segments. A call reads it twice and takes the key 1 as acknowledgement.
"""

import base64
import json
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from holdfast.ports.notifier import Notification, Repeats
from holdfast.ports.post import Post, Secret, accepted, check_mark, short_text
from holdfast.providers.twilio.numbers import checked_number, within

API_URL = "https://api.twilio.com"
MOST_SEGMENTS = 3
SPOKEN_CHARACTERS = 1500
GATHER_SECONDS = 10


class TwilioAccount:
    """Who pays, which number calls, and where the service reports what became of it (`status_url`)."""

    def __init__(self, account: str, token: Secret, sender: str, post: Post, api_url: str = API_URL, status_url: str | None = None) -> None:
        self.sender = sender
        self.status_url = status_url
        self._account = account
        self._token = token
        self._post = post
        self._api_url = api_url.rstrip("/")

    async def create(self, resource: str, fields: dict[str, str]) -> str:
        """A message or a call; returns the service's identifier of it."""
        login = base64.b64encode(f"{self._account}:{self._token.value}".encode()).decode()
        headers = {"authorization": f"Basic {login}", "content-type": "application/x-www-form-urlencoded"}
        url = f"{self._api_url}/2010-04-01/Accounts/{quote(self._account, safe='')}/{resource}.json"
        answer = await self._post(url, headers, urlencode(fields).encode())
        accepted("the telephone service", answer, _explanation(answer.body))
        try:
            return str(json.loads(answer.body)["sid"])
        except (ValueError, KeyError, TypeError):
            raise TimeoutError("the telephone service took it but named no identifier; whether it is sent isn't known") from None


class SmsNotifier:
    """Short messages of one account."""

    repeats = Repeats.POSSIBLE

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account

    async def send(self, notification: Notification) -> str:
        """Returns `sms:<identifier>`. Raises ValueError for what is no number."""
        check_mark(notification)
        text = short_text(notification)
        if notification.acknowledge_url:
            text = f"{within(text, MOST_SEGMENTS - 1)} {notification.acknowledge_url}"
        fields = {
            "To": checked_number(notification.address, notification.recipient),
            "From": self._account.sender,
            "Body": within(text, MOST_SEGMENTS),
        }
        if self._account.status_url:
            fields["StatusCallback"] = _with_key(self._account.status_url, notification)
        return f"sms:{await self._account.create('Messages', fields)}"


class VoiceNotifier:
    """Calls of one account. `answer_url` takes the pressed key; without one (and without the message's own) the call only reads."""

    repeats = Repeats.POSSIBLE

    def __init__(self, account: TwilioAccount, answer_url: str | None = None) -> None:
        self._account = account
        self._answer_url = answer_url

    async def send(self, notification: Notification) -> str:
        """Returns `voice:<identifier>`. Raises ValueError for what is no number."""
        check_mark(notification)
        answer_url = _with_key(self._answer_url, notification) if self._answer_url else notification.acknowledge_url
        fields = {
            "To": checked_number(notification.address, notification.recipient),
            "From": self._account.sender,
            "Twiml": spoken(notification, answer_url),
        }
        if self._account.status_url:
            fields["StatusCallback"] = _with_key(self._account.status_url, notification)
        return f"voice:{await self._account.create('Calls', fields)}"


def spoken(notification: Notification, answer_url: str | None) -> str:
    """TwiML: says it, waits for a key, says it again."""
    said = f"<Say>{escape(_printable(short_text(notification))[:SPOKEN_CHARACTERS])}</Say>"
    if answer_url is None:
        return f"<Response>{said}<Pause length='1'/>{said}</Response>"
    asked = f"{said}<Say>Press 1 to say that you are on it.</Say>"
    gather = f"<Gather input='dtmf' numDigits='1' timeout='{GATHER_SECONDS}' method='POST' action={quoteattr(answer_url)}>{asked}</Gather>"
    return f"<Response>{gather}{gather}</Response>"


def _printable(text: str) -> str:
    """XML has no place for control characters."""
    return "".join(character if character.isprintable() or character in "\n\t" else " " for character in text)


def _with_key(url: str, notification: Notification) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'key': notification.key})}"


def _explanation(body: bytes) -> str:
    try:
        said = json.loads(body)
        return f"{said.get('code', '')} {said.get('message', '')}".strip()[:300]
    except (ValueError, AttributeError):
        return ""
