"""GDPR: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import clocks, evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "gdpr",
    "GDPR",
    (
        Requirement("5(1)(e)", "Personal data is kept no longer than needed", evidence.personal_data),
        Requirement("32(1)(b)", "Systems stay available and withstand trouble", all_of(evidence.second_region, evidence.strategies)),
        Requirement("32(1)(c)", "Access to personal data is restored in time", all_of(evidence.backups, evidence.scenarios)),
        Requirement("32(1)(d)", "That is tested regularly", evidence.exercises),
        Requirement("33(1)", "The authority hears of a breach within 72 hours", evidence.authority_told(clocks.GDPR)),
        Requirement("33(5)", "Breaches are documented", evidence.evidence_kept),
        Requirement("34", "Those concerned hear of it", evidence.outside_words),
        Requirement("44", "Data leaves its area only where that is allowed", evidence.areas),
    ),
)
