"""What the plan's schedule asks of the exercise of a scenario, and how it came out: the rules that only an exercise of one component has.

Rules: as everywhere in the verdict, what was not measured is unknown. Every component's and function's own RTO and RPO are judged
elsewhere, by the same rules as a whole region's.
"""

from collections.abc import Iterable

from holdfast.plan.model import Plan
from holdfast.report.facts import ReportFacts
from holdfast.report.history import History
from holdfast.report.model import Criteria, Report, Rule
from holdfast.report.wording import count, duration, duration_pair, listing


def criteria_of(plan: Plan, scenario: str) -> Criteria | None:
    """The criteria of the first exercise that practises a scenario; None where the schedule has none."""
    for identifier, drill in plan.drills().items():
        if drill.scenario != scenario:
            continue
        exercise = drill.exercise
        lost = frozenset(exercise.components)
        spared = [name for name, function in plan.functions.items() if lost and not lost & frozenset(function.stands_on)]
        return Criteria(
            exercise=identifier,
            name=exercise.name,
            takes_away=drill.takes_away,
            components=exercise.components,
            within_seconds=exercise.within,
            spared=tuple(spared),
        )
    return None


_LOST = {
    "region": "The region was lost",
    "database-host": "The database's host was lost",
    "application": "The application died",
    "bucket": "The bucket was lost",
}


def lost_in_words(facts: ReportFacts, history: History) -> str:
    """What the exercise took away."""
    opened = history.opened()
    criteria = criteria_of(facts.plan, str(opened.body.get("scenario")) if opened is not None else facts.scenario)
    return _LOST[criteria.takes_away if criteria is not None else "region"]


def back_within_the_schedule(report: Report) -> Iterable[Rule]:
    """The schedule's own criterion: the components, and every function, are back within one time."""
    criteria = report.criteria
    if criteria is None or criteria.within_seconds is None:
        return
    took = {component.name: component.rto_actual_seconds for component in report.components}
    took |= {function.name: function.rto_actual_seconds for function in report.functions}
    missing = [name for name, seconds in took.items() if seconds is None]
    late = {name: seconds for name, seconds in took.items() if seconds is not None and seconds > criteria.within_seconds}
    for name, seconds in late.items():
        actual, allowed = duration_pair(seconds, criteria.within_seconds)
        yield Rule(name="criterion", result="fail", sentence=f"{name} was back after {actual}; {criteria.name} allows {allowed}.")
    if missing or not took:
        allowed = duration(criteria.within_seconds)
        sentence = f"{criteria.name} allows {allowed}, and of {count(len(missing), 'thing')} the time is unknown"
        yield Rule(name="criterion", result="unknown", sentence=f"{sentence}: {listing(missing)}.")
    elif not late:
        worst = max(took, key=lambda name: took[name] or 0.0)
        actual, allowed = duration_pair(took[worst], criteria.within_seconds)
        sentence = f"{criteria.name} allows {allowed}; the last to be back was {worst}, after {actual}."
        yield Rule(name="criterion", result="pass", sentence=sentence)


def others_noticed_nothing(report: Report) -> Iterable[Rule]:
    """Functions that stand on nothing that was taken away keep serving."""
    if report.criteria is None or not report.criteria.spared:
        return
    spared = [function for function in report.functions if function.id in report.criteria.spared]
    hit = [function for function in spared if function.rto_actual_seconds]
    missing = [function.name for function in spared if function.rto_actual_seconds is None]
    for function in hit:
        sentence = f"{function.name} stands on nothing that was taken away, and was out for {duration(function.rto_actual_seconds)}."
        yield Rule(name="spared", result="fail", sentence=sentence)
    if missing:
        yield Rule(name="spared", result="unknown", sentence=f"Whether these noticed anything is unknown: {listing(missing)}.")
    elif not hit:
        names = listing([function.name for function in spared])
        yield Rule(name="spared", result="pass", sentence=f"What stands on nothing that was taken away had no failed request: {names}.")
