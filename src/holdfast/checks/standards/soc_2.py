"""SOC 2, availability (A1): what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

_AVAILABILITY = "AICPA TSP section 100 (trust services criteria), availability"
STANDARD = Standard(
    "soc-2",
    "SOC 2, availability (A1)",
    (
        Requirement(
            "A1.1",
            _AVAILABILITY,
            "Capacity is known and managed",
            all_of(evidence.capacity, evidence.indicators),
        ),
        Requirement(
            "A1.2",
            _AVAILABILITY,
            "Backup and recovery infrastructure is designed and run",
            all_of(evidence.backups, evidence.replicated, evidence.second_region),
        ),
        Requirement("A1.2", _AVAILABILITY, "What it stands on is watched", evidence.monitoring),
        Requirement(
            "A1.3",
            _AVAILABILITY,
            "Recovery plans are tested",
            evidence.every_scenario_tested,
        ),
        Requirement(
            "A1.3",
            _AVAILABILITY,
            "Backups are proved by restoring them",
            evidence.restores,
        ),
    ),
)
