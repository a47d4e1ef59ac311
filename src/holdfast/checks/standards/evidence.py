"""Where in a plan standards' questions are answered: small questions, each with the places that say yes, and what is missing for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.checks.standards.clocks import Clock
from holdfast.checks.standards.requirement import Answer, Evidence, Lack
from holdfast.plan.model import Plan
from holdfast.plan.problems import Place
from holdfast.plan.values import duration_text

YEAR_SECONDS = 366 * 86400.0
MONTHS_12_SECONDS = 365 * 86400.0
_BREACH_WORDS = ("security", "breach", "attack", "intrusion", "ransomware")
_PROVING = frozenset({"postgres.verify", "smoke.test", "confirm"})


def _section(name: str, why: str) -> Evidence:
    """A section that is there, whatever it says."""

    def answer(plan: Plan) -> Answer:
        return Answer(((name,),)) if getattr(plan, name) else Answer((), (Lack(f"write '{name}': {why}"),))

    return answer


def _each(section: str, entries: Mapping[str, Any], fits: Callable[[Any], Any], write: str, none: str, at: tuple[str, ...] = ()) -> Answer:
    """Every entry must fit. `at`: the key below an entry that is pointed at; `none`: what to write when there is no entry."""
    good = [name for name, one in entries.items() if fits(one)]
    bad = [name for name in entries if name not in good]
    has: tuple[Place, ...] = tuple((section, name, *at) for name in good)
    if not entries:
        return Answer((), (Lack(none),))
    return Answer(has, (Lack(write, tuple((section, name) for name in bad)),) if bad else ())


def _some(has: Iterable[Place], write: str, *near: Place) -> Answer:
    """One is enough."""
    places = tuple(has)
    return Answer(places) if places else Answer((), (Lack(write, near),))


summary = _section("summary", "what the plan is for")
costs = _section("financial_tiers", "what an outage costs by its length")
risks = _section("risks", "what threatens the functions, and what is done about it")
dependencies = _section("dependencies", "what others provide")
vendors = _section("vendors", "who is called outside")
on_call = _section("rotations", "who is on call at every hour")
escalation = _section("escalation", "who is called when nobody answers")
criteria = _section("criteria", "what makes a test a success")
indicators = _section("indicators", "what is measured, and how often")
reviews = _section("reviews", "what follows an incident or a test")
improvement = _section("improvement", "what is done again and again so that the plan gets better")
monitoring = _section("monitoring", "what watches")
procedures = _section("procedures", "technical procedures in words")
areas = _section("permitted_areas", "where data may be")
regulations = _section("regulations", "which laws and contracts demand what")


def approved(plan: Plan) -> Answer:
    """Everybody who must approve put their name to this version."""
    signed = {one.by: number for number, one in enumerate(plan.document.approvals) if one.version == plan.version}
    has: tuple[Place, ...] = tuple(("document", "approvals", number) for number in signed.values())
    missing = [name for name in plan.document.approved_by if name not in signed]
    if missing or not signed:
        who = f" by {' and '.join(missing)}" if missing else ""
        return Answer(has, (Lack(f"write the approval of version {plan.version}{who} under 'document.approvals'", (("version",),)),))
    return Answer(has)


def approvers(plan: Plan) -> Answer:
    """The plan says who approves it."""
    named: tuple[Place, ...] = (("document", "approved_by"),) if plan.document.approved_by else ()
    return _some(named, "write 'approved_by': who of the leadership approves it", ("document",))


def owned(plan: Plan) -> Answer:
    """Somebody owns the plan."""
    named: tuple[Place, ...] = (("document", "owner"),) if plan.document.owner.strip() else ()
    return _some(named, "write 'owner'", ("document",))


def document_kept(plan: Plan) -> Answer:
    """Who gets it, how secret it is, and how long it is kept."""
    keys = ("distribution", "classification", "retention")
    missing = [key for key in keys if not getattr(plan.document, key)]
    has: tuple[Place, ...] = tuple(("document", key) for key in keys if key not in missing)
    return Answer(has, (Lack(f"write {_quoted(missing)}", (("document",),)),) if missing else ())


def _quoted(keys: Iterable[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


def reviewed(plan: Plan) -> Answer:
    """When the plan is reviewed next, or how often."""
    has: list[Place] = [("document", key) for key in ("next_review", "review_every") if getattr(plan.document, key) is not None]
    return _some(has, "write 'next_review' and 'review_every'", ("document",))


def objectives(plan: Plan) -> Answer:
    """What the company promises as a whole."""
    missing = [key for key in ("rto", "rpo") if getattr(plan.objectives, key) is None]
    has: tuple[Place, ...] = tuple(("objectives", key) for key in ("rto", "rpo") if key not in missing)
    return Answer(has, (Lack(f"write {_quoted(missing)}", (("objectives",),)),) if missing else ())


def impact(_plan: Plan) -> Answer:
    """Functions with priority, impact, RTO and RPO: without them a plan doesn't load."""
    return Answer((("functions",),))


def tolerable(plan: Plan) -> Answer:
    """Every function says how long its loss can be borne."""
    return _each("functions", plan.functions, lambda one: one.mtpd is not None, "write 'mtpd'", "write 'functions'", ("mtpd",))


def strategies(plan: Plan) -> Answer:
    """Every component has a first and a second way back."""
    write, none = "write 'primary_strategy' and 'backup_strategy'", "write 'components', each with its two strategies"
    return _each("components", plan.components, lambda one: one.primary_strategy.strip() and one.backup_strategy, write, none)


def second_region(plan: Plan) -> Answer:
    """Another place that can serve."""
    return _some((("regions", name) for name, one in plan.regions.items() if one.role == "dr"), "write a region with the role 'dr'")


def capacity(plan: Plan) -> Answer:
    """Capacity of both regions is written down."""
    return _each("regions", plan.regions, lambda one: one.node_groups, "write 'node_groups'", "write 'regions'", ("node_groups",))


def _keeping(plan: Plan) -> dict[str, Any]:
    return {name: one for name, one in plan.components.items() if one.rpo is not None}


_NO_DATA = "write 'rpo' at the components that keep data"


def replicated(plan: Plan) -> Answer:
    """Every component with data has a copy elsewhere."""
    linked = {link.component: name for name, link in plan.replication_links.items()}
    keeping = _keeping(plan)
    missing: tuple[Place, ...] = tuple(("components", name) for name in keeping if name not in linked)
    has: tuple[Place, ...] = tuple(("replication_links", linked[name]) for name in keeping if name in linked)
    lacks = (Lack("write a 'replication_links' entry for it", missing),) if missing else () if keeping else (Lack(_NO_DATA),)
    return Answer(has, lacks)


def backups(plan: Plan) -> Answer:
    """Every component with data is backed up."""
    return _each("components", _keeping(plan), lambda one: one.backups, "write 'backups'", _NO_DATA, ("backups",))


def backups_elsewhere(plan: Plan) -> Answer:
    """Every component with data has a backup outside of the primary region."""
    primary = plan.primary_region()

    def elsewhere(one: Any) -> bool:
        return any(region != primary for kept in one.backups.values() for region in kept.regions)

    write = f"write a backup whose 'regions' name another than {primary}"
    return _each("components", _keeping(plan), elsewhere, write, _NO_DATA, ("backups",))


def restores(plan: Plan) -> Answer:
    """Every backup is to be restored now and then."""
    held: dict[Place, Any] = {
        ("components", name, "backups", key): kept for name, one in plan.components.items() for key, kept in one.backups.items()
    }
    missing = tuple(place for place, kept in held.items() if kept.restored_every is None)
    has: tuple[Place, ...] = tuple((*place, "restored_every") for place in held if place not in missing)
    lacks = (Lack("write 'restored_every'", missing),) if missing else () if held else (Lack("write 'backups' with 'restored_every'"),)
    return Answer(has, lacks)


def backups_verified(plan: Plan) -> Answer:
    """An exercise looks at backups."""
    found = (("exercises", name) for name, one in plan.exercises.items() if one.kind == "verification")
    return _some(found, "add an exercise of the kind 'verification'")


def roles(plan: Plan) -> Answer:
    """Every incident role says what it is responsible for."""
    return _each("roles", plan.roles, lambda one: one.responsibilities, "write 'responsibilities'", "write 'roles'")


def alternates(plan: Plan) -> Answer:
    """Every incident role has somebody who stands in."""
    return _each("roles", plan.roles, lambda one: one.backup is not None, "write 'backup'", "write 'roles'", ("backup",))


def approval(plan: Plan) -> Answer:
    """Who decides on activation."""
    named: tuple[Place, ...] = (("approval", "activation"),) if plan.approval.activation.of else ()
    return _some(named, "write 'approval.activation': how many of which roles")


def triggers(plan: Plan) -> Answer:
    """When the plan is activated."""
    return _each("scenarios", plan.scenarios, lambda one: one.triggers, "write 'triggers'", "write 'scenarios'", ("triggers",))


def scenarios(plan: Plan) -> Answer:
    """What is done, step by step."""
    return _some((("scenarios", name, "phases") for name in plan.scenarios), "write 'scenarios'")


def ways_back(plan: Plan) -> Answer:
    """How service goes home, as phases or in words."""
    write = "write 'way_back', or 'rollback' in words"
    return _each("scenarios", plan.scenarios, lambda one: one.way_back or one.rollback, write, "write 'scenarios'")


def proved(plan: Plan) -> Answer:
    """Every scenario ends by proving what was recovered."""

    def proves(one: Any) -> bool:
        return any(step.block in _PROVING for phase in one.phases for step in phase.steps)

    return _each("scenarios", plan.scenarios, proves, "add a step that proves what was recovered", "write 'scenarios'", ("phases",))


def breach(plan: Plan) -> Answer:
    """A scenario for a breach of security."""
    found = (("scenarios", name) for name, one in plan.scenarios.items() if _is_breach(name, one.name))
    return _some(found, "add a scenario for a breach of security")


def _is_breach(identifier: str, name: str) -> bool:
    return any(word in f"{identifier} {name}".casefold() for word in _BREACH_WORDS)


def internal_words(plan: Plan) -> Answer:
    """Messages to people of the company."""
    inside = (("messages", name) for name, one in plan.messages.items() if any(key not in _outside(plan) for key in one.audience))
    return _some(inside, "write 'messages' to roles and audiences inside")


def outside_words(plan: Plan) -> Answer:
    """Messages to customers, partners and others outside."""
    outside = (("messages", name) for name, one in plan.messages.items() if set(one.audience) & _outside(plan))
    return _some(outside, "write 'messages' to an audience with 'address' or 'source'")


def _outside(plan: Plan) -> set[str]:
    return {name for name, circle in plan.audiences.items() if circle.address is not None or circle.source is not None}


def contacts(plan: Plan) -> Answer:
    """Telephone or e-mail of everybody."""
    if plan.contacts is not None:
        return Answer((("contacts",),))
    real = {name: one for name, one in plan.people.items() if not one.exercise}
    return _each("people", real, lambda one: one.phone or one.email, "write 'phone' or 'email'", "write 'people'")


def exercises(plan: Plan) -> Answer:
    """Tests that are due at least yearly."""
    write = "write 'every' (a year at most)"
    return _each("exercises", plan.exercises, _is_yearly, write, "write 'exercises', each with 'every'")


def _is_yearly(one: Any) -> bool:
    return one.every is not None and one.every <= YEAR_SECONDS


def every_scenario_tested(plan: Plan) -> Answer:
    """Each scenario is practised at least yearly."""
    tested = {one.scenario: name for name, one in plan.exercises.items() if _is_yearly(one)}
    has: tuple[Place, ...] = tuple(("exercises", tested[name]) for name in plan.scenarios if name in tested)
    missing: tuple[Place, ...] = tuple(("scenarios", name) for name in plan.scenarios if name not in tested)
    return Answer(has, (Lack("add an exercise with 'scenario' and 'every' (a year at most)", missing),) if missing else ())


def training(plan: Plan) -> Answer:
    """What people learn, at least yearly."""
    return _each("training", plan.training, _is_yearly, "write 'every' (a year at most)", "write 'training': who learns what, how often")


def fallbacks(plan: Plan) -> Answer:
    """What is done without what others provide."""
    write = "write 'fallback', or a second of 'regions'"
    return _each("dependencies", plan.dependencies, lambda one: one.fallback or len(one.regions) > 1, write, "write 'dependencies'")


def authority_told(clock: Clock) -> Evidence:
    """The authority of a law is told by a role within the law's time. Another's counts where the plan doesn't name the law."""

    def told(plan: Plan, one: Any) -> bool:
        return one.notify_within is not None and one.notify_within <= clock.limit_seconds(plan, one.notify) and one.notify_by is not None

    def answer(plan: Plan) -> Answer:
        named = {name: one for name, one in plan.regulations.items() if clock.is_about(name, one.name)}
        others = {} if clock.stage else plan.regulations  # a later report is no first notice under another name
        found = (("regulations", name) for name, one in (named or others).items() if told(plan, one))
        write = f"'notify_within' (at most {duration_text(clock.limit_seconds(plan))}) and 'notify_by'"
        entry = f"{clock.words[0]}-{clock.stage}" if clock.stage else clock.words[0]
        write = f"write {write}" if named else f"write a regulation '{entry}' with {write}"
        return _some(found, write, *(("regulations", name) for name in named))

    return answer


def personal_data(plan: Plan) -> Answer:
    """How long personal data is kept."""
    personal = (("data", name, "kept_for") for name, one in plan.data.items() if one.personal)
    return _some(personal, "write 'data': each kind with 'kept_for', the personal ones with 'personal: true'")


def audit_logs(plan: Plan) -> Answer:
    """Audit logs are kept for twelve months."""
    logs = {name: one for name, one in plan.data.items() if "audit" in f"{name} {one.name}".casefold()}
    none = "write a kind of 'data' for the audit log, with 'kept_for' of at least 365d"
    write = "write 'kept_for' of at least 365d"
    return _each("data", logs, lambda one: one.kept_for >= MONTHS_12_SECONDS, write, none, ("kept_for",))


def stray_card_numbers(plan: Plan) -> Answer:
    """What is done when card numbers turn up where none belong."""
    kept = (
        ("procedures", name)
        for name, one in plan.procedures.items()
        if {"card", "pan"} & set(f"{name} {one.name}".casefold().replace("-", " ").split())
    )
    return _some(kept, "write one of 'procedures' for card numbers that are found where none belong, with 'card' in its name")


def evidence_kept(plan: Plan) -> Answer:
    """Evidence of incidents and tests is kept."""
    kept = (("data", name) for name, one in plan.data.items() if "evidence" in f"{name} {one.name}".casefold())
    return _some(kept, "write a kind of 'data' for evidence of incidents and exercises")
