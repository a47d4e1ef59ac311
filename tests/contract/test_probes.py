"""Every probe keeps the contract of the port Probe on a real server, and every simulated look keeps it too."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from contract.agents_rig import agents
from contract.probe_suite import PROBE_SECONDS, Looks, ProbeSuite, SecretProbeSuite, Sight
from contract.server_rig import ENTRIES, KEY_NAME, WEST, ZONE, freeze, knot, new_key, place, server, storage, thaw
from holdfast.health.observation import Observation, Subject
from holdfast.plan.bindings import BucketBinding, DnsBinding, FunctionBinding, PostgresBinding, RedisBinding, ZoneBinding
from holdfast.plan.loader import load
from holdfast.ports.probe import Probe
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.dns.probe import DnsProbe
from holdfast.providers.http.probe import AgentProbe, EntryProbe, Site, TransactionProbe, ZoneProbe
from holdfast.providers.postgres.probe import PostgresProbe
from holdfast.providers.redis.probe import RedisProbe
from holdfast.providers.s3.bucket import WRITER_KEY, Bucket
from holdfast.providers.s3.probe import BucketProbe
from holdfast.simulation.clock import VirtualClock, run_virtual
from holdfast.simulation.observations import SimulatedObserver
from holdfast.simulation.region import SimulatedRegion
from holdfast.simulation.world import SimulatedWorld
from lab.postgres_store_rig import Pair, Side, pair, processes_in
from lab.redis_store_rig import RedisPair, RedisSide, redis_pair

CLOCK = SystemClock()
PLAN = load(Path(__file__).resolve().parents[2] / "examples/voicehive/plan.yaml").plan


def of(process: Popen[bytes], make: Callable[[], Probe]) -> Looks:
    """A fresh probe that looks at one server; what was frozen is thawed afterwards."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sight]:
        try:
            yield Sight(make(), lambda: freeze(process), lambda: thaw(process), lambda: end(process), CLOCK)
        finally:
            if process.poll() is None:
                thaw(process)

    return opened


def end(process: Popen[bytes]) -> None:
    process.kill()
    process.wait()


def of_store(directory: Path, probe: Callable[[], PostgresProbe] | Callable[[], RedisProbe]) -> Looks:
    """A fresh probe that looks at a store: all processes in its directory."""

    def send(what: signal.Signals) -> None:
        for process in processes_in(directory):
            with suppress(ProcessLookupError):
                os.kill(process, what)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sight]:
        made = probe()
        try:
            yield Sight(
                made,
                lambda: send(signal.SIGSTOP),
                lambda: send(signal.SIGCONT),
                lambda: send(signal.SIGKILL),
                CLOCK,
                made.close,
            )
        finally:
            send(signal.SIGCONT)

    return opened


class TestDnsProbe(ProbeSuite):
    implementations = (DnsProbe,)

    @pytest.fixture
    def looks(self, tmp_path: Path) -> Iterator[Looks]:
        key = new_key()
        with knot(tmp_path, key) as (host, port, process):
            binding = DnsBinding(
                host=host, port=port, zone=ZONE, key_name=KEY_NAME, key_secret_file=tmp_path / "key", ttl_seconds=1, entries=ENTRIES
            )
            yield of(process, lambda: DnsProbe("outside", "voice", f"voice.{ZONE}", binding, CLOCK, timeout_seconds=PROBE_SECONDS))


class TestBucketProbe(SecretProbeSuite):
    implementations = (BucketProbe,)

    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        (tmp_path / "secret").write_text("secret of the test")
        return tmp_path / "secret"

    @pytest.fixture
    def looks(self, tmp_path: Path, secret: Path) -> Iterator[Looks]:
        with storage(tmp_path) as (endpoint, process):
            binding = BucketBinding(
                endpoint=endpoint, bucket="recordings", access_key="lab", secret_key_file=secret, peer_endpoint_from_inside=endpoint
            )
            bucket = Bucket(binding, timeout_seconds=5.0)
            bucket._connected().create_bucket(Bucket="recordings")
            asyncio.run(bucket.put(WRITER_KEY, b'{"era": 0, "epoch": 1, "region": "eu-west-1"}'))
            bucket.close()
            probes: list[BucketProbe] = []

            def make() -> BucketProbe:
                probes.append(BucketProbe("outside", "storage", WEST, {WEST: binding}, CLOCK, timeout_seconds=PROBE_SECONDS))
                return probes[-1]

            yield of(process, make)
            for probe in probes:
                probe.close()


class TestPostgresProbe(SecretProbeSuite):
    implementations = (PostgresProbe,)

    @pytest.fixture
    def regions(self) -> Iterator[Pair]:
        with pair() as both:
            both.west.store.start_writer(0, 1)
            yield both

    @pytest.fixture
    def side(self, regions: Pair) -> Side:
        return regions.west

    @pytest.fixture
    def secret(self, side: Side) -> Path:
        return side.configuration.admin_password_file

    @pytest.fixture
    def looks(self, side: Side) -> Looks:
        here = side.configuration
        binding = PostgresBinding(
            host=here.host, port=here.port, database=here.database, user=here.admin_user, password_file=here.admin_password_file
        )
        return of_store(
            side.launcher.directory,
            lambda: PostgresProbe("outside", "database", here.region, binding, CLOCK, timeout_seconds=PROBE_SECONDS),
        )


class TestPostgresProbeOfAStandby(TestPostgresProbe):
    @pytest.fixture
    def side(self, regions: Pair) -> Side:
        regions.east.store.start_replica()
        return regions.east


class TestRedisProbe(SecretProbeSuite):
    implementations = (RedisProbe,)

    @pytest.fixture
    def regions(self) -> Iterator[RedisPair]:
        with redis_pair() as both:
            both.west.store.initialise_writer(0, 1)
            both.west.store.start_writer(0, 1)
            yield both

    @pytest.fixture
    def side(self, regions: RedisPair) -> RedisSide:
        return regions.west

    @pytest.fixture
    def secret(self, side: RedisSide) -> Path:
        return side.configuration.password_file

    @pytest.fixture
    def looks(self, side: RedisSide) -> Looks:
        here = side.configuration
        binding = RedisBinding(host=here.host, port=here.port, password_file=here.password_file)
        return of_store(
            side.launcher.directory,
            lambda: RedisProbe("outside", "cache", here.region, binding, CLOCK, timeout_seconds=PROBE_SECONDS),
        )


class TestRedisProbeOfAReplica(TestRedisProbe):
    @pytest.fixture
    def side(self, regions: RedisPair) -> RedisSide:
        regions.east.store.start_replica()
        return regions.east


SITE = Site("outside", CLOCK, PROBE_SECONDS)


class HttpProbeSuite(ProbeSuite):
    """Something real answers over HTTP at `address`."""

    @pytest.fixture
    def answering(self, tmp_path: Path) -> Iterator[tuple[str, int, Popen[bytes]]]:
        host, port = place()
        with server([sys.executable, "-m", "contract.answering", host, str(port)], tmp_path, host, port, {"PYTHONPATH": PATH}) as process:
            yield host, port, process


PATH = os.pathsep.join([str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")])


class TestTransactionProbe(HttpProbeSuite):
    implementations = (TransactionProbe,)

    @pytest.fixture
    def looks(self, answering: tuple[str, int, Popen[bytes]]) -> Looks:
        host, port, process = answering

        async def resolve(name: str) -> str:
            assert name == "voice.test"
            return host

        binding = FunctionBinding(dns_name="voice.test", port=port, path="/voice/calls")
        return of(process, lambda: TransactionProbe(SITE, "voice", binding, resolve, {host: WEST}))


class TestEntryProbe(HttpProbeSuite):
    implementations = (EntryProbe,)

    @pytest.fixture
    def looks(self, answering: tuple[str, int, Popen[bytes]]) -> Looks:
        host, port, process = answering
        return of(process, lambda: EntryProbe(SITE, WEST, "loadbalancer", host, port))


class TestZoneProbe(HttpProbeSuite):
    implementations = (ZoneProbe,)

    @pytest.fixture
    def looks(self, answering: tuple[str, int, Popen[bytes]]) -> Looks:
        host, port, process = answering
        return of(process, lambda: ZoneProbe(SITE, WEST, "eu-west-1a", ZoneBinding(host=host, port=port)))


class TestAgentProbe(SecretProbeSuite):
    implementations = (AgentProbe,)

    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        return tmp_path / "agent.key"

    @pytest.fixture
    def looks(self, secret: Path) -> Looks:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Sight]:
            async with agents("redis") as both:
                binding = both.agent_binding(WEST)
                secret.write_bytes(binding.key_file.read_bytes())
                probe = AgentProbe(SITE, WEST, "agent", binding.model_copy(update={"key_file": secret}))
                process = both.processes[WEST]
                yield Sight(probe, lambda: freeze(process), lambda: thaw(process), lambda: both.lose(WEST), CLOCK)

        return opened


# -- simulated ----------------------------------------------------------------------------------------------------------------


class SimulatedLook:
    """One of the things that a simulated observer looks at, as a probe of its own."""

    def __init__(self, observer: SimulatedObserver, region: str, subject: Subject, name: str) -> None:
        self._observer = observer
        self._wanted = (region, subject, name)

    async def observe(self) -> Observation:
        known = await self._observer.since(0)
        self._observer.look()
        seen = await self._observer.since(known[-1].sequence if known else 0)
        region, subject, name = self._wanted
        return replace(next(one for one in seen if (one.subject, one.name) == (subject, name) and one.region in (region, "")), sequence=0)


def _ended(world: SimulatedWorld, region: SimulatedRegion, subject: Subject) -> None:
    match subject:
        case Subject.POSTGRES:
            region.postgres.fence()
        case Subject.REDIS:
            region.redis.fence()
        case Subject.BUCKET:
            region.bucket_silent = True
        case Subject.AGENT:
            region.agent.alive = False
        case Subject.TRANSACTION:
            region.admits = False
        case Subject.DNS:
            world.dns_alive = False
        case _:
            world.links.cut_between("outside", region.name)


class TestSimulatedLooks(ProbeSuite):
    implementations = (SimulatedLook,)

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        run_virtual(main)

    @pytest.fixture(params=list(Subject))
    def looks(self, request: pytest.FixtureRequest) -> Looks:
        subject: Subject = request.param

        @asynccontextmanager
        async def opened() -> AsyncIterator[Sight]:
            clock = VirtualClock()
            world = SimulatedWorld(PLAN, "fast", clock)
            observer = SimulatedObserver(world, "outside")
            await clock.sleep(1.0)
            world.tick()
            observer.look()
            region = world.regions[PLAN.primary_region()]
            name = next(one.name for one in await observer.since(0) if one.subject is subject and one.region == region.name)

            def cut() -> None:
                world.links.cut_between("outside", region.name)
                world.dns_alive = subject is not Subject.DNS

            def heal() -> None:
                world.links.heal_all()
                world.dns_alive = True

            look = SimulatedLook(observer, region.name, subject, name)
            yield Sight(look, cut, heal, lambda: _ended(world, region, subject), clock)

        return opened
