"""A plan is changed without an editor: comments stay, only what was asked for is touched, and nothing that wouldn't load is written."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from holdfast.cli.main import run
from holdfast.plan.document import read
from holdfast.plan.loader import load
from holdfast.plan.schema import plan_schema
from unit.plan_texts import TEXT, line_of


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def changed_lines(path: Path) -> list[tuple[str, str]]:
    return [(old, new) for old, new in zip(TEXT.splitlines(), path.read_text(encoding="utf-8").splitlines(), strict=True) if old != new]


def test_one_value_is_changed_and_every_other_line_stays_as_it_was(plan: Path) -> None:
    assert run(["set", str(plan), "functions.voice.rto", "20m"]) == 0
    assert changed_lines(plan) == [("    rto: 15m", "    rto: 20m")]
    assert load(plan).plan.functions["voice"].rto == 1200


def test_an_item_of_a_list_is_changed_and_a_comment_at_its_end_stays(plan: Path) -> None:
    assert run(["set", str(plan), "scenarios.regional-outage.phases.1.name", "Decision"]) == 0
    assert changed_lines(plan) == [("      - name: Decision and activation", "      - name: Decision")]
    assert run(["set", str(plan), "approval.way_back.if_unanswered", "escalate"]) == 0
    assert re.search(r"if_unanswered: escalate +# nothing is lost by staying where service is", plan.read_text())


def test_an_entry_is_added(plan: Path) -> None:
    assert run(["set", str(plan), "people.zoe", "{ name: Zoë, title: Engineer }"]) == 0
    assert run(["set", str(plan), "audiences.on-call.people.1", "zoe"]) == 0
    after = load(plan).plan
    assert (after.people["zoe"].name, after.audiences["on-call"].people) == ("Zoë", ("piotr-zielinski", "zoe"))
    assert len(plan.read_text().splitlines()) == len(TEXT.splitlines()) + 3


@pytest.mark.parametrize(
    "sentence", ["Nobody answers: guests wait", "Guests wait # and complain", "Nobody is told who:", 'It says "out: of order"', "a: b"]
)
def test_a_sentence_is_taken_whole_whatever_yaml_would_make_of_its_marks(sentence: str, plan: Path) -> None:
    assert run(["set", str(plan), "functions.voice.impact", sentence]) == 0
    assert load(plan).plan.functions["voice"].impact == sentence


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("functions.voice.rto", "20", "'20' is not a duration"),
        ("functions.voice.rot", "20m", "did you mean 'rto'?"),
        ("functions.vice.rto", "20m", "the plan has no place 'functions.vice.rto'"),
        ("functions.voice.rto.x", "20m", "the plan has no place"),
        ("roles.technical-lead.backup", "nobody", "the plan has no person of this name"),
        ("functions.voice.rto", "[", "this is not YAML"),
        ("functions.voice.rto", "20m\nrpo: 5m", "a place takes one value"),
    ],
)
def test_what_would_not_load_is_refused_and_the_file_stays(
    plan: Path, capsys: pytest.CaptureFixture[str], place: str, value: str, says: str
) -> None:
    assert run(["set", str(plan), place, value]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "nothing was changed" in said
    assert plan.read_text() == TEXT


def test_a_question_is_answered_where_it_belongs_and_then_gone(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["answer", str(plan), "exercises.tabletop.every", "yearly"]) == 2
    assert "the choices are: half-yearly, 2y" in capsys.readouterr().err
    assert run(["answer", str(plan), "exercises.tabletop.every", "half-yearly", "-o", "json"]) == 0
    after = load(plan)
    assert after.plan.exercises["tabletop"].every == 182 * 86400
    assert after.plan.questions == ()
    assert json.loads(capsys.readouterr().out)["digest"] == after.digest
    assert run(["answer", str(plan), "exercises.tabletop.every", "half-yearly"]) == 2
    assert "the plan asks nothing" in capsys.readouterr().err


def test_an_answer_that_reads_like_a_message_field_is_a_value_like_any_other(plan: Path) -> None:
    asked = "questions:\n  - { about: functions.voice.workaround, says: What can guests do meanwhile }\n"
    text = TEXT.replace("    workaround: ", "    # workaround: ", 1).replace("questions: # until", f"{asked}  # until", 1)
    plan.write_text(text, encoding="utf-8")
    assert run(["answer", str(plan), "functions.voice.workaround", "incident"]) == 0
    assert load(plan).plan.functions["voice"].workaround == "incident"


def test_a_value_of_an_included_file_is_changed_there(tmp_path: Path) -> None:
    people = TEXT[TEXT.index("people:\n  # Engineering") : TEXT.index("roles:\n")]
    questions = TEXT[TEXT.index("questions:") : TEXT.index("exercise_process:")]
    (tmp_path / "people.yaml").write_text(people + "\n" + questions)
    path = tmp_path / "plan.yaml"
    rest = TEXT.replace(people, "").replace(questions, "questions:\n  - { about: functions.voice.mtpd, says: How long at most }\n\n")
    path.write_text(rest + "\ninclude: [people.yaml]\n")
    before = path.read_text()
    assert run(["set", str(path), "people.elena-marin.chat", "elena"]) == 0
    assert path.read_text() == before
    assert run(["set", str(path), "questions.1.says", "Twice a year, or every second year?"]) == 0
    assert load(path).plan.questions[1].says.startswith("Twice")
    assert run(["answer", str(path), "exercises.tabletop.every", "2y"]) == 0
    assert load(path).plan.people["elena-marin"].chat == "elena"
    assert [question.about for question in load(path).plan.questions] == ["functions.voice.mtpd"]
    assert "lasts: 2h" in path.read_text()


SCHEMA = plan_schema()


def complaints(data: object) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(data)]


def test_the_schema_is_one_and_the_reference_plan_keeps_to_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert complaints(read(TEXT.encode(), "plan.yaml").data) == []


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("objectives", {"rto": 30}),
        ("objectives", {"rto": "soon"}),
        ("objectives", {"rot": "30m"}),
        ("messages", {"m": {"audience": ["a"], "channels": ["pigeon"], "due": "5m"}}),
        ("indicators", {"i": {"name": "x", "target": "about 5", "every": "monthly"}}),
        ("improvement", {"i": {"name": "x", "every": "now and then"}}),
        ("document", {"owner": "x", "next_review": "tomorrow"}),
        (
            "scenarios",
            {
                "s": {
                    "name": "x",
                    "triggers": [],
                    "phases": [{"name": "p", "window": ["0s", "5m"], "steps": [{"id": "a", "block": "dance"}]}],
                }
            },
        ),
        ("functions", {"Voice Calls": {"name": "x"}}),
    ],
)
def test_a_broken_plan_does_not_keep_to_it(section: str, value: object) -> None:
    assert complaints({**read(TEXT.encode(), "plan.yaml").data, section: value})


def test_editors_are_told_what_things_mean_and_how_they_are_written() -> None:
    rto = SCHEMA["$defs"]["Function"]["properties"]["rto"]
    assert rto["pattern"].startswith("^(")
    assert "15m" in rto["examples"]
    assert SCHEMA["$defs"]["Function"]["properties"]["workaround"]["description"] == "What customers can do meanwhile."
    assert SCHEMA["$defs"]["Canary"]["properties"]["every"]["default"] == "1s"
    assert "include" in SCHEMA["properties"]


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_contacts_are_encrypted_and_shown_through_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, secret, key = tmp_path / "contacts.yaml", tmp_path / "contacts.enc", tmp_path / "contacts.key"
    plain.write_text("elena-marin: { chat: elena }\n")
    assert run(["contacts", "encrypt", str(plain), "--to", str(secret), "--key-file", str(key)]) == 0
    assert key.stat().st_mode & 0o077 == 0
    assert b"elena" not in secret.read_bytes()
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT.replace("people:\n  #", "contacts: { file: contacts.enc, key: { file: contacts.key } }\n\npeople:\n  #", 1))
    capsys.readouterr()
    assert run(["contacts", "show", str(path), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"]["elena-marin"]["chat"] == "elena"
    key.write_bytes(b"no key")
    assert run(["contacts", "encrypt", str(plain), "--to", str(secret), "--key-file", str(key)]) == 2
    assert "holds no Fernet key" in capsys.readouterr().err


def test_a_line_of_the_plan_is_where_the_message_says(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["set", str(plan), "functions.voice.rto", "x"])
    assert f"{plan}:{line_of('    rto: 15m')}:10:" in capsys.readouterr().err


def test_a_plan_that_does_not_load_is_mended_value_by_value(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking = TEXT.replace("    rto: 10m\n    rpo: 15m\n", "    rpo: 15m\n", 1).replace(
        "    impact: Settings cannot be changed for a while\n", "", 1
    )
    plan.write_text(lacking, encoding="utf-8")
    assert run(["set", str(plan), "functions.configuration.impact", "Nothing can be set"]) == 0
    assert "1 problem is left before the plan loads\n" in capsys.readouterr().out
    assert run(["set", str(plan), "components.cache.rto", "10m"]) == 0
    assert "the plan's digest is" in capsys.readouterr().out
    assert load(plan).plan.components["cache"].rto == 600


@pytest.mark.parametrize(("place", "value"), [("components.cache.rto", "soon"), ("functions.voice.rot", "20m")])
def test_what_may_not_stand_in_a_plan_that_does_not_load_is_refused(
    plan: Path, place: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = TEXT.replace("    rto: 10m\n    rpo: 15m\n", "    rpo: 15m\n", 1)
    plan.write_text(lacking, encoding="utf-8")
    assert run(["set", str(plan), place, value]) == 2
    assert "nothing was changed" in capsys.readouterr().err
    assert plan.read_text(encoding="utf-8") == lacking


def test_a_question_about_words_in_a_text_is_answered_with_the_field_that_takes_their_place(plan: Path) -> None:
    says = "says: \"'[Moment]': it can mean more than one thing\", words: '[Moment]'"
    asked = f"questions:\n  - {{ about: templates.update, {says}, choices: [started, elapsed] }}\n"
    text = TEXT.replace('subject: "{incident} after {elapsed}: {state}"', "subject: 'As of [Moment]: {state}'", 1)
    plan.write_text(text.replace("questions: # until", f"{asked}  # until", 1), encoding="utf-8")
    assert run(["answer", str(plan), "templates.update", "elapsed"]) == 0
    after = load(plan).plan
    assert after.templates["update"].subject == "As of {elapsed}: {state}"
    assert [question.about for question in after.questions] == ["exercises.tabletop.every"]
