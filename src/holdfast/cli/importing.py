"""`holdfast import DOC.md`: a plan that people wrote as a document becomes one that Holdfast reads.

Here `-o FILE` names the plan's file, as the document's owner expects of a command that makes one; for programs there is `--format json`
(or `-o json`, as with every other command). Exit: 0 when the plan is complete, 1 when the document lacks what the plan needs (it is written
all the same, and the keys are named), 2 when the document can't be read (an empty file and one that is no Markdown among them) or the plan
can't be written.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.findings import quoted
from holdfast.cli.output import CommandError, ExitCode, State, print_json, print_next, screen, state_text, table
from holdfast.plan.problems import shortened

if TYPE_CHECKING:
    from holdfast.document.reading import Imported
    from holdfast.document.reading.damage import Repair
    from holdfast.document.reading.importing import Concluded

SCHEMA = "holdfast/import/v1"
_MOST_SHOWN = 20


def import_(
    document: Path,
    *,
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    format: Annotated[Literal["text", "json"], Parameter(name="--format")] = "text",
    bind: Literal["lab"] | None = None,
    force: Annotated[bool, Parameter(name="--force", negative="")] = False,
) -> int:
    """Read a plan written as a Markdown document, and say what was understood and what wasn't.

    Example: `holdfast import plan.md -o plan.yaml`

    Parameters
    ----------
    document
        The document: Markdown, with HTML tables, front matter and Mermaid diagrams.
    output
        File that the plan is written to; the plan goes to standard output without it. `json` means `--format json`.
    format
        What standard output holds: `text` for people, `json` for programs, with the plan in it.
    bind
        `lab`: add what the lab's regional outage drill needs and the document leaves open, each addition marked.
    force
        Write over a file that is there.
    """
    from holdfast.document.reading import DocumentError, import_document
    from holdfast.document.reading.damage import MOST_BYTES
    from holdfast.plan.regular_files import NotAFileError, bytes_of

    for_programs = format == "json" or output == "json"
    target = Path(output) if output not in (None, "json") else None
    if target is not None and target.exists() and not force:
        raise CommandError(f"{target} is there already, and nothing was written; name another file, or add --force to write over it")
    try:
        content = bytes_of(document, MOST_BYTES + 1)
        imported = _exported(content, document) or import_document(content, document.name, bind or "")
    except DocumentError as error:
        raise CommandError(f"the document can't be imported: {error.placed(str(document))}") from None
    except NotAFileError as error:
        raise CommandError(f"{document} can't be read: {error}; write the document to a file, and name it") from None
    except OSError as error:
        raise CommandError(f"{document} can't be read: {error.strerror or error}; check the path and its permissions") from None
    if target is not None:
        _write(target, imported.text)
    if for_programs:
        print_json(_report(document, target, imported))
    elif target is None:
        screen().out(imported.text, highlight=False, end="")
        _say(document, target, imported, stderr=True)
    else:
        _say(document, target, imported, stderr=False)
    return ExitCode.FINE if imported.complete else ExitCode.NOT_SO


def _exported(content: bytes, document: Path) -> "Imported | None":
    """What Holdfast exported itself is read back exactly. None for anybody else's document. Raises CommandError with every problem."""
    from holdfast.document.exact.reading import is_exported, read_exported
    from holdfast.document.reading.importing import Imported
    from holdfast.document.reading.writing import yaml_text
    from holdfast.plan.problems import PlanError

    text = content.decode("utf-8", "replace")
    if not is_exported(text):
        return None
    read = read_exported(text, str(document))
    if read.problems:
        raise CommandError("\n".join(["the exported document can't be read back:", *PlanError(read.problems).lines()]))
    counts = {name.replace("_", " "): len(value) for name, value in read.data.items() if isinstance(value, dict | list) and value}
    return Imported(yaml_text(read.data, document.name, ()), read.data, counts, (), (), (), (), (), (), (), (), 0)


def _write(target: Path, text: str) -> None:
    """Whole or not at all."""
    from holdfast.providers.file.writing import replaced

    try:
        replaced(target, text.encode())
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror or error}; check the folder and its permissions") from None


def _summary(imported: "Imported") -> str:
    parts = [", ".join(f"{count} {_counted(words, count)}" for words, count in imported.counts.items()) or "nothing was understood"]
    for count, one, more in (
        (len(imported.repairs), "damaged line repaired", "damaged lines repaired"),
        (len(imported.empty_appendices), "appendix empty", "appendices empty"),
        (imported.manual_steps, "step for people to tick off", "steps for people to tick off"),
    ):
        if count:
            parts.append(f"{count} {one if count == 1 else more}")
    return "; ".join(parts)


def _counted(words: str, count: int) -> str:
    """The word for one, where there is one."""
    if count != 1 or words == "people":
        return "person" if count == 1 else words
    irregular = {"severities": "severity", "dependencies": "dependency", "criteria": "criterion", "reviews": "review"}
    return irregular.get(words, words[:-1] if words.endswith("s") else words)


def _say(document: Path, target: Path | None, imported: "Imported", *, stderr: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    out = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True) if stderr else screen()
    if imported.missing:
        first = state_text(State.NEEDS_PERSON, f"the document lacks {len(imported.missing)} values that a plan needs")
    elif imported.unsaid:
        count = len(imported.unsaid)
        first = state_text(State.DONE, f"the plan loads; the document leaves {count} usual value{'s' if count != 1 else ''} unsaid")
    else:
        first = state_text(State.DONE, "the whole plan is there")
    out.print(Text.assemble(first, f" — {_summary(imported)}"))
    rows = _rows(document, imported)
    if rows:
        out.print()
        out.print(table(["what", "where", "says"], rows[:_MOST_SHOWN]))
        if len(rows) > _MOST_SHOWN:
            left = Counter(row[0] for row in rows[_MOST_SHOWN:])
            kinds = ", ".join(f"{count} {what}" for what, count in left.items())
            all_of_them = f"holdfast import {quoted(str(document))} -o json"
            out.print(f"… and {len(rows) - _MOST_SHOWN} more ({kinds}); `{all_of_them}` lists them all, whole")
        elif imported.concluded:
            out.print("What was concluded has a comment in the plan; `--format json` lists each with its line")
        out.print()
    if not stderr:
        name = str(target)
        print_next(
            f"holdfast check {name}"
            if not imported.missing
            else f"add what is not found (holdfast set {name} KEY VALUE), then: holdfast check {name}"
        )


def _rows(document: Path, imported: "Imported") -> list[list[Any]]:
    from rich.text import Text

    place = document.name
    rows: list[list[Any]] = [
        ["question", f"{place}:{asked.line}", Text(f"{asked.about}: {asked.says}{_choices(asked.choices)}")] for asked in imported.questions
    ]
    rows += [["not found", "", Text(key)] for key in imported.missing]
    rows += [["not understood", f"{place}:{note.line}", Text(f"{shortened(note.text, 100)} ({note.section})")] for note in imported.notes]
    rows += [["not said", "", Text(key)] for key in imported.unsaid]
    rows += _concluded_rows(place, imported.concluded)
    rows += [["there is none", f"{place}:{absent.line}", Text(f"{absent.about}: '{absent.says}'")] for absent in imported.absent]
    rows += [["repaired", f"{place}:{repair.line}", Text(_repaired(repair))] for repair in imported.repairs]
    rows += [["added", "", Text(text)] for text in imported.added]
    return rows


def _concluded_rows(place: str, concluded: "tuple[Concluded, ...]") -> list[list[Any]]:
    """A row for each reason and part of the plan: how often it was the reason, and where first."""
    from rich.text import Text

    alike: dict[tuple[str, str], list[Concluded]] = {}
    for one in concluded:
        alike.setdefault((one.about.partition(".")[0], one.because), []).append(one)
    rows: list[list[Any]] = []
    for (section, because), found in alike.items():
        first = found[0]
        what = f"{first.about} is {first.value}" if len(found) == 1 else f"{len(found)} values of {section}, the first {first.about}"
        rows.append(["concluded", f"{place}:{first.line}", Text(f"{what}: {because}")])
    return rows


def _repaired(repair: "Repair") -> str:
    """What was wrong with a line, and what became of it where that can be seen."""
    from holdfast.document.reading.damage import READ_WRONGLY

    if repair.was == repair.now:
        return f"{repair.because}: {shortened(repair.now, 80)}"
    why = "" if repair.because == READ_WRONGLY else f"{repair.because}: "
    return f"{why}{shortened(repair.was, 50)} → {shortened(repair.now, 50)}"


def _choices(choices: tuple[str, ...]) -> str:
    return f"; choose: {', '.join(choices)}" if choices else ""


def _report(document: Path, target: Path | None, imported: "Imported") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "document": str(document),
        "written": None if target is None else str(target),
        "complete": imported.complete,
        "understood": imported.counts,
        "manual_steps": imported.manual_steps,
        "missing": list(imported.missing),
        "questions": list(imported.questions),
        "concluded": list(imported.concluded),
        "not_applicable": list(imported.absent),
        "not_said": list(imported.unsaid),
        "not_understood": list(imported.notes),
        "repaired": list(imported.repairs),
        "empty_appendices": list(imported.empty_appendices),
        "added": list(imported.added),
        "plan": imported.value,
    }
