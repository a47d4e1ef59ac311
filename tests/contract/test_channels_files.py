"""Status page and feed over a place that behaves badly: what and where is said, nothing is half-published, and once mended it goes on."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.channels_rig import FILES, Far, FarChannel
from contract.notifier_suite import MESSAGE
from holdfast.ports.notifier import Notification

NAMES = {"status-page": "page", "in-app": "feed"}


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


def _other_kind_of_file(place: Path, kind: str) -> None:
    place.write_text("no folder") if kind == "status-page" else place.mkdir()


def _pipe(place: Path, kind: str) -> None:
    os.mkfifo(place)


def _link_to_nowhere(place: Path, kind: str) -> None:
    place.symlink_to(place.parent / "gone" / "away")


def _link_to_itself(place: Path, kind: str) -> None:
    place.symlink_to(place)


def _no_way_there(place: Path, kind: str) -> None:
    (place.parent / "elsewhere").write_text("a file")
    place.symlink_to(place.parent / "elsewhere" / "inside")


BAD: dict[str, Callable[[Path, str], None]] = {
    "another kind of file": _other_kind_of_file,
    "a pipe": _pipe,
    "a link to nowhere": _link_to_nowhere,
    "a link to itself": _link_to_itself,
    "a link below a file": _no_way_there,
}


def removed(place: Path) -> None:
    place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()


@pytest.mark.parametrize("how", BAD)
@pytest.mark.parametrize("kind", FILES)
def test_a_place_that_is_not_what_it_should_be_is_said_and_mended_it_takes_the_same_once(far: Far, kind: str, how: str) -> None:
    channel, place = FarChannel(far, kind), far.directory / NAMES[kind]
    BAD[how](place, kind)
    with pytest.raises(ConnectionError, match="give it room and permission") as said:
        asyncio.run(channel.notifier.send(MESSAGE))
    assert str(place) in str(said.value)
    removed(place)
    for _ in range(2):
        asyncio.run(channel.notifier.send(MESSAGE))
    assert channel.arrived() == [channel.shown(MESSAGE)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, small enough to be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "holdfast-test", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.root
@pytest.mark.parametrize("kind", FILES)
def test_a_full_disk_leaves_what_was_published_whole_and_goes_on_when_there_is_room(disk: Path, kind: str) -> None:
    far = Far(disk)
    try:
        channel = FarChannel(far, kind)
        asyncio.run(channel.notifier.send(MESSAGE))
        before = published(disk)
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"x" * 1024 * 1024)
        for number in range(400):  # what is left of the last block has room for some
            try:
                asyncio.run(channel.notifier.send(_other(number)))
            except ConnectionError as error:
                assert "No space left on device" in str(error) and "give it room" in str(error)
                break
        else:
            pytest.fail("a full disk took everything")
        assert channel.arrived()[0] == channel.shown(MESSAGE)
        assert before.keys() <= published(disk).keys(), "no page is lost over it"
        assert all(_is_whole(name, content) for name, content in published(disk).items())
        ballast.unlink()
        asyncio.run(channel.notifier.send(_other(number)))
        arrived = [key for key, _, _ in channel.arrived()]
        assert arrived == [MESSAGE.key, *(f"other/{one}" for one in range(number + 1))], "each once, and the last too"
    finally:
        far.close()


@pytest.mark.root
@pytest.mark.parametrize("kind", FILES)
def test_a_disk_that_may_only_be_read_is_said_and_what_stands_there_is_left_alone(disk: Path, kind: str) -> None:
    far = Far(disk)
    try:
        channel = FarChannel(far, kind)
        asyncio.run(channel.notifier.send(MESSAGE))
        before = published(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(ConnectionError, match="Read-only file system"):
            asyncio.run(channel.notifier.send(_other(1)))
        assert published(disk) == before
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        asyncio.run(channel.notifier.send(_other(1)))
        assert [key for key, _, _ in channel.arrived()] == [MESSAGE.key, "other/1"]
    finally:
        far.close()


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"inc-1": 1}', '{"inc-1": [{"key": "k"}]}', '{"inc-1": [{"stranger": 1}]}'])
def test_a_history_that_is_none_is_said_and_left_as_it_is(far: Far, content: str) -> None:
    page = far.directory / "page"
    page.mkdir()
    (page / "history.json").write_text(content)
    with pytest.raises(ConnectionError, match=r"history\.json that is its own"):
        asyncio.run(far.notifier("status-page").send(MESSAGE))
    assert (page / "history.json").read_text() == content


def test_a_page_that_is_a_link_is_replaced_and_what_it_led_to_is_left_alone(far: Far) -> None:
    page, other = far.directory / "page", far.directory / "other.html"
    page.mkdir()
    other.write_text("somebody else's")
    (page / "index.html").symlink_to(other)
    asyncio.run(far.notifier("status-page").send(MESSAGE))
    assert other.read_text() == "somebody else's" and MESSAGE.subject in (page / "index.html").read_text()


def test_a_feed_with_lines_that_are_none_takes_the_next_behind_them(far: Far) -> None:
    feed = far.directory / "feed"
    feed.write_bytes(b'\xff\xfe\n[]\n{"data": 3}\n{"id": 4, "event": "alert", "data": {"key": "torn')
    for _ in range(2):
        assert asyncio.run(far.notifier("in-app").send(MESSAGE)) == "in-app:5"
    lines = feed.read_bytes().split(b"\n")
    assert json.loads(lines[4])["data"]["key"] == MESSAGE.key and lines[5:] == [b""]


def _other(number: int) -> Notification:
    return replace(MESSAGE, key=f"other/{number}")


def published(disk: Path) -> dict[str, bytes]:
    """What a reader of the page or of the feed sees."""
    files = [disk / "feed", disk / "page" / "index.html", disk / "page" / "history.json", *(disk / "page" / "api").rglob("*.json")]
    return {str(file.relative_to(disk)): file.read_bytes() for file in files if file.is_file() and not file.name.startswith(".")}


def _is_whole(name: str, content: bytes) -> bool:
    if name == "feed":
        return all(json.loads(line)["id"] for line in content.split(b"\n")[:-1])
    return content.rstrip().endswith(b"</html>") if name.endswith(".html") else json.loads(content) is not None
