"""What every Post must do. A subclass says how a far end behaves, and what reached it."""

import asyncio
from enum import StrEnum

import pytest

from contract.suite import Suite
from holdfast.ports.post import Answer, Post

SILENT_SECONDS = 5.0
HEADERS = {"Content-Type": "application/json", "X-Mark": "1"}
CONTENT = '{"text": "größer → 1"}'.encode()


class Behaviour(StrEnum):
    """How the far end answers what it was handed."""

    YES = "200"
    NO = "403"
    FAULT = "500"
    ELSEWHERE = "302"
    SILENT = "silent"
    BREAKS = "breaks off without an answer"
    BREAKS_IN_THE_BODY = "breaks off in the body"
    ENDLESS = "a body without end"
    NONSENSE = "no HTTP"


class FarEnd:
    """Somebody's HTTP interface."""

    post: Post
    url: str

    def behave(self, how: Behaviour) -> None:
        raise AssertionError("a subclass behaves")

    def got(self) -> list[tuple[dict[str, str], bytes]]:
        """Headers (names in lower case) and content of every request that arrived whole."""
        raise AssertionError("a subclass listens")

    def go(self) -> None:
        """Nobody listens there any more."""
        raise AssertionError("a subclass goes")


class PostSuite(Suite):
    port = Post

    @pytest.fixture
    def far(self) -> FarEnd:
        raise AssertionError("a subclass provides the far end")

    def send(self, far: FarEnd, url: str | None = None) -> Answer:
        async def sent() -> Answer:
            async with asyncio.timeout(SILENT_SECONDS):
                return await far.post(far.url if url is None else url, HEADERS, CONTENT)

        return asyncio.run(sent())

    def test_a_request_arrives_whole_once_and_its_answer_comes_back_whole(self, far: FarEnd) -> None:
        self.held(far.post)
        answer = self.send(far)
        assert (answer.status, answer.body) == (200, b"answered")
        assert answer.headers["x-reference"] == "R1"
        assert all(name == name.lower() for name in answer.headers)
        ((headers, content),) = far.got()
        assert (content, headers["x-mark"], headers["content-type"]) == (CONTENT, "1", "application/json")

    @pytest.mark.parametrize("how", [Behaviour.NO, Behaviour.FAULT, Behaviour.ELSEWHERE])
    def test_a_no_is_an_answer_and_nothing_is_sent_anywhere_else_or_again(self, far: FarEnd, how: Behaviour) -> None:
        far.behave(how)
        assert self.send(far).status == int(how)
        assert len(far.got()) == 1

    @pytest.mark.parametrize(
        "how", [Behaviour.SILENT, Behaviour.BREAKS, Behaviour.BREAKS_IN_THE_BODY, Behaviour.ENDLESS, Behaviour.NONSENSE]
    )
    def test_where_nobody_knows_whether_it_was_taken_it_says_so_and_does_not_send_again(self, far: FarEnd, how: Behaviour) -> None:
        far.behave(how)
        with pytest.raises(TimeoutError) as said:
            self.send(far)
        assert far.url not in str(said.value) and "known" in str(said.value)
        assert len(far.got()) == 1

    def test_where_nobody_listens_nothing_was_handed_over(self, far: FarEnd) -> None:
        far.go()
        with pytest.raises(ConnectionError) as said:
            self.send(far)
        assert far.url not in str(said.value) and "127.0.0.1" not in str(said.value)

    @pytest.mark.parametrize(
        "url", ["", "nowhere", "ftp://127.0.0.1/secret-path", "http://", "http://[::1/secret-path", "http://127.0.0.1:99999/"]
    )
    def test_an_address_that_is_none_is_said_without_it(self, far: FarEnd, url: str) -> None:
        with pytest.raises(ConnectionError) as said:
            self.send(far, url)
        assert "secret-path" not in str(said.value)
        assert far.got() == []

    def test_it_goes_on_after_a_far_end_that_broke_off(self, far: FarEnd) -> None:
        for how in (Behaviour.YES, Behaviour.BREAKS, Behaviour.YES):
            far.behave(how)
            if how is Behaviour.YES:
                assert self.send(far).status == 200
            else:
                with pytest.raises(TimeoutError):
                    self.send(far)
        assert len(far.got()) == 3
