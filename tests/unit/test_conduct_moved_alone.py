"""A run that moves no writer: what it opens, what it never does whatever a plan says, and how it is turned back."""

from holdfast.console.narration import line
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Phase, Plan, Scenario
from unit.conduct_on_paper import LOADED, PRIMARY, Paper

ONE, TWO = "exercise-one", "exercise-two"
CONDUCTOR = "exercise-three"


def plan_of(scenario: Scenario) -> Plan:
    """The paper's controller is started for the regional outage: under that name stands what is to be played."""
    return LOADED.plan.model_copy(update={"scenarios": {"regional-outage": scenario}})


def decided(scenario: Scenario, hangs: frozenset[str] = frozenset()) -> Paper:
    paper = Paper(plan=plan_of(scenario))
    paper.hangs = hangs
    paper.lose_region()
    paper.approve(ONE, TWO)
    return paper


def with_step(phases: tuple[Phase, ...], **step: object) -> tuple[Phase, ...]:
    first = phases[0]
    return (first.model_copy(update={"steps": (*first.steps, type(first.steps[0]).model_validate(step))}), *phases[1:])


STORAGE, APPLICATION = LOADED.plan.scenarios["storage-failover"], LOADED.plan.scenarios["application-failover"]


def test_it_opens_no_epoch_fences_nobody_and_its_orders_are_above_everything() -> None:
    paper = decided(STORAGE)
    assert (paper.installation.era, paper.installation.epoch, paper.installation.serving) == (0, 1, PRIMARY)
    assert paper.installation.used == (0, 2)
    asked = line(next(record for record in paper.records if record.kind == Kind.PROPOSED))
    assert asked is not None and "(regional-outage: no writer moves) waits for 2 of" in asked.text, "under the name that the paper knows"
    assert Kind.EPOCH_OPENED not in paper.kinds() and "fence" not in paper.begun
    orders = [record.body["order"][:2] for record in paper.records if record.kind == Kind.STEP_INTENDED and record.body["step"] != "assess"]
    assert [0, 2] in orders and max(orders) == [0, 2]
    paper.restart()
    assert paper.incident.numbers == {"failover": (0, 2)}, "another controller goes on with the same number"


def test_it_makes_no_database_a_replica_whatever_the_plan_says() -> None:
    wrong = STORAGE.model_copy(
        update={"reprotect": with_step(STORAGE.reprotect, id="reprotect-database", block="postgres.reprotect", component="database")}
    )
    paper = decided(wrong)
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    paper.command("failback", CONDUCTOR)
    assert paper.incident.state is State.NEEDS_PERSON
    assert "reprotect-database" not in paper.begun
    waits = [record.body["reason"] for record in paper.records if record.kind == Kind.STEP_WAITING]
    assert waits == ["no writer was moved, so the postgres of the source is no replica to be made"]


def test_traffic_waits_for_the_application_to_be_pointed_at_its_stores() -> None:
    early = tuple(
        phase.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(update={"after": ("approve",)}) if step.block == "loadbalancer.switch" else step for step in phase.steps
                )
            }
        )
        for phase in APPLICATION.phases
    )
    paper = decided(APPLICATION.model_copy(update={"phases": early}), hangs=frozenset({"settings.update"}))
    assert "switch-load-balancer" not in paper.begun
    waits = [record.body["reason"] for record in paper.records if record.kind == Kind.STEP_WAITING]
    assert waits == ["traffic moves last: point-application has not pointed the application at its stores"]


def test_an_abort_brings_the_bucket_and_the_settings_back_under_a_higher_number() -> None:
    paper = decided(STORAGE, hangs=frozenset({"smoke.test"}))
    assert "point-application" in paper.begun
    paper.hangs = frozenset()
    paper.in_flight = frozenset()
    said = paper.command("abort", CONDUCTOR, incident=paper.incident.incident)
    assert said.startswith("accepted")
    assert paper.incident.state is State.TURNED_BACK
    undone = [record.body for record in paper.records if record.kind == Kind.STEP_INTENDED and record.body["run"] == "turn-back"]
    assert {body["block"] for body in undone} == {"bucket.activate", "settings.update", "smoke.test"}
    assert {(body["target"], tuple(body["order"][:2])) for body in undone} == {(PRIMARY, (0, 3))}
