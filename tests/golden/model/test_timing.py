"""The model keeps the times it promises, and its log says when it did; expected times are computed here."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.trials.generator import in_one_piece
from tests.golden.model.server import Model, new_tag

STEP_S = 0.01  # a first token waits at most this long for those of other answers
SLACK_S = 0.25  # for a machine that does other things too
ROUNDING_S = 1e-6  # the log holds microseconds


def test_no_token_comes_before_its_time(model: Model, tag: str) -> None:
    reply = model.ask(f"tag-{tag}?ttft_s=0.2&itl_s=0.02&tokens=20")
    arrivals = [t - reply.sent_s for t, _ in reply.arrivals]
    assert len(arrivals) == 20
    for number, arrived_s in enumerate(arrivals):
        assert arrived_s >= 0.2 + 0.02 * number


@pytest.mark.alone
def test_delays_do_not_add_up(model: Model, tag: str) -> None:
    """Sleeping 200 times between tokens would be at least 0.1 s late at the end: a timer is 0.5 ms late on average."""
    model.ask(f"tag-{tag}?ttft_s=0.1&itl_s=0.005&tokens=200")
    emission = model.emission(tag)
    late_s = [t - (emission["ttft_s"] + 0.005 * i) for i, t in enumerate(emission["emit_s"])]
    assert min(late_s) >= -ROUNDING_S
    assert sorted(late_s)[len(late_s) // 2] < 0.03


def test_first_token_waits_for_the_next_step_at_most(model: Model, tag: str) -> None:
    model.ask(f"tag-{tag}?ttft_s=0.123&itl_s=0.05&tokens=2")
    emission = model.emission(tag)
    assert 0.123 <= emission["ttft_s"] < 0.123 + STEP_S
    due_ms = (emission["request_s"] + emission["ttft_s"]) * 1000
    assert due_ms / 10 == pytest.approx(round(due_ms / 10), abs=1e-3)


def test_step_of_one_millisecond_when_the_interval_is_no_multiple_of_more(model: Model, tag: str) -> None:
    model.ask(f"tag-{tag}?ttft_s=0.123&itl_s=0.017&tokens=2")
    assert 0.123 <= model.emission(tag)["ttft_s"] < 0.123 + 0.001 + ROUNDING_S


@pytest.mark.alone
def test_log_agrees_with_what_the_client_saw(model: Model, tag: str) -> None:
    reply = model.ask(f"tag-{tag}?tokens=30")
    emission = model.emission(tag)
    assert emission["tokens"] == len(emission["emit_s"]) == len(reply.arrivals) == 30
    assert emission["finished"] is True
    assert emission["fault"] is None
    assert emission["request_s"] >= reply.sent_s
    for emitted_s, (arrived_s, _) in zip(emission["emit_s"], reply.arrivals, strict=True):
        assert -ROUNDING_S <= arrived_s - (emission["request_s"] + emitted_s) < SLACK_S


def test_many_streams_at_once_keep_their_own_times(model: Model) -> None:
    tags = [new_tag() for _ in range(30)]
    with ThreadPoolExecutor(len(tags)) as pool:
        replies = list(pool.map(lambda tag: model.ask(f"tag-{tag}?ttft_s=0.2&itl_s=0.02&tokens=25"), tags))
    for tag, reply in zip(tags, replies, strict=True):
        emission = model.emission(tag)
        assert reply.done
        assert len(reply.arrivals) == 25
        assert all(t >= reply.sent_s + 0.2 + 0.02 * i for i, (t, _) in enumerate(reply.arrivals))
        assert all(t >= emission["ttft_s"] + 0.02 * i - ROUNDING_S for i, t in enumerate(emission["emit_s"]))


@pytest.mark.alone
def test_log_is_flushed_within_half_a_second(model: Model, tag: str) -> None:
    model.ask(f"tag-{tag}?ttft_s=0&itl_s=0&tokens=2")
    ended_s = time.monotonic()
    model.emission(tag)
    assert time.monotonic() - ended_s < 0.5 + SLACK_S


def test_termination_logs_answers_in_progress(tmp_path: Path, tag: str) -> None:
    with Model(tmp_path / "log", "--itl-s", "0.05", "--tokens", "1000") as server, ThreadPoolExecutor(1) as pool:
        reply = pool.submit(server.ask, f"Hello tag-{tag}")
        time.sleep(0.6)
        assert server.stop() == 0
        emission = server.emission(tag)
        assert emission["finished"] is False
        assert 0 < len(emission["emit_s"]) < 1000
        assert len(reply.result().arrivals) <= len(emission["emit_s"])


def test_whole_answer_comes_when_its_last_token_is_due(model: Model, tag: str) -> None:
    reply = model.ask(f"tag-{tag}?ttft_s=0.1&itl_s=0.02&tokens=11", stream=False)
    emission = model.emission(tag)
    assert len(emission["emit_s"]) == 11
    assert min(emission["emit_s"]) >= 0.1 + 0.02 * 10
    assert reply.json["choices"][0]["message"]["content"].endswith("[end]")
    assert in_one_piece(model.log_line(tag))


def test_a_streamed_answer_is_not_in_one_piece(model: Model, tag: str) -> None:
    model.ask(f"tag-{tag}?ttft_s=0.1&itl_s=0.02&tokens=3")
    assert not in_one_piece(model.log_line(tag))


def test_slow_reader_delays_only_its_own_answer(model: Model, tag: str) -> None:
    """More than socket buffers hold: the log must say when tokens left, not when they were due."""
    messages = [{"role": "user", "content": f"tag-{tag}?ttft_s=0&itl_s=0&tokens=4000"}]
    body = json.dumps({"stream": True, "model": "x" * 5000, "messages": messages})  # every event repeats the name
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    with model.connect() as connection:
        connection.sendall((head + body).encode())
        time.sleep(0.7)
        other = new_tag()
        model.ask(f"tag-{other}")
        received = bytearray()
        while piece := connection.recv(1 << 20):
            received += piece
    emission = model.emission(tag)
    assert model.emission(other)["finished"] is True
    assert received.count(b'"content":"') == 4001  # the role's event has an empty one
    assert received.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert emission["finished"] is True
    assert emission["emit_s"][-1] > 0.7
