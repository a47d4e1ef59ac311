"""What only a fenced Redis holds, key by key, before its files are put aside.

The fenced directory itself is started as the replica of nobody who answers: read-only, on a free loopback port, where only who knows the
password gets in. Every key of it is held against the writer's. A value travels as Redis itself packs it (DUMP), so it can be given back
as it was. Rules: marks and heartbeats (`holdfast:…`) are no loss; a key that has expired is none either; keys that only the writer has say
nothing (they may be new), so deletions are not found. Never here: giving anything back to the writer.
"""

import base64
import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from holdfast.agent import redis_files as files
from holdfast.agent.exports import Export, Part
from holdfast.agent.redis_files import RedisConfiguration
from holdfast.agent.redis_wire import Connection, RedisError, RedisRefusal, Reply
from holdfast.agent.server_process import ServerProcess
from holdfast.agent.store import Facts, StoreFailure

OWN_PREFIX = "holdfast:"
_LOOPBACK = "127.0.0.1"
_START_SECONDS = 300.0
_ANSWER_SECONDS = 60.0
_BATCH = 200
_SHOWN_CHARACTERS = 4000
_READERS = {
    "string": ("GET",),
    "list": ("LRANGE", "0", "-1"),
    "set": ("SMEMBERS",),
    "hash": ("HGETALL",),
    "zset": ("ZRANGE", "0", "-1", "WITHSCORES"),
}
"""How a value is read whose packed form may differ though it is the same."""


def export(configuration: RedisConfiguration, process: ServerProcess, into: Export) -> Facts:
    """Write every key that the writer lacks or has otherwise. Raises StoreFailure when that can't be done; nothing is lost by trying."""
    if configuration.copying_sign.exists():
        raise StoreFailure(
            f"the files in {configuration.directory} are an unfinished copy of the peer: what only this region held is put aside"
        )
    if not configuration.data.exists():
        raise StoreFailure(f"{configuration.directory} holds no data: what only this region held is gone, or lies somewhere else")
    into.begin(2 * sum(file.stat().st_size for file in configuration.data.iterdir()))
    try:
        with _aside(configuration, process) as here, _writer(configuration) as writer:
            part = into.part("keys")
            into.unexamined.extend(_other_databases(here))
            for keys in _keys(here):
                _compare(here, writer, keys, part)
    except (RedisError, RedisRefusal) as error:
        raise StoreFailure(
            f"the comparison with Redis at {configuration.peer_host}:{configuration.peer_port} broke off: {error}"
        ) from error
    return into.finish({"how": "compared", "since": {}})


@contextmanager
def _writer(configuration: RedisConfiguration) -> Iterator[Connection]:
    with Connection(configuration.peer_host, configuration.peer_port, configuration.password(), 5) as session:
        if session.information("replication", 5).get("role") != "master":
            raise StoreFailure("the peer's Redis is a replica itself: there is no writer to compare with")
        yield session


@contextmanager
def _aside(configuration: RedisConfiguration, process: ServerProcess) -> Iterator[Connection]:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    files.write_settings(configuration)
    private = ["--bind", _LOOPBACK, "--port", str(port), "--auto-aof-rewrite-percentage", "0"]
    # Port 1 of the loopback address answers nobody: a replica of nothing, which serves what it has and takes no writes.
    process.start([str(configuration.binary), str(configuration.settings_file), *private, "--replicaof", _LOOPBACK, "1"])

    def answers() -> bool:
        with contextlib.suppress(RedisError, RedisRefusal), Connection(_LOOPBACK, port, configuration.password(), 1.0) as session:
            return session.command("PING", timeout_seconds=1.0) == "PONG"
        return False

    try:
        process.wait_until(answers, _START_SECONDS, "it had loaded its data")
        with Connection(_LOOPBACK, port, configuration.password(), 5) as session:
            yield session
    finally:
        process.stop(signal.SIGTERM, 60)


def _keys(session: Connection) -> Iterator[list[str]]:
    """All keys but our own, in batches. SCAN may name a key twice while its table grows: here each comes once, or it would count twice."""
    cursor = "0"
    known: set[str] = set()
    while True:
        [answer] = session.binary([("SCAN", cursor, "COUNT", str(_BATCH))], timeout_seconds=_ANSWER_SECONDS)
        if not isinstance(answer, list) or not isinstance(answer[1], list):
            raise RedisError(f"an answer to SCAN that can't be understood: {answer!r}")
        cursor = str(answer[0])
        fresh = dict.fromkeys(key for key in map(str, answer[1]) if not key.startswith(OWN_PREFIX) and key not in known)
        known.update(fresh)
        yield list(fresh)
        if cursor == "0":
            return


def _other_databases(session: Connection) -> list[str]:
    others = sorted(name for name in session.information("keyspace", _ANSWER_SECONDS) if name.startswith("db") and name != "db0")
    return [f"other databases of this Redis hold keys ({', '.join(others)}): only db0 is compared, look by hand"] if others else []


def _compare(here: Connection, writer: Connection, keys: Sequence[str], part: Part) -> None:
    packed = [("DUMP", key) for key in keys]
    mine, theirs = (session.binary(packed, timeout_seconds=_ANSWER_SECONDS) for session in (here, writer))
    for key, own, other in zip(keys, mine, theirs, strict=True):
        if own is None:
            continue  # it has expired
        if own == other:
            part.same(1)
            continue
        value, type_ = _value(here, key)
        there = None if other is None else _value(writer, key)[0]
        if other is not None and value == there and value is not None:
            part.same(1)
            continue
        change = "only-here" if other is None else "differs"
        [left] = here.binary([("PTTL", key)], timeout_seconds=_ANSWER_SECONDS)
        entry: dict[str, Any] = {
            "id": _text(key),
            "change": change,
            "type": type_,
            "here": _shown(value),
            "there": _shown(there),
            "key_base64": _packed(key),
            "packed_base64": _packed(str(own)),
            "expires_at_seconds": round(time.time() + left / 1000, 3) if isinstance(left, int) and left >= 0 else None,
        }
        part.add(change, json.dumps(entry, ensure_ascii=False))


def _value(session: Connection, key: str) -> tuple[Reply, str]:
    """A value in a form in which equal ones are equal (None: of a type that this doesn't know), and its type."""
    [type_] = session.binary([("TYPE", key)], timeout_seconds=_ANSWER_SECONDS)
    reader = _READERS.get(str(type_))
    if reader is None:
        return None, str(type_)
    [value] = session.binary([(reader[0], key, *reader[1:])], timeout_seconds=_ANSWER_SECONDS)
    if type_ == "set" and isinstance(value, list):
        value = sorted(value, key=str)
    if type_ == "hash" and isinstance(value, list):
        value = [each for pair in sorted(zip(map(str, value[::2]), map(str, value[1::2]), strict=True)) for each in pair]
    return value, str(type_)


def _shown(value: Reply) -> Any:
    """For people; what is given back is the packed form."""
    if isinstance(value, str):
        return _text(value)[:_SHOWN_CHARACTERS]
    return [_shown(each) for each in value[:_BATCH]] if isinstance(value, list) else value


def _text(raw: str) -> str:
    """What came byte by byte, as text where it is text."""
    data = raw.encode("latin-1")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def _packed(raw: str) -> str:
    return base64.b64encode(raw.encode("latin-1")).decode()
