"""The estimate of a loss in writes: from the rows that observers saw the writer take, kept when it falls silent."""

from dataclasses import replace

from holdfast.health.history import History, absorb
from holdfast.health.loss import component_losses, worst_loss, write_rates
from holdfast.health.observation import Observation, Seen, Subject
from unit.plan_texts import plan_with

HOME, DR = "eu-west-1", "eu-central-1"
PLAN = plan_with()


def look(number: int, rows: int | None, seen: Seen = Seen.UP) -> Observation:
    facts = {"role": "primary"} if rows is None else {"role": "primary", "rows_written": rows}
    return Observation("witness", number, float(number), HOME, Subject.POSTGRES, "database", seen, 0.01, "", facts)


def seen(*looks: Observation) -> History:
    history = History()
    for one in looks:
        history = absorb(history, [one], one.at_seconds, PLAN.profiles["default"])
    return history


def test_a_writer_that_took_forty_rows_a_second_is_said_to_take_forty() -> None:
    assert write_rates(seen(*(look(n, 40 * n) for n in range(1, 10))), HOME) == {"database": 40.0}


def test_the_rate_is_kept_when_the_region_falls_silent_and_a_restart_s_count_says_nothing() -> None:
    history = seen(*(look(n, 40 * n) for n in range(1, 10)), look(10, None, Seen.SILENT), look(11, 3))
    assert write_rates(history, HOME) == {"database": 40.0}


def test_the_estimate_is_the_bound_times_the_rate_and_unknown_where_nobody_counted() -> None:
    history = seen(*(look(n, 40 * n) for n in range(1, 10)))
    replica = replace(look(9, None), region=DR, facts={"role": "standby", "last_heartbeat_seconds": 8.0})
    history = absorb(history, [replica], 9.0, PLAN.profiles["default"])
    only_database = PLAN.model_copy(update={"components": {"database": PLAN.components["database"]}})
    losses = component_losses(only_database, history, DR, 9.0, 0.1, write_rates(history, HOME))
    assert worst_loss(losses) == (1.1, 44)
    assert worst_loss(component_losses(only_database, history, DR, 9.0, 0.1)) == (1.1, None)
