"""An exercise that can fail: missed targets, lost writes, a second writer, changed evidence."""

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
