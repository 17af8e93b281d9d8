"""HTTP, events, frames and tokens out of bytes cut anywhere."""

import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import http
from loadtests.reading import TurnError, judge, judge_any
from loadtests.wire import sse
from loadtests.wire.raw_reads import RawReads
from loadtests.wire.receiving import ReadCollector
from loadtests.wire.websocket import BINARY, CONTINUATION, PING, FrameReader, accept_of, client_frame

NONCE = "0123456789ab"
TEXTS = [f"{NONCE} ", *["word "] * 6, "[end]"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


LAST_CHUNK = b"0\r\n\r\n"
LAST_CHUNKS = [LAST_CHUNK, b"0\r\nServer-Timing: a\r\n\r\n", b"000;last\r\nA: b\r\nC: d\r\n\r\n"]
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"


def chunked(*pieces: bytes, last: bytes = LAST_CHUNK) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + last


def rest_stream(before: bytes = b"", last: bytes = LAST_CHUNK) -> bytes:
    tokens = [b'event: token\ndata: {"text": "%b"}\n\n' % text.encode() for text in TEXTS]
    first, over = b'event: message\ndata: {"message": {}}\n\n', b"event: done\ndata: {}\n\n"
    return before + HEAD + chunked(first, *tokens, over, last=last)


def rest_reads(raw: bytes, edges: list[int]) -> RawReads:
    """Return the trace of reads that end at these bytes, each at that many seconds."""
    parts = [raw[begin:end] for begin, end in itertools.pairwise(edges)]
    return RawReads(0.0, [float(end) for end in edges[1:]], parts=parts, stream_format="rest")


@given(st.lists(st.integers(1, len(rest_stream()) - 1), max_size=40))
def test_growth_does_not_depend_on_where_reads_are_cut(cuts: list[int]) -> None:
    raw = rest_stream()
    edges = sorted({0, *cuts, len(raw)})
    progress = rest_reads(raw, edges).growth()
    assert progress.text == "".join(TEXTS)
    assert progress.finished
    assert progress.updates == len(TEXTS)
    assert progress.chars[-1] == len(progress.text)
    ends = [raw.index(b"\n\n", raw.index(b"[end]")) + 2]
    assert progress.times[-1] == next(float(edge) for edge in edges if edge >= ends[0])
    assert progress.chars == sorted(set(progress.chars))


@given(st.lists(st.integers(1, len(rest_stream()) - 1), max_size=40))
def test_the_loop_sees_the_end_wherever_reads_are_cut(cuts: list[int]) -> None:
    raw = rest_stream()
    trace = RawReads(0.0, stream_format="rest")
    collector = ReadCollector(trace, NONCE.encode(), b"event: done\n")
    edges = sorted({0, *cuts, len(raw)})
    over = [collector.take(raw[a:b], float(b)) for a, b in itertools.pairwise(edges)]
    assert over == [False] * (len(over) - 1) + [True]
    done_at = raw.index(b"event: done\n") + len(b"event: done\n")
    assert trace.done_s == next(float(edge) for edge in edges if edge >= done_at)
    nonce_at = raw.index(NONCE.encode()) + len(NONCE)
    assert trace.first_s == next(float(edge) for edge in edges if edge >= nonce_at)


@pytest.mark.parametrize("last", LAST_CHUNKS)
@pytest.mark.parametrize("before", [b"", HINTS, HINTS + HINTS])
@pytest.mark.parametrize("step", [1, 7, 64, 10_000])
def test_interim_responses_chunk_extensions_and_trailers_change_nothing(before: bytes, last: bytes, step: int) -> None:
    raw = rest_stream(before, last)
    trace = RawReads(0.0, stream_format="rest")
    collector = ReadCollector(trace, NONCE.encode(), b"event: done\n")
    over = [collector.take(raw[at : at + step], float(at + step)) for at in range(0, len(raw), step)]
    assert over == [False] * (len(over) - 1) + [True]
    progress = trace.growth()
    assert (progress.text, progress.finished) == ("".join(TEXTS), True)
    first_event = raw.index(b"\n\n", raw.index(NONCE.encode())) + 2
    assert progress.times[0] == -(-first_event // step) * step


def test_a_compressed_stream_arrives_as_its_pieces_can_be_read() -> None:
    packer = zlib.compressobj(wbits=31)
    events = [b'event: token\ndata: {"text": "%b"}\n\n' % text.encode() for text in TEXTS]
    packed = [packer.compress(one) + packer.flush(zlib.Z_SYNC_FLUSH) for one in [*events, b"event: done\ndata: {}\n\n"]]
    head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: GZip\r\n\r\n")
    reads = [head, *(chunked(piece, last=b"") for piece in packed), LAST_CHUNK]
    trace = RawReads(0.0, stream_format="rest")
    collector = ReadCollector(trace, NONCE.encode(), b"event: done\n")
    over = [collector.take(read, float(at)) for at, read in enumerate(reads)]
    assert (over[-2:], trace.first_s, trace.done_s) == ([False, True], 1.0, float(len(TEXTS) + 1))
    progress = trace.growth()
    assert (progress.text, progress.finished) == ("".join(TEXTS), True)
    assert progress.times == [float(at) for at in range(1, len(TEXTS) + 1)]


def test_a_coding_that_was_not_asked_for_is_named() -> None:
    raw = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: br\r\n\r\n") + chunked(b"xyz")
    with pytest.raises(ValueError, match="coded as 'br'"):
        rest_reads(raw, [0, len(raw)]).growth()
    with pytest.raises(ValueError, match="the body is not in gzip"):
        rest_reads(raw.replace(b": br", b": gzip"), [0, len(raw) + 2]).growth()


def test_a_stream_that_reports_an_error_fails() -> None:
    raw = HEAD + chunked(b'event: error\ndata: {"title": "Bad", "detail": "model away"}\n\n')
    with pytest.raises(TurnError, match="model away") as caught:
        rest_reads(raw, [0, len(raw)]).growth()
    assert caught.value.kind == "application"


def test_openai_chunks_without_content_add_nothing() -> None:
    body = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
    body += b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n'
    answer = sse.openai_answer(body)
    assert (answer.texts, answer.finished, answer.error) == (["hi"], True, None)


def test_chunks_of_other_models_are_read_as_they_are() -> None:
    body = b'data: 7\n\ndata: {"choices":[null]}\n\ndata: {"choices":[{"delta":"x"}]}\n\n'
    body += b'data: {"choices":null}\n\ndata: {"error":null,"choices":[{"delta":{"content":"hi "}}]}\n\n'
    body += b'data: {"choices":[{"delta":{"content":[{"type":"thinking"},{"type":"text","text":"you"}]}}]}\n\n'
    body += b'data: {"choices":[{"delta":{"content":null,"refusal":"no"}}]}\n\n'
    assert not sse.openai_answer(body).finished
    body += b'data: {"choices":[{"delta":null,"finish_reason":"stop"}]}\n\n'
    answer = sse.openai_answer(body)
    assert (answer.texts, answer.finished, answer.error) == (["hi ", "you", "no"], True, None)
    assert sse.openai_answer(b'data: {"object":"error","message":"too long"}\n\n').error == "too long"


@pytest.mark.parametrize(
    ("text", "finished", "kind"),
    [
        ("Hello from another model.", True, None),
        ("Hello from another model.", False, "truncated"),
        (" ", True, "truncated"),
        ("".join(TEXTS), True, None),
        ("".join(TEXTS[:-1]), True, "truncated"),
        ("fedcba987654 word [end]", True, "foreign_nonce"),
        ("word [end]", True, "application"),
    ],
)
def test_by_hand_only_an_answer_of_the_stand_in_needs_marks(text: str, finished: bool, kind: str | None) -> None:
    failure = judge_any(text, NONCE, finished)
    assert (failure.kind if failure else None) == kind


def test_events_keep_data_lines_apart_and_skip_comments() -> None:
    body = b": ping\n\nevent: token\r\ndata: a\r\ndata:b\r\n\r\ndata: cut"
    assert [(name, data) for _, name, data in sse.events(body)] == [("token", b"a\nb")]


def test_lines_of_events_end_in_any_of_three_ways_and_a_byte_order_mark_is_no_text() -> None:
    body = b"\xef\xbb\xbfdata: 1\r\rdata: 2\n\ndata: 3\r\n\r\ndata: 4\r\n\ndata: cut\r\n"
    assert [data for _, _, data in sse.events(body)] == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize(
    ("text", "finished", "kind"),
    [
        ("".join(TEXTS), True, None),
        ("".join(TEXTS) + "\n\nSources: [1](http://x)", True, None),
        ("".join(TEXTS), False, "truncated"),
        ("".join(TEXTS[:-1]), True, "truncated"),
        ("", True, "truncated"),
        ("fedcba987654 word [end]", True, "foreign_nonce"),
        ("Sorry, something broke", True, "application"),
    ],
)
def test_judging_an_answer(text: str, finished: bool, kind: str | None) -> None:
    failure = judge(text, NONCE, finished)
    assert (failure.kind if failure else None) == kind


def test_a_body_with_a_length_ends_with_it() -> None:
    raw = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"
    assert http.decode(raw[:-10]) is None
    cut, whole = http.decode(raw[:-1]), http.decode(raw)
    assert cut is not None
    assert whole is not None
    assert (cut.ended, whole.ended, whole.status, whole.body) == (False, True, 404, b"nope")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    raw = b"HTTP/1.0 200 OK\r\n\r\nall"
    assert [bool(r and r.ended) for r in (http.decode(raw), http.decode(raw, closed=True))] == [False, True]


def test_an_interim_response_is_skipped() -> None:
    response = http.decode(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    assert response is not None
    assert (response.status, response.ended) == (204, True)


def test_a_response_to_head_has_no_body_whatever_it_states() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert [bool(r and r.ended) for r in (http.decode(raw), http.decode(raw, to_head=True))] == [False, True]


@pytest.mark.parametrize(
    ("head", "keeps_open"),
    [
        (b"HTTP/1.1 204 X", True),
        (b"HTTP/1.1 204 X\r\nConnection: Close", False),
        (b"HTTP/1.1 204 X\r\nconnection: Upgrade,\r\n close", False),
        (b"HTTP/1.1 204 X\r\nConnection: TE\r\nConnection: close", False),
        (b"HTTP/1.0 204 X", False),
        (b"HTTP/1.0 204 X\r\nConnection: Keep-Alive", True),
    ],
)
def test_the_head_says_whether_the_connection_takes_another_request(head: bytes, keeps_open: bool) -> None:
    response = http.decode(head + b"\r\n\r\n")
    assert response is not None
    assert response.keeps_open is keeps_open


def test_folded_headers_bare_line_feeds_and_a_doubled_length_are_read() -> None:
    response = http.decode(b"HTTP/1.1 200\nX: one\n\t two\nCONTENT-LENGTH: 3, 3\n\nabcdef")
    assert response is not None
    assert (response.status, response.header("x"), response.body, response.ended) == (200, "one two", b"abc", True)


def test_the_bytes_behind_a_change_of_protocol_are_kept() -> None:
    response = http.decode(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x")
    assert response is not None
    assert response.body == b"\x81\x01x"


def test_the_content_of_a_packed_body_is_unpacked_and_of_an_unknown_one_as_it_came() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    for body, content in ((gzip.compress(b"text"), b"text"), (b"no gzip", b"no gzip")):
        response = http.decode(head + body, closed=True)
        assert response is not None
        assert (response.body, response.content) == (body, content)


def test_bytes_that_are_not_http_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"not an HTTP/1\.1 response"):
        http.decode(b"SSH-2.0-OpenSSH\r\n\r\n")


def server_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


@given(st.lists(st.sampled_from([0, 1, 125, 126, 300, 70000]), max_size=5), st.integers(1, 5000))
def test_frames_come_out_whole_however_they_arrive(sizes: list[int], step: int) -> None:
    payloads = [bytes([i % 256]) * size for i, size in enumerate(sizes)]
    raw = b"".join(server_frame(BINARY, payload) for payload in payloads)
    reader = FrameReader()
    step = max(step, len(raw) // 50)
    got = [frame for at in range(0, len(raw), step) for frame in reader.feed(raw[at : at + step])]
    assert got == [(BINARY, payload) for payload in payloads]


def test_a_ping_between_fragments_comes_first() -> None:
    raw = server_frame(BINARY, b"ab", fin=False) + server_frame(PING, b"p") + server_frame(CONTINUATION, b"cd")
    assert list(FrameReader().feed(raw)) == [(PING, b"p"), (BINARY, b"abcd")]


def test_a_compressed_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="frame bits 0xc2"):
        list(FrameReader().feed(b"\xc2\x01x"))


@given(st.binary(max_size=70000))
def test_a_client_frame_unmasks_to_its_payload(payload: bytes) -> None:
    frame = client_frame(BINARY, payload)
    assert frame[0] == 0x80 | BINARY
    assert frame[1] & 0x80
    start = len(frame) - len(payload)
    mask = frame[start - 4 : start]
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(frame[start:])) == payload


def test_the_accept_of_the_rfc() -> None:
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3


def read_in_pieces(raw: bytes, sizes: list[int]) -> tuple[bytes, bool]:
    """Return the body as ``Body`` reads it in pieces of these sizes, and whether it was over."""
    body, found, at = http.Body(), b"", 0
    for size in [*sizes, len(raw)]:
        found += body.feed(raw[at : at + size])
        at += size
    return found, body.ended


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"
WITH_TRAILERS = CHUNKED[:-5] + b"0;last\r\nServer-Timing: a\r\nX: y\r\n\r\n"
WITH_LENGTH = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nabc0123456789"


@given(st.lists(st.integers(min_value=0, max_value=30), max_size=20))
def test_a_body_read_in_any_pieces_is_the_body(sizes: list[int]) -> None:
    for raw in (CHUNKED, WITH_TRAILERS, WITH_LENGTH):
        assert read_in_pieces(raw, sizes) == (b"abc0123456789", True)
        assert read_in_pieces(raw[:-1], sizes)[1] is False


def test_a_body_without_a_length_ends_with_the_connection_and_a_cut_one_does_not() -> None:
    for raw, over in ((b"HTTP/1.1 200 OK\r\n\r\nabc", True), (CHUNKED[:-5], False), (WITH_LENGTH[:-2], False)):
        body = http.Body()
        body.feed(raw)
        assert body.ended is False
        assert body.closed() is over


def test_a_response_without_a_body_is_over_with_its_head() -> None:
    for head in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"):
        body = http.Body()
        assert body.feed(head) == b""
        assert body.ended
