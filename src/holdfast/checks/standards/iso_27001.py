"""ISO/IEC 27001:2022, A.5.29 and A.5.30: what it asks of a plan, in Holdfast's own words;
no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "iso-27001",
    "ISO/IEC 27001:2022, A.5.29 and A.5.30",
    (
        Requirement(
            "A.5.29",
            "Security is kept up during a disruption",
            all_of(evidence.breach, evidence.approval),
            "add a scenario for a breach of security; write 'approval.activation'",
        ),
        Requirement(
            "A.5.29",
            "Evidence of what happened is kept",
            evidence.evidence_kept,
            "write a kind of data for evidence",
        ),
        Requirement(
            "A.5.30",
            "Readiness follows from impact, with RTO and RPO",
            all_of(evidence.impact, evidence.objectives),
            "write 'functions'; write 'objectives' with rto and rpo",
        ),
        Requirement(
            "A.5.30",
            "Readiness is planned and implemented",
            all_of(evidence.scenarios, evidence.second_region, evidence.strategies),
            "write 'scenarios'; write a region with the role 'dr'; write 'primary_strategy' and 'backup_strategy' at every component",
        ),
        Requirement(
            "A.5.30",
            "Readiness is tested",
            evidence.every_scenario_tested,
            "add an exercise with 'every' for each scenario",
        ),
        Requirement(
            "A.5.30",
            "Readiness is maintained",
            evidence.reviewed,
            "write 'document.next_review' and 'review_every'",
        ),
    ),
)
