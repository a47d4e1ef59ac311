"""Only the key's owner can ask or answer, nothing can be changed on the way, and an old answer answers nothing new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.fencing import signing
from holdfast.fencing.signing import NotGenuine

KEY, OTHER = b"a key of the test", b"another key there"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_what_was_signed_is_read_back(payload: dict[str, object]) -> None:
    body, signature = signing.sign_request(KEY, "/v1/orders", payload, "n", 1.0)
    assert signing.open_request(KEY, "/v1/orders", body, signature) == {**payload, "nonce": "n", "sent_seconds": 1.0}


def test_another_key_path_method_or_a_changed_byte_is_not_genuine() -> None:
    body, signature = signing.sign_request(KEY, "/v1/orders", {"a": 1}, "n", 1.0)
    for key, path, content, given_signature in (
        (OTHER, "/v1/orders", body, signature),
        (KEY, "/v1/lease", body, signature),
        (KEY, "/v1/orders", body.replace(b"1", b"2"), signature),
        (KEY, "/v1/orders", body, None),
        (KEY, "/v1/orders", body, "é"),
    ):
        with pytest.raises(NotGenuine):
            signing.open_request(key, path, content, given_signature)
    with pytest.raises(NotGenuine):
        signing.open_answer(KEY, "/v1/orders", body, signature, "n")


def test_an_answer_belongs_to_its_request() -> None:
    body, signature = signing.sign_answer(KEY, "/v1/lease", {"granted": True}, "old")
    assert signing.open_answer(KEY, "/v1/lease", body, signature, "old")["granted"] is True
    with pytest.raises(NotGenuine, match="older request"):
        signing.open_answer(KEY, "/v1/lease", body, signature, "new")
    with pytest.raises(NotGenuine):
        signing.open_request(KEY, "/v1/lease", body, signature)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a": 1}'])
def test_what_is_signed_but_makes_no_sense_is_said_so(body: bytes) -> None:
    with pytest.raises(NotGenuine):
        signing.open_request(KEY, "/x", body, signing.signature(KEY, "POST", "/x", body))


def test_a_query_is_signed_whole() -> None:
    path, signature = signing.sign_query(KEY, "/v1/records", {"after": 7}, "n", 1.0)
    assert signing.open_query(KEY, path, signature)["after"] == "7"
    with pytest.raises(NotGenuine):
        signing.open_query(KEY, path.replace("after=7", "after=0"), signature)
    with pytest.raises(NotGenuine):
        signing.open_query(KEY, "/v1/status", signing.signature(KEY, "GET", "/v1/status", b""))


def test_records_are_signed_without_their_signatures() -> None:
    record = signing.sign_record(KEY, {"what": "fenced", "n": 1})
    assert signing.record_is_genuine(KEY, record)
    assert not signing.record_is_genuine(OTHER, record)
    assert not signing.record_is_genuine(KEY, {**record, "n": 2})
    assert not signing.record_is_genuine(KEY, {"what": "fenced"})
    assert signing.record_is_genuine(KEY, signing.sign_record(OTHER, record, "peer_signature"))
