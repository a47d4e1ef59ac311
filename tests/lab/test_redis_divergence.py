"""What only the lost side's Redis held, found and given back on real servers."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from holdfast.agent.exports import SUMMARY, Export
from holdfast.agent.redis_wire import Connection
from holdfast.plan.bindings import RedisBinding
from holdfast.providers.redis.give_back import RedisGiver
from lab.postgres_store_rig import EAST, processes_in
from lab.redis_store_rig import PASSWORD, RedisPair, redis_pair


def lost(both: RedisPair) -> None:
    """Both begin alike; then west goes on alone and is fenced, and east takes over."""
    both.west.store.initialise_writer(0, 1)
    both.west.store.start_writer(0, 1)
    both.west.ask("SET", "common", "alike")
    both.west.ask("SADD", "house", *[f"room-{number}" for number in range(600)])
    both.east.store.start_replica()
    assert both.east.store._follows_within(10)
    both.east.store.stop_gracefully(20)
    both.west.ask("SET", "only", "grüße")
    both.west.ask("HSET", "guest", "name", "Ada", "room", "7")
    both.west.ask("SET", "short", "gone", "PX", "1")
    both.west.ask("SET", "later", "still there", "EX", "600")
    both.west.ask("SET", "common", "changed in the west")
    with Connection(both.west.configuration.host, both.west.configuration.port, PASSWORD, 5) as session:
        session.command("SELECT", "3", timeout_seconds=5)
        session.command("SET", "aside", "in another database", timeout_seconds=5)
    both.west.launcher.kill_everything()
    both.east.store.start_replica()
    both.east.store.promote(0, 2, {})
    both.east.ask("SADD", "house", "room-1")  # the same, perhaps packed in another way
    both.east.ask("SET", "new", "of the east")


def exported(both: RedisPair) -> tuple[dict[str, Any], list[str]]:
    directory = Path(tempfile.mkdtemp(dir=both.west.launcher.directory.parent)) / "redis-0-2"
    both.west.store.export_divergence(Export(directory))
    assert not processes_in(both.west.launcher.directory)
    summary = json.loads((directory / SUMMARY).read_text())
    assert summary["parts"][0]["counts"]["same"] == 1
    assert any("other databases of this Redis hold keys (db3)" in sentence for sentence in summary["unexamined"])
    lines = (directory / summary["parts"][0]["file"]).read_text().splitlines()
    return {entry["id"]: entry for entry in map(json.loads, lines)}, lines


def test_keys_that_only_the_lost_side_has_are_exported_and_given_back_where_absent() -> None:
    with redis_pair() as both:
        lost(both)
        entries, lines = exported(both)
        assert {name: entry["change"] for name, entry in entries.items()} == {
            "only": "only-here",
            "guest": "only-here",
            "later": "only-here",
            "common": "differs",
        }
        assert (entries["only"]["here"], entries["common"]["there"]) == ("grüße", "alike")
        assert both.west.store.become_replica()["how"] == "copy"

        file = both.east.configuration.password_file
        binding = RedisBinding(host=both.east.configuration.host, port=both.east.configuration.port, password_file=file)
        giver = RedisGiver({EAST: binding})
        both.east.ask("HSET", "guest", "name", "Bob")

        def give(*names: str, epoch: int = 2) -> list[str]:
            return [one.result for one in giver.give([entries[name] for name in names], lines, EAST, (0, epoch))]

        # One that can't be taken keeps the others out, and looking changes nothing.
        assert give("only", "guest", "later") == ["withheld", "conflict", "withheld"]
        looked = giver.look([entries[name] for name in ("only", "guest", "later")], lines, EAST, (0, 2))
        assert [one.result for one in looked] == ["applied", "conflict", "applied"]
        assert give("only", epoch=1) == ["refused"]
        assert both.east.ask("EXISTS", "only", "later") == 0
        assert give("only", "later") == ["applied", "applied"]
        assert give("only") == ["already"]
        assert (both.east.ask("GET", "only"), both.east.ask("HGET", "guest", "name")) == ("grüße", "Bob")
        left = both.east.ask("PTTL", "later")
        assert isinstance(left, int) and 0 < left <= 600_000, time.time()
