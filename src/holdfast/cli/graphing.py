"""`holdfast graph PLAN`: functions, components, dependencies and regions as a drawing.

Exit: 0 drawn; 2 the plan doesn't load, or the file can't be written.
"""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, file_or_dash, print_json, print_next, screen

SCHEMA = "holdfast/graph/v1"
GraphFormat = Literal["text", "svg", "mermaid"]
GraphKind = Literal["dependencies", "regions"]
Target = Annotated[
    str | None,
    Parameter(
        name=["--output", "-o"],
        allow_leading_hyphen=True,
        validator=file_or_dash,
        help="The file to write; without one, or with `-`, standard output. `json` gives nodes and edges for programs.",
    ),
]


def graph(plan: Path, *, of: GraphKind = "dependencies", format: GraphFormat = "text", output: Target = None) -> int:
    """Draw what stands on what, or the regions with their links.

    Example: `holdfast graph examples/voicehive/plan.yaml --format svg -o plan.svg`
    Example: `holdfast graph examples/voicehive/plan.yaml --of regions`

    Parameters
    ----------
    plan
        The plan's file.
    of
        `dependencies`: functions, components and outside services; `regions`: what runs where, and how data gets across.
    format
        `svg` needs nothing else, `mermaid` is drawn by many editors, `text` reads on any terminal.
    output
        Where to.
    """
    from holdfast.cli.run import loaded_plan
    from holdfast.document.graph.build import dependencies_of, regions_of

    loaded = loaded_plan(plan)
    drawn = dependencies_of(loaded.plan) if of == "dependencies" else regions_of(loaded.plan)
    if output == "json":
        print_json({"schema": SCHEMA, "digest": loaded.digest, "columns": drawn.columns, "edges": drawn.edges})
        return ExitCode.FINE
    if format == "svg":
        from holdfast.document.graph.svg import svg as written
    elif format == "mermaid":
        from holdfast.document.graph.mermaid import mermaid as written
    else:
        from holdfast.document.graph.text import text as written
    text = written(drawn)
    if output in (None, "-"):
        screen().file.write(text if text.endswith("\n") else text + "\n")
        return ExitCode.FINE
    file = Path(str(output))
    try:
        file.write_text(text)
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}. Name another file with -o") from error
    screen().print(f"written: {file}, {drawn.caption}", markup=False)
    print_next(f"xdg-open {file}")
    return ExitCode.FINE
