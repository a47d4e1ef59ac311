"""Where an agent looks for a control group of its own: at the top, and in the part of the tree that it was given."""

from pathlib import Path

import pytest

from holdfast.agent import groups

V1 = "cgroup {mount} cgroup rw,nosuid,freezer 0 0\n"
V2 = "cgroup2 {mount} cgroup2 rw,nosuid,nsdelegate 0 0\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A /proc, and folders in place of the hierarchies, so that permissions are the test's."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    return tmp_path


def told(machine: Path, mounts: str, own: str) -> Path:
    (machine / "proc" / "mounts").write_text("proc /proc proc rw 0 0\n" + mounts)
    (machine / "proc" / "self" / "cgroup").write_text(own)
    return machine / "proc"


def test_a_delegated_subtree_is_tried_after_the_top(machine: Path) -> None:
    top = machine / "unified"
    processes = told(machine, V2.format(mount=top), "0::/user.slice/user-1000.slice/user@1000.service/app.slice/holdfast.scope\n")
    delegated = top / "user.slice" / "user-1000.slice" / "user@1000.service" / "app.slice" / "holdfast.scope"
    assert groups.places("auto", processes) == [("v2", top), ("v2", delegated)]
    assert groups.places("v1", processes) == []
    assert groups.places("none", processes) == []


def test_the_freezer_comes_first_and_each_place_once(machine: Path) -> None:
    first, second = machine / "freezer", machine / "unified"
    processes = told(machine, V2.format(mount=second) + V1.format(mount=first), "6:freezer:/lab\n3:cpu,cpuacct:/elsewhere\n0::/\n")
    assert groups.places("auto", processes) == [("v1", first), ("v1", first / "lab"), ("v2", second)]
    assert groups.places("v2", processes) == [("v2", second)]


def test_hierarchies_without_a_freezer_are_no_places(machine: Path) -> None:
    mounts = f"cgroup {machine}/cpu cgroup rw,cpu,cpuacct 0 0\ncgroup {machine}/systemd cgroup rw,name=systemd 0 0\n"
    assert groups.places("auto", told(machine, mounts, "1:name=systemd:/x\n")) == []


def test_without_permission_at_the_top_the_group_is_made_in_the_delegated_subtree(machine: Path) -> None:
    top, own = machine / "unified", machine / "unified" / "own.scope"
    own.mkdir(parents=True)
    (top / "store").write_text("")  # in the way of a folder of that name, whoever asks: permissions don't stop root
    processes = told(machine, V2.format(mount=top), "0::/own.scope\n")
    # The kernel puts these files into each new group; here they stand where the group will be.
    (own / "store").mkdir()
    for file, content in (("cgroup.procs", ""), ("cgroup.freeze", "0"), ("cgroup.events", "populated 0\nfrozen 1\n")):
        (own / "store" / file).write_text(content)
    group = groups.find_group("store", "auto", processes)
    assert group is not None
    assert (group.kind, group.path) == ("v2", own / "store")
    assert (own / "store" / "cgroup.freeze").read_text() == "0", "tried, and left running"


def test_where_nothing_can_be_made_there_is_no_group(machine: Path) -> None:
    top = machine / "unified"
    top.mkdir()
    (top / "store").write_text("")
    assert groups.find_group("store", "auto", told(machine, V2.format(mount=top), "0::/\n")) is None
