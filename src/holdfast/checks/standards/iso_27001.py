"""ISO/IEC 27001:2022, the controls of Annex A that speak of continuity: what they ask of a plan, in Holdfast's own words;
no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

_READINESS = "ISO/IEC 27001:2022, Annex A 5.30 (readiness of technology for continuity)"
STANDARD = Standard(
    "iso-27001",
    "ISO/IEC 27001:2022, continuity in Annex A",
    (
        Requirement(
            "A.5.28",
            "ISO/IEC 27001:2022, Annex A 5.28 (collection of evidence)",
            "Evidence of what happened is kept",
            evidence.evidence_kept,
        ),
        Requirement(
            "A.5.29",
            "ISO/IEC 27001:2022, Annex A 5.29 (security during disruption)",
            "Security is kept up during a disruption",
            all_of(evidence.breach, evidence.approval),
        ),
        Requirement(
            "A.5.30",
            _READINESS,
            "Readiness follows from impact, with RTO and RPO",
            all_of(evidence.impact, evidence.objectives),
        ),
        Requirement(
            "A.5.30",
            _READINESS,
            "Readiness is planned and implemented",
            all_of(evidence.scenarios, evidence.second_region, evidence.strategies),
        ),
        Requirement(
            "A.5.30",
            _READINESS,
            "Readiness is tested",
            evidence.every_scenario_tested,
        ),
        Requirement(
            "A.5.30",
            _READINESS,
            "Readiness is maintained",
            evidence.reviewed,
        ),
        Requirement(
            "A.8.13",
            "ISO/IEC 27001:2022, Annex A 8.13 (backup)",
            "Backups are made, and tested regularly",
            all_of(evidence.backups, evidence.restores),
        ),
        Requirement(
            "A.8.14",
            "ISO/IEC 27001:2022, Annex A 8.14 (redundancy)",
            "Enough redundancy for the availability that is asked for",
            all_of(evidence.second_region, evidence.capacity),
        ),
    ),
)
