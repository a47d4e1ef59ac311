"""NIST SP 800-34 Rev. 1: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "nist-800-34",
    "NIST SP 800-34 Rev. 1",
    (
        Requirement(
            "3.1",
            "NIST SP 800-34 Rev. 1, section 3.1 (policy statement)",
            "A policy statement for contingency planning",
            all_of(evidence.summary, evidence.approved),
        ),
        Requirement(
            "3.2",
            "NIST SP 800-34 Rev. 1, section 3.2 (business impact analysis)",
            "A business impact analysis with recovery priorities",
            all_of(evidence.impact, evidence.costs),
        ),
        Requirement(
            "3.2.1",
            "NIST SP 800-34 Rev. 1, section 3.2 (business impact analysis)",
            "Maximum tolerable downtime, RTO and RPO",
            evidence.tolerable,
        ),
        Requirement(
            "3.3",
            "NIST SP 800-34 Rev. 1, section 3.3 (preventive controls)",
            "Controls that prevent, and monitoring that warns",
            evidence.monitoring,
        ),
        Requirement(
            "3.4.1",
            "NIST SP 800-34 Rev. 1, section 3.4 (contingency strategies)",
            "Backup and recovery by what the data is worth",
            evidence.backups,
        ),
        Requirement(
            "3.4.2",
            "NIST SP 800-34 Rev. 1, section 3.4 (contingency strategies)",
            "Backups kept away from the primary site",
            evidence.backups_elsewhere,
        ),
        Requirement(
            "3.4.3",
            "NIST SP 800-34 Rev. 1, section 3.4 (contingency strategies)",
            "Another site that can take over",
            all_of(evidence.second_region, evidence.capacity),
        ),
        Requirement(
            "3.4.6",
            "NIST SP 800-34 Rev. 1, section 3.4 (contingency strategies)",
            "Teams and roles, each with somebody who stands in",
            all_of(evidence.roles, evidence.alternates),
        ),
        Requirement(
            "3.5.1",
            "NIST SP 800-34 Rev. 1, section 3.5 (testing, training, exercises)",
            "Tests of each part of the plan, with criteria",
            all_of(evidence.exercises, evidence.criteria),
        ),
        Requirement(
            "3.5.2", "NIST SP 800-34 Rev. 1, section 3.5 (testing, training, exercises)", "Training at least yearly", evidence.training
        ),
        Requirement(
            "3.5.3",
            "NIST SP 800-34 Rev. 1, section 3.5 (testing, training, exercises)",
            "Exercises of the scenarios",
            evidence.every_scenario_tested,
        ),
        Requirement(
            "3.6",
            "NIST SP 800-34 Rev. 1, section 3.6 (maintenance)",
            "The plan is maintained and its distribution controlled",
            all_of(evidence.reviewed, evidence.owned, evidence.document_kept),
        ),
        Requirement(
            "4.2.1",
            "NIST SP 800-34 Rev. 1, section 4.2 (activation and notification)",
            "Criteria and authority for activation",
            all_of(evidence.triggers, evidence.approval),
        ),
        Requirement(
            "4.2.2",
            "NIST SP 800-34 Rev. 1, section 4.2 (activation and notification)",
            "Notification procedures and contact lists, inside and outside",
            all_of(evidence.contacts, evidence.internal_words, evidence.outside_words),
        ),
        Requirement(
            "4.3",
            "NIST SP 800-34 Rev. 1, section 4.3 (recovery)",
            "Recovery in an order, with procedures and escalation",
            all_of(evidence.scenarios, evidence.strategies, evidence.escalation),
        ),
        Requirement(
            "4.4",
            "NIST SP 800-34 Rev. 1, section 4.4 (reconstitution)",
            "What is recovered is proved; return to normal, and what was learned",
            all_of(evidence.proved, evidence.ways_back, evidence.reviews),
        ),
        Requirement(
            "4.5",
            "NIST SP 800-34 Rev. 1, section 4.5 (appendices)",
            "Appendices: contacts, vendors, dependencies, procedures",
            all_of(evidence.contacts, evidence.vendors, evidence.dependencies, evidence.procedures),
        ),
    ),
)
