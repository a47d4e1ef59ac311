"""PCI DSS 4.0.1: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

_RESPONSE = "PCI DSS v4.0.1, requirement 12.10 (response to security incidents)"
STANDARD = Standard(
    "pci-dss",
    "PCI DSS 4.0.1",
    (
        Requirement(
            "10.5.1",
            "PCI DSS v4.0.1, requirement 10.5 (history of audit logs)",
            "Audit logs are kept for twelve months, the last three at hand",
            evidence.audit_logs,
        ),
        Requirement(
            "12.10.1",
            _RESPONSE,
            "A plan for incidents: roles, contacts, whom to tell, procedures, backup and recovery, what laws demand",
            all_of(evidence.breach, evidence.roles, evidence.contacts, evidence.outside_words, evidence.backups, evidence.regulations),
        ),
        Requirement(
            "12.10.2",
            _RESPONSE,
            "The plan is reviewed and tested once a year",
            all_of(evidence.reviewed, evidence.every_scenario_tested),
        ),
        Requirement(
            "12.10.3",
            _RESPONSE,
            "People are on call at all hours",
            evidence.on_call,
        ),
        Requirement("12.10.4", _RESPONSE, "They are trained", evidence.training),
        Requirement(
            "12.10.5",
            _RESPONSE,
            "The plan answers alerts of monitoring",
            all_of(evidence.monitoring, evidence.triggers),
        ),
        Requirement(
            "12.10.6",
            _RESPONSE,
            "The plan learns from incidents",
            all_of(evidence.reviews, evidence.improvement),
        ),
        Requirement(
            "12.10.7",
            _RESPONSE,
            "A procedure for card numbers that are found where none belong",
            evidence.stray_card_numbers,
        ),
    ),
)
