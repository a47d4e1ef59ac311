"""The runs of an incident, by name: there, reprotection, and the way back; and the phases that each goes through."""

from holdfast.plan.model import Phase, Plan

FAILOVER = "failover"
"""The scenario's phases, also when the move is a planned one."""
REPROTECT = "reprotect"
WAY_BACK = "way-back"


def phases_of(plan: Plan, scenario: str, run: str) -> tuple[Phase, ...]:
    """The phases that a run goes through."""
    described = plan.scenarios[scenario]
    return {FAILOVER: described.phases, REPROTECT: described.reprotect, WAY_BACK: described.way_back}[run]
