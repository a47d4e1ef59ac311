"""Two real Redis servers as two agents' stores, cleaned up by pid."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from free_ports import free_port
from holdfast.agent.redis import RedisStore
from holdfast.agent.redis_files import RedisConfiguration
from holdfast.agent.redis_wire import Connection, Reply
from lab.postgres_store_rig import EAST, WEST, PlainLauncher

PASSWORD = 'a "quoted" pass word'


@dataclass
class RedisSide:
    """One region's store, its launcher, and a way to ask its server."""

    store: RedisStore
    launcher: PlainLauncher
    configuration: RedisConfiguration

    def ask(self, *arguments: str) -> Reply:
        with Connection(self.configuration.host, self.configuration.port, PASSWORD, 5) as session:
            return session.command(*arguments, timeout_seconds=5)

    def again(self) -> "RedisSide":
        """The same region after its agent was restarted: nothing remembered, but what it starts is ended with all the rest."""
        launcher = PlainLauncher(self.launcher.directory, self.launcher.os_user, self.launcher.started)
        return RedisSide(RedisStore(self.configuration, launcher), launcher, self.configuration)


@dataclass
class RedisPair:
    """Both regions."""

    west: RedisSide
    east: RedisSide


@contextmanager
def redis_pair(west_directory: str = "west", *, synchronous: bool = False) -> Iterator[RedisPair]:
    """Empty directories with nothing started yet."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-redis-"))
    root.chmod(0o755)
    (root / "password").write_text(PASSWORD + "\n")
    host = "127.0.0.1"
    ports = {WEST: free_port(host), EAST: free_port(host)}
    user = "redis" if os.geteuid() == 0 else None

    def side(region: str, peer: str, folder: str) -> RedisSide:
        binary = Path(shutil.which("redis-server") or "/usr/bin/redis-server")
        places = (root / folder, host, ports[region], user, root / "password", host, ports[peer])
        configuration = RedisConfiguration(region, binary, *places, synchronous=synchronous)
        launcher = PlainLauncher(root / folder, user)
        return RedisSide(RedisStore(configuration, launcher), launcher, configuration)

    both = RedisPair(side(WEST, EAST, west_directory), side(EAST, WEST, "east"))
    try:
        yield both
    finally:
        for one in (both.west, both.east):
            one.store.close()
            one.launcher.kill_everything()
        shutil.rmtree(root)
