"""The words of messages: `{field}` as ever, or, where a text holds `{{` or `{%`, a small and closed part of Jinja.

Rules: a template knows the fields of `wordlists.MESSAGE_FIELDS` and nothing else; it may compare, choose (`if`) and use a few filters, none
of which lets a text grow; it can't loop, call, assign, include, look into a value or compute. So rendering ends at once, whatever stands
in it. What comes out is bounded. A field that is not known prints that it isn't and counts as false.
Never here: facts (see `communications`).
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from holdfast.plan.wordlists import MESSAGE_FIELDS, fields_of, filled

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "default", "truncate"})
MOST_CHARACTERS = 20_000
"""A message longer than this is cut, and says so."""
_CUT = "\n… (shortened)"
_NODES = frozenset(
    {"Template", "Output", "TemplateData", "Name", "Const", "If", "CondExpr"}
    | {"Compare", "Operand", "And", "Or", "Not", "Filter", "Test", "Concat", "Keyword"}
)
_TESTS = frozenset({"defined", "undefined", "none", "eq", "ne"})
_WORDS = {
    "For": "loops",
    "Call": "calls",
    "Getattr": "looking into a value",
    "Getitem": "looking into a value",
    "Assign": "setting names",
    "AssignBlock": "setting names",
    "Include": "including other files",
    "Import": "importing",
    "FromImport": "importing",
    "Extends": "extending other files",
    "Macro": "macros",
    "CallBlock": "calls",
    "FilterBlock": "filters around a block",
    "Block": "blocks",
}


class NotKnown(str):
    """What a field prints when nobody knows it. It counts as false, so that a template can ask."""

    def __bool__(self) -> bool:
        return False


def is_template(text: str) -> bool:
    """Whether a text is written in Jinja, and not with plain `{fields}`."""
    return "{{" in text or "{%" in text or "{#" in text


def faults(text: str) -> tuple[tuple[str, str | None], ...]:
    """What is wrong with a text: a sentence, and the word that is unknown where it is one. Nothing when it can be filled."""
    if not is_template(text):
        return tuple(("unknown field in the text", word) for word in fields_of(text) if word not in MESSAGE_FIELDS)
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        return ((f"this is not a template, in its line {error.lineno}: {error.message}", None),)
    found: list[tuple[str, str | None]] = []
    for node in (tree, *tree.find_all(nodes.Node)):
        name = type(node).__name__
        if name not in _NODES and not isinstance(node, nodes.EvalContext | nodes.Operand):
            found.append((f"a template can't hold {_WORDS.get(name, name.lower())}: it only fills fields in", None))
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            found.append((f"unknown filter in the template; it can be one of: {', '.join(sorted(FILTERS))}", node.name))
        elif isinstance(node, nodes.Test) and node.name not in _TESTS:
            found.append((f"unknown test in the template; it can be one of: {', '.join(sorted(_TESTS))}", node.name))
    if found:
        return tuple(dict.fromkeys(found))
    unknown = sorted({node.name for node in tree.find_all(nodes.Name)} - MESSAGE_FIELDS.keys())  # a template sets no names of its own
    return tuple(("unknown field in the text", word) for word in unknown)


def fields_always_used(text: str) -> tuple[str, ...]:
    """Fields that a text without faults prints whatever is known: those that it chooses by, or has other words for, are left out."""
    if not is_template(text):
        return tuple(fields_of(text))
    from jinja2 import nodes

    def printed(node: nodes.Node) -> Iterator[str]:
        if isinstance(node, nodes.Name):
            yield node.name
        elif not isinstance(node, nodes.If | nodes.CondExpr) and not (isinstance(node, nodes.Filter) and node.name == "default"):
            for child in node.iter_child_nodes():
                yield from printed(child)

    return tuple(dict.fromkeys(printed(_environment().parse(text))))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in, bounded. Raises ValueError for a text that has faults."""
    if not is_template(text):
        return _bounded(filled(text, dict(values)))
    return _bounded(_compiled(text).render({name: values[name] for name in MESSAGE_FIELDS if name in values}))


@lru_cache(maxsize=256)
def _compiled(text: str) -> Any:
    """Checked again here: words can come from a person's edit too."""
    wrong = faults(text)
    if wrong:
        raise ValueError("; ".join(said if word is None else f"{said} ({word})" for said, word in wrong))
    return _environment().from_string(text)


def _bounded(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - len(_CUT)] + _CUT


@cache
def _environment() -> "ImmutableSandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Messages are text; each channel escapes for itself what it must.
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment
