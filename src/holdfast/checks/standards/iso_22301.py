"""ISO 22301:2019: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "iso-22301",
    "ISO 22301:2019",
    (
        Requirement(
            "5.2",
            "Leadership states what continuity is for and approves it",
            all_of(evidence.summary, evidence.approved),
            "write 'summary'; write 'document.approvals' for this version",
        ),
        Requirement(
            "5.3",
            "Roles, responsibilities and who stands in for them",
            evidence.roles,
            "write 'roles', each with primary and backup",
        ),
        Requirement(
            "6.2",
            "Objectives that can be measured",
            evidence.objectives,
            "write 'objectives' with rto and rpo",
        ),
        Requirement(
            "7.2",
            "People are fit for what they are to do",
            evidence.training,
            "write 'training'",
        ),
        Requirement(
            "7.4",
            "What is said to whom inside and outside, when and how",
            all_of(evidence.internal_words, evidence.outside_words),
            "write 'messages' to roles and audiences inside; write 'messages' to audiences with an address",
        ),
        Requirement(
            "7.5",
            "The document is controlled: owner, version, distribution, retention",
            all_of(evidence.owned, evidence.document_kept),
            "write 'document.owner'; write distribution, classification and retention under 'document'",
        ),
        Requirement(
            "8.2.2",
            "Impact of an outage over time, with the longest that can be borne",
            all_of(evidence.impact, evidence.costs, evidence.tolerable),
            "write 'functions'; write 'financial_tiers'; write 'mtpd' at every function",
        ),
        Requirement(
            "8.2.3",
            "Risks of disruption are known and judged",
            evidence.risks,
            "write 'risks'",
        ),
        Requirement(
            "8.3.3",
            "Strategies for what the activities stand on",
            evidence.strategies,
            "write 'primary_strategy' and 'backup_strategy' at every component",
        ),
        Requirement(
            "8.3.4",
            "Resources: systems, people, partners and suppliers",
            all_of(evidence.capacity, evidence.dependencies, evidence.vendors),
            "write 'node_groups' at both regions; write 'dependencies'; write 'vendors'",
        ),
        Requirement(
            "8.4.2",
            "A structure that decides and responds, with thresholds for activation",
            all_of(evidence.roles, evidence.approval, evidence.triggers),
            "write 'roles', each with primary and backup; write 'approval.activation'; write 'triggers' at every scenario",
        ),
        Requirement(
            "8.4.3",
            "Warning and communication while it lasts",
            all_of(evidence.escalation, evidence.contacts, evidence.internal_words),
            "write 'escalation'; write telephone or e-mail of everybody under 'people'; write 'messages' to roles and audiences inside",
        ),
        Requirement(
            "8.4.4",
            "Plans with steps that people can carry out",
            evidence.scenarios,
            "write 'scenarios'",
        ),
        Requirement(
            "8.4.5",
            "Return from the temporary measures to normal business",
            evidence.ways_back,
            "write 'way_back' at scenarios that move service",
        ),
        Requirement(
            "8.5",
            "Exercises at planned times, with outcomes and follow-up",
            all_of(evidence.exercises, evidence.criteria),
            "write 'exercises' with 'every'; write 'criteria'",
        ),
        Requirement(
            "8.6",
            "Plans are evaluated after tests, incidents and changes",
            evidence.reviews,
            "write 'reviews'",
        ),
        Requirement(
            "9.1",
            "What is measured, and how often",
            evidence.indicators,
            "write 'indicators'",
        ),
        Requirement(
            "9.3",
            "Leadership looks at it at planned times",
            evidence.reviewed,
            "write 'document.next_review' and 'review_every'",
        ),
        Requirement(
            "10.2",
            "It gets better continually",
            evidence.improvement,
            "write 'improvement'",
        ),
    ),
)
