"""A lab below a folder that PostgreSQL's user can't pass, as root's home is on Debian: it works, and nothing more is open than before."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.agent import fence, groups
from holdfast.agent.fence import Target
from holdfast.agent.launch import GroupLauncher
from holdfast.agent.os_user import View, as_user
from holdfast.agent.postgres import PostgresStore
from holdfast.agent.store import Launcher
from holdfast.lab.autopsy import fenced_contents
from holdfast.lab.ground import LabProblem, take_directory
from holdfast.lab.layout import Layout
from holdfast.lab.postgres_setup import prepare
from holdfast.plan.bindings import Bindings, ControllerBinding, PostgresBinding, TableBinding
from lab.fencing_rig import wait_for
from lab.lab_rig import left_of, running
from lab.postgres_store_rig import BIN, OS_USER, PASSWORDS, WEST, Side, pair
from lab.removal import remove

pytestmark = pytest.mark.root


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder for root alone, with something in it that is nobody else's business."""
    made = Path(tempfile.mkdtemp(prefix="holdfast-closed-"))
    (made / "diary").write_text("dear diary")
    (made / "diary").chmod(0o644)
    try:
        yield made
    finally:
        remove(made)


def only(binding: PostgresBinding, directory: Path) -> Bindings:
    """A site that reaches one database and nothing else."""
    return Bindings(
        environment="test",
        site="outside",
        resolver_host="127.0.0.1",
        resolver_port=53,
        controller=ControllerBinding(
            url="http://127.0.0.1:1", host="127.0.0.1", port=1, token_file=directory / "token", lease_key_file=directory / "key"
        ),
        agents={},
        components={"database": {WEST: binding}},
        functions={},
        observers={},
        state_directory=directory,
    )


def says(command: list[str], launcher: Launcher) -> str:
    return launcher.run(command, timeout_seconds=10).output


def test_a_lab_there_is_given_a_view_and_one_elsewhere_needs_none(closed: Path) -> None:
    taken = take_directory(Layout(closed / "clone" / "var" / "lab"))
    os.close(taken.lock)
    assert taken.view == View(closed, closed / "clone" / "var" / "lab")
    closed.chmod(0o711)
    taken = take_directory(Layout(closed / "clone" / "var" / "other"))
    os.close(taken.lock)
    assert taken.view is None


def test_where_no_view_can_be_made_the_closed_folder_is_named_and_nothing_is_left(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = closed / "tools"
    tools.mkdir()
    (tools / "unshare").write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    (tools / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with pytest.raises(LabProblem, match=rf"can't enter {closed}, .*Operation not permitted\). Open it with `chmod o\+x {closed}`"):
        take_directory(Layout(closed / "lab"))
    assert not (closed / "lab").exists()


def test_a_program_sees_its_folder_at_the_same_path_and_of_the_rest_nothing(closed: Path) -> None:
    (closed / "clone" / "lab").mkdir(parents=True)
    (closed / "clone" / "lab" / "file").write_text("the lab's")
    (closed / "clone" / "private").write_text("the clone's")
    target = Target("store", closed / "clone" / "lab", None)
    plain, shown = GroupLauncher(target, OS_USER), GroupLauncher(target, OS_USER, View(closed, closed / "clone" / "lab"))
    assert "Permission denied" in says(["ls", str(closed / "clone" / "lab")], plain)
    assert says(["cat", str(closed / "clone" / "lab" / "file")], shown) == "the lab's"
    assert says(["ls", str(closed), str(closed / "clone")], shown).split() == [f"{closed}:", "clone", f"{closed}/clone:", "lab"]
    assert "No such file" in says(["cat", str(closed / "diary")], shown)
    assert "Permission denied" in says(["cat", "/etc/shadow"], shown)
    assert says(["sh", "-c", "grep -c 'Cap[IPEA].*[[:space:]]0*$' /proc/self/status"], shown) == "4\n", "no capability came with it"
    assert (closed / "diary").exists()
    assert str(closed) not in Path("/proc/mounts").read_text(), "the machine's own mounts are as they were"


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_postgresql_is_made_written_copied_followed_and_fenced_there(closed: Path, mode: str) -> None:
    lab = closed / "clone" / "lab"
    (lab / "sites").mkdir(parents=True)
    view = View(closed, lab)
    west, east = lab / "sites" / "west", lab / "sites" / "east"
    prepare(west, east, bin_directory=BIN, os_user=OS_USER, passwords=PASSWORDS, view=view)
    with ExitStack() as last, pair() as places:  # for its ports and passwords; its own directories are not started

        def side(like: Side, directory: Path) -> tuple[PostgresStore, Target]:
            target = Target(f"test-{directory.name}", directory, groups.find_group(f"holdfast-{closed.name}-{directory.name}", mode))
            last.callback(lambda: groups.remove_group(target.group))
            configuration = replace(like.configuration, data_directory=directory, archive_directory=lab / f"{directory.name}-archive")
            store = PostgresStore(configuration, GroupLauncher(target, OS_USER, view))
            last.callback(store.close)
            last.callback(store.alive)  # asked once more, so that nobody stays behind as a zombie
            last.callback(fence.fence, target)
            return store, target

        (writer, written), (replica, _) = side(places.west, west), side(places.east, east)
        writer.start_writer(0, 1)
        replica.start_replica()
        places.west.ask("CREATE TABLE public.kept AS SELECT generate_series(1, 50) AS n")
        wait_for(lambda: places.east.ask("SELECT count(*) FROM pg_class WHERE relname = 'kept'").one()[0] == "1", 10, "it follows")
        places.west.ask("SELECT pg_switch_wal()")
        wait_for(lambda: any(not file.name.endswith(".part") for file in (lab / "west-archive").iterdir()), 10, "its log is archived")
        assert places.west.ask(f"SELECT array(SELECT pg_ls_dir('{closed}'))").one()[0] == "{clone}"
        assert len(fence.members(Target("store", written.directory, None))) > 3, "the fence finds it by its directory"
        done = fence.fence(written)
        assert done.clean
        assert done.killed > 3
        time.sleep(0.1)
        assert not fence.members(written)

        configured = places.west.configuration
        section: dict[str, Any] = {"data_directory": str(west), "bin_directory": str(BIN), "host": configured.host}
        section |= {"os_user": OS_USER, "view": view.as_json()}
        (lab / "agent.json").write_text(json.dumps({"postgres": section}))
        columns = TableBinding(request="n", epoch=None, region=None, written_at=None)
        binding = PostgresBinding(
            host="", port=0, database="voicehive", user="holdfast", password_file=configured.admin_password_file, records={"kept": columns}
        )
        (found,) = fenced_contents(lab / "agent.json", only(binding, lab), WEST, lab / "aside")
        assert found.records is not None, found.problem
        assert len(found.records) == 50, "a private copy of the fenced one says what it held"
        assert not (lab / "aside").exists()


def test_a_whole_lab_comes_up_there_and_goes_down(closed: Path) -> None:
    # It is up only when both stores, the log's way into the archive, the base backup and every function are. The default profile: this
    # is no test of time.
    with running(closed / "clone" / "var" / "lab", only=None, profile="default") as lab:
        for region in lab.regions:
            assert (lab.layout.site(region) / "postgres" / "postmaster.pid").exists()
    assert left_of(lab) == []
    assert closed.stat().st_mode & 0o777 == 0o700


def test_without_a_user_to_become_nothing_is_put_before_a_command(closed: Path) -> None:
    assert as_user(["true"], None, View(closed, closed / "lab")) == ["true"]
