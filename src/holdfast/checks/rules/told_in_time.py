"""HF152: a message is due before it can be known whether it must be told, or only when what it is about should be over."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF152"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, message in plan.messages.items():
        if message.counts_from != "start":
            continue
        due: Place = ("messages", name, "due")
        if message.lasting > message.due:
            sentence = (
                f"the message '{name}' is due after {spoken_duration(message.due)}, "
                f"and told only when the outage lasts longer than {spoken_duration(message.lasting)}"
            )
            hint = "let it be due after that, or lower 'lasting'"
            yield Finding(CODE, Severity.WARNING, sentence, (due, ("messages", name, "lasting")), hint)
        about = [plan.functions[function] for function in message.functions]
        if about and message.due > max(function.rto for function in about):
            said = listed(f"{function.name} should be back after {spoken_duration(function.rto)}" for function in about)
            sentence = f"the message '{name}' is due after {spoken_duration(message.due)}, but {said}"
            places = (due, *(("functions", function, "rto") for function in message.functions))
            yield Finding(CODE, Severity.NOTE, sentence, places, "tell it while it helps")


RULE = Rule(
    CODE,
    "messages are due while they matter",
    _apply,
    Explanation(
        means="A message is due before its own condition can be known, or after the functions that it is about should be back.",
        why="Who hears of an outage when it is over could do nothing about it.",
        computed="`due` of messages that count from the start, against `lasting` and the longest RTO of the functions that they name.",
        mend="Let it be due after `lasting` and before the RTO.",
        example="a message with due: 60m for functions: [pms], whose rto is 30m",
    ),
)
