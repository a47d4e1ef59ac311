"""ISO 22301:2019: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "iso-22301",
    "ISO 22301:2019",
    (
        Requirement("4.2.2", "Laws and other demands that apply are known", evidence.regulations),
        Requirement("5.2", "Leadership states what continuity is for and approves it", all_of(evidence.summary, evidence.approved)),
        Requirement("5.3", "Roles and what they are responsible for", evidence.roles),
        Requirement("6.2", "Objectives that can be measured", evidence.objectives),
        Requirement("7.2", "People are fit for what they are to do", evidence.training),
        Requirement(
            "7.4", "What is said to whom inside and outside, when and how", all_of(evidence.internal_words, evidence.outside_words)
        ),
        Requirement(
            "7.5", "The document is controlled: owner, version, distribution, retention", all_of(evidence.owned, evidence.document_kept)
        ),
        Requirement(
            "8.2.2",
            "Impact of an outage over time, with the longest that can be borne",
            all_of(evidence.impact, evidence.costs, evidence.tolerable),
        ),
        Requirement("8.2.3", "Risks of disruption are known and judged", evidence.risks),
        Requirement("8.3.3", "Strategies for what the activities stand on", evidence.strategies),
        Requirement(
            "8.3.4",
            "Resources: systems, people, partners and suppliers",
            all_of(evidence.capacity, evidence.dependencies, evidence.vendors),
        ),
        Requirement(
            "8.4.2",
            "A structure that decides and responds, with thresholds for activation and somebody to stand in",
            all_of(evidence.alternates, evidence.approval, evidence.triggers),
        ),
        Requirement(
            "8.4.3", "Warning and communication while it lasts", all_of(evidence.escalation, evidence.contacts, evidence.internal_words)
        ),
        Requirement("8.4.4", "Plans with steps that people can carry out", evidence.scenarios),
        Requirement("8.4.5", "Return from the temporary measures to normal business", evidence.ways_back),
        Requirement("8.5", "Exercises at planned times, with outcomes and follow-up", all_of(evidence.exercises, evidence.criteria)),
        Requirement(
            "8.6",
            "Plans are evaluated at planned times and after tests, incidents and changes",
            all_of(evidence.reviewed, evidence.reviews),
        ),
        Requirement("9.1", "What is measured, and how often", evidence.indicators),
        Requirement("9.3", "Leadership looks at it at planned times", all_of(evidence.approvers, evidence.reviewed)),
        Requirement("10.1", "What went wrong is followed up", evidence.reviews),
        Requirement("10.2", "It gets better continually", evidence.improvement),
    ),
)
