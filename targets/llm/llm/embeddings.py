"""Embeddings: at once, and near each other where texts share words."""

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import ApiError
from .requests import marks_of

DIMENSIONS = 1536  # of most of OpenAI's models: a vector store may insist on it
LARGE = {"text-embedding-3-large": 3072}
MAX_DIMENSIONS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """The texts to embed; ``packed``: their vectors are wanted in base64."""

    texts: list[str]
    packed: bool
    dimensions: int
    marks: tuple[str, ...]
    model: str


def parse(body: bytes) -> EmbeddingRequest:
    """Return a request.

    Raises:
        ApiError: 400, for a body that is no JSON or has no input.
    """
    data, texts = texts_of(body)
    model = data.get("model") if isinstance(data.get("model"), str) else "stand-in"
    dimensions = data.get("dimensions") or LARGE.get(model, DIMENSIONS)
    if not isinstance(dimensions, int) or not 1 <= dimensions <= MAX_DIMENSIONS:
        message = f"dimensions is {dimensions!r}: give a number from 1 to {MAX_DIMENSIONS}."
        raise ApiError(400, message, param="dimensions")
    packed = data.get("encoding_format") == "base64"
    return EmbeddingRequest(texts=texts, packed=packed, dimensions=dimensions, marks=marks_of(data), model=model)


def texts_of(body: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return a body with an input, and the input's texts.

    Raises:
        ApiError: 400, it is no JSON or has no input.
    """
    try:
        data = orjson.loads(body)
        given = data["input"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise ApiError(400, "The body holds no 'input': give a text or an array of texts.", param="input") from None
    # A client may send numbers of tokens in place of a text: their digits are as good as words.
    alone = isinstance(given, str) or (isinstance(given, list) and all(isinstance(item, int) for item in given))
    texts = [given] if alone else given
    if not isinstance(texts, list) or not texts or given in ("", []):
        raise ApiError(400, "'input' is empty or no text: give a text or an array of texts.", param="input")
    return data, [item if isinstance(item, str) else str(item) for item in texts]


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return a vector of length 1: each word adds or takes 1 at a place that its hash names."""
    found = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        drawn = zlib.crc32(word.encode())
        found[drawn % dimensions] += 1.0 if drawn & 1 << 31 else -1.0
    size = math.sqrt(sum(value * value for value in found))
    return [value / size for value in found] if size else [1.0, *found[1:]]


def listed(request: EmbeddingRequest) -> dict[str, object]:
    """Return the response's object."""
    vectors = [vector(text, request.dimensions) for text in request.texts]
    items: list[Any] = [_packed(v) for v in vectors] if request.packed else vectors
    data = [{"object": "embedding", "index": i, "embedding": item} for i, item in enumerate(items)]
    tokens = sum(len(text.split()) for text in request.texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request.model, "data": data, "usage": usage}


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
