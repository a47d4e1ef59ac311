"""DORA, articles 11, 12 and 17 to 19: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import clocks, evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "dora",
    "DORA, articles 11, 12 and 17 to 19",
    (
        Requirement(
            "11(1)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "A policy for continuity of information technology",
            all_of(evidence.summary, evidence.approved),
        ),
        Requirement(
            "11(2)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "Critical functions go on, and incidents are answered, contained, judged and told",
            all_of(evidence.impact, evidence.scenarios, evidence.costs, evidence.internal_words),
        ),
        Requirement(
            "11(3)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "Response and recovery plans (their independent audit stands outside of a plan)",
            evidence.scenarios,
        ),
        Requirement(
            "11(4)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "Continuity of what others provide",
            evidence.fallbacks,
        ),
        Requirement(
            "11(5)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "A business impact analysis",
            all_of(evidence.impact, evidence.costs, evidence.dependencies),
        ),
        Requirement(
            "11(6)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "Plans are reviewed, and tested once a year and after large changes: attacks and switching to redundant capacity too",
            all_of(evidence.every_scenario_tested, evidence.breach, evidence.reviewed),
        ),
        Requirement(
            "11(7)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "A crisis function with clear roles and communication",
            all_of(evidence.roles, evidence.escalation, evidence.outside_words),
        ),
        Requirement(
            "11(8)",
            "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)",
            "Records of what was done are kept at hand",
            evidence.evidence_kept,
        ),
        Requirement(
            "12(1)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "A policy for backups, and procedures to restore: what, and how often",
            all_of(evidence.backups, evidence.scenarios),
        ),
        Requirement(
            "12(2)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "Backup and restore are tested",
            all_of(evidence.restores, evidence.backups_verified),
        ),
        Requirement(
            "12(3)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "Restores use systems apart from the source",
            evidence.backups_elsewhere,
        ),
        Requirement(
            "12(4)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "Redundant capacity",
            all_of(evidence.second_region, evidence.capacity),
        ),
        Requirement(
            "12(6)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "RTO and RPO for each function",
            all_of(evidence.impact, evidence.objectives),
        ),
        Requirement(
            "12(7)",
            "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)",
            "What is recovered is checked",
            evidence.proved,
        ),
        Requirement(
            "17(3)",
            "DORA, Regulation (EU) 2022/2554, article 17 (incident management process)",
            "Incidents are noticed early, recorded, and met with roles, communication plans and procedures",
            all_of(evidence.monitoring, evidence.roles, evidence.internal_words, evidence.outside_words, evidence.scenarios),
        ),
        Requirement(
            "18(1)",
            "DORA, Regulation (EU) 2022/2554, article 18 (classification of incidents)",
            "Incidents are classified by whom and what they hit, how long and at what cost",
            all_of(evidence.escalation, evidence.costs),
        ),
        Requirement(
            "19(4)(a)",
            "DORA, Regulation (EU) 2022/2554, article 19 (reporting of major incidents)",
            "The authority hears of a major incident within four hours of its classification, and a day of becoming aware",
            evidence.authority_told(clocks.DORA),
        ),
        Requirement(
            "19(4)(b)",
            "DORA, Regulation (EU) 2022/2554, article 19 (reporting of major incidents)",
            "An intermediate report within 72 hours of the first notice",
            evidence.authority_told(clocks.DORA_INTERMEDIATE),
        ),
        Requirement(
            "19(4)(c)",
            "DORA, Regulation (EU) 2022/2554, article 19 (reporting of major incidents)",
            "A final report within a month of the intermediate one",
            evidence.authority_told(clocks.DORA_FINAL),
        ),
    ),
)
