"""Local accounts and machines' tokens, each kept as a hash in a file that only its owner can read.

Rules: a password is kept with argon2; a wrong name takes as long as a wrong password and is answered alike. After some wrong tries from
one address a name is locked for that address for a while, so that nobody locks a person out from elsewhere; after many from anywhere it is
locked for all, so that many addresses don't help. A token is random and long, so a plain hash of
it is enough; it is shown once, when it is made.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from holdfast.console.serving.keeping import keep, kept
from holdfast.console.serving.recent import Recent
from holdfast.decision.access import NOBODY, Principal, Scope, machine

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
TRIES = 5
"""So many wrong ones of a name from one address."""
TRIES_FROM_ANYWHERE = 50
TRIES_SECONDS = 300.0
_MOST_NAMES = 10_000
_ANYWHERE = "*"


class NotSignedIn(Exception):
    """The text is the same for a wrong name and a wrong password; one for a locked name says when to try again."""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account of a person of the plan. `break_glass`: opens nothing alone, only together with another one."""

    name: str
    person: str
    hash: str
    break_glass: bool = False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


class Accounts:
    """The accounts in a file, read again at every use: a removed account is gone at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wrong: dict[tuple[str, str], Recent] = {}

    def all(self) -> dict[str, Account]:
        """Name → account."""
        return {name: Account(name, entry["person"], entry["hash"], entry["break_glass"]) for name, entry in kept(self._path).items()}

    def set(self, name: str, person: str, password: str, *, break_glass: bool) -> None:
        """Make the account, or give it another password. Raises ValueError for a password that is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise ValueError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
        entry = {"person": person, "hash": _hasher().hash(password), "break_glass": break_glass}
        keep(self._path, {**kept(self._path), name: entry})

    def remove(self, name: str) -> bool:
        """Whether there was one of this name; it is gone now, and so are its sessions."""
        known = kept(self._path)
        gone = known.pop(name, None)
        keep(self._path, known)
        return gone is not None

    def mark(self, name: str) -> str | None:
        """What changes with the account's password; None for an account that isn't there. A session holds it, and ends with it."""
        entry = kept(self._path).get(name)
        return None if entry is None else _digest(entry["hash"])[:16]

    def signed_in(self, name: str, password: str, now: float, address: str = "") -> Account:
        """The account that this is the password of. Raises NotSignedIn. It takes as long as argon2 does: call it beside the loop.

        `address`: where it is tried from.
        """
        here, anywhere = self._tries((name[:100], address), now), self._tries((name[:100], _ANYWHERE), now)
        account = self.all().get(name)
        genuine = _fits(account.hash if account is not None else _nobodys_hash(), password[:LONGEST_PASSWORD]) and account is not None
        if here.count(now) >= TRIES or anywhere.count(now) >= TRIES_FROM_ANYWHERE:
            raise NotSignedIn(f"too many wrong tries: wait {TRIES_SECONDS / 60:.0f} minutes")
        if not genuine or account is None:
            here.add(now)
            anywhere.add(now)
            raise NotSignedIn("name or password is wrong")
        self._wrong.pop((name[:100], address), None)
        return account

    def _tries(self, of: tuple[str, str], now: float) -> Recent:
        """The wrong ones of late: one count for all who try at the same moment."""
        if len(self._wrong) >= _MOST_NAMES and of not in self._wrong:  # a flood of names must not open one that is locked
            self._wrong.pop(next((known for known, wrong in self._wrong.items() if wrong.count(now) < TRIES), of), None)
        return self._wrong.setdefault(of, Recent(TRIES_SECONDS))


class Tokens:
    """The tokens in a file: identifier → name, hash, scopes, when it ends (wall clock)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, name: str, scopes: frozenset[Scope], until_seconds: float) -> str:
        """A new token, shown this once."""
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        entry = {"name": name, "hash": _digest(secret), "scopes": sorted(scopes), "until_seconds": until_seconds}
        keep(self._path, {**kept(self._path), identifier: entry})
        return f"hf_{identifier}_{secret}"

    def revoke(self, identifier: str) -> bool:
        """Whether there was one of this identifier; it is gone now."""
        known = kept(self._path)
        gone = known.pop(identifier, None)
        keep(self._path, known)
        return gone is not None

    def listed(self) -> Mapping[str, Mapping[str, Any]]:
        """Identifier → what is known of it, without its hash."""
        return {name: {key: value for key, value in entry.items() if key != "hash"} for name, entry in kept(self._path).items()}

    def principal(self, token: str, now: float) -> Principal:
        """Who sends this token; NOBODY for one that isn't known or has ended."""
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != "hf":
            return NOBODY
        entry = kept(self._path).get(parts[1])
        genuine = secrets.compare_digest(_digest(parts[2]), entry["hash"] if entry else "0" * 64)
        if entry is None or not genuine or now >= entry["until_seconds"]:
            return NOBODY
        return machine(entry["name"], {Scope(scope) for scope in entry["scopes"]})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _fits(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
