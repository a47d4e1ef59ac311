"""HF127: a message uses a field that is not known yet when it goes out."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.texts import fields_always_used

CODE = "HF127"


_AFTERWARDS = frozenset({"restored", "duration", "cause", "report"})


def _apply(facts: Facts) -> Iterator[Finding]:
    for name, message in facts.plan.messages.items():
        words = facts.plan.words_of(name, message)
        texts = (words.subject, words.body, words.short)
        early = [field for text in texts for field in fields_always_used(text) if field in _AFTERWARDS]
        if message.counts_from == "start" and early:
            fields = listed("{" + field + "}" for field in dict.fromkeys(early))
            template: tuple[Place, ...] = (("templates", message.template),) if message.template is not None else ()
            sentence = f"the message '{name}' goes out while the incident lasts, but says {fields}, which is known afterwards"
            yield Finding(
                CODE, Severity.WARNING, sentence, (("messages", name), *template), "let it count from 'restored', or leave it out"
            )


RULE = Rule(
    CODE,
    "messages say what is known by then",
    _apply,
    Explanation(
        means="A message that goes out during the incident has a field that is known only afterwards.",
        why="People read an empty place where the answer should be. Fields that don't exist at all keep a plan from loading.",
        computed="Fields of the message's own words and of its template, and whether it counts from the start.",
        mend="Write `counts_from: restored`, or use another template.",
        example="a message due after 5m with the text: over after {duration}",
    ),
)
