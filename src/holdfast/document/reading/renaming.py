"""New names for what the plan has already, wherever it is named: in lists of components, by `component`, and in questions about it.

Never here: which name anything gets (see `binding`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.document.reading.draft import Draft, Said

_NAME_COMPONENTS = frozenset({"needs", "stands_on", "components", "stored_in", "needed_by"})
"""Keys whose list names components."""


def ask_by_new_names(draft: Draft, section: str, renamed: Mapping[str, str]) -> None:
    """A question asks about a place of the plan, and that place has just taken another name."""

    def now(about: str) -> str:
        top, _, rest = about.partition(".")
        name, dot, key = rest.partition(".")
        return f"{section}.{renamed[name]}{dot}{key}" if top == section and name in renamed else about

    draft.questions = [replace(asked, about=now(asked.about)) for asked in draft.questions]
    draft.absent = [replace(absent, about=now(absent.about)) for absent in draft.absent]


def rename_within(value: Any, renamed: Mapping[str, str], *, names_component: bool) -> None:
    """Take the new names where a component is named. `names_component`: whether the items of a list do that."""
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, Said) and key == "component":
                value[key] = Said(renamed.get(one.value, one.value), one.line)
            else:
                rename_within(one, renamed, names_component=key in _NAME_COMPONENTS)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            if isinstance(one, Said) and names_component and isinstance(one.value, str):
                value[index] = Said(renamed.get(one.value, one.value), one.line)
            else:
                rename_within(one, renamed, names_component=False)
