"""Short messages and calls, through Twilio or another service with the same interface.

Rules: the interface has no key that drops a repeat, so one is possible, and the message says so. A short message is `short` where there is
one, cut to three segments; the link and the digits that its recipient answers with come behind it and are never cut. A call reads it
twice and takes keys: 1 says that somebody has it, the digits approve. The service is asked to report what becomes of it.
"""

import base64
import json
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from holdfast.ports.notifier import Notification, Repeats
from holdfast.ports.post import REPEAT_MARK, REPEAT_NOTE, Post, Secret, accepted, check_mark, short_text
from holdfast.providers.twilio.numbers import checked_number, segments, within

API_URL = "https://api.twilio.com"
MOST_SEGMENTS = 3
MOST_WITH_ANSWER = 6
"""A signed link alone takes up to three segments as soon as one character of the text is outside the GSM alphabet."""
TWIML_CHARACTERS = 4000
"""The interface refuses a longer one."""
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
        fields = {
            "To": checked_number(notification.address, notification.recipient),
            "From": self._account.sender,
            "Body": sms_text(notification),
        }
        if self._account.status_url:
            fields["StatusCallback"] = _with_key(self._account.status_url, notification)
        return f"sms:{await self._account.create('Messages', fields)}"


class VoiceNotifier:
    """Calls of one account. `answer_url` takes the pressed keys; without one the call only reads.

    The digits are not spoken: a voicemail would keep them.
    """

    repeats = Repeats.POSSIBLE

    def __init__(self, account: TwilioAccount, answer_url: str | None = None) -> None:
        self._account = account
        self._answer_url = answer_url

    async def send(self, notification: Notification) -> str:
        """Returns `voice:<identifier>`. Raises ValueError for what is no number."""
        check_mark(notification)
        answer_url = _with_key(self._answer_url, notification) if self._answer_url else None
        fields = {
            "To": checked_number(notification.address, notification.recipient),
            "From": self._account.sender,
            "Twiml": spoken(notification, answer_url),
        }
        if self._account.status_url:
            fields["StatusCallback"] = _with_key(self._account.status_url, notification)
        return f"voice:{await self._account.create('Calls', fields)}"


def sms_text(notification: Notification) -> str:
    """The text of a short message, with how to answer it. A link that would not fit whole is left out: half of one is worth nothing."""
    text, mark = short_text(notification), f" {REPEAT_MARK}" if notification.again else ""
    digits = f" Approve: answer {notification.code}" if notification.code else ""
    link = f" {notification.acknowledge_url}" if notification.acknowledge_url else ""
    if not digits and not link:
        return within(text, MOST_SEGMENTS, mark)
    if link and segments(within(text, 1) + mark + digits + link) > MOST_WITH_ANSWER:
        link = " Answer 1 if you have it"
    return within(within(text, MOST_SEGMENTS), MOST_WITH_ANSWER, mark + digits + link)


def spoken(notification: Notification, answer_url: str | None) -> str:
    """TwiML: says it, waits for keys, says it again. As much is said as the interface takes."""
    said, low = _printable(short_text(notification)), 0
    high = len(said)
    while low < high:  # escaping makes some characters longer, so the length is tried
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(_call(said[:middle], notification, answer_url)) <= TWIML_CHARACTERS else (low, middle - 1)
    return _call(said[:low], notification, answer_url)


def _call(text: str, notification: Notification, answer_url: str | None) -> str:
    said = f"<Say>{escape(text)}</Say>" + (f"<Say>{REPEAT_NOTE}</Say>" if notification.again else "")
    if answer_url is None:
        return f"<Response>{said}<Pause length='1'/>{said}</Response>"
    if notification.code:
        keys, asked = "finishOnKey='#'", "Press 1 and the hash key to say that you have it, or your six digits and the hash key to approve."
    else:
        keys, asked = "numDigits='1'", "Press 1 to say that you have it."
    gather = (
        f"<Gather input='dtmf' {keys} timeout='{GATHER_SECONDS}' method='POST' action={quoteattr(answer_url)}>"
        f"{said}<Say>{asked}</Say></Gather>"
    )
    return f"<Response>{gather}{gather}</Response>"


def _printable(text: str) -> str:
    """XML has no place for control characters."""
    return "".join(character if character.isprintable() or character in "\n\t" else " " for character in text)


def _with_key(url: str, notification: Notification) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'key': notification.key, 'attempt': notification.attempt})}"


def _explanation(body: bytes) -> str:
    try:
        said = json.loads(body)
        return f"{said.get('code', '')} {said.get('message', '')}".strip()[:300]
    except (ValueError, AttributeError):
        return ""
