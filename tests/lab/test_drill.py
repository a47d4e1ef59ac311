"""The drill on real servers: it passes, whoever is killed; nothing of it is left."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from holdfast.providers.sqlite.journal import JournalReader
from lab.broken_controller import DIED
from lab.drill_rig import drilled, place


def entries(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def died_of(directory: Path) -> list[str]:
    return (directory / "lab" / "controller" / DIED).read_text(encoding="utf-8").split()


@pytest.mark.timeout(400)
def test_a_drill_passes_though_the_controller_is_killed_at_fence_promotion_dns_and_on_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = ["fence@before", "promote-database@after", "switch-dns@before", "reprotect-database@after", "promote-home-database@before"]
    with place() as directory:
        over = drilled(directory, monkeypatch, broken=f"die:{','.join(deaths)}")
        assert over.report.verdict == "pass", over.said()
        assert set(died_of(directory)) == set(deaths)
        # A real report is held to its schema, and a real journal to its chain, over six controllers.
        schema = json.loads((files("holdfast.report") / "schema.json").read_text(encoding="utf-8"))
        found = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
        terms = [record.body["term"] for record in over.result.evidence.records if record.kind == "controller.started"]
        assert terms == list(range(1, len(deaths) + 2))
        assert len(list(JournalReader(directory / "lab" / "controller" / "journal.db").read())) == found["journal"]["records"]
        # Its files are below its directory only.
        assert entries(directory) == {"lab", "report.json", "report.html"}
        assert entries(directory / "lab") == {"log", "ledgers", "controller", "holdfast-lab", "lab.lock"}
