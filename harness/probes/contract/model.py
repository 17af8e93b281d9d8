"""An OpenAI-compatible model talked to without an application: its models, answers streamed and whole, refusals."""

import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from harness.probes.claims import Check, Probes, expect, run
from harness.probes.client import Answer, Client
from harness.probes.world import Message

MODEL: "Probes[Endpoint]" = Probes()
DONE = "[DONE]"
DEFAULT_PREFIX = "/v1"
NO_LIST = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at this address, and the seed of its answers."""

    base_url: str
    seed: int

    @property
    def prefix(self) -> str:
        """The path in front of every operation."""
        return urllib.parse.urlsplit(self.base_url).path.rstrip("/") or DEFAULT_PREFIX

    def complete(self, message: Message, *, stream: bool) -> Answer:
        """Ask for the completion of one message."""
        body = {"model": "stand-in", "messages": [{"role": "user", "content": message.content}], "stream": stream}
        return Client(self.base_url).request("POST", f"{self.prefix}/chat/completions", body)

    def message(self) -> Message:
        """Return a new message whose answer is short and soon."""
        return Message(self.seed, tokens=6, ttft_s=0, itl_s=0.01)


def check_model(base_url: str, *, seed: int) -> list[Check]:
    """Prove that a model answers as the control without one and every target rely on."""
    return run(MODEL, Endpoint(base_url, seed))


@MODEL.proves("models", "the list of models, if there is one, names at least one")
def _models(model: Endpoint) -> None:
    answer = Client(model.base_url).request("GET", f"{model.prefix}/models")
    if answer.status in NO_LIST:
        return
    listed = answer.json()
    expect(bool(listed["data"]) and all(one["id"] for one in listed["data"]), f"the list of models is {listed!r}")


@MODEL.proves("chat", "a streamed answer comes in chunks, is this message's own, whole and ended by the protocol")
def _streamed(model: Endpoint) -> None:
    message = model.message()
    answer = model.complete(message, stream=True)
    expect(answer.status == 200, f"it answered {answer.status}")
    expect(answer.media_type == "text/event-stream", f"the stream came as {answer.media_type!r}")
    lines = [line[5:].strip() for line in answer.body.decode().split("\n") if line.startswith("data:")]
    chunks = [json.loads(line) for line in lines if line and line != DONE]
    ended = DONE in lines[-1:] or any(_choice(chunk).get("finish_reason") for chunk in chunks)
    expect(ended, f"the stream ends with {lines[-1:]}, not with {DONE} or a finish_reason")
    texts = [text for chunk in chunks if (text := _delta(chunk))]
    expect(len(texts) > 1, f"the answer came in {len(texts)} chunk(s): it is not streamed")
    message.expect_answer("".join(texts))


def _choice(chunk: dict[str, Any]) -> dict[str, Any]:
    return dict((chunk.get("choices") or [{}])[0])


def _delta(chunk: dict[str, Any]) -> str:
    return str((_choice(chunk).get("delta") or {}).get("content") or "")


@MODEL.proves("chat", "the same answer comes whole where no stream is asked for")
def _whole(model: Endpoint) -> None:
    message = model.message()
    message.expect_answer(model.complete(message, stream=False).json()["choices"][0]["message"]["content"])


@MODEL.proves("errors", "a body that is no request is refused with a status from 400 to 422 and an error object")
def _refusals(model: Endpoint) -> None:
    for body in (b"{", {"model": "stand-in"}, {"model": "stand-in", "messages": "hello"}):
        answer = Client(model.base_url).request("POST", f"{model.prefix}/chat/completions", body)
        expect(400 <= answer.status <= 422, f"{body!r} was answered with {answer.status}")
        expect(bool(json.loads(answer.body)["error"]["message"]), f"{body!r} was refused without saying why")
