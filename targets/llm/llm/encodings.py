"""Bodies of requests that a client compressed."""

import zlib

from .errors import ApiError

MAX_BYTES = 16 * 1024 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decoded(body: bytes, encoding: bytes) -> bytes:
    """Return a body without its content encoding.

    Raises:
        ApiError: 415, for an unknown encoding; 400, for a body that has another one; 413, for too long a body.
    """
    name = encoding.strip().lower().decode("latin-1")
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ApiError(415, f"Content-Encoding is {name!r}: use gzip, deflate or none.")
    stream = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        plain = stream.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise ApiError(400, f"The body is not {name}: {error}.") from None
    if len(plain) > MAX_BYTES:
        raise ApiError(413, f"The body is longer than {MAX_BYTES} bytes once it is decoded.")
    return plain
