"""What the environment says, read once and checked."""

import functools
import os


@functools.cache
def api_base_url() -> str:
    """Return where the REST API is, without a slash at its end.

    Raises:
        ValueError: it is not set, or no http(s) address.
    """
    url = os.environ.get("API_BASE_URL", "")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"API_BASE_URL is {url!r}: set it to an http(s) address, for example http://127.0.0.1:8000")
    return url.rstrip("/")
