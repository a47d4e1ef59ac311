"""Markdown → sections and leaves with their lines.

The blocks come from markdown-it (tables switched on, nesting bounded). What stands within a line is not parsed by it but read by
`tree.plain`, so that time grows with the document's length only. HTML tables are cut out first, since Markdown ends them at an empty line.
Definitions of links (`[name]: address`) are left out here, as the addresses of links in a text are: markdown-it's own rule for them takes
the square of their number where titles stay open.
"""

import re
from typing import TYPE_CHECKING

from holdfast.document.reading.html_tables import read_table
from holdfast.document.reading.problems import DocumentError
from holdfast.document.reading.tree import Leaf, Section, Table, Tree, leaf_of, plain

if TYPE_CHECKING:
    from markdown_it.token import Token

DEEPEST = 40
_CONTAINERS = frozenset({"blockquote_open", "bullet_list_open", "ordered_list_open", "list_item_open"})
_NOT_SO_DEEP = f"at most {DEEPEST - 1} quotes, or {DEEPEST // 2 - 1} lists, in each other are read"
MOST_PARTS = 300_000
"""Tokens of all Markdown: three a cell or paragraph, some five an item of a list."""
MOST_TABLE_TEXT = 4_000_000
"""Characters in the rows of all tables together, with what merged cells repeat."""
LONGEST_HEADING = 300
"""Characters; a longer one is a paragraph that somebody underlined."""
_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})")
_BOLD_LINE = re.compile(r"^\*\*([^*]{1,120})\*\*:?$")
_FRONT = re.compile(r"^([A-Za-z][\w -]{0,60}):\s*(.*)$")
_FRONT_ITEM = re.compile(r"^\s+-\s+(.*)$|^-\s+(.*)$")
_MOST_FRONT_LINES = 200
_OPENING = re.compile(r"<table\b", re.I)
_CLOSING = re.compile(r"</table\s*>", re.I)
_COMMENT = re.compile(r"^<!--.*-->$", re.S)
_DEFINITION = re.compile(r"^\[[^\[\]]{1,200}\]:\s*<?[^\s<>]*[./#@][^\s<>]*>?(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?$")


def read_tree(lines: tuple[str, ...]) -> Tree:
    """The tree of a document. Raises DocumentError where it is nested too deeply or a table is broken."""
    from markdown_it import MarkdownIt

    front, start = _front_matter(lines)
    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable("table").disable(["inline", "text_join", "reference"])
    builder = _Builder(lines)
    budget = MOST_PARTS
    for first, piece, is_table in _pieces(lines, start):
        if is_table:
            table = read_table("\n".join(piece), first + 1)
            if table is not None:
                builder.table(table)
            continue
        tokens = _Tokens(budget, first)
        parser.block.parse("\n".join(piece), parser, {}, tokens)
        budget -= len(tokens)
        builder.tokens(tokens, first)
    return Tree(builder.sections, front)


def _front_matter(lines: tuple[str, ...]) -> tuple[dict[str, tuple[str, int]], int]:
    """Keys with plain values of a YAML front matter, and the index of the first line after it."""
    if not lines or lines[0].strip() != "---":
        return {}, 0
    end = next((index for index in range(1, min(len(lines), _MOST_FRONT_LINES)) if lines[index].strip() in ("---", "...")), None)
    if end is None or not any(_FRONT.match(line) for line in lines[1:end]):
        return {}, 0
    found: dict[str, tuple[str, int]] = {}
    last = ""
    for index in range(1, end):
        key = _FRONT.match(lines[index])
        item = _FRONT_ITEM.match(lines[index])
        if key is not None:
            last = key[1].strip()
            found[last] = (key[2].strip().strip("[]").strip("\"'"), index + 1)
        elif item is not None and last:
            text, line = found[last]
            found[last] = (", ".join(part for part in (text, (item[1] or item[2]).strip("\"'")) if part), line)
    return found, end + 1


def _pieces(lines: tuple[str, ...], start: int) -> "list[tuple[int, list[str], bool]]":
    """The document cut into Markdown and HTML tables: index of the first line, lines, whether it is a table."""
    pieces: list[tuple[int, list[str], bool]] = []
    first, fence, index = start, "", start
    while index < len(lines):
        line = lines[index]
        mark = _FENCE.match(line)
        if mark is not None and (not fence or (mark[1][0] == fence[0] and len(mark[1]) >= len(fence))):
            fence = "" if fence else mark[1]
        if not fence and "<" in line and _OPENING.search(line):
            end = next((at for at in range(index, len(lines)) if _CLOSING.search(lines[at])), None)
            if end is None:
                raise DocumentError("this table is opened and never closed", index + 1, "add </table>")
            pieces += [(first, list(lines[first:index]), False), (index, list(lines[index : end + 1]), True)]
            first = index = end + 1
        else:
            index += 1
    pieces.append((first, list(lines[first:]), False))
    return [piece for piece in pieces if any(line.strip() for line in piece[1])]


class _Tokens(list["Token"]):
    """The blocks of a piece of Markdown, bounded: cells that a table's short rows lack, and lists in lists, make much of little text."""

    def __init__(self, most: int, offset: int) -> None:
        super().__init__()
        self._most, self._line = most, offset

    def append(self, token: "Token") -> None:
        if len(self) >= self._most:
            at = next((one.map[0] for one in reversed(self) if one.map), 0)
            raise DocumentError("the document has too many table cells, items and paragraphs", self._line + at + 1, "import the plan alone")
        super().append(token)


class _Builder:
    """Puts blocks under their headings."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.sections: list[Section] = [Section("", 0, 1)]
        self._document = lines
        self._lists: list[tuple[bool, Leaf | None]] = []
        """Lists that are open: whether numbered, and the item that is being read."""
        self._written = 0
        """Characters in all rows of tables so far."""

    def heading(self, title: str, level: int, line: int) -> None:
        parent: Section | None = self.sections[-1]
        while parent is not None and parent.level >= level:
            parent = parent.parent
        section = Section(title, level, line, parent)
        if parent is not None:
            parent.children.append(section)
        self.sections.append(section)

    def table(self, table: Table) -> None:
        self._written += sum(len(row.text) for row in table.rows)
        if self._written > MOST_TABLE_TEXT:  # only merged cells can make more text of a document than it has
            raise DocumentError(
                "the merged cells of this document's tables repeat too much text", table.line, "write long texts beside tables"
            )
        self.sections[-1].tables.append(table)

    def tokens(self, tokens: "list[Token]", offset: int) -> None:
        """Blocks of one piece of Markdown whose first line has the index `offset`."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            line = offset + (token.map[0] if token.map else 0) + 1
            if token.level >= DEEPEST - 1 and token.type in _CONTAINERS:  # the parser leaves out, without a word, what stands deeper still
                raise DocumentError("lists or quotes stand too deep in each other here", line, _NOT_SO_DEEP)
            match token.type:
                case "heading_open" if len(tokens[index + 1].content) > LONGEST_HEADING:
                    pass
                case "heading_open":
                    self.heading(tokens[index + 1].content, int(token.tag[1]), line)
                    index += 1
                case "bullet_list_open" | "ordered_list_open":
                    self._lists.append((token.type == "ordered_list_open", None))
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    self._lists[-1] = (self._lists[-1][0], None)
                case "inline":
                    self._text(token.content, line, tokens, index)
                case "fence" | "code_block":
                    self._add(Leaf("fence", token.content, line + (1 if token.type == "fence" else 0), info=token.info.strip().lower()))
                case "html_block":
                    if not _COMMENT.match(token.content.strip()) and plain(token.content):
                        self._add(Leaf("paragraph", plain(token.content), line))
                case "hr":
                    self._end_lead_in()
                case "table_open":
                    index = self._markdown_table(tokens, index, offset)
            index += 1

    def _end_lead_in(self) -> None:
        """After a line across the page, what follows no longer belongs to a lead-in."""
        section = self.sections[-1]
        if section.level >= 7 and section.parent is not None:
            title, level, line = section.parent.title, section.parent.level, section.parent.line
            again = Section(title, level, line, section.parent.parent)
            if again.parent is not None:
                again.parent.children.append(again)
            self.sections.append(again)

    def _text(self, content: str, line: int, tokens: "list[Token]", index: int) -> None:
        if self._lists:
            leaf = leaf_of("item", content, line, ordered=self._lists[-1][0])
            if self._lists[-1][1] is None:
                self._add(leaf)
                self._lists[-1] = (self._lists[-1][0], leaf)
            else:
                self._lists[-1][1].children.append(leaf)
            return
        rows = [row.strip() for row in content.split("\n")]
        if content.startswith("[") and all(_DEFINITION.match(row) for row in rows):
            return
        bold = _BOLD_LINE.match(content.strip())
        follows = tokens[index + 2].type if index + 2 < len(tokens) else ""
        leads = content.rstrip().endswith(":") and len(content) <= 120 and follows in ("bullet_list_open", "ordered_list_open")
        if bold is not None or leads:
            self.heading((bold[1] if bold is not None else content).strip().rstrip(":"), 7, line)
            return
        leaves = [leaf_of("paragraph", row, line + number) for number, row in enumerate(rows)]
        if len(leaves) > 1 and not all(leaf.label for leaf in leaves):
            leaves = [leaf_of("paragraph", " ".join(rows), line)]
        for leaf in leaves:
            self._add(leaf)

    def _add(self, leaf: Leaf) -> None:
        """Under the item that is open around it, else under the section."""
        outer = next((item for _, item in reversed(self._lists) if item is not None), None)
        if outer is not None:
            outer.children.append(leaf)
        elif leaf.text.strip():
            self.sections[-1].leaves.append(leaf)

    def _markdown_table(self, tokens: "list[Token]", index: int, offset: int) -> int:
        """The table that opens at `index`; returns the index of its end."""
        headers: tuple[str, ...] = ()
        rows: list[Leaf] = []
        cells: list[str] = []
        line = first = offset + (tokens[index].map or [0])[0] + 1
        while tokens[index].type != "table_close":
            token = tokens[index]
            if token.type == "tr_open":
                cells, line = [], offset + (token.map[0] if token.map else 0) + 1
            elif token.type == "inline":
                cells.append(plain(token.content))
            elif token.type == "tr_close" and not headers:
                headers = tuple(cells)
            elif token.type == "tr_close" and any(cells):
                cells += self._beyond(line, len(headers))
                rows.append(Leaf("row", " | ".join(cells), line, cells=tuple(cells)))
            index += 1
        self.table(Table(headers, rows, first))
        return index

    def _beyond(self, line: int, columns: int) -> list[str]:
        """Cells of a row for which the table has no column: the parser leaves them out."""
        raw = self._document[line - 1]
        if raw.count("|") <= columns:
            return []
        cells = re.split(r"(?<!\\)\|", raw.strip().removeprefix("|"))
        return [text for cell in cells[columns:] if (text := plain(cell))]
