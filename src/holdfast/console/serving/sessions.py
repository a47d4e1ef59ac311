"""Who is signed in: a signed cookie with the person, how it was proved, until when, and the word that forms must repeat.

Rules: the cookie says nothing secret and can't be changed; forms carry its word, so that another site's page can't answer for anybody.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

COOKIE = "holdfast_session"


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in person. `until_seconds`: wall clock. `word`: what the session's forms repeat."""

    person: str
    through: str
    until_seconds: float
    word: str

    def has(self, word: str) -> bool:
        """Whether a form is this session's own."""
        return hmac.compare_digest(self.word.encode(), word.encode())


class Sealer:
    """Signs small things for cookies with one key, each for one purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"holdfast-{purpose}", signer_kwargs={"digest_method": hashlib.sha256})

    def seal(self, purpose: str, fields: dict[str, object]) -> str:
        """Text for a cookie."""
        return str(self._serializer(purpose).dumps(fields))

    def opened(self, purpose: str, text: str) -> dict[str, object] | None:
        """What was sealed for this purpose, or None."""
        try:
            found = self._serializer(purpose).loads(text)
        except BadData:
            return None
        return found if isinstance(found, dict) else None

    def session(self, person: str, through: str, until_seconds: float) -> str:
        """A new session's cookie."""
        return self.seal("session", {"p": person, "t": through, "u": until_seconds, "w": secrets.token_urlsafe(16)})

    def who(self, text: str, now: float) -> Session | None:
        """The session of a cookie, if it is genuine and not over."""
        found = self.opened("session", text)
        if found is None:
            return None
        session = Session(str(found["p"]), str(found["t"]), float(str(found["u"])), str(found["w"]))
        return session if now < session.until_seconds else None
