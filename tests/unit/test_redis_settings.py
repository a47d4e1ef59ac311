"""What the agent's Redis is started with, and how many replicas a write needs before anybody ordered anything."""

from pathlib import Path

import pytest

from holdfast.agent.redis_files import RedisConfiguration, keep_replicas_needed, replicas_needed, write_settings
from holdfast.fencing.promise import Timing
from holdfast.plan.loader import load

PLAN = Path(__file__).resolve().parents[2] / "examples" / "voicehive" / "plan.yaml"


def configured(place: Path, *, synchronous: bool = False, lease_seconds: float = 15.0) -> RedisConfiguration:
    (place / "password").write_text("secret\n")
    (place / "redis").mkdir()
    section = {
        "binary": "/usr/bin/redis-server",
        "directory": str(place / "redis"),
        "host": "127.0.0.1",
        "port": 1,
        "os_user": None,
        "password_file": str(place / "password"),
        "peer_host": "127.0.0.1",
        "peer_port": 2,
    }
    return RedisConfiguration.from_json(section, region="here", synchronous=synchronous, lease_seconds=lease_seconds)


@pytest.mark.parametrize("name", sorted(load(PLAN).plan.profiles))
def test_a_silent_replica_stays_one_for_longer_than_the_lease_can_last_in_every_profile(name: str, tmp_path: Path) -> None:
    profile = load(PLAN).plan.profiles[name]
    lease_seconds = Timing(profile.drift, profile.margin).wait_seconds(profile.lease)
    configuration = configured(tmp_path, lease_seconds=lease_seconds)
    write_settings(configuration)
    settings = dict(line.split(" ", 1) for line in configuration.settings_file.read_text().splitlines())
    assert float(settings["repl-timeout"]) >= lease_seconds + 5.0 > profile.lease


def test_until_it_is_ordered_otherwise_a_write_needs_its_replica_where_the_plan_replicates_synchronously(tmp_path: Path) -> None:
    for synchronous, needed in ((True, 1), (False, 0)):
        place = tmp_path / str(synchronous)
        place.mkdir()
        configuration = configured(place, synchronous=synchronous)
        assert replicas_needed(configuration) == needed
        for ordered in (0, 1):
            keep_replicas_needed(configuration, ordered)
            assert replicas_needed(configuration) == ordered


def test_an_order_that_can_not_be_read_any_more_does_not_take_the_protection_away(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    configuration.replicas_needed_file.write_bytes(b"\xff")
    assert replicas_needed(configuration) == 1
