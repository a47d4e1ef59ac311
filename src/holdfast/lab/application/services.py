"""What the five functions do with the stores. Each takes a request and returns what it wrote, or raises why it did not.

The row in PostgreSQL comes last: where it stands, everything that it speaks of stands too.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.lab.application.cache import Cache
from holdfast.lab.application.credentials import verify_password
from holdfast.lab.application.database import Database
from holdfast.lab.application.outcomes import ANSWER_SECONDS, RefusedError, UnknownError, Written
from holdfast.lab.application.partner import Partner
from holdfast.lab.application.storage import Storage

_HOTELS = ("harbour", "castle", "station", "garden")
_USERS = 8
_SETTINGS = ("greeting", "language", "voice", "transfer-after-seconds", "record-calls", "night-desk", "checkout-hour", "upsell")
_TEST_SETTING = "canary"
"""Exists for synthetic transactions: changing it changes nothing for anybody."""
TABLES = ("calls", "reservations", "logins", "aggregates", "setting_changes")
SESSIONS = ("session/call/", "session/login/")
RECORDINGS = ("recordings/",)
"""Where records stand: tables, and what precedes the request's identifier in keys and object names."""
_RECORDING = bytes(range(256)) * 8

_MARKS = "region, epoch, extract(epoch FROM written_at)::float8"
# A repeat of a request must answer with the mark of the first write, and ON CONFLICT returns a row only if it updates.
_AGAIN = f"ON CONFLICT (request) DO UPDATE SET request = excluded.request RETURNING {_MARKS}"

_CALL = f"INSERT INTO calls (request, caller, hotel, session, recording) VALUES (%(request)s, %(caller)s, %(hotel)s, %(session)s, %(recording)s) {_AGAIN}"  # fmt: skip  # noqa: E501
_RESERVATION = f"INSERT INTO reservations (request, guest, room, partner_reference) VALUES (%(request)s, %(guest)s, %(room)s, %(reference)s) {_AGAIN}"  # fmt: skip  # noqa: E501
_LOGIN = f"INSERT INTO logins (request, user_name) VALUES (%(request)s, %(user)s) {_AGAIN}"
_AGGREGATE = f"""
    INSERT INTO aggregates (request, calls, hotels, since)
    SELECT %(request)s, count(*), count(DISTINCT hotel), now() - interval '10 seconds'
    FROM calls WHERE written_at > now() - interval '10 seconds'
    {_AGAIN}"""
_CHANGE = f"""
    WITH changed AS (UPDATE settings SET value = %(value)s, version = version + 1 WHERE name = %(name)s RETURNING version)
    INSERT INTO setting_changes (request, name, value, version) SELECT %(request)s, %(name)s, %(value)s, version FROM changed
    {_AGAIN}"""


class BadRequestError(ValueError):
    """A request that cannot be carried out whatever the state of the stores."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What one version of the settings leads to."""

    database: Database
    cache: Cache
    storage: Storage
    partner: Partner

    async def close(self) -> None:
        """No connection stays."""
        self.database.close()
        self.storage.close()
        self.partner.close()
        await self.cache.close()


Body = Mapping[str, Any]
Writes = dict[str, Written]


async def _row(stores: Stores, table: str, request: str, sql: str, **values: str) -> Written:
    region, epoch, written = await stores.database.write(sql, {"request": request, **values})
    return Written(f"{table}/{request}", region, epoch, written)


async def _both(first: Awaitable[Written], second: Awaitable[Written]) -> tuple[Written, Written]:
    """Two writes at the same time. Both are waited for, and *unknown* weighs more than *refused*."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for kind in (UnknownError, BaseException):
        for outcome in (one, other):
            if isinstance(outcome, kind):
                raise outcome
    assert isinstance(one, Written)
    assert isinstance(other, Written)
    return one, other


def _pick(request: str, among: int) -> int:
    return hashlib.blake2b(request.encode(), digest_size=2).digest()[0] % among


def _text(body: Body, name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise BadRequestError(f"{name}: must be a text of 1 to 200 characters")
    return value


async def take_call(stores: Stores, request: str, body: Body) -> Writes:
    """Voice: a recording, a session and the call."""
    caller = _text(body, "caller", "+49 30 555 0100")
    hotel = _text(body, "hotel", _HOTELS[_pick(request, len(_HOTELS))])
    session, recording = f"session/call/{request}", f"recordings/{request}"
    stored, kept = await _both(
        stores.storage.write(recording, _RECORDING),
        stores.cache.write(session, {"caller": caller, "hotel": hotel}),
    )
    row = await _row(stores, "calls", request, _CALL, caller=caller, hotel=hotel, session=session, recording=recording)
    return {"database": row, "cache": kept, "storage": stored}


async def sync_reservation(stores: Stores, request: str, body: Body) -> Writes:
    """PMS: the partner takes the reservation, then the row says under which reference."""
    guest, room = _text(body, "guest", "A. Guest"), _text(body, "room", str(100 + _pick(request, 80)))
    reference = await stores.partner.reserve(request, {"guest": guest, "room": room}, ANSWER_SECONDS)
    return {"database": await _row(stores, "reservations", request, _RESERVATION, guest=guest, room=room, reference=reference)}


async def log_in(stores: Stores, request: str, body: Body) -> Writes:
    """Authentication: the password is verified, then a login and a session stand."""
    user = _text(body, "user", f"receptionist-{1 + _pick(request, _USERS)}")
    password = _text(body, "password", f"password of {user}")
    found = await stores.database.read("SELECT password FROM users WHERE name = %(user)s", {"user": user})
    if not found or not verify_password(password, found[0][0]):
        raise RefusedError(f"wrong name or password for {user}")
    session = await stores.cache.write(f"session/login/{request}", {"user": user})
    return {"database": await _row(stores, "logins", request, _LOGIN, user=user), "cache": session}


async def aggregate_calls(stores: Stores, request: str, body: Body) -> Writes:
    """Analytics: recent calls are counted and the result kept."""
    del body  # takes no parameters
    return {"database": await _row(stores, "aggregates", request, _AGGREGATE)}


async def change_setting(stores: Stores, request: str, body: Body) -> Writes:
    """Configuration: one setting gets a new value and a version."""
    name = _text(body, "name", _SETTINGS[_pick(request, len(_SETTINGS))])
    if name not in (*_SETTINGS, _TEST_SETTING):
        raise BadRequestError(f"name: no setting is called {name!r}; there are {', '.join(_SETTINGS)}")
    return {"database": await _row(stores, "setting_changes", request, _CHANGE, name=name, value=_text(body, "value", f"as of {request}"))}


async def read_settings(stores: Stores) -> dict[str, Any]:
    """Configuration: every setting with its value and version."""
    rows = await stores.database.read("SELECT name, value, version FROM settings ORDER BY name", {})
    return {name: {"value": value, "version": version} for name, value, version in rows}


@dataclass(frozen=True, slots=True)
class Service:
    """One function of the application: where it is posted to, and what it does."""

    path: str
    write: Callable[[Stores, str, Body], Awaitable[Writes]]
    read: Callable[[Stores], Awaitable[dict[str, Any]]] | None = None


SERVICES = {
    "voice": Service("/voice/calls", take_call),
    "pms": Service("/pms/reservations", sync_reservation),
    "authentication": Service("/authentication/sessions", log_in),
    "analytics": Service("/analytics/aggregates", aggregate_calls),
    "configuration": Service("/configuration/settings", change_setting, read_settings),
}
