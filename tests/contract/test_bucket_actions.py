"""bucket.activate, bucket.reconcile and the bucket probe against each S3 server of the lab: moto and, where installed, a real one."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.action_suite import LATER, ORDER, ActionSuite, Opens, ordered
from contract.bucket_rig import Buckets, make_buckets
from contract.server_rig import CENTRAL, SECRET_KEY, WEST, freeze, storage, thaw
from holdfast.health.observation import Seen
from holdfast.lab.storage_servers import StorageServer
from holdfast.ports.action import Answer, Mode, Outcome, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.s3.activate import ORDER_METADATA, BucketActivateAction
from holdfast.providers.s3.bucket import REPLICATION_KEY, WRITER_KEY
from holdfast.providers.s3.probe import BucketProbe
from holdfast.providers.s3.reconcile import BucketReconcileAction
from holdfast.providers.s3.restore import BucketRestoreAction

ACTIVATE = Task("activate-bucket", "bucket.activate", "storage", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)
RESTORE = Task("restore-bucket", "bucket.restore", "storage", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)
RECONCILE = Task("reconcile", "bucket.reconcile", "storage", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)


@pytest.fixture(scope="module", params=list(StorageServer))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Popen[bytes]]]:
    with storage(tmp_path_factory.mktemp("storage"), request.param) as found:
        yield found


@pytest.fixture
def buckets(server: tuple[str, Popen[bytes]], tmp_path: Path) -> Buckets:
    endpoint, process = server
    (tmp_path / "secret").write_text(SECRET_KEY)
    return make_buckets(endpoint, process, tmp_path / "secret", locked=False)


@pytest.fixture
def locked_buckets(server: tuple[str, Popen[bytes]], tmp_path: Path) -> Buckets:
    """With versions and object lock, as the lab's own."""
    endpoint, process = server
    (tmp_path / "secret").write_text(SECRET_KEY)
    return make_buckets(endpoint, process, tmp_path / "secret", locked=True)


class TestBucketActivate(ActionSuite):
    implementations = (BucketActivateAction,)
    blocks = ("bucket.activate",)

    @pytest.fixture
    def opens(self, buckets: Buckets) -> Opens:
        return buckets.ground(BucketActivateAction(buckets.bindings, SystemClock(), timeout_seconds=1.0), ACTIVATE)


class TestBucketReconcile(ActionSuite):
    implementations = (BucketReconcileAction,)
    blocks = ("bucket.reconcile",)

    @pytest.fixture
    def opens(self, buckets: Buckets) -> Opens:
        buckets.put(WEST, "recordings/1", b"hello", epoch="1")
        return buckets.ground(BucketReconcileAction(buckets.bindings, timeout_seconds=1.0), RECONCILE)


@pytest.fixture
def activate(buckets: Buckets) -> Iterator[BucketActivateAction]:
    action = BucketActivateAction(buckets.bindings, SystemClock())
    yield action
    action.close()


@pytest.fixture
def reconcile(buckets: Buckets) -> Iterator[BucketReconcileAction]:
    action = BucketReconcileAction(buckets.bindings)
    yield action
    action.close()


def test_the_marks_say_who_writes_and_where_copies_come_from(buckets: Buckets, activate: BucketActivateAction) -> None:
    assert asyncio.run(activate.act(ACTIVATE)).result is Result.SUCCEEDED
    found = buckets.read(CENTRAL)
    assert json.loads(found[WRITER_KEY][0]) == {"era": 0, "epoch": 2, "region": CENTRAL}
    assert json.loads(found[REPLICATION_KEY][0]) == {"from": CENTRAL, "epoch": 2}
    assert found[WRITER_KEY][1] == {ORDER_METADATA: ORDER.as_text()}
    assert json.loads(buckets.read(WEST)[WRITER_KEY][0])["region"] == WEST, "the other bucket keeps its own mark"


def test_a_bucket_without_marks_is_activated_too(buckets: Buckets, activate: BucketActivateAction) -> None:
    for key in (WRITER_KEY, REPLICATION_KEY):
        buckets.client.delete_object(Bucket=buckets.bindings[CENTRAL].bucket, Key=key)
    assert asyncio.run(activate.check(ACTIVATE)).answer is Answer.NO
    assert asyncio.run(activate.act(ACTIVATE)).result is Result.SUCCEEDED
    assert asyncio.run(activate.verify(ACTIVATE)).answer is Answer.YES


@pytest.mark.parametrize(
    ("mark", "result"),
    [
        ({"era": 0, "epoch": 3, "region": WEST}, Result.REFUSED),
        ({"era": 1, "epoch": 0, "region": WEST}, Result.REFUSED),
        ({"era": 0, "epoch": 2, "region": WEST}, Result.REFUSED),
        ({"era": 0, "epoch": "two"}, Result.FAILED),
    ],
)
def test_a_mark_of_a_later_activation_or_one_that_is_not_understood_stays(
    buckets: Buckets, activate: BucketActivateAction, mark: dict[str, Any], result: Result
) -> None:
    buckets.put(CENTRAL, WRITER_KEY, mark)
    before = buckets.read(CENTRAL)
    assert asyncio.run(activate.act(ACTIVATE)).result is result
    assert buckets.read(CENTRAL) == before


def test_a_mark_that_is_no_json_is_not_overwritten(buckets: Buckets, activate: BucketActivateAction) -> None:
    buckets.put(CENTRAL, WRITER_KEY, b"<html>")
    assert asyncio.run(activate.act(ACTIVATE)).result is Result.FAILED
    assert buckets.read(CENTRAL)[WRITER_KEY][0] == b"<html>"


def test_a_bucket_that_is_not_there_is_said(buckets: Buckets) -> None:
    wrong = {CENTRAL: buckets.bindings[CENTRAL].model_copy(update={"bucket": "absent"})}
    action = BucketActivateAction(wrong, SystemClock())
    outcome = asyncio.run(action.act(ACTIVATE))
    action.close()
    assert outcome.result is Result.FAILED
    assert "correct the bindings" in outcome.detail


def test_what_the_storage_copies_by_itself_is_left_to_it(buckets: Buckets, reconcile: BucketReconcileAction) -> None:
    keys = [f"recordings/{number}" for number in range(60)]
    for key in keys:
        buckets.put(WEST, key, b"w", epoch="1")

    def copies_by_itself() -> None:
        for key in keys:
            buckets.put(CENTRAL, key, b"w", epoch="1")

    async def story() -> Outcome:
        outcome, _ = await asyncio.gather(reconcile.act(RECONCILE), asyncio.to_thread(copies_by_itself))
        return outcome

    outcome = asyncio.run(story())
    assert outcome.result is Result.SUCCEEDED
    assert outcome.facts["copied_to_target"] <= 20, "only what is quicker copied than waited for"
    assert set(keys) <= set(buckets.read(CENTRAL))


def test_reconciling_copies_both_ways_with_metadata_and_deletes_nothing(buckets: Buckets, reconcile: BucketReconcileAction) -> None:
    buckets.put(WEST, "recordings/west", b"w", epoch="1", region=WEST)
    buckets.put(CENTRAL, "recordings/central", b"c", epoch="2")
    buckets.put(WEST, "recordings/both", b"same", epoch="1")
    buckets.put(CENTRAL, "recordings/both", b"same", epoch="1")
    buckets.put(WEST, "recordings/clash", b"old", epoch="1", written="200.0")
    buckets.put(CENTRAL, "recordings/clash", b"new", epoch="2", written="100.0")
    buckets.put(WEST, "recordings/late", b"later", epoch="2", written="200.0")
    buckets.put(CENTRAL, "recordings/late", b"earlier", epoch="2", written="100.0")
    finding = asyncio.run(reconcile.check(RECONCILE))
    assert (finding.answer, finding.facts) == (Answer.NO, {"only_source": 1, "only_target": 1, "different": 2})
    outcome = asyncio.run(reconcile.act(RECONCILE))
    assert outcome.result is Result.SUCCEEDED, outcome.detail
    assert (outcome.facts["copied_to_target"], outcome.facts["copied_to_source"], len(outcome.facts["superseded"])) == (2, 2, 2)
    west, central = buckets.read(WEST), buckets.read(CENTRAL)
    for found in (west, central):
        assert found["recordings/west"] == (b"w", {"epoch": "1", "region": WEST})
        assert found["recordings/central"][0] == b"c"
        assert found["recordings/clash"][0] == b"new"
        assert found["recordings/late"][0] == b"later"
    kept = {key: value[0] for found in (west, central) for key, value in found.items() if key.startswith("holdfast/superseded/")}
    assert sorted(kept.values()) == [b"earlier", b"old"]
    assert asyncio.run(reconcile.verify(RECONCILE)).answer is Answer.YES


def test_more_objects_than_fit_on_a_page_are_all_brought_over(
    buckets: Buckets, reconcile: BucketReconcileAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.providers.s3.bucket.PAGE_OBJECTS", 7)
    for number in range(25):
        buckets.put(WEST, f"recordings/{number:05}", b"x")
        if number >= 10:
            buckets.put(CENTRAL, f"recordings/{number:05}", b"x")
    assert asyncio.run(reconcile.act(RECONCILE)).facts["copied_to_target"] == 10
    assert asyncio.run(reconcile.check(RECONCILE)).answer is Answer.YES


def test_the_probe_measures_how_far_the_copy_lags(buckets: Buckets, activate: BucketActivateAction) -> None:
    clock = SystemClock()
    probes = {region: BucketProbe("outside", "storage", region, buckets.bindings, clock, timeout_seconds=1.5) for region in (WEST, CENTRAL)}
    try:
        written = asyncio.run(probes[WEST].observe())
        assert (written.seen, written.facts["role"], written.facts["writer"]) == (Seen.UP, "primary", WEST)
        marker = f"holdfast/marker/{WEST}"
        assert abs(float(buckets.read(WEST)[marker][0]) - clock.wall_seconds()) < 10
        assert "copy_lag_seconds" not in asyncio.run(probes[CENTRAL].observe()).facts, "nothing arrived yet: the lag is unknown"
        buckets.put(CENTRAL, marker, f"{clock.wall_seconds() - 7:.3f}".encode())
        copy = asyncio.run(probes[CENTRAL].observe())
        assert copy.facts["role"] == "replica"
        assert 6.9 <= copy.facts["copy_lag_seconds"] < 12
        asyncio.run(activate.act(ordered(ACTIVATE, LATER)))
        assert asyncio.run(probes[CENTRAL].observe()).facts["role"] == "primary"
        assert asyncio.run(probes[WEST].observe()).facts["writer"] == CENTRAL
        freeze(buckets.process)
        assert asyncio.run(probes[WEST].observe()).seen is Seen.SILENT
    finally:
        thaw(buckets.process)
        for probe in probes.values():
            probe.close()


async def look_until_compared(probe: BucketProbe) -> Mapping[str, Any]:
    """Facts of the first look that has a comparison behind it; the looks themselves never wait for it."""
    for _ in range(200):
        facts = (await probe.observe()).facts
        if "backlog" in facts:
            return facts
        await asyncio.sleep(0.05)
    raise AssertionError("no comparison within 200 looks")


def test_the_probe_counts_what_is_not_copied_yet_and_how_long_the_oldest_waits(buckets: Buckets) -> None:
    clock = SystemClock()
    probe = BucketProbe("outside", "storage", CENTRAL, buckets.bindings, clock, timeout_seconds=5.0)
    try:
        buckets.put(WEST, "recordings/old", b"12345")
        buckets.put(WEST, "recordings/both", b"same")
        buckets.put(CENTRAL, "recordings/both", b"same")
        buckets.put(WEST, "recordings/changed", b"new")
        buckets.put(CENTRAL, "recordings/changed", b"before")
        buckets.put(WEST, f"holdfast/marker/{WEST}", b"1.0")
        facts = asyncio.run(look_until_compared(probe))
        assert (facts["backlog"], facts["backlog_bytes"]) == (2, 8), "one is missing, one is the old one; Holdfast's own don't count"
        assert 0 <= facts["oldest_uncopied_seconds"] < 15
        assert facts["backlog_age_seconds"] < 10
    finally:
        probe.close()


def test_a_marker_that_overtook_what_was_written_before_it_is_not_believed(buckets: Buckets) -> None:
    clock = SystemClock()
    probe = BucketProbe("outside", "storage", CENTRAL, buckets.bindings, clock, timeout_seconds=5.0)
    try:
        written = clock.wall_seconds()
        buckets.put(WEST, "recordings/missing", b"1")
        buckets.put(CENTRAL, f"holdfast/marker/{WEST}", f"{written + 30:.3f}".encode())  # as if half a minute had gone by
        facts = asyncio.run(look_until_compared(probe))
        assert facts["copy_lag_seconds"] >= clock.wall_seconds() - written - 2, "not zero, which is what the marker says"
    finally:
        probe.close()


def test_copying_that_promises_no_order_is_judged_by_the_lists_alone(buckets: Buckets) -> None:
    clock = SystemClock()
    bindings = {
        region: binding.model_validate(binding.model_dump(exclude={"copied"})) for region, binding in buckets.bindings.items()
    }  # where nobody says so, no order is promised
    probe = BucketProbe("outside", "storage", CENTRAL, bindings, clock, timeout_seconds=5.0)
    try:
        buckets.put(CENTRAL, f"holdfast/marker/{WEST}", f"{clock.wall_seconds():.3f}".encode())

        async def story() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            return (await probe.observe()).facts, await look_until_compared(probe)

        before, after = asyncio.run(story())
        assert "copy_lag_seconds" not in before, "a marker alone proves nothing"
        assert after["backlog"] == 0
        # The look that takes a comparison over may have begun a moment before it.
        assert 0.5 < after["copy_lag_seconds"] < 15, "everything was there when it was compared, but for a list's whole seconds"
    finally:
        probe.close()


def retention(client: Any, bucket: str, key: str) -> tuple[str, datetime]:
    found = client.head_object(Bucket=bucket, Key=key)
    return found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]


def test_with_versions_the_superseded_object_stays_as_one_and_a_lock_goes_with_its_object(locked_buckets: Buckets) -> None:
    buckets, until = locked_buckets, datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    west, central = (buckets.bindings[region].bucket for region in (WEST, CENTRAL))

    def keep(bucket: str, key: str, body: bytes, epoch: str) -> str:
        held: Any = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until, "ChecksumAlgorithm": "SHA256"}
        return str(buckets.client.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"epoch": epoch}, **held)["VersionId"])

    loser = keep(west, "recordings/clash", b"old", "1")
    keep(central, "recordings/clash", b"new", "2")
    keep(west, "recordings/west", b"w", "1")
    action = BucketReconcileAction(buckets.bindings)
    try:
        outcome = asyncio.run(action.act(RECONCILE))
        assert outcome.result is Result.SUCCEEDED, outcome.detail
        assert outcome.facts["superseded"] == [f"recordings/clash?versionId={loser}"]
        assert asyncio.run(action.verify(RECONCILE)).answer is Answer.YES
    finally:
        action.close()
    assert buckets.read(WEST)["recordings/clash"][0] == b"new"
    assert not [key for key in buckets.read(WEST) if key.startswith("holdfast/superseded/")], "a version needs no copy beside it"
    assert buckets.client.get_object(Bucket=west, Key="recordings/clash", VersionId=loser)["Body"].read() == b"old"
    for bucket, key in ((west, "recordings/clash"), (central, "recordings/west")):
        assert retention(buckets.client, bucket, key) == ("COMPLIANCE", until), "the copy is held as long as its origin"
    with pytest.raises(ClientError, match="AccessDenied"):
        buckets.client.delete_object(Bucket=west, Key="recordings/clash", VersionId=loser)
    assert buckets.client.get_object(Bucket=west, Key="recordings/clash", VersionId=loser)["Body"].read() == b"old"


def test_a_recording_under_a_lock_is_not_copied_without_it(buckets: Buckets, locked_buckets: Buckets) -> None:
    held: Any = {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=1),
        "ChecksumAlgorithm": "SHA256",
    }
    locked_buckets.client.put_object(Bucket=locked_buckets.bindings[WEST].bucket, Key="recordings/1", Body=b"1", **held)
    action = BucketReconcileAction({WEST: locked_buckets.bindings[WEST], CENTRAL: buckets.bindings[CENTRAL]})
    try:
        outcome = asyncio.run(action.act(RECONCILE))
    finally:
        action.close()
    assert outcome.result is Result.FAILED
    assert "takes no object lock" in outcome.detail
    assert "recordings/1" not in buckets.read(CENTRAL)


class TestBucketRestore(ActionSuite):
    implementations = (BucketRestoreAction,)
    blocks = ("bucket.restore",)

    @pytest.fixture
    def opens(self, locked_buckets: Buckets) -> Opens:
        locked_buckets.put(CENTRAL, "recordings/one", b"first", caller="ada")
        locked_buckets.client.delete_object(Bucket=locked_buckets.bindings[CENTRAL].bucket, Key="recordings/one")
        return locked_buckets.ground(BucketRestoreAction(locked_buckets.bindings), RESTORE)


def test_what_was_deleted_comes_back_as_it_was_last_and_what_was_not_stays_as_it_is(locked_buckets: Buckets) -> None:
    bucket = locked_buckets.bindings[CENTRAL].bucket
    for body in (b"old", b"new"):
        locked_buckets.put(CENTRAL, "recordings/one", body, caller="ada")
    locked_buckets.put(CENTRAL, "recordings/two", b"untouched")
    locked_buckets.client.delete_object(Bucket=bucket, Key="recordings/one")
    action = BucketRestoreAction(locked_buckets.bindings)
    try:
        assert asyncio.run(action.check(RESTORE)).answer is Answer.NO
        assert asyncio.run(action.act(RESTORE)).result is Result.SUCCEEDED
        assert asyncio.run(action.verify(RESTORE)).answer is Answer.YES
    finally:
        action.close()
    recordings = {key: found for key, found in locked_buckets.read(CENTRAL).items() if key.startswith("recordings/")}
    assert recordings == {"recordings/one": (b"new", {"caller": "ada"}), "recordings/two": (b"untouched", {})}


def test_a_bucket_without_versions_has_nothing_to_restore_from_and_says_so(buckets: Buckets) -> None:
    action = BucketRestoreAction(buckets.bindings)
    try:
        outcome = asyncio.run(action.act(RESTORE))
    finally:
        action.close()
    assert outcome.result is Result.FAILED
    assert "keeps no versions" in outcome.detail


def held_to(bound: float, stopped: float) -> Task:
    return Task(
        "activate-bucket",
        "bucket.activate",
        "storage",
        WEST,
        CENTRAL,
        Mode.UNGRACEFUL,
        ORDER,
        {"promised": {"loss_bound_seconds": bound, "stopped_seconds": stopped}},
    )


def test_a_copy_that_ends_long_before_the_source_stopped_is_not_activated(buckets: Buckets, activate: BucketActivateAction) -> None:
    buckets.put(CENTRAL, f"holdfast/marker/{WEST}", b"3800.000000")
    refused = asyncio.run(activate.act(held_to(3.5, 5000.0)))
    assert refused.result is Result.REFUSED
    assert "complete until 1200.0 s before" in refused.detail
    assert refused.facts["would_lose_seconds"] == 1200.0
    assert json.loads(buckets.read(CENTRAL)[WRITER_KEY][0])["region"] == WEST, "nothing was marked"
    assert asyncio.run(activate.act(held_to(1200.0, 5000.0))).result is Result.SUCCEEDED, "a named person accepted it"


def test_a_copy_without_a_marker_of_its_source_is_unknown_and_not_activated(buckets: Buckets, activate: BucketActivateAction) -> None:
    refused = asyncio.run(activate.act(held_to(3.5, 5000.0)))
    assert (refused.result, refused.facts) == (Result.REFUSED, {})
    assert "not known" in refused.detail
