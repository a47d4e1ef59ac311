"""`--bind lab`: what the lab's regional-outage drill needs and a document leaves open, added visibly.

Every addition carries its own comment in the file and a sentence in the plan's notes, under *added by --bind lab*. Nothing that the
document says is changed, except that a step whose words name a block gets the parameter or component that the block was waiting for.
The numbers are the lab's own: how many instances it can run, its zones, its version of the application.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.document.reading.draft import Draft, Entry, Said, slug
from holdfast.document.reading.renaming import take_new_names
from holdfast.document.reading.things.steps import component_of
from holdfast.document.reading.tree import says
from holdfast.plan.blocks import BLOCKS

ADDED_LINE = -1
"""The line of what stands in no document."""

_COMPONENTS = (
    ("network", "network", "Network between regions and clients", "A second way into each region", "5m", None),
    ("postgres", "database", "Database", "Promote the replica in the other region", "15m", "5m"),
    ("redis", "cache", "Cache", "Promote the replica in the other region", "10m", "15m"),
    ("bucket", "storage", "Object storage", "Objects are copied to the other region all the time", "25m", "60m"),
    ("application", "application", "Application", "The application of the other region takes over", "30m", None),
    ("loadbalancer", "loadbalancer", "Load balancer", "The load balancer of the other region admits traffic", "25m", None),
    ("dns", "dns", "DNS", "The functions' names get the other region's address", "25m", None),
)
_SERVICES = (
    ("voice", ("voice", "call processing", "calls"), 4, 2),
    ("pms", ("pms", "integration", "reservation*"), 6, 3),
    ("authentication", ("authentication", "login", "sign in"), 4, 2),
    ("analytics", ("analytics", "reporting"), 6, 3),
    ("configuration", ("configuration", "settings"), 6, 3),
)
_CANARIES: dict[str, tuple[str, dict[str, Any]]] = {
    "voice": ("A call to the test hotel", {"caller": "+353 1 555 0199", "hotel": "canary"}),
    "pms": ("A reservation of the test guest", {"guest": "Canary", "room": "canary"}),
    "authentication": ("A login of the test receptionist", {"user": "receptionist-8"}),
    "analytics": ("One round of counting recent calls", {}),
    "configuration": ("The test setting gets a new value", {"name": "canary"}),
}
_EXERCISE = (
    ("exercise-one", "Ada Exercise", "Stands in for the deciding roles in drills"),
    ("exercise-two", "Ben Exercise", "Stands in for the managing roles in drills"),
    ("exercise-three", "Cleo Exercise", "Conducts the drills and decides nothing"),
)
_DRILL = "regional-outage"


def added(value: Any) -> Any:
    """A value as one that stands in no document, with everything in it."""
    if isinstance(value, dict):
        return {key: added(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [added(one) for one in value]
    return Said(value, ADDED_LINE)


def bind_lab(draft: Draft) -> None:
    """Add what is open, in the order of the plan."""
    _rename_functions(draft)
    _rename_components(draft)
    _regions(draft)
    _components(draft)
    _functions(draft)
    _people(draft)
    _rules(draft)
    scenario = _scenario(draft)
    if scenario is not None:
        _wishes(draft, scenario)
        _promotions(draft, scenario)
        _ways_back(draft, scenario)
        _exercise(draft, scenario)


def _told(draft: Draft, text: str) -> None:
    draft.added.append(text)


def _rename_functions(draft: Draft) -> None:
    """The lab's services have short names; a function that is one of them takes its name."""
    functions = draft.section("functions")
    renamed: dict[str, str] = {}
    for service, words, _, _ in _SERVICES:
        hit = next((key for key, entry in functions.items() if key not in renamed and says(str(entry["name"].value), *words)), None)
        if hit is not None and service not in functions:
            renamed[hit] = service
    if not renamed:
        return
    draft.data["functions"] = {renamed.get(key, key): entry for key, entry in functions.items()}
    take_new_names(draft, "function", renamed)
    _told(draft, "functions are called as the lab's services are: " + ", ".join(f"{old} is {new}" for old, new in renamed.items()))


def _rename_components(draft: Draft) -> None:
    """The lab's services name their stores in what they acknowledge; a component of that kind takes that name, or nothing could be counted."""
    components = draft.section("components")
    wanted = ((component_of(draft, kind), name) for kind, name, *_ in _COMPONENTS)
    renamed = {known: name for known, name in wanted if known is not None and known != name and name not in components}
    if not renamed:
        return
    draft.rename_components(renamed)
    take_new_names(draft, "component", renamed)
    _told(draft, "components are called as the lab's services call them: " + ", ".join(f"{old} is {new}" for old, new in renamed.items()))


def _regions(draft: Draft) -> None:
    for name, region in draft.section("regions").items():
        if "zones" not in region:
            region["zones"] = added([f"{name}a", f"{name}b"])
            _told(draft, f"regions.{name}.zones: two zones, as the lab has them")


def _components(draft: Draft) -> None:
    components = draft.section("components")
    for kind, name, words, strategy, rto, rpo in _COMPONENTS:
        known = component_of(draft, kind)
        if known is None:
            identifier, entry = draft.component(name, kind, ADDED_LINE)
            entry.update(added({"name": words, "primary_strategy": strategy, "rto": rto} | ({"rpo": rpo} if rpo else {})))
            _told(draft, f"components.{identifier}: the document names none of this kind")
            continue
        for key, value in (("primary_strategy", strategy), ("rto", rto)):
            if key not in components[known]:
                components[known][key] = added(value)
                _told(draft, f"components.{known}.{key}: the document gives none")
    application = components.get(component_of(draft, "application") or "", {"needs": []})
    if "needs" not in application:
        stores = [name for name in (component_of(draft, "postgres"), component_of(draft, "redis")) if name]
        application["needs"] = added(stores)
        _told(draft, "the application needs the database and the cache")


def _functions(draft: Draft) -> None:
    standing = [
        name for kind in ("dns", "loadbalancer", "application", "postgres", "redis", "bucket") if (name := component_of(draft, kind))
    ]
    for name, entry in draft.section("functions").items():
        size = next(((run, needed) for service, _, run, needed in _SERVICES if service == name), None)
        if "stands_on" not in entry:
            without = {component_of(draft, "bucket")} if name != "voice" else set()
            without |= {component_of(draft, "redis")} if name not in ("voice", "authentication") else set()
            entry["stands_on"] = added([component for component in standing if component not in without])
        if size is not None:
            entry.setdefault("size", added({"run": size[0], "needed": size[1]}))
            text, values = _CANARIES[name]
            canary: dict[str, Any] = {
                "transaction": text,
                "every": "2s" if name in ("analytics", "configuration") else "1s",
                "within": "1s",
            }
            entry.setdefault("canary", added(canary | ({"values": values} if values else {})))
    _told(draft, "functions: what each stands on, its size and its canary, as the lab's services have them")


def _people(draft: Draft) -> None:
    for identifier, name, title in _EXERCISE:
        draft.section("people")[identifier] = added({"name": name, "title": title, "exercise": True})
    for role in draft.section("roles").values():
        second = says(str(role["name"].value), "communication*", "manager", "management", "deputy")
        role["stand_ins"] = added(["exercise-two" if second else "exercise-one"])
    _told(draft, "people.exercise-one, -two and -three: who stands in for the roles in drills")


def _rules(draft: Draft) -> None:
    roles = draft.section("roles")
    seconds = [name for name, role in roles.items() if role["stand_ins"][0].value == "exercise-two"]
    firsts = [name for name, role in roles.items() if name not in seconds]
    if "approval" not in draft.data and roles:
        of = [*firsts[:2], *seconds[:1]]
        rule = {"count": min(2, len(of)), "of": of, "answer_within": "30m"}
        draft.data["approval"] = added(
            {"activation": rule | {"if_unanswered": "escalate"}, "way_back": rule | {"if_unanswered": "stand-down"}}
        )
        _told(draft, f"approval: {rule['count']} of {', '.join(of)}, half an hour to answer")
    elif "approval" in draft.data and "answer_within" not in draft.data["approval"]["activation"]:
        draft.data["approval"]["activation"]["answer_within"] = added("30m")
        _told(draft, "approval.activation.answer_within: half an hour, which the document leaves open")
    fast = {"lease": "3s", "hold": "0s", "probe_every": "500ms", "probe_timeout": "750ms"}
    draft.data.setdefault("profiles", added({"default": {"lease": "15s", "hold": "60s"}, "fast": fast}))
    _told(draft, "profiles: default and fast, with the lab's leases")


def _scenario(draft: Draft) -> Entry | None:
    """The scenario that the drill practises: the one about a lost region."""
    scenarios = draft.section("scenarios")
    known = next(
        (name for name, entry in scenarios.items() if says(str(entry["name"].value), "region*", "site", "data centre", "data center")), None
    )
    if known is None:
        _told(draft, "no scenario is about a lost region, so the drill has none to practise")
        return None
    found: Entry = scenarios[known]
    if known != _DRILL:
        draft.data["scenarios"] = {(_DRILL if name == known else name): entry for name, entry in scenarios.items()}
        _told(draft, f"scenarios.{known} is called {_DRILL}")
    return found


def _replicas(draft: Draft) -> dict[str, int]:
    return {service: run for service, _, run, _ in _SERVICES if service in draft.section("functions")}


def _wishes(draft: Draft, scenario: Entry) -> None:
    """Steps that named a block and waited for a component, a number of instances or a version."""
    phases = scenario.get("phases", [])
    practised = {id(step) for phase in phases for step in phase["steps"]}
    seconds: dict[int, Entry] = {}
    for wish in draft.wishes:
        if wish.block in ("notify", "approve") or id(wish.step) not in practised:
            continue
        two = wish.block == "loadbalancer.switch" and says(wish.step["parameters"]["text"].value, "dns")
        blocks = [wish.block, "dns.switch"] if two else [wish.block]
        kinds = [BLOCKS[block].component_kind for block in blocks]
        if any(kind is not None and component_of(draft, kind) is None for kind in kinds):
            continue
        first, text = wish.step, wish.step["parameters"]["text"]
        del first["parameters"]
        first.pop("by", None)
        first["block"] = Said(blocks[0], text.line)
        if kinds[0] is not None:
            first["component"] = added(component_of(draft, kinds[0]))
        if blocks[0] == "application.scale":
            first["parameters"] = {"replicas": added(_replicas(draft) or 4)}
        elif blocks[0] == "application.deploy":
            first["parameters"] = {"version": added("2")}
        _told(draft, f"scenarios: '{text.value}' is carried out by {' and '.join(blocks)}, with what the lab has")
        if two:
            seconds[id(first)] = _second(first, component_of(draft, "dns") or "dns", text.line)
    for phase in phases if seconds else ():
        _insert(phase, seconds)


def _second(first: Entry, component: str, line: int) -> Entry:
    """The second block of a step that names two: it follows the first."""
    return {
        "id": Said(f"{first['id'].value}-dns"[:63], line),
        "block": Said("dns.switch", line),
        "after": added([first["id"].value]),
        "component": added(component),
    }


def _insert(phase: Entry, seconds: Mapping[int, Entry]) -> None:
    """Put each second step behind its first, by the first's identity; whatever waited for the first waits for the second."""
    steps: list[Entry] = []
    waits: dict[str, str] = {}
    for step in phase["steps"]:
        if "after" in step:
            step["after"] = [replace(one, value=waits.get(one.value, one.value)) for one in step["after"]]
        steps.append(step)
        if id(step) in seconds:
            steps.append(seconds[id(step)])
            waits[step["id"].value] = steps[-1]["id"].value
    phase["steps"] = steps


def _promotions(draft: Draft, scenario: Entry) -> None:
    """A fence before the first promotion, and the other stores beside the database."""
    phases = scenario.get("phases", [])
    blocks = {step["block"].value for phase in phases for step in phase["steps"]}
    place = next(
        ((phase, at) for phase in phases for at, step in enumerate(phase["steps"]) if step["block"].value == "postgres.promote"), None
    )
    if place is None:
        return
    phase, at = place
    promote = phase["steps"][at]
    extra: list[Entry] = []
    if "fence" not in blocks:
        fence = added({"id": "fence", "block": "fence"})
        if "after" in promote:
            fence["after"] = promote["after"]
        promote["after"] = added(["fence"])
        extra.append(fence)
        _told(draft, "scenarios: a fence before the promotion, so that two regions never write")
    more = []
    for block, kind, name in (("redis.promote", "redis", "promote-cache"), ("bucket.activate", "bucket", "activate-bucket")):
        if block not in blocks:
            more.append(added({"id": name, "block": block, "component": component_of(draft, kind), "after": ["fence"]}))
            _told(draft, f"scenarios: {block}, since the document moves the database alone")
    phase["steps"][at : at + 1] = [*extra, promote, *more]
    waits = [promote["id"].value, *(step["id"].value for step in more)]
    for step in phase["steps"]:
        if step["block"].value == "settings.update":
            step["after"] = added(waits)
    for step in (step for one in phases for step in one["steps"] if step["block"].value == "performance.watch"):
        step.setdefault("parameters", added({"for": "3s"}))


def _phase(name: str, start: str, end: str, steps: list[dict[str, Any]]) -> Entry:
    return {"name": added(name), "window": added([start, end]), "steps": [added(step) for step in steps]}


def _following(database: str, cache: str, bucket: str) -> list[Entry]:
    """The lost region becomes a replica of the one that serves."""
    return [
        _phase(
            "Following the region that serves",
            "0s",
            "60m",
            [
                {"id": "export-divergence", "block": "divergence.export"},
                {"id": "reprotect-database", "block": "postgres.reprotect", "component": database, "after": ["export-divergence"]},
                {"id": "reprotect-cache", "block": "redis.reprotect", "component": cache, "after": ["export-divergence"]},
                {"id": "reconcile-bucket", "block": "bucket.reconcile", "component": bucket, "after": ["export-divergence"]},
            ],
        ),
    ]


def _ways_back(draft: Draft, scenario: Entry) -> None:
    """Following the region that serves, and the planned return, as the lab does both."""
    of = {kind: component_of(draft, kind) or kind for kind, *_ in _COMPONENTS}
    database, cache, bucket, application, balancer, dns = (
        of[kind] for kind in ("postgres", "redis", "bucket", "application", "loadbalancer", "dns")
    )
    scenario["reprotect"] = _following(database, cache, bucket)
    scenario["way_back"] = [
        _phase("Approval of the return", "0s", "30m", [{"id": "approve-return", "block": "approve"}]),
        _phase(
            "Switchover home",
            "30m",
            "45m",
            [
                {"id": "drain-dr", "block": "loadbalancer.drain", "component": balancer, "after": ["approve-return"]},
                {"id": "fence-dr", "block": "fence", "after": ["drain-dr"]},
                {"id": "promote-home-database", "block": "postgres.promote", "component": database, "after": ["fence-dr"]},
                {"id": "promote-home-cache", "block": "redis.promote", "component": cache, "after": ["fence-dr"]},
                {"id": "bring-objects-home", "block": "bucket.reconcile", "component": bucket, "after": ["fence-dr"]},
                {"id": "activate-home-bucket", "block": "bucket.activate", "component": bucket, "after": ["bring-objects-home"]},
                {
                    "id": "update-home-settings",
                    "block": "settings.update",
                    "component": application,
                    "after": ["promote-home-database", "promote-home-cache", "activate-home-bucket"],
                },
                {"id": "verify-home-database", "block": "postgres.verify", "component": database, "after": ["promote-home-database"]},
                {
                    "id": "switch-home-load-balancer",
                    "block": "loadbalancer.switch",
                    "component": balancer,
                    "after": ["update-home-settings", "verify-home-database"],
                },
                {"id": "switch-home-dns", "block": "dns.switch", "component": dns, "after": ["switch-home-load-balancer"]},
            ],
        ),
        _phase(
            "DR follows again",
            "45m",
            "60m",
            [
                {"id": "smoke-test-home", "block": "smoke.test", "after": ["switch-home-dns"]},
                {"id": "watch-home-performance", "block": "performance.watch", "after": ["switch-home-dns"], "parameters": {"for": "3s"}},
                {"id": "export-dr-divergence", "block": "divergence.export", "after": ["switch-home-dns"]},
                {"id": "reprotect-dr-database", "block": "postgres.reprotect", "component": database, "after": ["export-dr-divergence"]},
                {"id": "reprotect-dr-cache", "block": "redis.reprotect", "component": cache, "after": ["export-dr-divergence"]},
                {"id": "reconcile-dr-bucket", "block": "bucket.reconcile", "component": bucket, "after": ["switch-home-dns"]},
                {
                    "id": "scale-down-dr",
                    "block": "application.scale",
                    "component": application,
                    "after": ["smoke-test-home", "watch-home-performance"],
                    "parameters": {"replicas": 1, "region": "source"},
                },
                {
                    "id": "confirm-return",
                    "block": "confirm",
                    "after": ["scale-down-dr", "reprotect-dr-database", "reprotect-dr-cache", "reconcile-dr-bucket"],
                },
            ],
        ),
    ]
    _told(draft, "scenarios: the way back as steps (reprotect, way_back), beside the document's rollback in words")


def _exercise(draft: Draft, scenario: Entry) -> None:
    exercises = draft.section("exercises")
    if _DRILL not in exercises:
        exercises[_DRILL] = added({"name": f"Drill of: {scenario['name'].value}", "scenario": _DRILL, "takes_away": "region"})
        _told(draft, f"exercises.{slug(_DRILL)}: the drill that the lab runs")
