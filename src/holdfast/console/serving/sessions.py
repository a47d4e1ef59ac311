"""Who is signed in: a signed cookie with the person, how it was proved, until when, and the word that forms must repeat.

Rules: the cookie says nothing secret and can't be changed; forms carry its word, so that another site's page can't answer for anybody.
Every sign-in makes a new session, whatever the browser brought along. A session ends by time, by signing out (also for whoever copied the
cookie), when its account is removed or gets another password, and when its person leaves the plan.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from itsdangerous import BadData, URLSafeSerializer

from holdfast.console.serving.keeping import keep, kept

SESSION, SIGN_ON = "holdfast_session", "holdfast_sign_on"


def cookie_name(name: str, origin: str) -> str:
    """Where people come over TLS no neighbouring domain can set it, and a browser sends it over nothing else."""
    return f"__Host-{name}" if origin.startswith("https:") else name


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in person. `until_seconds`: wall clock. `word`: what the session's forms repeat.

    `account`, `mark`: the local account by which it was opened, and what it was then; empty for single sign-on.
    """

    person: str
    through: str
    until_seconds: float
    word: str
    account: str = ""
    mark: str = ""

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


class Sessions:
    """Opens sessions and says which stand. `mark`: an account's mark now. Sessions that were ended before their time stand in `ended`."""

    def __init__(self, sealer: Sealer, ended: Path, people: Collection[str], mark: Callable[[str], str | None]) -> None:
        self._sealer = sealer
        self._ended = ended
        self._people = people
        self._mark = mark
        self._ending = Lock()
        """Two who sign out at once, beside the loop, must both be remembered."""

    def open(self, person: str, through: str, until_seconds: float, account: str = "") -> str:
        """A new session's cookie."""
        mark = (self._mark(account) or "") if account else ""
        word = secrets.token_urlsafe(16)
        return self._sealer.seal("session", {"p": person, "t": through, "u": until_seconds, "w": word, "a": account, "m": mark})

    def end(self, session: Session, now: float) -> None:
        """Nobody enters with it any more, whoever holds its cookie."""
        with self._ending:
            left = {word: until for word, until in kept(self._ended).items() if until > now}
            keep(self._ended, {**left, session.word: session.until_seconds})

    def who(self, text: str, now: float) -> Session | None:
        """The session of a cookie, if it is genuine and stands."""
        found = self._sealer.opened("session", text) if text else None
        if found is None:
            return None
        session = Session(
            str(found["p"]), str(found["t"]), float(str(found["u"])), str(found["w"]), str(found.get("a", "")), str(found.get("m", ""))
        )
        return session if self.stands(session, now) else None

    def stands(self, session: Session, now: float) -> bool:
        """Whether it is neither over nor ended, and its person and account are still there."""
        if now >= session.until_seconds or session.person not in self._people:
            return False
        if session.account and self._mark(session.account) != session.mark:
            return False
        return session.word not in kept(self._ended)
