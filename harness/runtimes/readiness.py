"""Asks a component whether it is ready."""

import http.client
import socket
from urllib.parse import urlsplit


def answers(url: str, timeout_s: float) -> str:
    """Return why ``http://…`` or ``tcp://host:port`` is not ready yet; empty when it is.

    Connects straight to the host: a proxy configured for the machine knows nothing of 127.0.0.1.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    if parts.scheme == "tcp":
        try:
            socket.create_connection((host, port), timeout_s).close()
        except OSError as problem:
            return str(problem)
        return ""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        return str(problem) or type(problem).__name__
    finally:
        connection.close()
    return "" if status < 400 else f"HTTP status {status}"
