"""The trace of an answer that is kept as raw reads and parsed after the trial."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Self

from loadtests import http
from loadtests.reading import AnswerProgress, AnswerTrace, TurnError
from loadtests.wire import sse

_FORMATS = {"rest": sse.rest_answer, "openai": sse.openai_answer}


@dataclass(slots=True)
class RawReads(AnswerTrace):
    """The reads of one response, each with its time."""

    stream_format: str = field(kw_only=True)  # "rest" or "openai"
    parts: list[bytes] = field(default_factory=list)

    def growth(self) -> AnswerProgress:
        """Return the growth of the answer in the event stream."""
        response = http.decode(self.raw(), closed=True)
        if response is None or response.status != 200:
            return AnswerProgress()
        body, came = self._unpacked(response)
        answer = _FORMATS[self.stream_format](body)
        lengths = [0, *accumulate(len(text) for text in answer.texts)]
        times: list[float] = []
        chars: list[int] = []
        events = 0
        for at_s, length in zip(self.times, came, strict=True):
            complete = bisect_left(answer.ends, length + 1)
            if complete > events:
                events = complete
                times.append(at_s)
                chars.append(lengths[complete])
        if answer.error:
            raise TurnError("application", f"the stream reported: {answer.error}")
        return AnswerProgress(
            text="".join(answer.texts), finished=answer.finished, updates=len(answer.texts), times=times, chars=chars
        )

    def _unpacked(self, response: http.Response) -> tuple[bytes, list[int]]:
        """Return the body without its content coding, and its length after each read."""
        unpack, body = http.unpacker(response), bytearray()
        lengths: list[int] = []
        position, begin = 0, 0
        for part in self.parts:
            position += len(part)
            end = response.body_offset(position)
            body += unpack(response.body[begin:end])
            begin = end
            lengths.append(len(body))
        return bytes(body), lengths

    def note(self) -> dict[str, Any]:
        """Return the times and sizes of the reads."""
        read_bytes = [len(part) for part in self.parts]
        return {
            "stream_format": self.stream_format,
            "times": self.times,
            "read_bytes": read_bytes,
            "wire_bytes": sum(read_bytes),
        }

    def raw(self) -> bytes:
        """Return all bytes read."""
        return b"".join(self.parts)

    @classmethod
    def noted(cls, note: Mapping[str, Any], raw: bytes) -> Self:
        """Return the trace that a note and all bytes read describe."""
        edges = accumulate(note["read_bytes"], initial=0)
        parts = [raw[begin:end] for begin, end in pairwise(edges)]
        return cls(note["sent_s"], note["times"], parts=parts, stream_format=note["stream_format"])
