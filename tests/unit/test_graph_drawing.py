"""What stands on what, as a drawing that needs nothing else and can't be broken by a name."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.main import run
from holdfast.document.graph.build import Column, Edge, Graph, Node, dependencies_of, regions_of
from holdfast.document.graph.mermaid import mermaid
from holdfast.document.graph.svg import svg
from holdfast.document.graph.text import text
from holdfast.plan.loader import load

REFERENCE = Path("examples/voicehive/plan.yaml")


def test_every_function_component_and_outside_service_is_drawn_once() -> None:
    plan = load(REFERENCE).plan
    graph = dependencies_of(plan)
    names = [node.name for column in graph.columns for node in column.nodes]
    assert len(names) == len(set(names)) == len(plan.functions) + len(plan.components) + len(plan.dependencies)
    ends = {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges}
    assert ends <= set(names)


def test_what_is_needed_stands_right_of_what_needs_it() -> None:
    graph = dependencies_of(load(REFERENCE).plan)
    column_of = {node.name: number for number, column in enumerate(graph.columns) for node in column.nodes}
    assert all(column_of[edge.source] < column_of[edge.target] for edge in graph.edges)


def test_the_primary_region_stands_left_and_each_link_is_an_arrow_with_words() -> None:
    plan = load(REFERENCE).plan
    graph = regions_of(plan)
    assert graph.columns[0].title == "Primary region: eu-west-1"
    assert graph.columns[1].title == "DR region: eu-central-1"
    links = [edge for edge in graph.edges if edge.words]
    assert len(links) == len(plan.replication_links)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_the_drawing(title: str, words: str) -> None:
    nodes = (Node("a", title, "function", words), Node("b", words, "component"))
    graph = Graph(title, (Column(title, nodes),), (Edge("a", "b", words),), words)
    root = ElementTree.fromstring(svg(graph))
    assert root.tag.endswith("svg")
    assert "<script" not in svg(graph)
    assert mermaid(graph).startswith("graph LR\n")
    assert text(graph)


def test_the_drawing_asks_for_nothing_outside() -> None:
    drawn = svg(dependencies_of(load(REFERENCE).plan))
    assert drawn.count("http") == 1  # the name of SVG itself
    assert "<style" not in drawn


def test_the_command_draws_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", str(REFERENCE)]) == 0
    assert "Voice Call Processing (P1, back in 15 min)" in capsys.readouterr().out
    assert run(["graph", str(REFERENCE), "--of", "regions", "--format", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("graph LR")
    file = tmp_path / "plan.svg"
    assert run(["graph", str(REFERENCE), "--format", "svg", "-o", str(file)]) == 0
    assert ElementTree.fromstring(file.read_text()) is not None
    capsys.readouterr()
    assert run(["graph", str(REFERENCE), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"][0]["title"] == "Functions"


def test_a_file_that_can_not_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", str(REFERENCE), "-o", str(tmp_path / "no" / "plan.svg")]) == 2
    assert "can't be written" in capsys.readouterr().err
