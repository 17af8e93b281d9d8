"""Embeddings: at once, and near each other where texts share words."""

import base64
import math
import struct
import zlib

import orjson

from .errors import ApiError

DIMENSIONS = 256


def parse(body: bytes) -> tuple[list[str], bool]:
    """Return the texts of a request, and whether their vectors are wanted in base64.

    Raises:
        ApiError: 400, for a body that is no JSON or has no input.
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
    return [item if isinstance(item, str) else str(item) for item in texts], data.get("encoding_format") == "base64"


def vector(text: str) -> list[float]:
    """Return a vector of length 1: each word adds or takes 1 at a place that its hash names."""
    found = [0.0] * DIMENSIONS
    for word in text.lower().split() or [""]:
        drawn = zlib.crc32(word.encode())
        found[drawn % DIMENSIONS] += 1.0 if drawn & 1 << 31 else -1.0
    size = math.sqrt(sum(value * value for value in found))
    return [value / size for value in found] if size else [1.0, *found[1:]]


def listed(texts: list[str], *, packed: bool) -> dict[str, object]:
    """Return the response's object."""
    vectors = [vector(text) for text in texts]
    items = [base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *v)).decode() for v in vectors] if packed else vectors
    data = [{"object": "embedding", "index": i, "embedding": item} for i, item in enumerate(items)]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": "stand-in", "data": data, "usage": usage}
