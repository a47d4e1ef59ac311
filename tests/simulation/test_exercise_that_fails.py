"""An exercise that can fail: missed targets, lost writes, a second writer, changed evidence."""

from contextlib import suppress
from dataclasses import replace

from holdfast.ledger.contents import StoreContents
from holdfast.simulation.exercise import exercise
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import play, slow_copies, told, with_plan, with_targets


def test_a_missed_rto_fails() -> None:
    exercised = play(loaded=with_targets(rto=0.5))
    report = exercised.report()
    assert report.verdict == "fail", told(exercised, report)
    assert any("its RTO is" in reason for reason in report.reasons)


def test_a_missed_rpo_fails() -> None:
    # People accept a loss above the RPO by name; the exercise has missed its target all the same.
    settings = StageSettings(with_targets(rpo=0.2), seed=1, people_accept_loss=True)
    exercised = exercise(settings, slow_copies)
    report = exercised.report()
    assert report.verdict == "fail", told(exercised, report)
    assert any("its RPO is" in reason for reason in report.reasons)


def test_synchronous_replication_passes_when_nothing_is_lost() -> None:
    exercised = play(loaded=with_plan(replication="synchronous"))
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    alone = {(part.component, part.ended_by) for part in report.stood_alone}
    assert alone == {("database", "followed"), ("cache", "followed")}, "and says when nothing else held what was acknowledged"
    assert {part.region for part in report.stood_alone} == {report.source, report.target}
    assert all(part.end_seconds is not None and 0.0 < part.start_seconds < part.end_seconds for part in report.stood_alone)


def test_one_lost_write_fails_in_synchronous_mode() -> None:
    exercised = play(loaded=with_plan(replication="synchronous"))
    entry = next(e for ledger in exercised.facts.ledgers.values() for e in ledger if e.store == "database" and e.epoch == 1)

    def without(contents: tuple[StoreContents, ...]) -> tuple[StoreContents, ...]:
        return tuple(
            replace(c, records={key: record for key, record in (c.records or {}).items() if (c.store, key) != (entry.store, entry.key)})
            for c in contents
        )

    facts = exercised.facts
    lossy = replace(
        exercised, facts=replace(facts, after_failover=without(tuple(facts.after_failover)), at_end=without(tuple(facts.at_end)))
    )
    report = lossy.report()
    assert report.verdict == "fail", told(lossy, report)
    assert any("synchronous" in reason for reason in report.reasons)


def test_a_source_that_goes_on_writing_is_named_by_the_single_writer_check() -> None:
    def break_the_fence(stage: Stage) -> None:
        home = stage.world.home
        stage.world.regions[home].agent.fences = False

        async def session_from_before_the_fault() -> None:
            number = 0
            while True:
                number += 1
                stage.world.request_in(home, home, "pms", f"inside-{number}")
                await stage.clock.sleep(0.5)

        stage.world.go_on(session_from_before_the_fault())

    exercised = play(break_the_fence)
    report = exercised.report()
    assert report.verdict == "fail", told(exercised, report)
    assert report.single_writer.violations
    assert any("under epoch 1 in eu-west-1" in detail for detail in report.single_writer.details)


def test_a_changed_record_of_the_journal_fails() -> None:
    exercised = play()
    records = list(exercised.facts.records)
    middle = len(records) // 2
    records[middle] = replace(records[middle], body={**records[middle].body, "reason": "as I like it"})
    changed = replace(exercised, facts=replace(exercised.facts, records=records))
    report = changed.report()
    assert report.verdict == "fail"
    assert any("chain" in reason for reason in report.reasons)


def test_dr_that_goes_on_writing_after_its_fence_is_named_though_the_way_home_threw_that_away() -> None:
    def break_the_fence(stage: Stage) -> None:
        world = stage.world
        world.regions[world.dr].agent.fences = False

        async def session_from_before_the_way_home() -> None:
            number = 0
            while True:
                number += 1
                with suppress(PermissionError):  # no writer before the failover, and none once it is a replica
                    world.regions[world.dr].postgres.append(f"reservations/inside-{number}", stage.clock.wall_seconds())
                await stage.clock.sleep(0.1)

        world.go_on(session_from_before_the_way_home())

    exercised = play(break_the_fence)
    report = exercised.report()
    assert report.verdict == "fail", told(exercised, report)
    late = [detail.split()[0] for detail in report.single_writer.details if "after its fence, under epoch 2" in detail]
    assert late and all(key.startswith("reservations/inside-") for key in late), report.single_writer
    kept = {key for found in exercised.facts.at_end for key in found.records or ()}
    assert set(late) - kept, "of these nothing is left in either database"
    unread = replace(exercised, facts=replace(exercised.facts, before_return=())).report()
    assert (unread.single_writer.checked, unread.verdict) == (False, "unknown"), "what nobody looked at is no proof"
