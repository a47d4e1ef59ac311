"""Drills of one component on real servers: what moves alone moves, what stays keeps serving, and all of it comes home."""

import pytest

from holdfast.journal.kinds import Kind
from lab.drill_rig import Drilled, drilled, place


def epochs(over: Drilled) -> list[int]:
    return [record.body["epoch"] for record in over.result.evidence.records if record.kind == Kind.EPOCH_OPENED]


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_a_lost_bucket_moves_alone_and_only_who_needs_it_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, drill="storage-failover")
        assert over.report.verdict == "pass", over.said()
        assert over.rule("criterion") and over.rule("spared"), over.said()
        hit = {function.id for function in over.report.functions if function.rto_actual_seconds}
        assert (hit, epochs(over)) == ({"voice"}, []), over.said()


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_a_database_whose_host_hangs_moves_with_its_cache_and_the_application_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, drill="database-failover")
        assert over.report.verdict == "pass", over.said()
        assert epochs(over) == [2, 3]
        assert {component.id for component in over.report.components} == {"database", "cache"}
        fences = [record.body["how"] for record in over.result.evidence.records if record.kind == Kind.FENCE_CONFIRMED]
        assert fences == ["lease-ran-out", "acknowledged"], "the agent that stood still said nothing"


@pytest.mark.timeout(300)
def test_an_application_that_died_is_served_from_dr_with_the_stores_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, drill="application-failover", warm_up_seconds=1.0, settle_seconds=1.0)
        assert over.report.verdict == "pass", over.said()
        assert (epochs(over), over.report.lost_writes.total) == ([], 0)
