"""The plan's format as a JSON Schema (2020-12), made from its types, so that editors complete and explain what may stand where.

What a schema can't say (that a name exists, that a window ends after its start) stays with the loader. Descriptions are the types'
own docstrings.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from holdfast.plan.blocks import BLOCKS
from holdfast.plan.including import INCLUDE
from holdfast.plan.model import Plan
from holdfast.plan.values import DURATION_PATTERN, duration_text
from holdfast.plan.wordlists import CHANNELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def plan_schema() -> dict[str, Any]:
    """The whole schema, as plain values."""
    made = Plan.model_json_schema(by_alias=True)
    definitions = made.pop("$defs")
    for part in (made, *definitions.values()):
        _tidy(part)
    described = {kind.__name__: kind for kind in _parts(Plan)}
    for name, schema in ((made.get("title", "Plan"), made), *definitions.items()):
        if name in described:
            _describe(schema, described[name])
    for name in ("Step", "WayStep"):
        definitions[name]["properties"]["block"] |= {"enum": [block.name for block in BLOCKS.values() if block.of_the_plan]}
    for name in ("Message", "Escalation", "ZoneNotice", "AccessNotice", "Reach"):
        definitions[name]["properties"]["channels"]["items"] = {"enum": sorted(CHANNELS)}
    definitions["Contacts"] = {"anyOf": [{"type": "string", "description": "Path of the file."}, definitions["Contacts"]]}
    made["required"] = [name for name in made["required"] if name != "observers"]
    made["properties"][INCLUDE] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Other files of the plan, by their paths from here; `*` may stand for any letters.",
    }
    return {
        "$schema": DIALECT,
        "title": "Holdfast plan",
        **{key: value for key, value in made.items() if key != "title"},
        "$defs": definitions,
    }


def _tidy(schema: Any) -> None:
    """Defaults as a plan writes them, and no titles that only repeat a key."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item)
    if not isinstance(schema, dict):
        return
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    default = schema.get("default")
    if _is_duration(schema) and isinstance(default, int | float):
        schema["default"] = duration_text(float(default))
    elif isinstance(default, dict | list) or default is None:
        schema.pop("default", None)
    for name, inner in schema.items():
        if name == "properties":
            for value in inner.values():
                value.pop("title", None)
                _tidy(value)
        else:
            _tidy(inner)


def _is_duration(schema: Mapping[str, Any]) -> bool:
    return any(one.get("pattern") == DURATION_PATTERN for one in (schema, *schema.get("anyOf", ())))


def _describe(schema: dict[str, Any], kind: type[BaseModel]) -> None:
    """Put the docstrings of a type and of its fields where editors show them."""
    schema["description"] = " ".join((inspect.getdoc(kind) or "").split())
    said = _field_docs(kind)
    for name, field in kind.model_fields.items():
        found = schema.get("properties", {}).get(field.alias or name)
        if found is not None and name in said:
            found["description"] = said[name] if "description" not in found else f"{said[name]} {found['description']}"


def _field_docs(kind: type[BaseModel]) -> dict[str, str]:
    """Field → the text below it in the source."""
    tree = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next((node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__), [])
    docs: dict[str, str] = {}
    for field, text in pairwise(body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            docs[field.target.id] = " ".join(text.value.value.split())
    return docs


def _parts(kind: Any, seen: set[Any] | None = None) -> Iterator[type[BaseModel]]:
    """Every type that a plan is made of."""
    seen = set() if seen is None else seen
    if isinstance(kind, type) and issubclass(kind, BaseModel) and get_origin(kind) is None:
        if kind in seen:
            return
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from _parts(field.annotation, seen)
        return
    for argument in get_args(kind):
        yield from _parts(argument, seen)
