"""The lab's copying between buckets: what it hears of, and in which order it arrives on the other side."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.lab import storage_servers
from holdfast.lab.bucket import Bucket, StoredObject
from holdfast.lab.changes import ReadInLog
from holdfast.lab.copier import Copier
from holdfast.lab.ground import LabProblem
from holdfast.lab.storage_paths import DIRECTION_KEY
from holdfast.lab.storage_servers import StorageServer

AGENT = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1"


def noted(operation: str, key: str, path: str, status: int = 200, error: str = "-") -> str:
    """A line as the real server writes it."""
    return (
        f"lab voicehive [23/November/2026:23:46:56 +0000] 127.0.0.1 lab AS54FBCJDM6XDW2K s3_{operation} {key} {path} "
        f"{status} {error} 0 5 0 0 - {AGENT} - t0U7= SigV4 - AuthHeader s3.eu-west-1.amazonaws.com - arn:aws:s3:::/voicehive/{key} Yes\n"
    )


def test_what_was_written_is_read_in_the_log_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(
        "log starts 2026-11-23\n"
        + noted("CreateBucket", "-", "/voicehive")
        + noted("PutObject", "recordings/1", "/voicehive/recordings/1")
        + noted("GetObject", "recordings/1", "/voicehive/recordings/1")
        + noted("PutObject", "recordings/a b", "/voicehive/recordings/a%20b")
        + noted("PutObject", "refused", "/voicehive/refused", 412, "PreconditionFailed")
        + noted("PutObject", "recordings/2", "/elsewhere/recordings/2")
        + noted("CompleteMultipartUpload", "big", "/voicehive/big?uploadId=7")
    )
    changes = ReadInLog(log, "voicehive")
    assert changes.since_last() == ["recordings/1", "recordings/a b", "big"]
    assert changes.since_last() == []
    with log.open("a") as file:
        file.write(noted("PutObject", "recordings/3", "/voicehive/recordings/3") + "lab voicehive [half a li")
        file.flush()
        assert changes.since_last() == ["recordings/3"]
        file.write("ne\n" + noted("PutObject", "recordings/4", "/voicehive/recordings/4"))
    assert changes.since_last() == ["recordings/4"]


def test_a_long_log_is_read_to_its_end_at_once_because_a_mark_vouches_for_all_of_it(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = [noted("PutObject", f"recordings/{number}", f"/voicehive/recordings/{number}") for number in range(8000)]
    log.write_text("".join(lines))
    assert log.stat().st_size > 2 * 1024 * 1024
    assert len(ReadInLog(log, "voicehive").since_last()) == len(lines)


class Kept(Bucket):
    """A bucket in memory that notes the order of what it is given."""

    def __init__(self, region: str) -> None:
        super().__init__("", 0, "voicehive", region)
        object.__setattr__(self, "objects", {})
        object.__setattr__(self, "given", [])

    objects: dict[str, StoredObject]
    given: list[str]

    def get(self, key: str) -> StoredObject | None:
        return self.objects.get(key)

    def put(self, key: str, stored: StoredObject) -> None:
        self.objects[key] = stored
        self.given.append(key)

    def all_keys(self) -> "list[str]":  # type: ignore[override]
        return sorted(self.objects)


class Told:
    def __init__(self) -> None:
        self.keys: list[str] = []

    def since_last(self) -> list[str]:
        found, self.keys = self.keys, []
        return found


def test_what_was_found_lacking_comes_before_the_time_marks_that_vouch_for_it() -> None:
    west, east, told = Kept("eu-west-1"), Kept("eu-central-1"), Told()
    direction = StoredObject(json.dumps({"from": "eu-west-1", "epoch": 1}).encode(), {})
    for key in ("holdfast/marker/eu-west-1", "recordings/before-2", "recordings/before-1", "recordings/heard"):
        west.put(key, StoredObject(b"", {}))
    west.put(DIRECTION_KEY, direction)
    told.keys = ["holdfast/marker/eu-west-1", "recordings/heard", "holdfast/marker/eu-west-1", DIRECTION_KEY]
    copier = Copier("eu-west-1", west, east, told)
    copier.turn(0.0)
    assert east.given[-1] == "holdfast/marker/eu-west-1"
    assert sorted(east.given[:-1]) == ["recordings/before-1", "recordings/before-2", "recordings/heard"]
    told.keys = ["recordings/before-1", "holdfast/marker/eu-west-1", "recordings/heard"]
    copier.turn(1.0)
    assert east.given[-3:] == ["recordings/before-1", "recordings/heard", "holdfast/marker/eu-west-1"]


class Writing(Kept):
    """The region that is written: its writes are numbered, and its time mark holds the number reached. Whoever reads it, or lists it, is
    overtaken by what is written `meanwhile`."""

    def __init__(self, meanwhile: list[str]) -> None:
        super().__init__("eu-west-1")
        object.__setattr__(self, "told", Told())
        object.__setattr__(self, "meanwhile", meanwhile)
        object.__setattr__(self, "written", 0)
        self.write(DIRECTION_KEY, json.dumps({"from": "eu-west-1", "epoch": 1}).encode())

    told: Told
    meanwhile: list[str]
    written: int

    def write(self, key: str, content: bytes) -> None:
        self.put(key, StoredObject(content, {}))
        self.told.keys.append(key)

    def record(self) -> None:
        object.__setattr__(self, "written", self.written + 1)
        self.write(f"recordings/{self.written}", b"")

    def mark(self) -> None:
        self.write("holdfast/marker/eu-west-1", str(self.written).encode())

    def get(self, key: str) -> StoredObject | None:
        self.go_on()
        return super().get(key)

    def all_keys(self) -> "list[str]":  # type: ignore[override]
        listed = super().all_keys()
        self.go_on()
        return listed

    def go_on(self) -> None:
        if self.meanwhile:
            {"record": self.record, "mark": self.mark}[self.meanwhile.pop(0)]()


def vouched_for(east: Kept) -> int:
    mark = east.get("holdfast/marker/eu-west-1")
    return 0 if mark is None else int(mark.content)


@given(st.lists(st.sampled_from(["record", "mark"]), max_size=40), st.integers(1, 4), st.integers(0, 8), st.booleans())
def test_a_mark_that_arrives_vouches_only_for_what_arrived_before_it(meanwhile: list[str], at_once: int, first: int, marked: bool) -> None:
    """A mark that is read in its turn, behind what else waits, would speak of what was written since and waits still."""
    west, east = Writing(meanwhile), Kept("eu-central-1")
    for _ in range(first):
        west.record()
    if marked:
        west.mark()
    copier = Copier("eu-west-1", west, east, west.told, at_once)

    def turn() -> None:
        copier.turn(0.0)
        missing = [number for number in range(1, vouched_for(east) + 1) if east.get(f"recordings/{number}") is None]
        assert not missing, f"{vouched_for(east)} are vouched for"

    for _ in range(60):
        turn()
    west.mark()
    for _ in range(60):
        turn()
    assert vouched_for(east) == west.written, "in the end all are"


def test_marks_arrive_though_a_backlog_never_ends() -> None:
    west, east = Writing([]), Kept("eu-central-1")
    copier = Copier("eu-west-1", west, east, west.told, 2)
    for _ in range(50):
        for _ in range(3):
            west.record()
        west.mark()
        copier.turn(0.0)
    assert 0 < vouched_for(east) < west.written


def test_nothing_heard_of_is_lost_when_a_side_is_silent_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    west, east, told = Kept("eu-west-1"), Kept("eu-central-1"), Told()
    west.put(DIRECTION_KEY, StoredObject(json.dumps({"from": "eu-west-1", "epoch": 1}).encode(), {}))
    west.put("recordings/1", StoredObject(b"", {}))
    told.keys = [DIRECTION_KEY, "recordings/1"]
    copier = Copier("eu-west-1", west, east, told)

    def silent(_: object, key: str) -> StoredObject | None:
        raise OSError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(Kept, "get", silent)
        with pytest.raises(OSError, match="no answer"):
            copier.turn(0.0)
    copier.turn(1.0)
    assert east.given == ["recordings/1"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(storage_servers, "TOOLS", tmp_path / "tools")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    (tmp_path / "tools").mkdir()
    return tmp_path / "tools" / "versitygw"


def test_the_real_server_is_chosen_where_it_is_installed_and_only_there(program: Path, tmp_path: Path) -> None:
    lab = tmp_path / "not" / "there" / "yet"
    assert storage_servers.chosen(None, lab) is StorageServer.MOTO
    with pytest.raises(LabProblem, match="make storage"):
        storage_servers.chosen("versitygw", lab)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert storage_servers.chosen(None, lab) is StorageServer.VERSITYGW
    assert storage_servers.chosen("moto", lab) is StorageServer.MOTO
    with pytest.raises(LabProblem, match="no storage server"):
        storage_servers.chosen("floppy", lab)


def test_a_file_system_without_attributes_is_no_ground_for_the_real_server(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    assert storage_servers.chosen(None, tmp_path) is StorageServer.MOTO
    with pytest.raises(LabProblem, match="keeps no attributes"):
        storage_servers.chosen("versitygw", tmp_path)


def test_secrets_are_on_no_command_line(tmp_path: Path) -> None:
    start = storage_servers.start(StorageServer.VERSITYGW, "127.1.1.12:29000", "eu-west-1", tmp_path, "key", "the secret")
    assert "the secret" not in " ".join(start.command)
    assert "the secret" in start.environment.values()
