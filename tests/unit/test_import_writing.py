"""The plan's file as an import writes it reads back as the very values that were said, whatever they are."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from holdfast.document.reading.draft import Said
from holdfast.document.reading.writing import plain_value, yaml_text

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "yes",
        "on",
        "~",
        "1.0",
        "0x1",
        "1e3",
        "12:30",
        "2026-01-01",
        "- a",
        "# a",
        "a: b",
        "a #b",
        "",
        " ",
        "'",
        '"',
        "\\",
        "é\u2028\ufeff",
        "🚨",
    ]
)
LINES = st.lists(st.text(alphabet="ab {}#:- é🚨", max_size=12), min_size=1, max_size=4).map(lambda lines: "\n".join(lines) + "\n")
SAID = st.builds(
    Said,
    TEXTS | LINES | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6, allow_nan=False) | st.booleans(),
    st.integers(-1, 9999),
    st.sampled_from(["", "by its words", "two\nlines \x07 of # it"]),
)
KEYS = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True) | st.sampled_from(["on", "yes", "null", "true", "1", "a b", "ü"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SAID, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_was_said_reads_back(data: dict[str, Any]) -> None:
    text = yaml_text(data, "any.md", ("functions.\nx",))
    wanted = plain_value(data)

    assert (yaml.load(text, yaml.CSafeLoader) or {}) == wanted


def test_lines_of_a_text_and_where_each_value_stands_can_be_seen() -> None:
    data = {
        "name": Said("Plan", 1),
        "body": Said("Dear {name}\n\nBye\n", 7),
        "tasks": [Said("a", 3), Said("b", 3)],
        "steps": [{"id": Said("go", 4), "after": [Said("x", 4), Said("z", 5)]}],
        "made": Said("2026-01-01", -1),
    }
    assert yaml_text(data, "any.md", ()).splitlines()[1:] == [
        "name: Plan # line 1",
        "# line 7",
        "body: |",
        "  Dear {name}",
        "",
        "  Bye",
        "tasks: [a, b] # line 3",
        "steps:",
        "  - id: go # line 4",
        "    after:",
        "      - x # line 4",
        "      - z # line 5",
        "made: '2026-01-01' # added by --bind lab: not in the document",
    ]
