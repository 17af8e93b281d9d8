"""The recipe computes what the contract states and what the stand-in model sends."""

import hashlib

import pytest

from harness.records.recipe import END_MARKER, nonce_of, session_token, tokens_in


def test_nonce_and_session_are_the_agreed_hashes() -> None:
    assert nonce_of(42, "0123456789abcdef") == hashlib.sha256(b"42:0123456789abcdef").hexdigest()[:12]
    assert session_token(42, "user0001") == hashlib.sha256(b"42:session:user0001").hexdigest()[:32]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("0123456789a", 0), ("0123456789ab", 1), ("0123456789ab ", 1), ("0123456789ab [end]", 2)],
)
def test_tokens_are_counted_from_the_length(text: str, tokens: int) -> None:
    assert tokens_in(len(text)) == tokens


def test_a_token_under_way_counts() -> None:
    assert [tokens_in(chars) for chars in (14, 17, 18, 19, 23)] == [2, 2, 2, 3, 3]


def test_a_text_stripped_on_the_right_holds_as_many_tokens() -> None:
    for tokens in range(1, 50):
        chars = len("0123456789ab ") + len("word ") * (tokens - 1)
        assert tokens_in(chars) == tokens_in(chars - 1) == tokens


def test_the_end_marker_is_a_token_long() -> None:
    assert tokens_in(len("0123456789ab ") + len(END_MARKER)) == 2
