"""Local accounts and machines' tokens, each kept as a hash in a file that only its owner can read.

Rules: a password is kept with argon2; a wrong name takes as long as a wrong password and is answered alike. After some wrong tries a
name is locked for a while, by name and not by address, so that many addresses don't help. A token is random and long, so a plain hash of
it is enough; it is shown once, when it is made.
"""

import hashlib
import json
import os
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from holdfast.decision.access import NOBODY, Principal, Scope, machine

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
TRIES = 5
TRIES_SECONDS = 300.0
_MOST_NAMES = 10_000


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
        self._wrong: dict[str, deque[float]] = {}

    def all(self) -> dict[str, Account]:
        """Name → account."""
        return {name: Account(name, entry["person"], entry["hash"], entry["break_glass"]) for name, entry in _read(self._path).items()}

    def set(self, name: str, person: str, password: str, *, break_glass: bool) -> None:
        """Make the account, or give it another password. Raises ValueError for a password that is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise ValueError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
        entry = {"person": person, "hash": _hasher().hash(password), "break_glass": break_glass}
        _write(self._path, {**_read(self._path), name: entry})

    def signed_in(self, name: str, password: str, now: float) -> Account:
        """The account that this is the password of. Raises NotSignedIn. It takes as long as argon2 does: call it beside the loop."""
        tries = self._wrong.get(name[:100], deque())
        while tries and now - tries[0] >= TRIES_SECONDS:
            tries.popleft()
        account = self.all().get(name)
        genuine = _fits(account.hash if account is not None else _nobodys_hash(), password[:LONGEST_PASSWORD]) and account is not None
        if len(tries) >= TRIES:
            raise NotSignedIn(f"too many wrong tries: wait {TRIES_SECONDS / 60:.0f} minutes")
        if not genuine or account is None:
            if len(self._wrong) >= _MOST_NAMES:
                self._wrong.clear()
            tries.append(now)
            self._wrong[name[:100]] = tries
            raise NotSignedIn("name or password is wrong")
        self._wrong.pop(name[:100], None)
        return account


class Tokens:
    """The tokens in a file: identifier → name, hash, scopes, when it ends (wall clock)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, name: str, scopes: frozenset[Scope], until_seconds: float) -> str:
        """A new token, shown this once."""
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        entry = {"name": name, "hash": _digest(secret), "scopes": sorted(scopes), "until_seconds": until_seconds}
        _write(self._path, {**_read(self._path), identifier: entry})
        return f"hf_{identifier}_{secret}"

    def revoke(self, identifier: str) -> bool:
        """Whether there was one of this identifier; it is gone now."""
        known = _read(self._path)
        gone = known.pop(identifier, None)
        _write(self._path, known)
        return gone is not None

    def listed(self) -> Mapping[str, Mapping[str, Any]]:
        """Identifier → what is known of it, without its hash."""
        return {name: {key: value for key, value in entry.items() if key != "hash"} for name, entry in _read(self._path).items()}

    def principal(self, token: str, now: float) -> Principal:
        """Who sends this token; NOBODY for one that isn't known or has ended."""
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != "hf":
            return NOBODY
        entry = _read(self._path).get(parts[1])
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


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
