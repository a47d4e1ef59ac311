"""`make setup`: on a machine without the packages (a private copy of this one, thrown away afterwards), and where nothing is to do."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.lab.ground import search_path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = "postgresql-common postgresql-client-common redis-server redis-tools haproxy knot knot-dnsutils"
ENTER = """
set -e
mount --make-rprivate /
mount -t tmpfs -o size=4g none {base}
cd {base}; mkdir upper work machine
mount -t overlay overlay -o lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work machine
mount -t proc proc machine/proc; mount --bind /dev machine/dev; mount -t tmpfs none machine/run; mount -t tmpfs none machine/tmp
mkdir machine/clone; cp -a {root}/scripts {root}/src {root}/pyproject.toml {root}/requirements.lock {root}/README.md machine/clone/
exec chroot machine /bin/sh -euc 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; cd /clone; {story}'
"""
"""A machine of its own: its files are this one's until it changes them, its processes end with it."""
NO_SERVERS = f"DEBIAN_FRONTEND=noninteractive apt-get -y -q purge {PACKAGES} >/dev/null 2>&1; rm -f /usr/sbin/policy-rc.d; "


def on_a_machine(story: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as base:
        script = ENTER.format(base=base, root=ROOT, story=story)
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        return subprocess.run(enter, capture_output=True, text=True, timeout=900, check=False)


def mark(text: str) -> str:
    return f'echo "== {text}"; '


def after(done: subprocess.CompletedProcess[str], text: str) -> list[str]:
    assert f"== {text}\n" in done.stdout, done.stdout + done.stderr
    lines = done.stdout.split(f"== {text}\n", 1)[1].splitlines()
    return list(itertools.takewhile(lambda line: not line.startswith("== "), lines))


@pytest.fixture(scope="module", autouse=True)
def a_debian() -> Iterator[None]:
    if not shutil.which("apt-get"):
        pytest.skip("needs Debian or Ubuntu")
    yield


@pytest.mark.root
@pytest.mark.prove
@pytest.mark.alone
def test_packages_come_without_starting_or_changing_a_service() -> None:
    done = on_a_machine(
        NO_SERVERS
        + 'printf "#!/bin/sh\\nexit 0\\n" > /usr/sbin/policy-rc.d; '
        + "chmod 750 /usr/sbin/policy-rc.d; touch -d 2020-01-01 /usr/sbin/policy-rc.d; "
        + mark("check") + "scripts/setup check 2>&1 || echo code $?; "
        + "scripts/setup demo >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }; "
        + mark("policy") + "stat -c '%a %y' /usr/sbin/policy-rc.d* | cut -c1-14; ".replace("'", '"')
        + mark("clusters") + "ls /etc/postgresql; ls /etc/postgresql-common | grep holdfast || true; "
        + mark("enabled") + "for unit in postgresql redis-server haproxy knot; do systemctl is-enabled $unit || true; done; "
        + mark("running") + "ps ax -o comm= | grep -E \"postgres|redis|haproxy|knot\" || true; "
        + mark("program") + ".venv/bin/holdfast --version; "
        + mark("again") + "scripts/setup demo; scripts/setup check"
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert after(done, "check")[-1] == "code 2"
    assert "apt-get install postgresql" in done.stdout
    assert after(done, "policy") == ["750 2020-01-01"]
    assert after(done, "clusters") == []
    assert after(done, "enabled") == ["disabled"] * 4
    assert after(done, "running") == []
    assert after(done, "program") == ["0.1.0"]
    assert after(done, "again") == []


@pytest.mark.root
@pytest.mark.prove
@pytest.mark.alone
def test_on_another_system_it_names_what_is_missing_and_how_to_get_it() -> None:
    done = on_a_machine(
        NO_SERVERS + 'rm /etc/os-release; echo ID=fedora > /etc/os-release; scripts/setup demo 2>&1 || echo code $?'
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "code 2"
    assert "missing here: PostgreSQL-server Redis HAProxy Knot-DNS" in done.stdout
    assert "dnf install postgresql-server redis haproxy knot" in done.stdout


@dataclass(frozen=True)
class Clone:
    """A clone on a machine that has every program, as stand-ins that do nothing; what would install anything notes down its arguments."""

    root: Path
    programs: Path
    calls: Path

    def setup(self, purpose: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}", "HOLDFAST_PYTHON": sys.executable}
        command = [str(self.root / "scripts" / "setup"), purpose]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    def has(self, name: str, does: str = "") -> None:
        _program(self.programs / name, f"#!/bin/sh\n{does}\n")

    def told(self) -> str:
        return self.calls.read_text() if self.calls.exists() else ""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", tmp_path / "programs", tmp_path / "calls")
    shutil.copytree(ROOT / "scripts", made.root / "scripts")
    (made.root / "tools" / "storage").mkdir(parents=True)
    for name in ("pyproject.toml", "requirements.lock", "tools/storage/go.mod"):
        shutil.copy(ROOT / name, made.root / name)
    notes_down = f'echo "$(basename "$0") $*" >> {made.calls}'
    for name in ("python", "holdfast"):
        _program(made.root / ".venv" / "bin" / name, f"#!/bin/sh\n{notes_down}\n")
    _program(made.root / "scripts" / "install-packages", f"#!/bin/sh\n{notes_down}\n")
    for name in ("apt-get", "sudo"):
        made.has(name, notes_down)
    for name in ("postgres", "pg_rewind", "redis-server", "haproxy", "knotd", "knsupdate", "setpriv", "chromium", "unshare", "go"):
        made.has(name)
    made.has("id", "echo 0")  # for root whoever runs the tests
    return made


def test_where_nothing_is_to_do_it_installs_nothing_and_says_nothing(clone: Clone) -> None:
    first = clone.setup("demo")
    assert (first.returncode, first.stderr) == (0, "")
    assert "installing the Python parts" in first.stdout
    assert "pip install" in clone.told()
    clone.calls.unlink()
    again = clone.setup("demo")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert clone.told() == ""


def test_a_clone_in_a_home_that_root_can_give_no_view_of_is_refused_before_anything_is_installed(clone: Clone) -> None:
    home = clone.root.parent
    home.chmod(0o700)
    clone.has("unshare", "exit 1")
    closed = next(folder for folder in (*reversed(home.parents), home) if not folder.stat().st_mode & 0o001)
    refused = clone.setup("demo")
    assert (refused.returncode, refused.stdout, clone.told()) == (2, "", "")
    assert f"chmod o+x {closed}\n" in refused.stderr
    assert refused.stderr.endswith("Nothing was installed.\n")
    clone.has("id", "echo 1000")
    assert "can't pass" not in clone.setup("demo").stderr, "who isn't root runs PostgreSQL as himself"


@pytest.mark.parametrize(("offered", "installed"), [("2:1.26~1", True), ("2:1.25~2", True), ("2:1.24~2", False), ("(none)", False)])
def test_debians_go_is_installed_for_the_tests_where_it_is_new_enough(clone: Clone, offered: str, installed: bool) -> None:
    if Path("/usr/local/go/bin/go").exists() or shutil.which("go", path="/usr/bin:/bin"):
        (clone.root / "scripts" / "setup").write_text(
            (ROOT / "scripts" / "setup").read_text().replace("! has_any go /usr/local/go/bin/go", "! has_any no-go-at-all")
        )
    (clone.programs / "go").unlink()
    (clone.root / "tools" / "storage" / "go.mod").write_text("module some\n\ngo 1.25.0\n")
    clone.has("apt-cache", f"printf 'golang-go:\\n  Installed: (none)\\n  Candidate: {offered}\\n'")
    assert clone.setup("demo").returncode == 0
    assert "golang-go" not in clone.told()
    done = clone.setup("test")
    assert (done.returncode, done.stderr) == (0, "")
    assert ("install-packages golang-go\n" in clone.told()) is installed


def _program(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)


def test_setup_and_the_lab_look_for_programs_in_the_same_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    looked = next(line for line in (ROOT / "scripts" / "setup").read_text().splitlines() if line.startswith("PATH=$PATH:"))
    assert looked.removeprefix("PATH=$PATH:").split(":") == search_path().split(":")[1:]


def test_it_refuses_a_purpose_that_it_does_not_know() -> None:
    done = subprocess.run([ROOT / "scripts" / "setup", "nonsense"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "say demo, test or check" in done.stderr


def test_the_lock_names_no_index_and_pins_every_part_with_a_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    parts = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(parts) > 30
    assert all("==" in part and part.endswith("\\") for part in parts)
