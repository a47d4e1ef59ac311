"""A plan over several files, people's contacts in a file of their own, and files that were never meant to be a plan."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from holdfast.cli.main import run
from holdfast.plan.loader import PlanError, digest_of, load
from unit.plan_texts import TEXT, changed, problems

PEOPLE = TEXT[TEXT.index("people:\n  # Engineering") : TEXT.index("roles:\n")]
EXERCISES = TEXT[TEXT.index("exercises:\n  regional") : TEXT.index("questions:")]


def written(directory: Path, **files: str) -> Path:
    """Files by name (`__` is a folder), and the path of plan.yaml among them."""
    for name, text in files.items():
        path = directory / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory / "plan.yaml"


def refused(path: Path) -> list[str]:
    with pytest.raises(PlanError) as error:
        load(path)
    return [str(problem) for problem in error.value.problems]


def split(directory: Path, include: str = "[people.yaml, tests/*.yaml]", **files: str) -> Path:
    rest = TEXT.replace(PEOPLE, "").replace(EXERCISES, "") + f"\ninclude: {include}\n"
    return written(directory, **{"plan": rest, "people": PEOPLE, "tests__schedule": EXERCISES, **files})


def test_a_plan_over_several_files_is_the_same_plan_and_each_value_knows_its_file(tmp_path: Path) -> None:
    path = split(tmp_path, whole=TEXT)
    loaded = load(path)
    assert loaded.digest == load(tmp_path / "whole.yaml").digest
    position = loaded.positions.nearest(("people", "aoife-brennan", "phone"))
    assert (Path(position.path).name, position.line) == ("people.yaml", 3)
    assert Path(loaded.positions.nearest(("objectives", "rto")).path) == path


def test_a_finding_shows_the_included_files_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(split(tmp_path)), "-o", "json"]) == 0
    found = [finding for finding in json.loads(capsys.readouterr().out)["findings"] if finding["code"] == "HF112"]
    assert [(Path(place["file"]).name, place["line"]) for place in found[0]["places"]] == [("people.yaml", 3), ("people.yaml", 4)]


def test_a_mistake_in_an_included_file_is_told_with_that_files_line(tmp_path: Path) -> None:
    said = refused(split(tmp_path, people=PEOPLE.replace("title: Platform Engineering Lead", "titel: Lead")))
    assert all(line.startswith(f"{tmp_path / 'people.yaml'}:3:") for line in said), said
    assert any("did you mean 'title'?" in line for line in said)


@pytest.mark.parametrize(
    ("more", "files", "says"),
    [
        ("none.yaml", {}, "there is no such file ('"),
        ("more/*.yaml", {}, "no file is meant by this ('more/*.yaml')"),
        ("../secrets.yaml", {}, "outside of the plan's folder"),
        ("/etc/hostname", {}, "by its path from here"),
        ("people.yaml", {}, "this file is included already"),
        ("plan.yaml", {}, "files include each other in a circle"),
        ("3", {}, "this must be the name of a file"),
        ("list.yaml", {"list": "[1, 2]"}, "this must be a mapping of keys to values"),
        ("a.yaml", {"a": "include: [b.yaml]", "b": "include: [a.yaml]"}, "b.yaml → "),
        ("more.yaml", {"more": "timezone: UTC"}, "already ('timezone')"),
        ("bad.yaml", {"bad": "a: &x 1"}, "bad.yaml:1:4: an anchor stands here"),
    ],
)
def test_what_is_wrong_with_an_include_is_told_with_its_place(tmp_path: Path, more: str, files: dict[str, str], says: str) -> None:
    said = refused(split(tmp_path, f"[people.yaml, tests/*.yaml, {more}]", **files))
    assert any(says in line for line in said), said


def test_what_is_included_is_a_list(tmp_path: Path) -> None:
    assert any("this must be a list of files" in line for line in refused(split(tmp_path, "people.yaml")))


def test_what_stands_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    said = refused(split(tmp_path, "[people.yaml, tests/*.yaml, more.yaml]", more="people:\n  elena-marin: { name: E, title: T }"))
    first = PEOPLE[: PEOPLE.index("elena-marin")].count("\n") + 1
    assert said == [
        f"{tmp_path / 'more.yaml'}:2:3: this stands in {tmp_path / 'people.yaml'}:{first}:3 already ('elena-marin') — keep one of the two"
    ]


def test_a_link_that_leads_out_of_the_folder_is_no_way_round(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("risks: {}\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    said = refused(split(tmp_path / "in", "[people.yaml, tests/*.yaml, link.yaml]"))
    assert any("outside of the plan's folder" in line for line in said)


def test_a_plan_handed_over_as_text_reads_no_other_file() -> None:
    assert "can't include files" in str(problems(TEXT + "\ninclude: [people.yaml]\n")[0])


CONTACTS = """\
elena-marin: { email: elena@voicehive.example, phone: "+353 20 912 0199" }
henrik-dahl: { chat: henrik }
"""
WITHOUT = (
    (', email: elena.marin@voicehive.example, phone: "+353 20 912 0149"', ""),
    (', email: henrik.dahl@voicehive.example, phone: "+353 20 912 0150"', ""),
)


def reached(directory: Path, reference: str, content: bytes | None = CONTACTS.encode()) -> Path:
    path = written(directory, plan=changed(*WITHOUT, ("people:\n  #", f"contacts: {reference}\n\npeople:\n  #")))
    if content is not None:
        (directory / "contacts.yaml").write_bytes(content)
    return path


def test_contacts_of_a_file_of_their_own_are_merged_and_are_no_part_of_the_digest(tmp_path: Path) -> None:
    path = reached(tmp_path, "contacts.yaml")
    before = load(path)
    assert before.plan.people["elena-marin"].phone == "+353 20 912 0199"
    assert before.plan.people["henrik-dahl"].chat == "henrik"
    (tmp_path / "contacts.yaml").write_text("henrik-dahl: { chat: henrik }\n")
    after = load(path)
    assert after.plan.people["elena-marin"].phone is None
    assert before.digest == after.digest == digest_of(before.plan) == digest_of(after.plan)


def test_an_encrypted_file_opens_with_the_key_that_the_plan_refers_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key()
    by_environment = "{ file: contacts.yaml, key: { environment: HOLDFAST_TEST_KEY } }"
    path = reached(tmp_path, by_environment, Fernet(key).encrypt(CONTACTS.encode()))
    monkeypatch.delenv("HOLDFAST_TEST_KEY", raising=False)
    assert "the key of the contacts is not in the environment ('HOLDFAST_TEST_KEY')" in refused(path)[0]
    monkeypatch.setenv("HOLDFAST_TEST_KEY", Fernet.generate_key().decode())
    assert "the key does not open this file" in refused(path)[0]
    monkeypatch.setenv("HOLDFAST_TEST_KEY", "short")
    assert "is no Fernet key" in refused(path)[0]
    monkeypatch.setenv("HOLDFAST_TEST_KEY", key.decode())
    assert load(path).plan.people["elena-marin"].email == "elena@voicehive.example"


@pytest.mark.parametrize(
    ("reference", "content", "says"),
    [
        ("contacts.yaml", None, "there is no such file"),
        ("contacts.yaml", b"nobody: { email: a@b.example }", "the plan has nobody of this name ('nobody')"),
        ("contacts.yaml", b"elena-marin: { email: 3 }", "this can't be read: email"),
        ("contacts.yaml", b"aoife-brennan: { phone: '1' }", "the plan itself says this person's phone too"),
        ("contacts.yaml", b"[1]", "this must be a mapping of people"),
        ("contacts.yaml", b"gAAAAABnothing", "is encrypted, and the plan names no key"),
        ("{ file: contacts.yaml, key: { file: none.key } }", b"x", "can't be read: there is no such file"),
        ("{ file: contacts.yaml, key: {} }", b"x", "a key is in one place"),
    ],
)
def test_what_is_wrong_with_contacts_is_told(tmp_path: Path, reference: str, content: bytes | None, says: str) -> None:
    said = refused(reached(tmp_path, reference, content))
    assert any(says in line for line in said), said


_MEASURED = """
import re, sys, time
from pathlib import Path
from holdfast.plan.loader import PlanError, load
began = time.process_time()
try:
    load(Path(sys.argv[1]))
except PlanError as error:
    print(error.problems[0])
print(time.process_time() - began, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
_MEGABYTE = 1024 * 1024
HOSTILE: dict[str, Callable[[], bytes]] = {
    "100 MB of nesting": lambda: b"[" * 100 * _MEGABYTE,
    "open lists": lambda: b"[" * 15 * _MEGABYTE,
    "lists in lists": lambda: b"- " * 7 * _MEGABYTE,
    "many values": lambda: b"- a\n" * 4 * _MEGABYTE,
    "open mappings": lambda: b"a: {" * 3 * _MEGABYTE,
    "many aliases": lambda: b"- *a\n" * 3 * _MEGABYTE,
    "tags": lambda: b"- !!python/object/apply:os.system [x]\n" * 300_000,
    "alias bomb": lambda: b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 200_000)),
    "UTF-16": lambda: "name: x\n".encode("utf-16") * _MEGABYTE,
    "no UTF-8": lambda: b"name: \xff\xff\n" * _MEGABYTE,
    "zeros": lambda: b"\x00" * 15 * _MEGABYTE,
    "an open quote": lambda: b"a: '" + b"x" * 15 * _MEGABYTE,
    "one key a thousand times a thousand": lambda: b"a: 1\n" * 3 * _MEGABYTE,
}


@pytest.mark.alone
@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_takes_more_than_a_second_or_300_mb_to_be_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(HOSTILE[name]())
    found = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-500:]
    problem, measured = found.stdout.splitlines()
    seconds, megabytes = map(float, measured.split())
    assert problem.startswith(f"{path}:")
    assert len(problem) < 500
    assert seconds < 2.0, "a second on a machine that does nothing else"
    assert megabytes < 300
