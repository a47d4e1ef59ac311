"""PCI DSS 4.0: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "pci-dss",
    "PCI DSS 4.0",
    (
        Requirement(
            "10.5.1",
            "Audit logs are kept for twelve months",
            evidence.audit_logs,
            "write a kind of data for the audit log, kept for 365d at least",
        ),
        Requirement(
            "12.10.1",
            "A plan for incidents: roles, contacts, procedures, backup, recovery and whom to tell",
            all_of(evidence.breach, evidence.roles, evidence.contacts, evidence.backups),
            "add a scenario for a breach of security; write 'roles', each with primary and backup; writ"
            "e telephone or e-mail of everybody under 'people'; write 'backups' at every component that has an rpo",
        ),
        Requirement(
            "12.10.2",
            "The plan is reviewed and tested once a year",
            all_of(evidence.reviewed, evidence.every_scenario_tested),
            "write 'document.next_review' and 'review_every'; add an exercise with 'every' for each scenario",
        ),
        Requirement(
            "12.10.3",
            "People are on call at all hours",
            evidence.on_call,
            "write 'rotations'",
        ),
        Requirement(
            "12.10.4",
            "They are trained",
            evidence.training,
            "write 'training'",
        ),
        Requirement(
            "12.10.5",
            "The plan answers alerts of monitoring",
            all_of(evidence.monitoring, evidence.triggers),
            "write 'monitoring'; write 'triggers' at every scenario",
        ),
        Requirement(
            "12.10.6",
            "The plan learns from incidents",
            all_of(evidence.reviews, evidence.improvement),
            "write 'reviews'; write 'improvement'",
        ),
    ),
)
