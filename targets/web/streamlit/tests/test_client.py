"""The API's client: sessions apart, forged requests, streams, failures in words."""

import time
from collections.abc import Iterator

import pytest
from rest import PASSWORD, Rest, Server

from api import Api, ApiError


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def rest(server: Server) -> Rest:
    return server.rest


@pytest.fixture
def client(server: Server) -> Iterator[Api]:
    api = Api(server.url)
    yield api
    api.close()


def test_a_session_goes_along_where_it_is_named_and_nowhere_else(client: Api, rest: Rest) -> None:
    session = client.log_in("ann", PASSWORD)
    assert client.json(session, "GET", "/auth/me")["username"] == "ann"
    with pytest.raises(ApiError) as refused:  # the client serves everybody: it must not remember who was last
        client.call(None, "GET", "/auth/me")
    assert refused.value.status == 401
    assert client.json("session-of-mod", "GET", "/auth/me")["username"] == "mod"
    assert "sessionid=session-of-ann" not in rest.cookies[-1]


def test_cookie_and_header_against_forgery_agree(client: Api, rest: Rest) -> None:
    client.json("session-of-ann", "POST", "/conversations", json={})
    assert ("POST", "/conversations", {}) in rest.asked
    assert rest.forged == []
    assert len(rest.cookies[-1].split("csrftoken=")[1].split(";")[0]) == 32


def test_an_answer_arrives_in_order_with_what_was_kept(client: Api, rest: Rest) -> None:
    number = rest.conversation()
    rest.answer = ["first ", *[f"{i} " for i in range(30)]]
    rest.pause_s = 0.005
    saved: list[dict[str, object]] = []
    pieces = list(client.ask("session-of-ann", number, "hi", saved))
    assert "".join(pieces) == "".join(rest.answer)
    assert pieces[0] == "first "
    assert 2 <= len(pieces) < len(rest.answer)  # handed over together, the first at once
    assert [m["role"] for m in saved] == ["user", "assistant"]


def test_a_refusal_keeps_nothing_and_says_why(client: Api, rest: Rest) -> None:
    number = rest.conversation()
    rest.refuse_messages = (429, "60 messages a minute are allowed; try again in 12 s.")
    saved: list[dict[str, object]] = []
    with pytest.raises(ApiError, match="in 12 s") as refused:
        list(client.ask("session-of-ann", number, "hi", saved))
    assert (refused.value.status, saved) == (429, [])


def test_an_answer_that_breaks_off_leaves_its_message(client: Api, rest: Rest) -> None:
    number = rest.conversation()
    rest.break_off = True
    saved: list[dict[str, object]] = []
    with pytest.raises(ApiError, match="broke off"):
        list(client.ask("session-of-ann", number, "hi", saved))
    assert [m["role"] for m in saved] == ["user"]


def test_leaving_closes_the_request(client: Api, rest: Rest) -> None:
    number = rest.conversation()
    rest.answer, rest.pause_s = ["word "] * 2000, 0.005
    answer = client.ask("session-of-ann", number, "hi", [])
    assert next(answer) == "word "
    answer.close()
    assert rest.left.wait(5)


def test_an_api_that_is_not_there_is_told_in_words() -> None:
    api = Api("http://127.0.0.1:9")
    with pytest.raises(ApiError, match="cannot be reached"):
        api.call("x", "GET", "/auth/me")
    with pytest.raises(ApiError, match="cannot be reached"):
        list(api.ask("x", "y", "z", []))
    api.close()


def test_text_is_handed_over_although_the_api_pauses(client: Api, rest: Rest) -> None:
    number = rest.conversation()
    rest.answer, rest.pause_s = ["one ", "two "], 0.6
    begun_s, seen = time.monotonic(), []
    for text in client.ask("session-of-ann", number, "hi", []):
        seen.append((text, time.monotonic() - begun_s))
    assert [text for text, _ in seen] == ["one ", "two "]
    assert seen[1][1] < 1.1  # before the end, which comes after 1.2 s
