"""Everything that OpenAI's own clients ask a model for, beside a plain chat completion."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.golden.model.server import Model, Reply
from tests.golden.model.test_answers import nonce

SCHEMA = {
    "$defs": {"Mood": {"enum": ["calm", "keen"]}},
    "type": "object",
    "properties": {
        "question": {"type": "string"},
        "mood": {"$ref": "#/$defs/Mood"},
        "topics": {"type": "array", "items": {"type": "string", "maxLength": 4}},
        "count": {"type": "integer", "minimum": 3},
        "sure": {"type": ["null", "boolean"]},
    },
    "required": ["question", "mood", "topics", "count", "sure"],
    "additionalProperties": False,
}


def post(model: Model, path: str, headers: dict[str, str] | None = None, **body: object) -> Reply:
    return model.request("POST", path, json.dumps(body).encode(), headers)


def said(tag: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Hello tag-{tag}"}]


def test_a_response_is_streamed_as_its_events(model: Model, tag: str) -> None:
    reply = post(model, "/v1/responses", input=f"Hello tag-{tag}", stream=True)
    kinds = [event["type"] for event in reply.events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[4:-4] == ["response.output_text.delta"] * 6
    assert [kind.rpartition(".")[2] for kind in kinds[-4:]] == ["done", "done", "done", "completed"]
    assert [event["sequence_number"] for event in reply.events] == list(range(len(kinds)))
    assert reply.text.startswith(nonce(42, tag))
    assert reply.text.endswith("[end]")
    whole = reply.events[-1]["response"]
    assert whole["output"][0]["content"][0]["text"] == reply.text
    assert whole["usage"]["total_tokens"] == whole["usage"]["input_tokens"] + 6
    assert model.emission(tag)["finished"]


@pytest.mark.parametrize(
    "given",
    [
        lambda text: text,
        lambda text: [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": text}],
        lambda text: [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
            {"type": "function_call_output", "call_id": "c", "output": "{}"},
        ],
    ],
    ids=["text", "messages", "parts"],
)
def test_a_response_comes_whole(model: Model, tag: str, given: Any) -> None:
    reply = post(model, "/v1/responses", input=given(f"Hello tag-{tag}"), instructions="Be brief.")
    (item,) = reply.json["output"]
    assert (reply.json["object"], reply.json["status"], item["type"]) == ("response", "completed", "message")
    assert item["content"][0]["text"].startswith(nonce(42, tag))


@pytest.mark.parametrize("stream", [True, False])
def test_a_completion_of_the_old_kind(model: Model, tag: str, stream: bool) -> None:
    reply = post(model, "/v1/completions", prompt=[f"Hello tag-{tag}"], stream=stream)
    text = reply.text if stream else reply.json["choices"][0]["text"]
    assert text.startswith(nonce(42, tag))
    assert text.endswith("[end]")


def test_a_model_has_the_name_it_is_asked_by(model: Model) -> None:
    reply = model.request("GET", "/v1/models/org/some-model")
    assert (reply.json["id"], reply.json["object"]) == ("org/some-model", "model")


@pytest.mark.parametrize("path", ["/v1//chat/completions", "//v1/chat/completions/", "/v1/v1/chat//completions"])
def test_how_a_base_url_is_joined_does_not_matter(model: Model, tag: str, path: str) -> None:
    assert post(model, path, messages=said(tag)).status == 200


@pytest.mark.parametrize("below", ["", "/v1"])
@pytest.mark.parametrize("place", ["/openai/deployments/gpt-4o", "/openai/v1", "/openai"])
def test_the_paths_of_azure_lead_to_the_same_answers(model: Model, tag: str, below: str, place: str) -> None:
    version = "?api-version=2024-10-21"
    reply = post(model, f"{below}{place}/chat/completions{version}", {"api-key": "x"}, messages=said(tag), stream=True)
    assert reply.text.startswith(nonce(42, tag))
    assert post(model, f"{below}{place}/embeddings{version}", input="boat").status == 200
    assert post(model, f"{below}{place}/nothing{version}").status == 404


@pytest.mark.parametrize(("name", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_body_is_read(model: Model, tag: str, name: str, packed: Any) -> None:
    body = packed(json.dumps({"messages": said(tag)}).encode())
    assert model.request("POST", "/v1/chat/completions", body, {"Content-Encoding": name}).status == 200
    assert model.request("POST", "/v1/chat/completions", b"{}", {"Content-Encoding": name}).status == 400
    assert model.request("POST", "/v1/chat/completions", body, {"Content-Encoding": "br"}).status == 415


def test_nothing_is_flagged(model: Model, tag: str) -> None:
    reply = post(model, "/v1/moderations", input=f"Hello tag-{tag}")
    (result,) = reply.json["results"]
    assert result["flagged"] is False
    assert set(result["categories"].values()) == {False}
    assert model.emission(tag)["tokens"] == 0


@pytest.mark.parametrize(
    ("fields", "length"), [({}, 1536), ({"dimensions": 8}, 8), ({"model": "text-embedding-3-large"}, 3072)]
)
def test_an_embedding_is_as_long_as_wanted(model: Model, fields: dict[str, object], length: int) -> None:
    reply = model.request("POST", "/v1/embeddings", json.dumps({"input": "boat", **fields}).encode())
    assert len(reply.json["data"][0]["embedding"]) == length


def test_several_choices_are_the_same(model: Model, tag: str) -> None:
    whole = post(model, "/v1/chat/completions", messages=said(tag), n=3)
    texts = [one["message"]["content"] for one in whole.json["choices"]]
    assert len(texts) == 3
    assert set(texts) == {texts[0]}
    reply = model.ask(f"Hello tag-{tag}", n=2)
    pieces = [(e["choices"][0]["index"], e["choices"][0]["delta"].get("content")) for e in reply.events]
    assert [text for index, text in pieces if index == 0] == [text for index, text in pieces if index == 1]
    assert reply.done


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}),
        ("/v1/responses", {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}}),
    ],
)
def test_an_answer_is_json_where_a_schema_wants_it(model: Model, tag: str, path: str, body: dict[str, Any]) -> None:
    reply = post(model, path, messages=said(tag), input=said(tag), **body)
    if path == "/v1/responses":
        text = reply.json["output"][0]["content"][0]["text"]
    else:
        text = reply.json["choices"][0]["message"]["content"]
    found = json.loads(text)
    assert found["question"].startswith(nonce(42, tag))
    assert found["question"].endswith("[end]")
    rest = {name: found[name] for name in ("mood", "topics", "count", "sure")}
    assert rest == {"mood": "calm", "topics": [nonce(42, tag)[:4]], "count": 3, "sure": True}
    assert model.emission(tag)["word"] == found["question"].split()[1]


def test_any_object_is_json(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}", response_format={"type": "json_object"})
    assert json.loads(reply.text)["answer"].startswith(nonce(42, tag))
    assert reply.done


TOOLS = [{"type": "function", "function": {"name": "ask", "parameters": SCHEMA}}]


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_a_tool_that_is_offered_is_declined(model: Model, tag: str, choice: str | None) -> None:
    reply = model.ask(f"Hello tag-{tag}", tools=TOOLS, tool_choice=choice)
    assert reply.text.startswith(nonce(42, tag))


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "ask"}}])
@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_that_is_required_is_called(model: Model, tag: str, choice: object, stream: bool) -> None:
    reply = model.ask(f"Hello tag-{tag}", stream=stream, tools=TOOLS, tool_choice=choice)
    if stream:
        first, *others = [e["choices"][0]["delta"]["tool_calls"][0]["function"] for e in reply.events[:-1]]
        name, arguments = first["name"], "".join(one["arguments"] for one in others)
        assert reply.events[-1]["choices"][0]["finish_reason"] == "tool_calls"
    else:
        called = reply.json["choices"][0]["message"]["tool_calls"][0]["function"]
        name, arguments = called["name"], called["arguments"]
    assert name == "ask"
    assert json.loads(arguments)["question"].startswith(nonce(42, tag))


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"X-Chatbench-Tag": "{tag}"}, {}),
        ({"x-chatbench-tag": "tag-{tag}"}, {}),
        ({}, {"user": "tag-{tag}"}),
        ({}, {"safety_identifier": "it is tag-{tag}"}),
        ({}, {"metadata": {"turn": "tag-{tag}"}}),
    ],
)
def test_a_tag_beside_the_prompt_counts(
    model: Model, tag: str, headers: dict[str, str], fields: dict[str, Any]
) -> None:
    filled = json.loads(json.dumps(fields).replace("{tag}", tag))
    named = {name: value.replace("{tag}", tag) for name, value in headers.items()}
    messages = [{"role": "user", "content": "A question in other words, after tag-0000000000000000"}]
    reply = post(model, "/v1/chat/completions", named, messages=messages, **filled)
    assert reply.json["choices"][0]["message"]["content"].startswith(nonce(42, tag))


@pytest.mark.parametrize("user", ["user0001", "0123456789abcdef"])
def test_a_user_without_a_tag_changes_nothing(model: Model, tag: str, user: str) -> None:
    reply = model.ask(f"Hello tag-{tag}", user=user)
    assert reply.text.startswith(nonce(42, tag))


def test_options_at_the_message_hold_with_its_tag_beside_the_prompt(model: Model, tag: str) -> None:
    reply = model.ask(f"Hello tag-{tag}?tokens=3", user=f"tag-{tag}")
    assert len(reply.arrivals) == 3


def test_a_prompt_without_a_user_is_answered_by_its_last_message(model: Model, tag: str) -> None:
    messages = [{"role": "system", "content": f"Give a title to: Hello tag-{tag}"}]
    reply = post(model, "/v1/chat/completions", messages=messages)
    assert reply.json["choices"][0]["message"]["content"].startswith(nonce(42, tag))
