"""Whether writes wait for a replica, as an agent was last heard to say: never longer than its word is fresh."""

from dataclasses import replace

from holdfast.health.history import History, absorb, fresh_seconds
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.protection import FACT, protected
from unit.conduct_on_paper import DR, PRIMARY
from unit.health_world import PLAN, START

FAST = PLAN.profiles["fast"]


def heard(said: object, region: str = PRIMARY, at: float = START) -> History:
    look = Observation("witness", 1, at, region, Subject.AGENT, "agent", Seen.UP, 0.01, facts={FACT: said})
    return absorb(History(), [look], at, FAST)


def test_the_agents_word_counts_for_each_store_of_its_own_region() -> None:
    history = heard({"postgres": True, "redis": False})
    assert protected(PLAN, FAST, history, PRIMARY, START) == {"database": True, "cache": False}
    assert protected(PLAN, FAST, history, DR, START) == {"database": None, "cache": None}


def test_an_old_word_and_one_that_says_nothing_are_unknown() -> None:
    history = heard({"postgres": True, "redis": True})
    assert protected(PLAN, FAST, history, PRIMARY, START + fresh_seconds(FAST) + 1.0) == {"database": None, "cache": None}
    assert protected(PLAN, FAST, heard({"postgres": None}), PRIMARY, START) == {"database": None, "cache": None}
    assert protected(PLAN, FAST, heard("nonsense"), PRIMARY, START) == {"database": None, "cache": None}


def test_the_newest_word_counts_and_silence_after_it_takes_nothing_from_it_while_it_is_fresh() -> None:
    history = heard({"postgres": True, "redis": True})
    later = Observation("outside", 1, START + 1.0, PRIMARY, Subject.AGENT, "agent", Seen.UP, 0.01, facts={FACT: {"postgres": False}})
    history = absorb(history, [later], START + 1.0, FAST)
    silent = replace(later, sequence=2, at_seconds=START + 1.5, seen=Seen.SILENT, facts={})
    history = absorb(history, [silent], START + 1.5, FAST)
    assert protected(PLAN, FAST, history, PRIMARY, START + 1.5)["database"] is False


def test_of_two_stores_of_one_kind_nobody_knows_which_the_agent_means() -> None:
    plan = PLAN.model_copy(update={"components": {**PLAN.components, "archive": PLAN.components["database"]}})
    history = heard({"postgres": True, "redis": True})
    assert protected(plan, FAST, history, PRIMARY, START) == {"database": None, "archive": None, "cache": True}
