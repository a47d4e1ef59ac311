"""`python -m holdfast.agent --config FILE`: run the agent of one region. Never here: anything but arguments and exit codes."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.agent.configuration import BadConfiguration, Configuration, load
from holdfast.agent.postgres import PostgresStore
from holdfast.agent.postgres_files import PostgresConfiguration
from holdfast.agent.process import AgentProcess, CannotStart
from holdfast.agent.redis import RedisStore
from holdfast.agent.redis_files import RedisConfiguration
from holdfast.agent.store import Launcher, Store


def _postgres(configuration: Configuration, section: Mapping[str, Any], launcher: Launcher) -> Store:
    own = {key: value for key, value in section.items() if value is not None or key == "os_user"}
    synchronous = configuration.replication == "synchronous"
    names = {"region": configuration.region, "peer_region": configuration.peer.name}
    return PostgresStore(PostgresConfiguration.from_json(own, **names, synchronous=synchronous), launcher)


def _redis(configuration: Configuration, section: Mapping[str, Any], launcher: Launcher) -> Store:
    synchronous = configuration.replication == "synchronous"
    lease_seconds = configuration.timing.wait_seconds(configuration.ttl_seconds)
    own = RedisConfiguration.from_json(section, region=configuration.region, synchronous=synchronous, lease_seconds=lease_seconds)
    return RedisStore(own, launcher)


def main() -> int:
    """0 after an orderly end, 2 when it can't or must not run, with one line that says why."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.agent", description="Run the agent of one region.")
    parser.add_argument("--config", required=True, type=Path, help="configuration file (JSON)")
    parser.add_argument("--without-memory", action="store_true", help="start although the durable state is lost")
    arguments = parser.parse_args()
    try:
        agent = AgentProcess(load(arguments.config), {"postgres": _postgres, "redis": _redis}, without_memory=arguments.without_memory)
        agent.run()
    except (BadConfiguration, CannotStart) as problem:
        print(f"agent: {problem}", file=sys.stderr, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
