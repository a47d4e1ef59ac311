"""GDPR: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "gdpr",
    "GDPR",
    (
        Requirement(
            "5(1)(e)",
            "Personal data is kept no longer than needed",
            evidence.data_kinds,
            "write 'data' with 'kept_for'",
        ),
        Requirement(
            "32(1)(b)",
            "Systems stay available and withstand trouble",
            all_of(evidence.second_region, evidence.strategies),
            "write a region with the role 'dr'; write 'primary_strategy' and 'backup_strategy' at every component",
        ),
        Requirement(
            "32(1)(c)",
            "Access to personal data is restored in time",
            all_of(evidence.backups, evidence.scenarios),
            "write 'backups' at every component that has an rpo; write 'scenarios'",
        ),
        Requirement(
            "32(1)(d)",
            "That is tested regularly",
            evidence.exercises,
            "write 'exercises' with 'every'",
        ),
        Requirement(
            "33(1)",
            "The authority hears of a breach within 72 hours",
            evidence.authority_in_3_days,
            "write a regulation with notify_within of at most 72h, and notify_by",
        ),
        Requirement(
            "33(5)",
            "Breaches are documented",
            evidence.evidence_kept,
            "write a kind of data for evidence",
        ),
        Requirement(
            "34",
            "Those concerned hear of it",
            evidence.outside_words,
            "write 'messages' to audiences with an address",
        ),
        Requirement(
            "44",
            "Data leaves its area only where that is allowed",
            evidence.areas,
            "write 'permitted_areas'",
        ),
    ),
)
