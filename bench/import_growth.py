"""How an import grows with its document: `python -m bench.import_growth [SHAPE …]` prints a row a shape.

A shape is one way to make a document of any length: rows of a kind of table, headings, lists, links, long lines, drawings. Each is read
at a size, twice it and four times it. Linear growth doubles the time with the size (a ratio of 2); a square quadruples it. The aims are a
ratio below 3 and at most a second of CPU for 100 kB; a shape that is refused is refused at once, and says what and where.
"""

import gc
import sys
import time
from collections.abc import Callable
from itertools import pairwise

from holdfast.document.reading import DocumentError, import_document

Shape = Callable[[int], str]
"""How many → a document."""

MOST_RATIO = 3.0
MOST_SECONDS_FOR_100_KB = 1.0
_BYTES = 25_000
"""Of the smallest of three documents."""


def table(heads: str, row: str, before: str = "") -> Shape:
    """A table under a heading: `{n}` in its row is the row's number."""
    names = heads.split("|")
    head = f"{before}| {' | '.join(names)} |\n|{' --- |' * len(names)}\n"
    cells = " | ".join(row.split("|"))
    return lambda many: head + "".join(f"| {cells} |\n".replace("{n}", str(n)) for n in range(many))


def lines(line: str, before: str = "", after: str = "") -> Shape:
    """One line again and again: `{n}` in it is its number."""
    return lambda many: before + "".join(line.replace("{n}", str(n)) for n in range(many)) + after


_IN_A_LINE = 40
"""Pieces that one of the long lines stands for, which are much longer than other pieces."""
_STEPS = "## Scenario 1: Loss\n\n### Response procedure\n\n"
_ROLES = "# Roles\n\n| Role | Primary | Backup |\n| --- | --- | --- |\n"
_MESSAGE = "#### Notice {n}\n- **Method**: Email\n- **Recipients**: Group {n}\n- **Content**: Words\n- **Trigger**: Function{n} hit\n\n"
_MERMAID = "```mermaid\ngraph TB\n"
_PAIR = (
    'subgraph "Primary (eu-west-1)"\nA{n}[Database {n}]\nend\nsubgraph "DR (eu-north-1)"\nB{n}[Replica {n}]\nend\nA{n} -->|Async| B{n}\n'
)


def _roles_and_steps(many: int) -> str:
    return lines("| Role{n} | Person{n} A | Person{n} B |\n", _ROLES)(many) + "\n" + lines("- Notify person {n} by hand\n", _STEPS)(many)


def _messages_and_steps(many: int) -> str:
    return "## Communication\n" + lines(_MESSAGE)(many) + lines("- Notify group {n}\n", _STEPS)(many)


def _functions_and_messages(many: int) -> str:
    return table("Function|RTO", "Function{n} desk|4 h")(many) + "\n" + lines(_MESSAGE)(many)


def _functions_and_dependencies(many: int) -> str:
    return (
        table("Function|RTO", "Desk {n}|4 h")(many)
        + "\n"
        + table("Dependency|Needed by|RTO", "Carrier {n}|Desk {n} and Desk 0|1 h", "# D\n\n")(many)
    )


def _components_and_exercises(many: int) -> str:
    return (
        table("Component|Strategy|RTO", "Database {n}|Promote|15 min")(many)
        + "\n"
        + table("Test|Frequency|Success criteria", "Database {n} failover|Weekly|RTO < 15 min", "# T\n\n")(many)
    )


def _spans(many: int) -> str:
    return (
        "<table><tr><th>Function</th><th>RTO</th></tr>\n"
        + "<tr><td colspan=50 rowspan=500>long text</td></tr>\n" * many
        + "<tr><td>a</td></tr>\n" * many
        + "</table>\n"
    )


SHAPES: dict[str, Shape] = {
    "functions": table("Function|Priority|RTO|RPO|Impact", "Desk {n}|P1|4 h|15 min|Nobody can book"),
    "functions of one name": table("Function|Priority|RTO|RPO|Impact", "Desk|P1|4 h|15 min|Nobody can book"),
    "functions, wide names": table("Function|RTO", "{n} " + "wide name " * 20 + "|4 h"),
    "functions asked about": table("Function|Priority|RTO|RPO", "Desk {n}|?|some time|2-4 h"),
    "functions, other columns": table("Function|RTO|Weather|Colour", "Desk {n}|4 h|fine|blue"),
    "functions, two promises in a column": table("Function|RTO / RPO", "Desk {n}|4 h / 15 min"),
    "function items": lines("- **Desk {n}**\n  - RTO: 4 h\n  - RPO: N/A\n", "# Business functions\n"),
    "losses of others": lines("Desk {n} must be back in 4 h. We can lose 5 min of data of desk 1.\n\n", "# Business functions\n"),
    "resources": table("System Resource/Component|RTO|RPO", "Database {n}|4 h|15 min"),
    "tiers": table("Outage duration|Revenue loss|Customer impact|Regulatory risk", "{n}-99999 minutes|$1,000|Some|Low"),
    "components": table("Component|Strategy|Fallback|RTO|RPO", "Thing {n}|Promote|Restore|15 min|5 min"),
    "components of one kind": table("Component|Strategy|RTO|RPO", "Database {n}|Promote|15 min|5 min"),
    "roles": table("Role|Primary|Backup|Responsibilities", "Role {n}|Ann {n}|Bob {n}|Lead; tell", "# Roles\n\n"),
    "roles of one name": table("Role|Primary|Backup", "Lead|Ann {n}|Bob {n}", "# Roles\n\n"),
    "contacts": table("Name|Phone|Email", "Ann {n}|+49 30 55{n}000|ann{n}@a.example"),
    "vendors": table("Vendor|Service|Phone|Response time", "Firm|Lines|+49 30 555000|15 min"),
    "escalation": table("Severity|Response time|Escalation level|Notification method", "P1|5 min|Group {n}|Phone"),
    "exercises": table("Test|Frequency|Duration|Participants|Success criteria", "Move {n}|Weekly|60 min|Team|RTO < 15 min"),
    "indicators": table("KPI|Target|Measurement frequency", "Share {n}|> 95%|Monthly"),
    "regulations": table("Regulation|Requirement|Notify within", "Rule|Tell them|72 h"),
    "dependencies": table("Dependency|Fallback|RTO|Availability", "Carrier {n}|Other|1 h|99.9%"),
    "strange table": table("Weather|Colour", "fine {n}|blue"),
    "wide table": lambda many: "|" + "a|" * many + "\n|" + "-|" * many + "\n" + "|x" * many + "|\n",
    "wide tables": lambda many: ("|" + "a|" * 40 + "\n|" + "-|" * 40 + "\n|x|\n\n") * many,
    "one long cell": lambda many: f"| Function | RTO |\n| --- | --- |\n| {'word ' * min(many, 3900)} | 4 h |\n" * (1 + many // 3900),
    "functions and dependencies": _functions_and_dependencies,
    "components and exercises": _components_and_exercises,
    "roles and steps": _roles_and_steps,
    "messages": lines(_MESSAGE, "## Communication\n"),
    "messages and steps": _messages_and_steps,
    "functions and messages": _functions_and_messages,
    "templates": lines("### Note {n}\n```\nService: [x] {n}\nEnds [Timestamp]\n```\n", "## Templates\n"),
    "placeholders": lines("[a] ", "## Templates\n### One\n```\n", "\n```\n"),
    "placeholders in lines": lines("Impact [a] [b] [c] [d] at [Timestamp]\n", "## Templates\n### One\n```\n", "```\n"),
    "headings": lines("## Heading {n}\n"),
    "headings of all levels": lambda many: "".join(f"{'#' * (1 + n % 6)} Heading {n}\n\ntext {n}\n\n" for n in range(many)),
    "scenarios": lines("## Scenario {n}: Loss {n}\n- **Trigger**: alarm\n1. **Do (0-5 min)**\n   - promote\n\n"),
    "scenarios of one name": lines("## Scenario: Loss\n\n- do it\n\n"),
    "scenarios without a heading": lambda many: "## Activation\n" + lines("### Return to normal {n}\n- step {n}\n")(many),
    "function headings": lines("### Desk {n}\n- **RTO**: 4 h\n- **RPO**: 1 h\n", "# Business impact analysis\n"),
    "role headings": lines("### Lead {n}\n- **Primary**: Ann {n}\n- **Backup**: Bob {n}\n", "# Roles\n"),
    "component headings": lines("### Database {n} recovery\n- **Primary strategy**: promote\n- **RTO**: 5 min\n"),
    "lead-ins": lines("**Lead {n}:**\n\n- a\n\n---\n\n"),
    "triggers": lines("- alarm\n", "## Scenario 1: Loss\n\n**Trigger Conditions:**\n\n"),
    "steps": lines("- Promote the database replica {n}\n", _STEPS),
    "steps of one name": lines("- do it\n", _STEPS),
    "long steps": lines(f"- {'promote it ' * 300}\n", _STEPS),
    "phases": lines("1. **Phase {n} (0-5 minutes)**\n   - Promote the replica\n   - Notify customers\n", _STEPS),
    "labels": lines("- **Label {n}**: value\n"),
    "criteria": lines("- **Share {n}**: 95% of tests\n", "# Success criteria\n"),
    "sentences": lines("Booking {n} must be back within 4 hours and may lose 15 minutes of data.\n\n"),
    "people in sentences": lines("Ann Keane{n} is the incident lead; her deputy is Tom Ward. Reach her on +44 20 7946 0101.\n\n"),
    "a paragraph": lines("some words of a paragraph that goes on {n}\n"),
    "an item of many lines": lambda many: "- promote\n" + "  the replica promote\n" * many,
    "flat lists": lines("- item {n}\n"),
    "loose lists": lines("- item {n}\n\n  more\n\n"),
    "nested lists": lines("".join("  " * deep + "- x\n" for deep in range(8))),
    "nested quotes": lines("> " * 10 + "x\n"),
    "quotes and lists": lines("> - > - x\n"),
    "tasks and numbers": lines("{n}. item\n"),
    "reference definitions": lines("[a{n}]: http://a.example/{n} 'title'\n"),
    "broken definitions": lines("[a]: ‹\n"),
    "definitions that open a title": lines("[a]: b '\n"),
    "definitions that go on": lines("[a\n"),
    "links": lines("[text {n}](http://a.example/{n}) and ![x](y) "),
    "links in lines": lines("[text {n}](http://a.example/{n}) [x][y] <http://b.example>\n"),
    "brackets in lines": lines("[[[[((((]]\n"),
    "emphasis": lines("**a *b __c ~~d `e "),
    "entities": lines("&amp; &#65; &nosuch; "),
    "entities in lines": lines("&amp; &#65; &nosuch; &\n"),
    "inline html": lines("<b>x</b> <a href='"),
    "html blocks": lines("<div>\nx\n</div>\n\n"),
    "comments": lines("<!-- x -->\n\n"),
    "open comments": lines("<!-- x\n"),
    "html table": lines("<tr><td>Desk {n}</td><td>4 h</td></tr>\n", "<table><tr><th>Function</th><th>RTO</th></tr>\n", "</table>\n"),
    "html tables": lines("<table><tr><th>Function</th><th>RTO</th></tr><tr><td>Desk {n}</td><td>4 h</td></tr></table>\n"),
    "merged cells": _spans,
    "html in a table": lines("<![CDATA[ <!-- <? </ <a b='", "<table><tr><td>", "</td></tr></table>\n"),
    "html in a table's lines": lines("<![CDATA[ <!\n<!-- <?\n</ <a b='\n", "<table><tr><td>", "</td></tr></table>\n"),
    "openings in a table": lines("<\n", "<table><tr><td>", "</td></tr></table>\n"),
    "entities in a table": lines("&amp; & &nosuch &#\n", "<table><tr><td>", "</td></tr></table>\n"),
    "fences": lines("```\ncode {n}\n```\n"),
    "fences that never end": lines("```\n~~~\n"),
    "a long fence": lines("code {n}\n", "```\n", "```\n"),
    "code by indenting": lines("    code {n}\n"),
    "drawn edges": lines("A{n} --> B{n}\n", _MERMAID, "```\n"),
    "drawn pairs": lines(_PAIR, _MERMAID, "```\n"),
    "drawn groups in groups": lines('subgraph "Primary"\nA{n}[Database]\n', _MERMAID, "```\n"),
    "drawn watchers": lines("W{n}[Watch {n}]\n", _MERMAID + 'subgraph "Monitoring"\n', "end\n```\n"),
    "drawn noise": lines("A{n}[x --> | -- -.- \n", _MERMAID, "```\n"),
    "drawings": lines('```mermaid\ngraph TB\nsubgraph "Primary (eu-west-1)"\nA[Database]\nend\n```\n'),
    "front matter": lambda many: "---\n" + "".join(f"key{n}: value\n- item\n" for n in range(min(many, 90))) + "---\n" + "x\n" * many,
    "long lines": lambda many: ("x " * 9_000 + "\n") * -(-many // _IN_A_LINE),
    "lines without blanks": lambda many: ("x" * 19_000 + "\n") * -(-many // _IN_A_LINE),
    "digits": lambda many: ("1" * 19_000 + "\n\n") * -(-many // _IN_A_LINE),
    "capitals": lambda many: ("# Roles\n\n" + "A" * 19_000 + "\n\n") * -(-many // _IN_A_LINE),
    "back and back": lambda many: ("back again " * 1_700 + "\n\n") * -(-many // _IN_A_LINE),
    "numbers and signs": lambda many: ("1,000 - 2 h < 5 min of $1,000,000 " * 500 + "\n\n") * -(-many // _IN_A_LINE),
    "lengths in words": lambda many: (
        ("RTO of two and a half hours to three quarters of an hour 30 or 1/2 day " * 250 + "\n\n") * -(-many // _IN_A_LINE)
    ),
    "what stands beside lengths": table(
        "Function|RTO|RPO", "Desk {n}|" + ": , at most " * 60 + "4 h|" + "(" * 60 + "4 h" + " for (x)" * 60
    ),
    "targets and money": table("KPI|Target|Measurement frequency", "Share {n}|no less than 95% of $1,000 per hour|three times daily"),
    "hidden characters": lines("a\u202eb {n}\n"),
    "damaged text": lines("â€œFerryâ€ Ã© {n}\n"),
    "empty lines": lines("\n", "# x\n"),
    "rules across": lines("---\n\n"),
    "setext headings": lines("Heading {n}\n===\n\n"),
    "a heading of many lines": lines("Heading {n}\n", "", "===\n\n- a\n- b\n"),
    "procedures": lines("### Procedure {n}\n- step\n", "# Appendix\n"),
    "appendices": lines("### Appendix {n}\n[empty]\n", "# Appendices\n"),
    "introductions": lines("## Part {n}\nWords.\n### Sub\n"),
}


def seconds_of(text: str) -> tuple[float, str]:
    """CPU seconds of one import, and what came of it: empty, or why it was refused."""
    content = text.encode()
    gc.collect()
    begin = time.process_time()
    try:
        import_document(content, "any.md")
        said = ""
    except DocumentError as error:
        said = f"line {error.line}: {error.message}"
    return time.process_time() - begin, said


def sized(shape: Shape, size: int) -> int:
    """How many of its pieces make a document of about so many bytes."""
    one, some = len(shape(100).encode()), len(shape(200).encode())
    return max(100, 100 * size // max(some - one, 1))


def main(wanted: list[str]) -> int:
    """Print the table; the exit code is 1 when a shape misses an aim."""
    missed = []
    print(f"{'document':32} {'kB':>6} {'s/100 kB':>9} {'x 2':>6} {'x 4':>6}")
    for name, shape in SHAPES.items():
        if wanted and name not in wanted:
            continue
        many = sized(shape, _BYTES)
        texts = [shape(many * times) for times in (1, 2, 4)]
        spent, said = zip(*(seconds_of(text) for text in texts), strict=True)
        kilobytes = len(texts[-1].encode()) / 1000
        pace = spent[-1] / kilobytes * 100
        ratios = [after / max(before, 0.01) for before, after in pairwise(spent)]
        bad = pace > MOST_SECONDS_FOR_100_KB or (ratios[-1] > MOST_RATIO and spent[-1] > 0.1)
        missed += [name] if bad else []
        print(f"{name:32} {kilobytes:>6.0f} {pace:>9.2f} {ratios[0]:>6.1f} {ratios[1]:>6.1f} {'!' if bad else ' '} {said[-1]}", flush=True)
    print(f"missed their aim: {', '.join(missed)}" if missed else "every shape grows with its size, and no faster")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
