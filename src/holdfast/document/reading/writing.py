"""A draft → YAML, its sections in the order of the reference plan, every value with the line that says it as a comment.

Written line by line, since the round trip of an editing library costs fifty times as much; the file is edited by one afterwards. What is
written here reads back as the same values (a property test holds that).
"""

import re
from functools import lru_cache
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
    "status_page",
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
    "not_applicable",
    "notes",
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ./()'%+-]*[A-Za-z0-9)%+]|[A-Za-z]|\d{1,6}(?:ms|[smhdwy])|\d{4}-\d{2}-\d{2}")
_RESERVED = re.compile(r"true|false|null|yes|no|on|off|y|n", re.I)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONGEST_ROW = 90
"""Characters of a list that is written in one line."""
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
    head = [f"Imported from {_bare(source)}. `# line n` is the line of the document that says it."]
    if missing:
        head += ["Not found in the document, and needed before this plan loads:", *(f"  {_bare(key)}" for key in missing)]
    lines = [f"# {line}" for line in head]
    _mapping(data, 0, lines)
    return "".join(f"{line}\n" for line in lines)


def _mapping(value: dict[str, Any], indent: int, lines: list[str]) -> None:
    """Append the lines of a mapping's keys."""
    room = " " * indent
    for key, one in _ordered(value):
        if _kept(key, one):
            _keyed(f"{room}{_key(key)}:", one, indent, lines)


def _keyed(start: str, value: Any, indent: int, lines: list[str]) -> None:
    """Append a value behind its key. `start`: what stands before it in its first line; `indent`: of the key."""
    if isinstance(value, dict):
        head = len(lines)
        lines.append(start)
        _mapping(value, indent + 2, lines)
        if len(lines) == head + 1:
            lines[head] = f"{start} {{}}"
    elif isinstance(value, list):
        if not value or _in_one_row(value):
            lines.append(_remarked(f"{start} [{', '.join(_scalar(one.value) for one in value)}]", value[0] if value else None))
        else:
            lines.append(start)
            _items(value, indent + 2, lines)
    elif isinstance(value, Said) and isinstance(value.value, str) and _literal(value.value):
        if remark := _remark(value):
            lines.append(f"{' ' * indent}# {remark}")
        lines.append(f"{start} |")
        lines += [f"{' ' * (indent + 2)}{line}" if line else "" for line in value.value.removesuffix("\n").split("\n")]
    else:
        lines.append(_remarked(f"{start} {_scalar(value.value if isinstance(value, Said) else value)}", value))


def _items(value: list[Any], indent: int, lines: list[str]) -> None:
    """Append the lines of a list's items. A mapping begins beside its dash."""
    room = " " * indent
    for one in value:
        if isinstance(one, dict):
            head = len(lines)
            _mapping(one, indent + 2, lines)
            first = next((at for at in range(head, len(lines)) if not lines[at].lstrip().startswith("#")), head)  # a remark may stand first
            if len(lines) == head:
                lines.append(f"{room}- {{}}")
            else:
                lines[first] = f"{room}- {lines[first].lstrip()}"
        elif isinstance(one, list):
            _keyed(f"{room}-", one, indent, lines)
        else:
            lines.append(_remarked(f"{room}- {_scalar(one.value if isinstance(one, Said) else one)}", one))


def _in_one_row(value: list[Any]) -> bool:
    """Whether a list is short, and one line of the document says it whole."""
    if len(value) > _LONGEST_ROW or not all(isinstance(one, Said) for one in value) or len({_remark(one) for one in value}) > 1:
        return False
    return sum(len(str(one.value)) for one in value) < _LONGEST_ROW


def _remarked(line: str, value: Any) -> str:
    remark = _remark(value) if isinstance(value, Said) else ""
    return f"{line} # {remark}" if remark else line


def _remark(said: Said) -> str:
    if said.line < 0:
        return ADDED
    where = f"line {said.line}" if said.line else ""
    if not said.concluded:
        return where
    concluded = f"concluded: {_bare(said.concluded)}"
    return f"{where}, {concluded}" if where else concluded


def _bare(text: str) -> str:
    """Words as a comment can hold them: in one line, of characters that are printed."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


@lru_cache(maxsize=512)
def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][\w-]*", key, re.A) and not _RESERVED.fullmatch(key) else _quoted(key)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))  # without a point it would be read as a word
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    if _DATE.fullmatch(value):
        return f"'{value}'"
    plain = _PLAIN.fullmatch(value) and not _RESERVED.fullmatch(value)
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    """A scalar in double quotes, with an escape for what is not printed."""
    return '"' + "".join(character if character in _SAFE else _escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


_SAFE = frozenset(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~")


def _literal(value: str) -> bool:
    """Whether a text of several lines can be written as it stands."""
    if not value.endswith("\n") or value.endswith("\n\n") or value[0].isspace():
        return False
    lines = value.split("\n")
    return all(line.isprintable() and line == line.rstrip() for line in lines) and bool(lines[0])
