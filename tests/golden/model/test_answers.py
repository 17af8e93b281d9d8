"""The model says what it promises: nonce, token count, end marker, payloads, seeded draws, OpenAI's objects."""

import base64
import hashlib
import json
import math
import re
import struct
from pathlib import Path

import pytest
from scipy import stats

from tests.golden.model.server import Model, Reply, new_tag

MARKS = {
    "markdown": ["\n# ", "\n- ", "\n1. ", "\n```python\n", "\n| ", "\n> ", "👩‍👩‍👧", "مرحبا"],
    "hostile": ["<script>", "](javascript:", "onload=", "onerror=", "![beacon](https://", "<iframe"],
}


def nonce(seed: int, tag: str) -> str:
    return hashlib.sha256(f"{seed}:{tag}".encode()).hexdigest()[:12]


def content(reply: Reply) -> str:
    text: str = reply.json["choices"][0]["message"]["content"]
    return text


def test_answer_has_nonce_token_count_and_end_marker(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}")
    pieces = [text for _, text in reply.arrivals]
    assert pieces[0] == nonce(42, tag) + " "
    assert all(re.fullmatch("[a-z]{4} ", piece) for piece in pieces[1:-1])
    assert pieces[-1] == "[end]"
    assert len(pieces) == 6 == 1 + math.ceil((len(reply.text) - 13) / 5)


def test_streamed_events_have_the_shape_of_openai(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}", model="some-model")
    assert reply.headers["content-type"].startswith("text/event-stream")
    choices = [event["choices"][0] for event in reply.events]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert [choice["finish_reason"] for choice in choices] == [None] * 7 + ["stop"]
    assert choices[-1]["delta"] == {}
    assert {event["object"] for event in reply.events} == {"chat.completion.chunk"}
    assert {event["model"] for event in reply.events} == {"some-model"}
    assert len({event["id"] for event in reply.events}) == 1
    assert nonce(42, tag) not in reply.events[0]["id"]
    assert not any("usage" in event for event in reply.events)
    assert reply.done


def test_usage_is_sent_when_asked_for(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}", stream_options={"include_usage": True})
    *others, last = reply.events
    assert all(event["usage"] is None for event in others)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 6, "completion_tokens": 6, "total_tokens": 12}  # 26 characters by fives


def test_whole_answer_equals_the_streamed_one(model: Model, tag: str) -> None:
    """But for its words: a second answer to one message can be told from the first."""
    streamed = model.ask(f"Hello tag-{tag}?payload=echo&tokens=6")
    whole = model.ask(f"Hello tag-{tag}?payload=echo&tokens=6", stream=False)
    assert content(whole) == streamed.text
    assert whole.json["object"] == "chat.completion"
    assert whole.json["choices"][0]["finish_reason"] == "stop"
    assert whole.json["usage"]["completion_tokens"] == 6


def test_last_tag_of_the_last_user_message_counts(model: Model, tag: str) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "tag-aaaaaaaaaaaaaaaa"},
        {"role": "assistant", "content": "tag-bbbbbbbbbbbbbbbb"},
        {"role": "user", "content": [{"type": "text", "text": f"tag-cccccccccccccccc not-tag-{tag}0 tag-{tag}"}]},
    ]
    assert model.ask("", messages=messages).text.startswith(nonce(42, tag))


def test_message_without_a_tag_is_answered_by_its_content(model: Model) -> None:
    first, again, other = (content(model.ask(text, stream=False)) for text in ("Hello", "Hello", "Hello?"))
    assert re.match("[0-9a-f]{12} ", first)
    assert first[:13] == again[:13] != other[:13]


def test_answers_to_one_message_begin_alike_and_differ_in_their_second_token(model: Model, tag: str) -> None:
    texts = [model.ask(f"Hello tag-{tag}?itl_s=0").text for _ in range(3)]
    assert {text[:13] for text in texts} == {nonce(42, tag) + " "}
    assert len({text[13:18] for text in texts}) == 3
    assert len({len(text) for text in texts}) == 1
    assert [line["word"] for line in model.emissions(tag, 3)] == [text[13:17] for text in texts]


def test_a_rephrased_message_without_its_tag_is_answered_as_the_message(model: Model, tag: str) -> None:
    rephrased = content(model.ask(f"Rephrase this: tag-{tag}?itl_s=0", stream=False))
    assert model.ask(f"Answer this: {rephrased}").text.startswith(nonce(42, tag))
    assert [line["tag"] for line in model.emissions(tag, 2)] == [tag, tag]


def test_a_tag_counts_more_than_an_answer_that_is_quoted(model: Model, tag: str) -> None:
    earlier = content(model.ask(f"tag-{tag}?itl_s=0", stream=False))
    asked = f"Before: {earlier}. Now: tag-{tag[::-1]}?itl_s=0"
    assert model.ask(asked).text.startswith(nonce(42, tag[::-1]))


def test_hexadecimal_that_is_no_answer_of_the_model_is_text(model: Model) -> None:
    assert not content(model.ask("Is 0123456789ab a hash?", stream=False)).startswith("0123456789ab")


def refused(tag: str) -> bytes:
    """A request whose answer is drawn and logged, but not waited for."""
    body = json.dumps({"messages": [{"role": "user", "content": f"tag-{tag}?fault=429"}]})
    return f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def test_requests_that_come_together_are_no_long_head_wherever_they_are_cut(model: Model) -> None:
    requests = [refused(new_tag()) for _ in range(4000)]  # the server reads 256 KiB at a time
    assert model.raw(b"".join(requests)).count(b"HTTP/1.1 429 ") == len(requests)


def test_draws_are_log_normal_and_depend_on_seed_and_tag_alone(tmp_path: Path) -> None:
    arguments = ("--ttft-s", "0.7", "--ttft-sigma", "0.5", "--tokens", "130", "--tokens-sigma", "0.98")
    tags = [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(2000)]
    drawn = []
    for number, seed in enumerate(("1", "1", "2")):
        with Model(tmp_path / str(number), "--seed", seed, *arguments) as server:
            assert server.raw(b"".join(map(refused, tags))).count(b"HTTP/1.1 429 ") == len(tags)
        lines = [json.loads(line) for line in (tmp_path / str(number)).read_text().splitlines()]
        assert [line["tag"] for line in lines] == tags
        drawn.append([(line["ttft_s"], line["tokens"]) for line in lines])
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])
    ttfts, tokens = zip(*drawn[0], strict=True)
    assert stats.kstest([math.log(t / 0.7) / 0.5 for t in ttfts], "norm").pvalue > 0.001
    assert stats.kstest([math.log(n / 130) / 0.98 for n in tokens], "norm").pvalue > 0.001
    assert abs(stats.spearmanr(ttfts, tokens).statistic) < 0.07  # 3 standard errors of independent draws


def test_lengths_follow_quantiles_where_there_are_any(tmp_path: Path) -> None:
    tags = [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(2000)]
    with Model(tmp_path / "log", "--tokens-quantiles", "10,100,110,500") as server:
        assert server.raw(b"".join(map(refused, tags))).count(b"HTTP/1.1 429 ") == len(tags)
    tokens = [json.loads(line)["tokens"] for line in (tmp_path / "log").read_text().splitlines()]
    assert min(tokens) >= 10
    assert max(tokens) <= 500
    shares = [sum(n <= limit for n in tokens) / len(tokens) for limit in (55, 100, 105, 110, 305)]
    assert shares == pytest.approx([1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6], abs=0.05)


def test_overrides_in_the_body_win(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}?tokens=9&itl_s=0.5", chatbench={"tokens": 12, "itl_s": 0, "ttft_s": 0.01})
    assert len(reply.arrivals) == 12
    assert model.emission(tag)["itl_s"] == 0


@pytest.mark.parametrize("payload", ["markdown", "hostile"])
def test_payload_is_whole_unless_a_count_is_given(model: Model, tag: str, payload: str) -> None:
    reply = model.ask(f"tag-{tag}?payload={payload}&itl_s=0")
    text = reply.text.removeprefix(nonce(42, tag) + " ")
    assert all(mark in text for mark in MARKS[payload])
    assert text.endswith("\n[end]")
    assert all(len(piece) == 5 for _, piece in reply.arrivals[1:])
    for count in (2, 3, 1000):
        cut = model.ask(f"tag-{tag}?payload={payload}&itl_s=0&tokens={count}")
        assert len(cut.arrivals) == count
        assert cut.arrivals[-1][1] == "[end]"


@pytest.mark.parametrize(
    "message",
    ["", "Hello", '<b>bold</b> & "quotes" \\ \x07\x00', "🏳️‍🌈👩🏽‍🚀 e\u0301 مرحبا", "\n\n", "0123456789" * 10_000],
    ids=["empty", "plain", "markup", "emoji", "line breaks", "100 kB"],
)
def test_echo_returns_text_of_any_kind(model: Model, tag: str, message: str) -> None:
    for stream in (True, False):
        reply = model.ask(f"{message} tag-{tag}?payload=echo&itl_s=0&ttft_s=0", stream=stream)
        text = reply.text if stream else content(reply)
        assert text.removeprefix(nonce(42, tag) + " ").removesuffix("[end]").rstrip() == message.rstrip()


def test_long_message_with_the_tag_at_its_end(model: Model, tag: str) -> None:
    reply = model.ask("🙂 tag- " * 14_000 + f"tag-{tag}")
    assert reply.text.startswith(nonce(42, tag))
    assert reply.done


def test_models_and_health(model: Model) -> None:
    models = model.request("GET", "/v1/models").json
    assert models["object"] == "list"
    assert [model["id"] for model in models["data"]] == ["stand-in"]
    assert model.request("GET", "/health?probe=1").json == {"status": "ok"}
    assert model.request("HEAD", "/health").body == b""


def embed(model: Model, given: object, **fields: object) -> Reply:
    return model.request("POST", "/v1/embeddings", json.dumps({"input": given, **fields}).encode())


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_texts_that_share_words_are_near_each_other(model: Model) -> None:
    reply = embed(model, ["the red boat", "a red boat", "quarterly figures"])
    boat, other_boat, figures = (item["embedding"] for item in reply.json["data"])
    assert [math.hypot(*one) for one in (boat, other_boat, figures)] == pytest.approx([1, 1, 1])
    assert cosine(boat, other_boat) > 0.5 > cosine(boat, figures)
    assert embed(model, "the red boat").json["data"][0]["embedding"] == boat


def test_an_embedding_comes_packed_where_a_client_wants_it_so(model: Model) -> None:
    (plain,), (packed,) = (embed(model, "boat", encoding_format=f).json["data"] for f in ("float", "base64"))
    unpacked = struct.unpack(f"<{len(plain['embedding'])}f", base64.b64decode(packed["embedding"]))
    assert unpacked == pytest.approx(plain["embedding"])


def test_an_embedded_message_is_a_call_of_its_turn(model: Model, tag: str) -> None:
    embed(model, [f"Hello tag-{tag}"])
    (line,) = model.emissions(tag)
    assert (line["emit_s"], line["tokens"], line["finished"]) == ([], 0, True)
    assert line["end_s"] >= 0


@pytest.mark.parametrize("given", [[1, 2], [[1, 2], [3]], "x" * 100_000])
def test_tokens_and_long_texts_are_embedded_too(model: Model, given: object) -> None:
    assert embed(model, given).status == 200


@pytest.mark.parametrize("body", [b"{", b"{}", b"[]", b'{"input": []}', b'{"input": ""}', b'{"input": 7}'])
def test_a_request_without_texts_is_refused(model: Model, body: bytes) -> None:
    reply = model.request("POST", "/v1/embeddings", body)
    assert reply.status == 400
    assert "'input'" in reply.json["error"]["message"]
