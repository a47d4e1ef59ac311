"""DORA, articles 11, 12 and 19: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "dora",
    "DORA, articles 11, 12 and 19",
    (
        Requirement(
            "11(1)",
            "A policy for continuity of information technology",
            all_of(evidence.summary, evidence.approved),
            "write 'summary'; write 'document.approvals' for this version",
        ),
        Requirement(
            "11(2)",
            "Critical functions go on, and incidents are answered, contained and told",
            all_of(evidence.impact, evidence.scenarios, evidence.internal_words),
            "write 'functions'; write 'scenarios'; write 'messages' to roles and audiences inside",
        ),
        Requirement(
            "11(3)",
            "Response and recovery plans, reviewed",
            all_of(evidence.scenarios, evidence.reviewed),
            "write 'scenarios'; write 'document.next_review' and 'review_every'",
        ),
        Requirement(
            "11(5)",
            "A business impact analysis",
            all_of(evidence.impact, evidence.costs, evidence.dependencies),
            "write 'functions'; write 'financial_tiers'; write 'dependencies'",
        ),
        Requirement(
            "11(6)",
            "Plans are tested once a year, switching to redundant capacity included",
            evidence.every_scenario_tested,
            "add an exercise with 'every' for each scenario",
        ),
        Requirement(
            "11(7)",
            "A crisis function with clear roles and communication",
            all_of(evidence.roles, evidence.escalation, evidence.outside_words),
            "write 'roles', each with primary and backup; write 'escalation'; write 'messages' to audiences with an address",
        ),
        Requirement(
            "11(8)",
            "Records of what was done are kept at hand",
            evidence.evidence_kept,
            "write a kind of data for evidence",
        ),
        Requirement(
            "12(1)",
            "A policy for backups: what, and how often",
            evidence.backups,
            "write 'backups' at every component that has an rpo",
        ),
        Requirement(
            "12(2)",
            "Backup and restore are tested",
            all_of(evidence.restores, evidence.backups_verified),
            "write 'restored_every' at every backup; add an exercise of the kind 'verification'",
        ),
        Requirement(
            "12(4)",
            "Redundant capacity",
            all_of(evidence.second_region, evidence.capacity),
            "write a region with the role 'dr'; write 'node_groups' at both regions",
        ),
        Requirement(
            "12(6)",
            "RTO and RPO for each function",
            all_of(evidence.impact, evidence.objectives),
            "write 'functions'; write 'objectives' with rto and rpo",
        ),
        Requirement(
            "19(4)",
            "The authority hears of a major incident within a day",
            evidence.authority_in_1_day,
            "write a regulation with notify_within of at most 24h, and notify_by",
        ),
    ),
)
