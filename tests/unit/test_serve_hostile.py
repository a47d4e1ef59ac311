"""What people with bad intentions send to the doors, and crowds: nothing gets in, and whoever means well is still answered."""

import ast
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast
from holdfast.console.serving import doors, patience
from holdfast.console.serving.accounts import TRIES, TRIES_FROM_ANYWHERE, TRIES_SECONDS, Accounts, NotSignedIn, Tokens
from holdfast.console.serving.doors import HEADERS, NEEDS
from holdfast.console.serving.sessions import Sealer
from holdfast.decision.access import Scope
from holdfast.decision.links import BadLink, Deed, Link, opened, sealed
from holdfast.journal.kinds import Kind
from unit.serve_rig import PASSWORD, Served, serving, with_accounts
from unit.test_serve import hidden, sign_in

FORMS = [path for (method, path), needs in NEEDS.items() if method == "POST" and not path.startswith("/in/")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with_accounts(tmp_path)
    public = tmp_path / "public"
    (public / "api" / "v2").mkdir(parents=True)
    (public / "index.html").write_text("all is well")
    (public / ".draft").write_text("not yet")
    (tmp_path / "outside").write_text("a secret beside it")
    (public / "way-out").symlink_to(tmp_path / "outside")
    with serving(tmp_path, status_folder=str(public)) as running:
        yield running


def said_raw(served: Served, content: bytes, seconds: float = 20.0) -> bytes:
    """What comes back over a socket until the far end closes it."""
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=seconds) as connection:
        connection.sendall(content)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


# -- what isn't there, and what leads elsewhere -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/status/..%2foutside", "/status/%2e%2e/outside", "/status/..%5coutside", "/status//etc/passwd", "/status/%2fetc/passwd",
        "/status/way-out", "/status/.draft", "/status/a%00b", "/status/index.html%00", "/status/" + "a" * 5000,
        "/status/%0d%0aset-cookie:%20a=b",
        "/status", "//elsewhere.example/status", "/feed/", "/sign-in/", "/in/nobody", "/v1/commands",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder_or_to_another_site(served: Served, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nhost: elsewhere.example\r\nconnection: close\r\n\r\n".encode()
    answer = said_raw(served, request)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404"), answer
    assert b"secret" not in body and b"not yet" not in body
    assert b"location" not in head.lower() and b"set-cookie" not in head.lower() and b"elsewhere" not in answer


def test_nobody_is_sent_where_the_asker_says(served: Served) -> None:
    for field in ("next", "return_to", "url", "redirect_uri"):
        given = {"name": "one", "password": PASSWORD, field: "https://elsewhere.example"}
        answer = served.browser.post(f"/sign-in?{field}=https://elsewhere.example", data=given)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    served.browser.cookies.clear()
    answer = served.browser.get("/", headers={"accept": "text/html", "host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_every_answer_carries_the_same_headers_also_to_what_is_not_there(served: Served) -> None:
    tries = [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("PUT", "/sign-in"),
        ("HEAD", "/"),
        ("OPTIONS", "/answer"),
        ("TRACE", "/"),
        ("POST", "/in/slack"),
    ]
    tries += [("GET", path) for path in ("/sign-in", "/style.css", "/healthz", "/break-glass", "/a/x")]
    own = {"/style.css": {"cache-control"}}
    for method, path in tries:
        answer = served.browser.request(method, path)
        missing = {name for name, value in HEADERS.items() if answer.headers.get(name) != value} - own.get(path, set())
        assert not missing, f"{method} {path}: {missing}"
        assert "server" not in answer.headers
        if method in ("PUT", "HEAD", "OPTIONS", "TRACE"):
            assert answer.status_code in (404, 405), f"{method} {path}"
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_what_is_written_into_a_form_is_text_and_nothing_else(served: Served) -> None:
    nasty = "<script>alert(1)</script>\r\nSet-Cookie: a=b\"'{{7*7}}"
    for path, fields in (
        ("/sign-in", {"name": nasty, "password": nasty}),
        ("/break-glass", dict.fromkeys(("name", "name_2", "because"), nasty)),
    ):
        answer = served.browser.post(path, data=fields)
        assert "set-cookie" not in answer.headers and "<script>alert" not in answer.text and "49" not in answer.text
    served.paper.lose_region()
    sign_in(served)
    page = served.page_with("Approve as")
    answer = served.browser.post("/answer", data=hidden(page, "refuse") | {"reason": nasty})
    assert answer.status_code == 200 and "<script>alert" not in answer.text and "a" not in answer.cookies


# -- too much, too slowly -----------------------------------------------------------------------------------------------------


def test_a_body_without_end_is_cut_off_and_so_is_a_head(served: Served) -> None:
    head = b"POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    answer = said_raw(served, head + b"content-length: 70000\r\n\r\n" + b"a" * 70000)
    assert answer.startswith(b"HTTP/1.1 413") and b"connection: close" in answer.lower()
    chunk = b"%x\r\n%s\r\n" % (30000, b"a" * 30000)
    assert said_raw(served, head + b"transfer-encoding: chunked\r\n\r\n" + chunk * 3).startswith(b"HTTP/1.1 413")
    assert said_raw(served, b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 40000).startswith(b"HTTP/1.1 400")
    assert said_raw(served, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_whoever_says_nothing_or_takes_too_long_is_cut_off_and_others_are_answered_meanwhile(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(doors, "BODY_SECONDS", 1.0)
    head = b"POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"
    with ThreadPoolExecutor(80) as pool:
        slow = [pool.submit(said_raw, served, content) for content in (b"", b"GET / HT", head, head + b"\r\na=") for _ in range(20)]
        assert served.browser.get("/healthz").text == "ok\n"
        answers = [one.result(30.0) for one in slow]
    assert answers[:60] == [b""] * 60, "an unfinished head is answered with nothing"
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers[60:])
    said = said_raw(served, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert said.endswith(b"ok\n"), "a connection that was answered is closed when nothing more comes"


def test_a_crowd_that_guesses_passwords_keeps_nobody_from_a_page_and_opens_nothing(served: Served) -> None:
    sign_in(served)
    with ThreadPoolExecutor(40) as pool:
        wrong = {"name": "nobody", "password": "wrong"}
        crowd = [pool.submit(httpx.post, f"{served.url}/sign-in", data=wrong, timeout=60.0, trust_env=False) for _ in range(60)]
        began = time.monotonic()
        assert served.browser.get("/").status_code == 200
        took = time.monotonic() - began
        answers = [one.result() for one in crowd]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert all(answer.headers["retry-after"] == "60" for answer in answers if answer.status_code == 429)
    assert took < 10.0
    assert served.browser.get("/").status_code == 200


def test_whoever_guesses_a_name_locks_it_for_their_own_address_and_not_for_its_owner(served: Served) -> None:
    def tried(address: str, password: str) -> str:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address), trust_env=False) as client:
            return client.post(f"{served.url}/sign-in", data={"name": "one", "password": password}).text

    said = [tried("127.0.0.2", "a wrong password") for _ in range(TRIES + 1)]
    assert ["too many wrong tries" in one for one in said] == [False] * TRIES + [True]
    assert "too many wrong tries" in tried("127.0.0.2", PASSWORD), "not even with the right one"
    sign_in(served)


def test_many_addresses_together_lock_a_name_for_all(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    accounts.set("one", "exercise-one", PASSWORD, break_glass=True)
    for number in range(TRIES_FROM_ANYWHERE):
        with pytest.raises(NotSignedIn, match="is wrong"):
            accounts.signed_in("one", "a wrong password", 0.0, f"192.0.2.{number}")
    with pytest.raises(NotSignedIn, match="too many"):
        accounts.signed_in("one", PASSWORD, 1.0, "198.51.100.1")
    assert accounts.signed_in("one", PASSWORD, TRIES_SECONDS + 1.0, "198.51.100.1").person == "exercise-one"


@pytest.mark.parametrize("number", [2_000, pytest.param(10_000, marks=pytest.mark.prove)])
def test_thousands_of_requests_ask_the_controller_a_few_times(served: Served, number: int) -> None:
    sign_in(served)
    cookie = "; ".join(f"{name}={value}" for name, value in served.browser.cookies.items())
    token = Tokens(served.directory / "tokens.json").create("watcher", frozenset({Scope.READ}), 1e12)
    kinds = [
        f"GET / HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n",
        f"GET /api/state HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n",
        "GET /a/nonsense HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /in/slack HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
        "POST /in/webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
        "POST /in/alertmanager HTTP/1.1\r\nhost: x\r\nauthorization: Bearer hf_a_b\r\ncontent-length: 2\r\n\r\n{}",
        "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    longest, own_looks = [0.0], [0]
    stop = threading.Event()

    def controller() -> None:
        """Somebody else asks the controller all the time, as its own loop does."""
        while not stop.is_set():
            began = time.monotonic()
            served.controller.state()
            own_looks[0] += 1
            longest[0] = max(longest[0], time.monotonic() - began)
            stop.wait(0.05)

    own = threading.Thread(target=controller)
    began = time.monotonic()
    own.start()
    try:
        with ThreadPoolExecutor(25) as pool:
            sizes = list(pool.map(lambda start: _many(served, [kinds[(start + one) % 8] for one in range(number // 25)]), range(25)))
    finally:
        stop.set()
        own.join()
    took = time.monotonic() - began
    assert sum(sizes) == number
    asked = served.controller.looks - own_looks[0]
    assert asked <= took / 0.5 + 5, f"asked {asked:.0f} times in {took:.1f} s"
    assert longest[0] < 5.0
    assert served.controller.commands == []


def _many(served: Served, requests: list[str]) -> int:
    """One connection, one request after the other; how many were answered."""
    answered = 0
    with httpx.Client(trust_env=False, timeout=60.0) as client:
        for text in requests:
            head, _, body = text.partition("\r\n\r\n")
            first, *lines = head.split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(line.split(": ", 1) for line in lines if not line.startswith(("host", "content-length")))
            answered += client.request(method, served.url + path, headers=headers, content=body).status_code < 500
    return answered


def test_whoever_is_refused_without_end_fills_no_log_and_writes_no_lines_of_their_own(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.paper.lose_region()
    sign_in(served)
    fields = hidden(served.page_with("I have it"), "ack")
    served.browser.post("/answer", data=fields | {"verb": "x\n2026-01-01 all is well"})
    for _ in range(200):
        served.browser.get("/a/nonsense")
    lines = [record.getMessage() for record in caplog.records if record.name == doors.__name__]
    assert len(lines) >= doors.MOST_NOTED_A_MINUTE, "what is refused is noted, up to a bound"
    assert len(lines) <= 2 * doors.MOST_NOTED_A_MINUTE + 1, "two minutes at most"
    assert not any("\n" in line for line in lines)


# -- somebody else's forms, cookies, links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_no_form_of_another_site_does_anything(served: Served, headers: dict[str, str]) -> None:
    served.paper.lose_region()
    proposal = served.paper.incident.proposal
    assert proposal is not None
    sign_in(served)
    fields = hidden(served.page_with("Approve as"), "approve") | {"region": "eu-central-1", "name": "two", "password": PASSWORD}
    key = (served.directory / "link.key").read_bytes()
    link = sealed(key, Link("exercise-two", Deed.APPROVE, "inc-1-1", proposal.hash, time.time() + 600))
    before = dict(served.browser.cookies)
    for path in FORMS:
        answer = served.browser.post(path.replace("{link}", link), data=fields, headers=headers)
        assert answer.status_code == 403 and "another site" in answer.text, path
    assert dict(served.browser.cookies) == before
    assert served.controller.commands == []


def test_a_session_is_new_at_every_sign_in_and_ends_with_its_account_its_person_or_its_owners_word(served: Served) -> None:
    served.browser.cookies.set("holdfast_session", "planted", domain="127.0.0.1")
    sign_in(served)
    first = served.browser.cookies["holdfast_session"]
    assert first != "planted"

    def enters(cookie: str) -> bool:
        return httpx.get(f"{served.url}/api/state", cookies={"holdfast_session": cookie}, trust_env=False).status_code == 200

    sign_in(served)
    second = served.browser.cookies["holdfast_session"]
    assert second != first and enters(first) and enters(second)
    served.browser.post("/sign-out")
    assert not enters(second), "a copy of the cookie is worth nothing after signing out"
    assert enters(first)
    accounts = Accounts(served.directory / "accounts.json")
    accounts.set("one", "exercise-one", "another long password", break_glass=False)
    assert not enters(first), "another password ends what the old one opened"
    sign_in(served, "two")
    third = served.browser.cookies["holdfast_session"]
    assert enters(third) and accounts.remove("two") and not enters(third)
    sealer = Sealer((served.directory / "session.key").read_bytes())
    fields: dict[str, object] = {"p": "exercise-one", "t": "page", "u": time.time() + 60, "w": "word", "a": "", "m": ""}
    assert enters(sealer.seal("session", fields))
    for wrong in ({"p": "left-long-ago"}, {"u": time.time() - 1}):
        assert not enters(sealer.seal("session", {**fields, **wrong}))
    assert not enters(sealer.seal("sign-on", fields)), "what was sealed for something else opens nothing"
    assert not enters(Sealer(b"k" * 32).seal("session", fields))


def test_behind_tls_no_cookie_leaves_it_and_no_neighbouring_domain_can_set_one(tmp_path: Path) -> None:
    with_accounts(tmp_path)
    with serving(tmp_path, public_url="https://holdfast.example.com") as served:
        answer = served.browser.post(
            "/sign-in", data={"name": "one", "password": PASSWORD}, headers={"origin": "https://holdfast.example.com"}
        )
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-holdfast_session=")
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax", "secure"} <= flags and not any(flag.startswith("domain") for flag in flags)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        value = cookie.split(";")[0].partition("=")[2]
        plain = httpx.get(f"{served.url}/api/state", cookies={"holdfast_session": value}, trust_env=False)
        assert plain.status_code == 401, "the name that a neighbour could set is not looked at"


def test_a_link_counts_once_for_its_own_person_and_incident_until_it_is_over(served: Served) -> None:
    served.paper.lose_region()
    key = (served.directory / "link.key").read_bytes()

    def sent(who: str = "exercise-two", incident: str = "inc-1-1", until: float = 600.0, key: bytes = key, once: str = "1") -> int:
        link = sealed(key, Link(who, Deed.ACKNOWLEDGE, incident, "", time.time() + until))
        return served.browser.post(f"/a/{link}", data={"once": once}).status_code

    assert sent(until=-1.0) == 403
    assert sent(incident="inc-9-9") == 409
    assert sent(who="left-long-ago") == 403
    assert sent(key=(served.directory / "session.key").read_bytes()) == 403
    assert Kind.ACKNOWLEDGED not in served.paper.kinds()
    assert [sent(), sent(), sent(once="2"), sent(once="")] == [200] * 4
    assert served.paper.kinds().count(Kind.ACKNOWLEDGED) == 1, "replayed it adds nothing"


@given(st.data())
def test_a_link_with_any_character_changed_is_none(data: st.DataObject) -> None:
    link = sealed(b"k" * 32, Link("ann", Deed.APPROVE, "inc-1-1", "h", 1e12))
    place = data.draw(st.integers(0, len(link) - 1))
    other = data.draw(st.sampled_from("abcABC012-_.").filter(lambda one: one != link[place]))
    changed = link[:place] + other + link[place + 1 :]
    try:
        again = opened(b"k" * 32, changed, 0.0)
    except BadLink:
        return
    assert again == opened(b"k" * 32, link, 0.0), "the last character of a signature has bits that say nothing"


def test_one_person_who_answers_without_end_is_told_to_wait(served: Served) -> None:
    served.paper.lose_region()
    sign_in(served)
    fields = hidden(served.page_with("I have it"), "ack")
    statuses = [served.browser.post("/answer", data=fields | {"once": str(number)}).status_code for number in range(31)]
    assert statuses == [200] * 30 + [429]


def test_what_is_refused_is_bound_to_what_was_shown(served: Served) -> None:
    served.paper.lose_region()
    sign_in(served)
    fields = hidden(served.page_with("Refuse"), "refuse") | {"reason": "no"}
    assert served.browser.post("/answer", data=fields | {"hash": "0" * 64}).status_code == 410
    assert not served.paper.incident.ended


SECRETS = {"signature", "expected", "digest", "password", "token", "word", "secret", "given_signature", "code"}


def test_nothing_that_is_secret_is_compared_letter_by_letter() -> None:
    root = Path(holdfast.__file__).parent
    files = [*(root / "console" / "serving").glob("*.py"), root / "decision" / "links.py", root / "communications" / "signing.py"]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops):
                names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} | {
                    one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)
                }
                found += [f"{file.name}:{node.lineno}: {name}" for name in names & SECRETS]
    assert found == []
