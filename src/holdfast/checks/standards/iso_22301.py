"""ISO 22301:2019: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "iso-22301",
    "ISO 22301:2019",
    (
        Requirement("4.2.2", "ISO 22301:2019, clause 4 (context)", "Laws and other demands that apply are known", evidence.regulations),
        Requirement(
            "5.2",
            "ISO 22301:2019, clause 5 (leadership)",
            "Leadership states what continuity is for and approves it",
            all_of(evidence.summary, evidence.approved),
        ),
        Requirement("5.3", "ISO 22301:2019, clause 5 (leadership)", "Roles and what they are responsible for", evidence.roles),
        Requirement("6.2", "ISO 22301:2019, clause 6 (planning)", "Objectives that can be measured", evidence.objectives),
        Requirement("7.2", "ISO 22301:2019, clause 7 (support)", "People are fit for what they are to do", evidence.training),
        Requirement(
            "7.4",
            "ISO 22301:2019, clause 7 (support)",
            "What is said to whom inside and outside, when and how",
            all_of(evidence.internal_words, evidence.outside_words),
        ),
        Requirement(
            "7.5",
            "ISO 22301:2019, clause 7 (support)",
            "The document is controlled: owner, version, distribution, retention",
            all_of(evidence.owned, evidence.document_kept),
        ),
        Requirement(
            "8.2.2",
            "ISO 22301:2019, clause 8.2 (impact analysis and risk assessment)",
            "Impact of an outage over time, with the longest that can be borne",
            all_of(evidence.impact, evidence.costs, evidence.tolerable),
        ),
        Requirement(
            "8.2.3",
            "ISO 22301:2019, clause 8.2 (impact analysis and risk assessment)",
            "Risks of disruption are known and judged",
            evidence.risks,
        ),
        Requirement(
            "8.3.3",
            "ISO 22301:2019, clause 8.3 (strategies and solutions)",
            "Strategies for what the activities stand on",
            evidence.strategies,
        ),
        Requirement(
            "8.3.4",
            "ISO 22301:2019, clause 8.3 (strategies and solutions)",
            "Resources: systems, people, partners and suppliers",
            all_of(evidence.capacity, evidence.dependencies, evidence.vendors),
        ),
        Requirement(
            "8.4.2",
            "ISO 22301:2019, clause 8.4 (plans and procedures)",
            "A structure that decides and responds, with thresholds for activation and somebody to stand in",
            all_of(evidence.alternates, evidence.approval, evidence.triggers),
        ),
        Requirement(
            "8.4.3",
            "ISO 22301:2019, clause 8.4 (plans and procedures)",
            "Warning and communication while it lasts",
            all_of(evidence.escalation, evidence.contacts, evidence.internal_words),
        ),
        Requirement(
            "8.4.4", "ISO 22301:2019, clause 8.4 (plans and procedures)", "Plans with steps that people can carry out", evidence.scenarios
        ),
        Requirement(
            "8.4.5",
            "ISO 22301:2019, clause 8.4 (plans and procedures)",
            "Return from the temporary measures to normal business",
            evidence.ways_back,
        ),
        Requirement(
            "8.5",
            "ISO 22301:2019, clause 8.5 (exercise programme)",
            "Exercises at planned times, with outcomes and follow-up",
            all_of(evidence.exercises, evidence.criteria),
        ),
        Requirement(
            "8.6",
            "ISO 22301:2019, clause 8.6 (evaluation of documents and capabilities)",
            "Plans are evaluated at planned times and after tests, incidents and changes",
            all_of(evidence.reviewed, evidence.reviews),
        ),
        Requirement("9.1", "ISO 22301:2019, clause 9 (performance evaluation)", "What is measured, and how often", evidence.indicators),
        Requirement(
            "9.3",
            "ISO 22301:2019, clause 9 (performance evaluation)",
            "Leadership looks at it at planned times",
            all_of(evidence.approvers, evidence.reviewed),
        ),
        Requirement("10.1", "ISO 22301:2019, clause 10 (improvement)", "What went wrong is followed up", evidence.reviews),
        Requirement("10.2", "ISO 22301:2019, clause 10 (improvement)", "It gets better continually", evidence.improvement),
    ),
)
