"""A run that moves no writer: what it opens, what it never does whatever a plan says, and how it is turned back."""

import pytest

from holdfast.conduct.runs import next_order
from holdfast.conduct.situation import Write
from holdfast.conduct.turning import outlook
from holdfast.console.narration import line
from holdfast.decision.table import State
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Phase, Plan, Scenario
from unit.conduct_on_paper import DR, LOADED, PRIMARY, Paper

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


@pytest.mark.parametrize("scenario", [STORAGE, APPLICATION], ids=["storage", "application"])
def test_it_keeps_nobody_from_ordering_the_protection_of_a_database_that_stays(scenario: Scenario) -> None:
    paper = decided(scenario, hangs=frozenset({"smoke.test"}))
    paper.replication, paper.protected = "synchronous", {"database": True, "cache": True}
    assert paper.incident.state is State.ACTIVATING
    said = paper.command("unprotect", ONE, component="database", reason="no power there until noon")
    assert said.startswith("accepted: "), said


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


def returning(scenario: Scenario, hangs: str) -> Paper:
    """On the way home, at a block that comes to no end."""
    paper = decided(scenario)
    paper.region_answers()
    paper.command("failback", CONDUCTOR)
    paper.hangs = frozenset({hangs})
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RETURNING
    return paper


def undone_by(paper: Paper) -> dict[str, dict[str, object]]:
    """Step of the turning back → what it was told, once it has come to its end."""
    paper.hangs, paper.in_flight = frozenset(), frozenset()
    assert paper.command("abort", CONDUCTOR, incident=paper.incident.incident).startswith("accepted")
    turned = [record.body for record in paper.records if record.kind == Kind.STEP_INTENDED and record.body["run"] == "turn-back"]
    return {body["step"]: body["parameters"] for body in turned}


MIXED = {"database": "source", "cache": "source", "storage": "target"}


def test_the_way_home_of_a_bucket_is_turned_back_to_the_stores_that_were_used_and_service_is_proved_where_it_is() -> None:
    paper = returning(STORAGE, "smoke.test")
    seen = outlook(paper.plan, paper.installation, paper.incident)
    assert seen.reason == f"nothing was promoted: {PRIMARY} goes on serving, with storage of {DR}"
    assert f"the application in {PRIMARY} uses database and cache of {PRIMARY} and storage of {DR} again" in seen.undone
    assert undone_by(paper) == {
        "undo-activate-home-bucket": {},
        "undo-point-application-home": {"region": "source", "stores": MIXED},
        "prove-service": {"region": "source", "stores": MIXED},
    }
    assert paper.incident.state is State.RECOVERED
    states = paper.incident.turned_back
    assert states is not None and states == seen.components
    assert states["storage"] == {PRIMARY: "copy", DR: "written"}
    assert {name for name, at in states.items() if set(at.values()) == {"as it was"}} == set(paper.plan.components) - {"storage"}


def test_what_was_turned_back_is_begun_again_under_a_number_above_what_undid_it() -> None:
    paper = returning(STORAGE, "smoke.test")
    undone_by(paper)
    assert paper.incident.numbers == {"failover": (0, 2), "turn-back": (0, 4)}
    paper.command("failback", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.CLOSED
    assert [record.body["epoch"] for record in paper.records if record.kind == Kind.RUN_NUMBERED] == [2, 3, 4, 5]


def test_what_is_ordered_beside_a_run_without_a_writer_is_above_everything_that_the_run_ordered() -> None:
    paper = decided(STORAGE)
    paper.region_answers()
    paper.replication, paper.protected = "synchronous", {"database": True, "cache": True}
    before = [Order.from_list(record.body["order"]) for record in paper.records if record.kind == Kind.STEP_INTENDED]
    assert max(before).epoch == 2 and paper.installation.epoch == 1
    assert paper.command("unprotect", ONE, component="database", reason="its standby is gone").startswith("accepted")
    (ordered,) = [record.body["order"] for record in paper.records if record.kind == Kind.PROTECTION_ORDERED]
    assert Order.from_list(ordered) > max(before), "an agent that obeyed the run refuses whatever is below it"


def test_a_run_orders_under_its_own_number_though_another_was_given_a_higher_one() -> None:
    paper = returning(STORAGE, "smoke.test")
    undone_by(paper)
    known, incident = paper.installation, paper.incident
    of = {run: next_order(known, incident, run) for run in ("failover", "turn-back", "reprotect", None)}
    assert {run: order.epoch for run, order in of.items()} == {"failover": 2, "turn-back": 4, "reprotect": 4, None: 4}


def test_traffic_goes_back_when_service_is_proved_and_only_then_the_other_region_is_held_back_and_shrunk() -> None:
    undone = undone_by(decided(APPLICATION, hangs=frozenset({"smoke.test"})))
    assert list(undone)[:2] == ["prove-before-traffic", "undo-switch-dns"]
    assert set(list(undone)[2:-1]) == {"undo-switch-load-balancer", "undo-scale-up"}


def test_a_region_that_was_shrunk_on_the_way_home_serves_in_its_full_size_before_it_gets_traffic_again() -> None:
    paper = returning(APPLICATION, "application.scale")
    undone = undone_by(paper)
    order = list(undone)
    assert undone["undo-scale-down-dr"] == {"replicas": {"voice": 4, "pms": 6, "authentication": 4, "analytics": 6, "configuration": 6}}
    assert max(order.index("undo-scale-down-dr"), order.index("undo-drain-dr")) < order.index("undo-switch-home-dns")
    assert "undo-switch-home-load-balancer" not in undone, "it let traffic in before this run too"
    assert undone["prove-service"] == {"stores": "source"}


def test_what_is_still_under_way_comes_to_its_end_before_it_is_undone() -> None:
    paper = decided(APPLICATION, hangs=frozenset({"dns.switch"}))
    paper.hangs = frozenset()
    paper.command("abort", CONDUCTOR, incident=paper.incident.incident)
    assert "undo-switch-dns" not in paper.begun
    assert paper.incident.state is State.TURNING_BACK, "an order that arrives after it was undone would stand"
    paper.in_flight = frozenset()
    paper.settle()
    assert "undo-switch-dns" in paper.begun
    assert paper.incident.state is State.TURNED_BACK


def test_a_way_home_whose_failover_no_journal_knows_is_turned_back_to_where_the_plan_moves_things() -> None:
    paper = Paper(plan=plan_of(LOADED.plan.scenarios["database-failover"]))
    known = {"term": 2, "era": 0, "epoch": 2, "serving": DR, "resumed": False, "profile": "fast"}
    paper.write([Write(Kind.CONTROLLER_STARTED, "", known)])
    paper.hangs = frozenset({"fence"})
    paper.command("switchover", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RETURNING
    seen = outlook(paper.plan, paper.installation, paper.incident)
    assert seen.reason == f"nothing was promoted: {PRIMARY} goes on serving, with database and cache of {DR}"
    there = {"region": "source", "stores": {"database": "target", "cache": "target", "storage": "source"}}
    assert undone_by(paper)["prove-service"] == there
    assert paper.incident.turned_back is not None
    assert paper.incident.turned_back["database"] == {PRIMARY: "replica, never promoted", DR: "writer"}
    assert paper.incident.turned_back["dns"] == {PRIMARY: "as it was", DR: "as it was"}


@pytest.mark.parametrize(
    ("scenario", "hangs"), [(STORAGE, "smoke.test"), (APPLICATION, "application.scale")], ids=["storage", "application"]
)
def test_killed_at_every_append_of_such_an_abort_the_next_controller_ends_it(scenario: Scenario, hangs: str) -> None:
    whole = returning(scenario, hangs)
    before = len(whole.batches)
    undone_by(whole)
    for batches in range(before + 1, len(whole.batches)):
        left = whole.cut_after(batches)
        left.wait(10.0)
        assert left.incident.state is State.RECOVERED, f"cut after {batches}"
        assert left.incident.turned_back == whole.incident.turned_back
        assert left.incident.numbers == whole.incident.numbers
