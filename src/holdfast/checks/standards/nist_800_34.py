"""NIST SP 800-34 Rev. 1: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "nist-800-34",
    "NIST SP 800-34 Rev. 1",
    (
        Requirement(
            "3.1",
            "A policy statement for contingency planning",
            all_of(evidence.summary, evidence.approved),
            "write 'summary'; write 'document.approvals' for this version",
        ),
        Requirement(
            "3.2",
            "A business impact analysis with recovery priorities",
            all_of(evidence.impact, evidence.costs),
            "write 'functions'; write 'financial_tiers'",
        ),
        Requirement(
            "3.2.1",
            "Maximum tolerable downtime, RTO and RPO",
            evidence.tolerable,
            "write 'mtpd' at every function",
        ),
        Requirement(
            "3.3",
            "Controls that prevent, and monitoring that warns",
            evidence.monitoring,
            "write 'monitoring'",
        ),
        Requirement(
            "3.4.1",
            "Backup and recovery by what the data is worth",
            evidence.backups,
            "write 'backups' at every component that has an rpo",
        ),
        Requirement(
            "3.4.2",
            "Backups kept away from the primary site",
            evidence.backups_elsewhere,
            "write 'regions' at backups, one of them not the primary",
        ),
        Requirement(
            "3.4.3",
            "Another site that can take over",
            all_of(evidence.second_region, evidence.capacity),
            "write a region with the role 'dr'; write 'node_groups' at both regions",
        ),
        Requirement(
            "3.4.6",
            "Teams, roles and a line of succession",
            evidence.roles,
            "write 'roles', each with primary and backup",
        ),
        Requirement(
            "3.5.1",
            "Tests of each part of the plan, with criteria",
            all_of(evidence.exercises, evidence.criteria),
            "write 'exercises' with 'every'; write 'criteria'",
        ),
        Requirement(
            "3.5.2",
            "Training at least yearly",
            evidence.training,
            "write 'training'",
        ),
        Requirement(
            "3.5.3",
            "Exercises of the scenarios",
            evidence.every_scenario_tested,
            "add an exercise with 'every' for each scenario",
        ),
        Requirement(
            "3.6",
            "The plan is maintained and its changes recorded",
            all_of(evidence.reviewed, evidence.owned),
            "write 'document.next_review' and 'review_every'; write 'document.owner'",
        ),
        Requirement(
            "4.2.1",
            "Criteria and authority for activation",
            all_of(evidence.triggers, evidence.approval),
            "write 'triggers' at every scenario; write 'approval.activation'",
        ),
        Requirement(
            "4.2.2",
            "Notification procedures and contact lists",
            all_of(evidence.escalation, evidence.contacts),
            "write 'escalation'; write telephone or e-mail of everybody under 'people'",
        ),
        Requirement(
            "4.3",
            "Recovery in an order, with procedures and escalation",
            all_of(evidence.scenarios, evidence.strategies),
            "write 'scenarios'; write 'primary_strategy' and 'backup_strategy' at every component",
        ),
        Requirement(
            "4.4",
            "Return to normal and an after-action look",
            all_of(evidence.ways_back, evidence.reviews),
            "write 'way_back' at scenarios that move service; write 'reviews'",
        ),
        Requirement(
            "4.5",
            "Appendices: contacts, vendors, dependencies, procedures",
            all_of(evidence.contacts, evidence.vendors, evidence.dependencies, evidence.procedures),
            "write telephone or e-mail of everybody under 'people'; write 'vendors'; write 'dependencies'; write 'procedures'",
        ),
    ),
)
