"""What each step of a run changes, in values and in a sentence."""

from dataclasses import replace

from holdfast.conduct.changes import changes, spoken
from holdfast.conduct.runs import FAILOVER, REPROTECT, WAY_BACK, phases_of
from holdfast.conduct.world import Copy, World
from holdfast.runbook.graph import runbook
from unit.conduct_on_paper import DR, LOADED, PRIMARY

PLAN = LOADED.plan
FUNCTIONS = list(PLAN.functions)
WORLD = World(
    LOADED.digest,
    PRIMARY,
    0,
    1,
    versions={f"{DR}/{name}": f"registry:5000/{name}:1" for name in FUNCTIONS},
    sizes={},
    instances={f"{DR}/{name}": 1 for name in FUNCTIONS},
    copies={name: Copy(PLAN.components[name].name, DR, True, 0.5, 2.0, 3.5) for name in ("database", "cache", "storage")},
    names=dict.fromkeys(FUNCTIONS, PRIMARY),
)


def told(step: str, world: World = WORLD, *, scenario: str = "regional-outage", run: str = FAILOVER) -> str:
    source, target = (DR, PRIMARY) if run == WAY_BACK else (PRIMARY, DR)
    planned = runbook(phases_of(PLAN, scenario, run)).step(step)
    return spoken(changes(PLAN, planned, world, source, target))


def test_every_step_says_from_what_to_what() -> None:
    assert told("fence") == f"every store in {PRIMARY}: writer → fenced"
    assert told("promote-database") == f"PostgreSQL in {DR}: replica → writer"
    assert told("activate-bucket") == f"Object storage in {DR}: copy → written"
    assert told("deploy") == f"version in {DR}: 5 functions 1 → 2"
    assert told("scale-up") == f"instances in {DR}: voice and authentication 1 → 4, 3 functions 1 → 6"
    assert told("start-fresh-set").startswith(f"version in {DR}: 5 functions 1 → 2; instances in {DR}: voice")
    assert told("switch-dns") == f"5 names: {PRIMARY} → {DR}"
    assert told("switch-load-balancer") == f"Load balancer in {DR}: admits traffic"
    assert told("update-settings") == f"Application cluster in {DR}: uses the stores of {DR}"
    apart = told("point-application", scenario="database-failover")
    assert apart == f"Application cluster in {PRIMARY}: uses database and cache of {DR} and storage of {PRIMARY}"


def test_what_proves_tells_or_asks_changes_nothing() -> None:
    for step in ("assess", "alert", "approve", "verify-database", "smoke-test", "confirm"):
        assert told(step) == "nothing"


def test_what_is_so_already_stays_and_what_nobody_saw_is_unknown() -> None:
    deployed = replace(WORLD, versions=dict.fromkeys(WORLD.versions, "voice:2"), instances={**WORLD.instances, f"{DR}/voice": None})
    assert told("deploy", deployed) == f"version in {DR}: 5 functions still 2"
    assert "voice unknown → 4" in told("scale-up", deployed)
    assert told("promote-database", replace(WORLD, copies={})) == f"PostgreSQL in {DR}: unknown → writer"
    stray = replace(WORLD, copies={"database": replace(WORLD.copies["database"], follows=False)})
    assert told("promote-database", stray) == f"PostgreSQL in {DR}: no replica → writer"
    apart = replace(WORLD, names={**WORLD.names, "voice": DR})
    assert told("switch-dns", apart) == f"1 name: still {DR}; 4 names: {PRIMARY} → {DR}"


def test_on_the_way_home_the_sides_are_turned() -> None:
    away = replace(WORLD, serving=DR, names=dict.fromkeys(FUNCTIONS, DR))
    assert told("reprotect-database", away, run=REPROTECT) == f"PostgreSQL in {PRIMARY}: still replica"
    assert told("fence-dr", away, run=WAY_BACK) == f"every store in {DR}: writer → fenced"
    assert told("promote-home-database", away, run=WAY_BACK) == f"PostgreSQL in {PRIMARY}: replica → writer"
    assert told("drain-dr", away, run=WAY_BACK) == f"Load balancer in {DR}: admits no traffic"
    assert told("bring-objects-home", away, run=WAY_BACK) == "Object storage: each side gets what only the other has"
    assert told("scale-down-dr", away, run=WAY_BACK) == f"instances in {DR}: 5 functions still 1"
