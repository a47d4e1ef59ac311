"""What a plan names must exist: one table of every place that names something, and of what it may name.

Steps name more (blocks, parameters, other steps) and are looked at in `steps`; what must agree within the plan in `consistency`.
"""

from typing import Any

from holdfast.plan.findings import Findings, items, names, values_at
from holdfast.plan.problems import did_you_mean
from holdfast.plan.wordlists import CHANNELS

_SECTIONS = {
    "function": ("functions",),
    "component": ("components",),
    "function or component": ("functions", "components"),
    "region": ("regions",),
    "vendor": ("vendors",),
    "monitor": ("monitoring",),
    "person": ("people",),
    "role": ("roles",),
    "rotation": ("rotations",),
    "role or audience": ("roles", "audiences"),
    "template": ("templates",),
    "scenario": ("scenarios",),
}
"""What is named → the sections that hold it."""

REFERENCES: tuple[tuple[str, str], ...] = (
    ("functions.*.stands_on.*", "component"),
    ("risks.*.scenarios.*", "scenario"),
    ("components.*.needs.*", "component"),
    ("components.*.only_in", "region"),
    ("components.*.backups.*.regions.*", "region"),
    ("replication_links.*.component", "component"),
    ("replication_links.*.from", "region"),
    ("replication_links.*.to", "region"),
    ("monitoring.*.feeds.*", "monitor"),
    ("monitoring.*.runs_in.*", "region or observer"),
    ("dependencies.*.needed_by.*", "function or component"),
    ("dependencies.*.vendor", "vendor"),
    ("dependencies.*.regions.*", "region"),
    ("data.*.stored_in.*", "component"),
    ("people.*.reach.channels.*", "channel"),
    ("roles.*.primary", "person"),
    ("roles.*.backup", "person"),
    ("roles.*.rotation", "rotation"),
    ("roles.*.stand_ins.*", "person"),
    ("rotations.*.people.*", "person"),
    ("rotations.*.overrides.*.person", "person"),
    ("audiences.*.people.*", "person"),
    ("audiences.*.roles.*", "role"),
    ("audiences.*.rotations.*", "rotation"),
    ("escalation.*.audience.*", "role or audience"),
    ("escalation.*.channels.*", "channel"),
    ("approval.*.of.*", "role"),
    ("routes.*.second_channel", "channel"),
    ("routes.*.regions.*", "region"),
    ("messages.*.audience.*", "role or audience"),
    ("messages.*.channels.*", "channel"),
    ("messages.*.functions.*", "function"),
    ("messages.*.scenarios.*", "scenario"),
    ("messages.*.template", "template"),
    ("access_notice.audience.*", "role or audience"),
    ("access_notice.channels.*", "channel"),
    ("zone_notice.audience.*", "role or audience"),
    ("zone_notice.channels.*", "channel"),
    ("scenarios.*.triggers.*.component", "component"),
    ("scenarios.*.phases.*.steps.*.by", "role"),
    ("scenarios.*.phases.*.steps.*.other_way.steps.*.by", "role"),
    ("scenarios.*.reprotect.*.steps.*.by", "role"),
    ("scenarios.*.reprotect.*.steps.*.other_way.steps.*.by", "role"),
    ("scenarios.*.way_back.*.steps.*.by", "role"),
    ("scenarios.*.way_back.*.steps.*.other_way.steps.*.by", "role"),
    ("procedures.*.scenario", "scenario"),
    ("procedures.*.component", "component"),
    ("exercises.*.scenario", "scenario"),
    ("exercises.*.components.*", "component"),
    ("exercises.*.audience.*", "role or audience"),
    ("exercises.*.unanswered.*", "person"),
    ("exercise_process.*.by", "role"),
    ("reviews.*.by", "role"),
    ("improvement.*.by", "role"),
    ("training.*.audience.*", "role or audience"),
    ("regulations.*.notify_by", "role"),
    ("regulations.*.scenarios.*", "scenario"),
)
"""Where something is named (`*`: every entry or item), and what it must be."""


def check_references(findings: Findings) -> None:
    """Everything that is named outside of steps' blocks and parameters."""
    data = findings.document.data
    known = {what: _known(data, sections) for what, sections in _SECTIONS.items()}
    known["channel"] = CHANNELS
    known["region or observer"] = known["region"] | _sites(data)
    for pattern, what in REFERENCES:
        for place, value in values_at(data, tuple(pattern.split("."))):
            if isinstance(value, str) and value not in known[what]:
                said = "unknown channel" if what == "channel" else f"the plan has no {what} of this name"
                findings.at(place, said, value, did_you_mean(value, known[what]))


def _known(data: Any, sections: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(names(data, section) for section in sections))


def _sites(data: Any) -> frozenset[str]:
    """The witness, the observers, and the outside, which is always there."""
    if not isinstance(data, dict):
        return frozenset()
    named = [*(site for _, site in items(data.get("observers"))), data.get("witness", "witness")]
    return frozenset({"outside", *(site for site in named if isinstance(site, str))})
