"""What a person may pass over, told as nights on call: with a reason, and never what the right to write rests on."""

import shutil
from pathlib import Path

import pytest

from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.plan.loader import load
from unit.conduct_on_paper import PLAN_FILE, Paper, lost_and_approved

ONE = "exercise-one"


def test_skipping_a_step_needs_a_reason() -> None:
    paper = Paper()
    paper.outcomes["dns.switch"] = "refused"
    lost_and_approved(paper)
    assert "needs a reason" in paper.command("choose", ONE, step="switch-dns", choice="skip")
    assert paper.command("choose", ONE, step="switch-dns", choice="skip", reason="done at the registrar") == "accepted"


@pytest.mark.parametrize("word", ["skip", "done"])
def test_a_fence_is_passed_over_by_nobodys_word(word: str) -> None:
    paper = Paper()
    paper.outcomes["fence"] = "refused"
    lost_and_approved(paper)
    said = paper.command("choose", ONE, step="fence", choice=word, reason="I pulled its plug")
    assert said == f"refused: {word} is no choice for fence; choose one of: retry"
    del paper.outcomes["fence"]
    assert paper.command("choose", ONE, step="fence", choice="retry") == "accepted"
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED


def test_a_fence_in_a_run_that_moves_no_writer_keeps_nobody_from_the_way_home(tmp_path: Path) -> None:
    """It can never be confirmed there, as nobody approves such a run."""
    shutil.copytree(PLAN_FILE.parent, tmp_path / "plan")
    file = tmp_path / "plan" / PLAN_FILE.name
    export = "          - { id: export-divergence, block: divergence.export"
    file.write_text(file.read_text().replace(export, f"          - {{ id: fence-again, block: fence }}\n{export}, after: [fence-again]", 1))
    paper = lost_and_approved(Paper(plan=load(file).plan))
    paper.region_answers()
    paper.command("failback", ONE)
    assert paper.incident.state is State.NEEDS_PERSON
    assert paper.command("choose", ONE, step="fence-again", choice="skip", reason="the source is fenced") == "accepted"
    assert paper.incident.state is State.AWAITING_RETURN_APPROVAL


def skipping(*steps: str, proof: str) -> Paper:
    """The promotion was refused and skipped, and so was, or was not, its proof."""
    paper = Paper()
    paper.outcomes |= {"postgres.promote": "refused", "postgres.verify": proof}
    lost_and_approved(paper)
    for step in steps:
        assert paper.command("choose", ONE, step=step, choice="skip", reason="promoted by hand") == "accepted"
    paper.region_answers()
    return paper


def test_traffic_moves_to_no_database_whose_promotion_was_skipped_until_its_proof_has_seen_a_write() -> None:
    paper = skipping("promote-database", "verify-database", proof="refused")
    assert not {"switch-load-balancer", "switch-dns"} & set(paper.begun)
    waits = {record.body["step"]: record.body["reason"] for record in paper.records if record.kind == Kind.STEP_WAITING}
    assert "promote-database was skipped, and no postgres.verify has seen a write" in waits["switch-load-balancer"]
    promoted = skipping("promote-database", proof="succeeded")
    assert "switch-dns" in promoted.begun
    assert promoted.incident.state is State.RECOVERED
