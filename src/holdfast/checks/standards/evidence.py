"""Where in a plan standards' questions are answered: small questions, each with the places that say yes."""

from holdfast.plan.model import Plan
from holdfast.plan.problems import Place

YEAR_SECONDS = 366 * 86400.0
MONTHS_12_SECONDS = 365 * 86400.0

Places = tuple[Place, ...]


def _section(plan: Plan, name: str) -> Places:
    return ((name,),) if getattr(plan, name) else ()


def summary(plan: Plan) -> Places:
    """What the plan is for."""
    return _section(plan, "summary")


def approved(plan: Plan) -> Places:
    """Somebody put their name to this version."""
    signed = (("document", "approvals", number) for number, one in enumerate(plan.document.approvals) if one.version == plan.version)
    return tuple(signed)


def owned(plan: Plan) -> Places:
    """Somebody owns the plan."""
    return (("document", "owner"),) if plan.document.owner.strip() else ()


def document_kept(plan: Plan) -> Places:
    """Who gets it, how secret it is, and how long it is kept."""
    control = plan.document
    return (("document",),) if control.distribution and control.classification and control.retention else ()


def reviewed(plan: Plan) -> Places:
    """When the plan is reviewed next, or how often."""
    control = plan.document
    keys = [key for key, value in (("next_review", control.next_review), ("review_every", control.review_every)) if value is not None]
    return tuple(("document", key) for key in keys)


def objectives(plan: Plan) -> Places:
    """What the company promises as a whole."""
    return (("objectives",),) if plan.objectives.rto is not None and plan.objectives.rpo is not None else ()


def impact(plan: Plan) -> Places:
    """Functions with priority, impact, RTO and RPO."""
    return (("functions",),)


def tolerable(plan: Plan) -> Places:
    """Every function says how long its loss can be borne."""
    return (("functions",),) if all(function.mtpd is not None for function in plan.functions.values()) else ()


def costs(plan: Plan) -> Places:
    """What an outage costs by its length."""
    return _section(plan, "financial_tiers")


def risks(plan: Plan) -> Places:
    """What threatens the functions."""
    return _section(plan, "risks")


def dependencies(plan: Plan) -> Places:
    """What others provide."""
    return _section(plan, "dependencies")


def vendors(plan: Plan) -> Places:
    """Who is called outside."""
    return _section(plan, "vendors")


def strategies(plan: Plan) -> Places:
    """Every component has a first and a second way back."""
    every = plan.components.values()
    return (("components",),) if every and all(one.primary_strategy.strip() and one.backup_strategy for one in every) else ()


def second_region(plan: Plan) -> Places:
    """Another place that can serve."""
    return tuple(("regions", name) for name, region in plan.regions.items() if region.role == "dr")


def capacity(plan: Plan) -> Places:
    """Capacity of both regions is written down."""
    held = tuple(("regions", name, "node_groups") for name, region in plan.regions.items() if region.node_groups)
    return held if len(held) > 1 else ()


def replicated(plan: Plan) -> Places:
    """Data has copies elsewhere."""
    return _section(plan, "replication_links")


def backups(plan: Plan) -> Places:
    """Every component with data is backed up."""
    keeping = {name: one for name, one in plan.components.items() if one.rpo is not None}
    return tuple(("components", name, "backups") for name in keeping) if all(one.backups for one in keeping.values()) else ()


def backups_elsewhere(plan: Plan) -> Places:
    """Backups are kept outside of the primary region."""
    primary = plan.primary_region()
    return tuple(
        ("components", name, "backups", key, "regions")
        for name, one in plan.components.items()
        for key, backup in one.backups.items()
        if any(region != primary for region in backup.regions)
    )


def restores(plan: Plan) -> Places:
    """Every backup is to be restored now and then."""
    held = [(name, key, kept) for name, one in plan.components.items() for key, kept in one.backups.items()]
    planned = all(kept.restored_every is not None for _, _, kept in held)
    return tuple(("components", name, "backups", key, "restored_every") for name, key, _ in held) if planned else ()


def backups_verified(plan: Plan) -> Places:
    """An exercise looks at backups."""
    return tuple(("exercises", name) for name, one in plan.exercises.items() if one.kind == "verification")


def roles(plan: Plan) -> Places:
    """Every incident role has a person and a backup."""
    return (("roles",),) if plan.roles and all(role.backup is not None for role in plan.roles.values()) else ()


def on_call(plan: Plan) -> Places:
    """Somebody is on call at every hour."""
    return _section(plan, "rotations")


def escalation(plan: Plan) -> Places:
    """Who is called when nobody answers."""
    return _section(plan, "escalation")


def approval(plan: Plan) -> Places:
    """Who decides on activation."""
    return (("approval", "activation"),) if plan.approval.activation.of else ()


def triggers(plan: Plan) -> Places:
    """When the plan is activated."""
    every = plan.scenarios.values()
    return tuple(("scenarios", name, "triggers") for name in plan.scenarios) if every and all(one.triggers for one in every) else ()


def scenarios(plan: Plan) -> Places:
    """What is done, step by step."""
    return tuple(("scenarios", name, "phases") for name in plan.scenarios)


def ways_back(plan: Plan) -> Places:
    """How service goes home."""
    return tuple(("scenarios", name, "way_back") for name, one in plan.scenarios.items() if one.way_back)


def breach(plan: Plan) -> Places:
    """A scenario for a breach of security."""
    words = ("security", "breach", "attack", "intrusion", "ransomware")
    return tuple(("scenarios", name) for name, one in plan.scenarios.items() if any(w in f"{name} {one.name}".casefold() for w in words))


def internal_words(plan: Plan) -> Places:
    """Messages to people of the company."""
    return tuple(("messages", name) for name, one in plan.messages.items() if any(key not in _outside(plan) for key in one.audience))


def outside_words(plan: Plan) -> Places:
    """Messages to customers, partners and others outside."""
    return tuple(("messages", name) for name, one in plan.messages.items() if set(one.audience) & _outside(plan))


def _outside(plan: Plan) -> set[str]:
    return {name for name, circle in plan.audiences.items() if circle.address is not None or circle.source is not None}


def contacts(plan: Plan) -> Places:
    """People with telephone or e-mail."""
    real = [one for one in plan.people.values() if not one.exercise]
    reached = plan.contacts is not None or all(one.phone or one.email for one in real)
    return (("people",),) if real and reached else ()


def exercises(plan: Plan) -> Places:
    """Tests that are due at least yearly."""
    return tuple(("exercises", name) for name, one in plan.exercises.items() if one.every is not None and one.every <= YEAR_SECONDS)


def every_scenario_tested(plan: Plan) -> Places:
    """Each scenario is practised at least yearly."""
    tested = {one.scenario for one in plan.exercises.values() if one.every is not None and one.every <= YEAR_SECONDS}
    return exercises(plan) if set(plan.scenarios) <= tested else ()


def training(plan: Plan) -> Places:
    """What people learn."""
    return _section(plan, "training")


def criteria(plan: Plan) -> Places:
    """What makes a test a success."""
    return _section(plan, "criteria")


def indicators(plan: Plan) -> Places:
    """What is measured."""
    return _section(plan, "indicators")


def reviews(plan: Plan) -> Places:
    """What follows an incident."""
    return _section(plan, "reviews")


def improvement(plan: Plan) -> Places:
    """How the plan gets better."""
    return _section(plan, "improvement")


def monitoring(plan: Plan) -> Places:
    """What watches."""
    return _section(plan, "monitoring")


def procedures(plan: Plan) -> Places:
    """Procedures in words."""
    return _section(plan, "procedures")


def authority_told(plan: Plan) -> Places:
    """An authority is told by a role within its time."""
    told = (name for name, one in plan.regulations.items() if one.notify_within is not None and one.notify_by is not None)
    return tuple(("regulations", name) for name in told)


def authority_in_3_days(plan: Plan) -> Places:
    """The same within 72 hours."""
    return tuple(place for place in authority_told(plan) if (plan.regulations[str(place[1])].notify_within or 0) <= 72 * 3600)


def authority_in_1_day(plan: Plan) -> Places:
    """The same within 24 hours."""
    return tuple(place for place in authority_told(plan) if (plan.regulations[str(place[1])].notify_within or 0) <= 24 * 3600)


def data_kinds(plan: Plan) -> Places:
    """Kinds of data with how long they are kept."""
    return _section(plan, "data")


def areas(plan: Plan) -> Places:
    """Where data may be."""
    return _section(plan, "permitted_areas")


def audit_logs(plan: Plan) -> Places:
    """Audit logs are kept for twelve months."""
    kept = (name for name, one in plan.data.items() if "audit" in f"{name} {one.name}".casefold() and one.kept_for >= MONTHS_12_SECONDS)
    return tuple(("data", name, "kept_for") for name in kept)


def evidence_kept(plan: Plan) -> Places:
    """Evidence of incidents and tests is kept."""
    return tuple(("data", name) for name, one in plan.data.items() if "evidence" in f"{name} {one.name}".casefold())
