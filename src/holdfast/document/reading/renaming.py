"""New names for what the plan has already, wherever it is named: where the plan's own table of references says, and in questions about it.

Never here: which name anything gets (see `binding`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from holdfast.document.reading.draft import Draft, Said
from holdfast.plan.findings import values_at
from holdfast.plan.places import value_at
from holdfast.plan.references import REFERENCES

_STEPS = tuple(("scenarios", "*", phases, "*", "steps", "*", "component") for phases in ("phases", "reprotect", "way_back"))
"""Steps are no row of that table: what they name is looked at by itself."""


def take_new_names(draft: Draft, kind: Literal["function", "component"], renamed: Mapping[str, str]) -> None:
    """Everything that names a function or a component by an old name takes its new one."""
    patterns = [tuple(pattern.split(".")) for pattern, named in REFERENCES if kind in named.split(" or ")]
    for pattern in (*patterns, *(_STEPS if kind == "component" else ())):
        for place, one in list(values_at(draft.data, pattern)):
            if isinstance(one, Said) and isinstance(one.value, str) and one.value in renamed:
                *above, last = place
                value_at(tuple(above), draft.data)[last] = replace(one, value=renamed[one.value])
    _ask_by_new_names(draft, f"{kind}s", renamed)


def _ask_by_new_names(draft: Draft, section: str, renamed: Mapping[str, str]) -> None:
    """A question asks about a place of the plan, and that place has just taken another name."""

    def now(about: str) -> str:
        top, _, rest = about.partition(".")
        name, dot, key = rest.partition(".")
        return f"{section}.{renamed[name]}{dot}{key}" if top == section and name in renamed else about

    draft.questions = [replace(asked, about=now(asked.about)) for asked in draft.questions]
    draft.absent = [replace(absent, about=now(absent.about)) for absent in draft.absent]
