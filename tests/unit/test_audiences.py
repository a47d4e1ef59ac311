"""Audiences whose members stand outside the plan: a file, a directory that may be down, the last copy with its age, and nobody knows."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.communications import Directory, IncidentFacts, Member, Membership, due
from holdfast.controller.audiences import Audiences
from holdfast.plan.model import Audience
from holdfast.ports.audience import DirectoryUnreadableError
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.file.contacts import CsvAudience, member_of
from holdfast.providers.http.audience import HttpAudience
from unit.plan_texts import plan_with

START = 1_700_000_000.0
PLAN = plan_with()
HOTELS = PLAN.model_copy(update={"audiences": {**PLAN.audiences, "customers": Audience(name="Hotels", source="hotels.csv")}})
FACTS = IncidentFacts("inc-7", START, "eu-west-1", "eu-central-1", severity="P1", functions=("voice",), aware_seconds=START)


def told(directory: Directory, facts: IncidentFacts = FACTS) -> list[tuple[str, str, str | None]]:
    message = next(found for found in due(HOTELS, "regional-outage", facts, START + 900, directory) if found.message == "customers")
    return [(channel, recipient.identifier, recipient.address(channel)) for channel, recipient in message.deliveries]


def csv(tmp_path: Path, text: str) -> CsvAudience:
    (tmp_path / "hotels.csv").write_text(text, encoding="utf-8")
    return CsvAudience(tmp_path / "hotels.csv")


def test_each_member_is_told_over_the_channels_that_reach_it_and_named_by_its_number_only(tmp_path: Path) -> None:
    members = asyncio.run(csv(tmp_path, "id,name,email,phone\nh-1,Hôtel Ünal,desk@unal.example,\nh-2,Inn,,+353 20 912 0200\n").members())
    found = told(Directory({"customers": Membership(members, START)}))
    assert ("email", "customers:h-1", "desk@unal.example") in found
    assert not any(channel == "email" and identifier == "customers:h-2" for channel, identifier, _ in found)
    assert not any("@" in identifier for _, identifier, _ in found)


def test_an_exercise_reaches_no_member() -> None:
    members = (Member("h-1", "Hôtel Ünal", {"email": "desk@unal.example"}),)
    found = told(Directory({"customers": Membership(members, START)}), replace(FACTS, exercise="drill-3"))
    assert {identifier for _, identifier, _ in found} == {"exercise:customers"}


def test_nobody_knows_is_said_and_is_no_empty_list() -> None:
    directory = Directory({"customers": Membership(None, None, "down")})
    message = next(found for found in due(HOTELS, "regional-outage", FACTS, START + 900, directory) if found.message == "customers")
    assert message.unknown == ("customers",)
    assert [(channel, recipient.identifier) for channel, recipient in message.deliveries] == [
        ("status-page", "customers"),
        ("in-app", "customers"),
    ], "a page and a feed need no list"


def test_a_copy_counts_and_its_age_is_told() -> None:
    members = (Member("h-1", "Hôtel Ünal", {"email": "desk@unal.example"}),)
    directory = Directory({"customers": Membership(members, START + 900 - 7200, "down")})
    message = next(found for found in due(HOTELS, "regional-outage", FACTS, START + 900, directory) if found.message == "customers")
    assert message.deliveries
    assert "customers as of 120 min ago, since its directory does not answer" in message.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,email\nx,y@z.example\n", ":1: the first line must name the columns"),
        ("id,email\nh-1,nonsense\n", ":2: the email of h-1 is none"),
        ("id,email\nh-1,a@b.example\nh-1,c@d.example\n", ":3: the id h-1 stands in line 2 already"),
        ("id,email\nme@b.example,a@b.example\n", ":2: the id must be letters"),
        ("id,phone\nh-1,0800-CALL\n", ":2: the phone of h-1 is none"),
        ("id,email\nh-1,\n", ":2: h-1 has no address at all"),
        ('id,email\n"h-1,a@b.example\n', "is no CSV file"),
    ],
)
def test_a_file_that_can_not_be_used_whole_is_not_used_and_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DirectoryUnreadableError) as error:
        asyncio.run(csv(tmp_path, text).members())
    assert says in str(error.value)
    assert "a@b.example" not in str(error.value)


def test_the_last_good_answer_outlives_the_directory_and_the_controller(tmp_path: Path) -> None:
    source = csv(tmp_path, "id,email\nh-1,a@b.example\n")

    async def play() -> None:
        audiences = Audiences({"customers": source}, tmp_path / "copies", SystemClock())
        assert audiences.directory().unknown_of(["customers"]) == ("customers",)
        await audiences.read()
        (tmp_path / "hotels.csv").unlink()
        await audiences.read()
        known = audiences.directory().audiences["customers"]
        assert [member.identifier for member in known.members or ()] == ["h-1"]
        assert known.problem is not None
        assert "can't be read" in known.problem
        again = Audiences({"customers": source}, tmp_path / "copies", SystemClock()).directory().audiences["customers"]
        assert (again.members, again.as_of_seconds) == (known.members, known.as_of_seconds)

    asyncio.run(play())
    assert stat.S_IMODE((tmp_path / "copies" / "customers.json").stat().st_mode) == 0o600


def test_whoever_the_directory_forgets_is_forgotten_here(tmp_path: Path) -> None:
    source = csv(tmp_path, "id,email\nh-1,a@b.example\nh-2,c@d.example\n")
    audiences = Audiences({"customers": source}, tmp_path / "copies", SystemClock())
    asyncio.run(audiences.read())
    csv(tmp_path, "id,email\nh-2,c@d.example\n")
    asyncio.run(audiences.read())
    assert "a@b.example" not in (tmp_path / "copies" / "customers.json").read_text()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(body: bytes, status: str = "200 OK") -> object:
    """What an HTTP directory that answers so comes to."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def play() -> object:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await HttpAudience(f"http://127.0.0.1:{port}/members", member_of).members()

    return asyncio.run(play())


def test_a_directory_answers_with_its_members() -> None:
    body = json.dumps({"members": [{"id": "h-1", "name": "Inn", "email": "a@b.example", "phone": None}]}).encode()
    assert asked(body) == (Member("h-1", "Inn", {"email": "a@b.example"}),)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", "500 Oops"),
        (b"<html>", "200 OK"),
        (b"[]", "200 OK"),
        (b'{"members": [1]}', "200 OK"),
        (b'{"members": [{"id": "@"}]}', "200 OK"),
    ],
)
def test_whatever_is_no_list_of_members_is_no_answer(body: bytes, status: str) -> None:
    with pytest.raises(DirectoryUnreadableError):
        asked(body, status)


def test_a_directory_is_shown_its_token_as_it_is_now_and_no_error_says_a_secret() -> None:
    heads: list[bytes] = []
    tokens = iter(["first-token", "second-token"])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{"members": []}')
        await writer.drain()
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        directory = HttpAudience(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/members", member_of, lambda: next(tokens))
        async with server:
            for _ in range(2):
                assert await directory.members() == ()

    asyncio.run(play())
    assert [b"Bearer first-token" in heads[0], b"Bearer second-token" in heads[1]] == [True, True]

    def unreadable() -> str:
        raise PermissionError("token: permission denied; let the controller's user read it")

    for url, token in (("http://user:pass@127.0.0.1:1/members?key=secret", None), ("http://127.0.0.1:1/members?key=secret", unreadable)):
        with pytest.raises(DirectoryUnreadableError, match=r"127\.0\.0\.1:1/members (does not answer|was not asked)") as said:
            asyncio.run(HttpAudience(url, member_of, token).members())
        assert "secret" not in str(said.value) and "pass" not in str(said.value)


def test_a_directory_that_is_down_says_so() -> None:
    with pytest.raises(DirectoryUnreadableError, match="does not answer"):
        asyncio.run(HttpAudience("http://127.0.0.1:1/members", member_of).members())
