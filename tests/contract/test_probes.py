"""The probes of DNS and buckets keep the contract of the port Probe, on real servers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.probe_suite import PROBE_SECONDS, ProbeSuite, Sight
from contract.server_rig import ENTRIES, KEY_NAME, WEST, ZONE, freeze, knot, new_key, storage, thaw
from holdfast.plan.bindings import BucketBinding, DnsBinding
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.dns.probe import DnsProbe
from holdfast.providers.s3.bucket import WRITER_KEY, Bucket
from holdfast.providers.s3.probe import BucketProbe


class TestDnsProbe(ProbeSuite):
    @pytest.fixture
    def sight(self, tmp_path: Path) -> Iterator[Sight]:
        key = new_key()
        with knot(tmp_path, key) as (host, port, process):
            binding = DnsBinding(
                host=host, port=port, zone=ZONE, key_name=KEY_NAME, key_secret_file=tmp_path / "key", ttl_seconds=1, entries=ENTRIES
            )
            probe = DnsProbe("outside", "voice", f"voice.{ZONE}", binding, SystemClock(), timeout_seconds=PROBE_SECONDS)
            yield Sight(probe, lambda: freeze(process), lambda: thaw(process))


@pytest.fixture(scope="module")
def bucket_sight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sight]:
    directory = tmp_path_factory.mktemp("storage")
    (directory / "secret").write_text("secret of the test")
    with storage(directory) as (endpoint, process):
        binding = BucketBinding(
            endpoint=endpoint,
            bucket="recordings",
            access_key="lab",
            secret_key_file=directory / "secret",
            peer_endpoint_from_inside=endpoint,
        )
        bucket = Bucket(binding, timeout_seconds=5.0)
        bucket._connected().create_bucket(Bucket="recordings")
        asyncio.run(bucket.put(WRITER_KEY, b'{"era": 0, "epoch": 1, "region": "eu-west-1"}'))
        bucket.close()
        probe = BucketProbe("outside", "storage", WEST, {WEST: binding}, SystemClock(), timeout_seconds=PROBE_SECONDS)
        yield Sight(probe, lambda: freeze(process), lambda: thaw(process))
        probe.close()


class TestBucketProbe(ProbeSuite):
    @pytest.fixture
    def sight(self, bucket_sight: Sight) -> Iterator[Sight]:
        yield bucket_sight
        bucket_sight.thaw()
        asyncio.run(bucket_sight.probe.observe())  # whatever waited for the frozen server has an answer now
