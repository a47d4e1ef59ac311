"""A draft → YAML, its sections in the order of the reference plan, every value with the line that says it as a comment."""

import io
import re
from typing import Any

from holdfast.document.reading.draft import Said

ORDER = (
    "schema",
    "name",
    "version",
    "summary",
    "timezone",
    "document",
    "objectives",
    "service_levels",
    "financial_tiers",
    "functions",
    "risks",
    "regions",
    "permitted_areas",
    "witness",
    "observers",
    "components",
    "replication",
    "replication_links",
    "monitoring",
    "dependencies",
    "vendors",
    "data",
    "people",
    "roles",
    "rotations",
    "audiences",
    "escalation",
    "approval",
    "profiles",
    "zone_notice",
    "access_notice",
    "routes",
    "templates",
    "messages",
    "scenarios",
    "procedures",
    "exercises",
    "exercise_process",
    "criteria",
    "reviews",
    "indicators",
    "improvement",
    "training",
    "regulations",
    "questions",
    "notes",
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ./()'%+-]*[A-Za-z0-9)%+]|[A-Za-z]|\d{1,6}(?:ms|[smhdwy])|\d{4}-\d{2}-\d{2}")
_RESERVED = re.compile(r"true|false|null|yes|no|on|off|y|n", re.I)
_LONGEST_LINE = 1_000_000
ADDED = "added by --bind lab: not in the document"


def plain_value(value: Any) -> Any:
    """A draft as plain values. Empty lists and mappings are left out, except those that the plan needs."""
    if isinstance(value, Said):
        return value.value
    if isinstance(value, dict):
        return {key: plain_value(one) for key, one in _ordered(value) if _kept(key, one)}
    if isinstance(value, list):
        return [plain_value(one) for one in value]
    return value


def _kept(key: str, value: Any) -> bool:
    if isinstance(value, Said):
        return value.value is not None
    if not isinstance(value, dict | list):
        return value is not None
    return bool(value) or key in ("triggers", "phases", "document", "objectives", "scenarios", "steps")


def _ordered(value: dict[str, Any]) -> list[tuple[str, Any]]:
    if "schema" not in value:
        return list(value.items())
    return [(key, value[key]) for key in (*ORDER, *(key for key in value if key not in ORDER)) if key in value]


def yaml_text(data: dict[str, Any], source: str, missing: tuple[str, ...]) -> str:
    """The plan's file. What is missing stands at its head."""
    from ruamel.yaml import YAML

    writer = YAML()
    writer.width = _LONGEST_LINE
    writer.indent(mapping=2, sequence=4, offset=2)
    tree = _noted(data, 0)
    head = [f"Imported from {source}. `# line n` is the line of the document that says it."]
    if missing:
        head += ["Not found in the document, and needed before this plan loads:", *(f"  {key}" for key in missing)]
    tree.yaml_set_start_comment("\n".join(head) + "\n")
    out = io.StringIO()
    writer.dump(tree, out)
    return out.getvalue()


def _remark(said: Said) -> str:
    return f"line {said.line}" if said.line > 0 else ADDED if said.line < 0 else ""


def _scalar(value: Any) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if not isinstance(value, str):
        return value
    if (
        "\n" in value
        and re.fullmatch(r"[^\s].*", value, re.S)
        and value.endswith("\n")
        and value.isprintable() is False
        and _literal(value)
    ):
        return LiteralScalarString(value)
    plain = _PLAIN.fullmatch(value) and not _RESERVED.fullmatch(value) and " #" not in value and ": " not in value
    return value if plain else DoubleQuotedScalarString(value)


def _literal(value: str) -> bool:
    lines = value.split("\n")
    return all(line.isprintable() and line == line.rstrip() for line in lines) and not value.endswith("\n\n") and bool(lines[0].strip())


def _noted(value: Any, depth: int) -> Any:
    """The tree that ruamel writes, with its comments."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, dict):
        mapping = CommentedMap()
        for key, one in _ordered(value):
            if not _kept(key, one):
                continue
            shape = _noted(one, depth + 1)
            mapping[key] = shape
            remark = _remark_of(one)
            if remark and isinstance(shape, LiteralScalarString):
                mapping.yaml_set_comment_before_after_key(key, before=remark, indent=_indent(depth))
            elif remark:
                mapping.yaml_add_eol_comment(remark, key, column=0)
        return mapping
    if isinstance(value, list):
        sequence = CommentedSeq()
        together = _one_remark(value) is not None
        for index, one in enumerate(value):
            sequence.append(_noted(one, depth + 2))
            if not together and isinstance(one, Said) and _remark(one):
                sequence.yaml_add_eol_comment(_remark(one), index, column=0)
        if together:
            sequence.fa.set_flow_style()
        return sequence
    return _scalar(value.value if isinstance(value, Said) else value)


def _indent(depth: int) -> int:
    return depth * 2


def _one_remark(value: list[Any]) -> str | None:
    """The remark of a short list that one line says whole: it is written in one line."""
    if not value or not all(isinstance(one, Said) for one in value) or len({one.line for one in value}) > 1:
        return None
    return _remark(value[0]) if sum(len(str(one.value)) for one in value) < 90 else None


def _remark_of(value: Any) -> str:
    if isinstance(value, Said):
        return _remark(value)
    return (_one_remark(value) or "") if isinstance(value, list) else ""
