"""Waits until a component is ready, and says why when it does not become so."""

import http.client
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from harness.errors import BenchError
from harness.host.launch import last_lines
from harness.runtimes.local.component import Launch

ASK_EVERY_S = 0.03


def wait(wanted: Launch, process: "subprocess.Popen[bytes]", why_killed: Callable[[], str]) -> None:
    """Ask a started component until it answers; ``why_killed`` adds what is known of the death of its process.

    Raises:
        BenchError: it ended or its time is over; with the last lines of its log.
    """
    deadline_s = time.monotonic() + wanted.ready_timeout_s
    url, problem = wanted.ready_url or "", ""
    while process.poll() is None and time.monotonic() < deadline_s:
        problem = answers(url, timeout_s=min(5.0, max(0.1, deadline_s - time.monotonic())))
        if not problem:
            return
        time.sleep(ASK_EVERY_S)
    code = process.poll()
    if code is not None:
        problem = ""
        what = f"ended with {code}{why_killed()} before it was ready at {url}"
    else:
        what = f"did not answer in {wanted.ready_timeout_s:g} s at {url} ({problem})"
    tail = "".join(f"\n    {line}" for line in last_lines(wanted.log)) or "\n    (nothing)"
    raise BenchError(f"{wanted.name} {what}; the end of {wanted.log}:{tail}", _remedy(tail, problem, wanted))


def answers(url: str, timeout_s: float) -> str:
    """Return the reason that ``http://…`` or ``tcp://host:port`` is not ready yet; empty when it is.

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


def _remedy(tail: str, problem: str, wanted: Launch) -> str:
    """Return what to do about a component that did not become ready, after its log and its last answer."""
    lowered = tail.lower()
    by_hand = f"start it by hand in {wanted.cwd}: {shlex.join(wanted.command)}"
    if "address already in use" in lowered:
        return "another program took the port meanwhile: run it again, another port will be picked"
    if "modulenotfounderror" in lowered or "no module named" in lowered:
        return "a package is missing from the part's requirements file: add it there and lock again"
    if wanted.role == "target" and problem:
        if problem.startswith("HTTP status"):
            below = "" if urlsplit(wanted.endpoint or "").path else "; where all of it is below one path, state `path`"
            return f"correct `ready` in part.toml: it has to answer below 400 without a sign-in{below}"
        if port := _other_port(tail, wanted):
            return f"its log names port {port}: write {{port}} where your program takes it, in start or in [local.env]"
        if "refused" in problem and _takes_ipv6(wanted.ready_url or ""):
            return "it listens at ::1 alone, as `localhost` may mean: let it listen at 127.0.0.1"
        return f"where it only needs longer, raise ready_within_s in part.toml; else {by_hand}"
    return by_hand


def _takes_ipv6(url: str) -> bool:
    """Tell if somebody takes connections by IPv6 at the port of ``url``."""
    try:
        socket.create_connection(("::1", urlsplit(url).port or 80), timeout=1.0).close()
    except OSError:
        return False
    return True


def _other_port(tail: str, wanted: Launch) -> str:
    """Return a port that a log says is listened on where it is not the wanted one; empty where none is named.

    The ports of what the component was told to talk to, such as the model, are none that it listens on.
    """
    hosts = r"127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\]|\bport(?:\(s\))?|\b(?:on|at) \*?"
    named = re.findall(rf"(?:{hosts})[: ]{{1,2}}(\d{{2,5}})\b", tail, re.IGNORECASE)
    told = {port for value in wanted.env.values() for port in re.findall(r":(\d{2,5})\b", value)}
    own = str(urlsplit(wanted.ready_url or "").port)
    others = [port for port in named if port not in told - {own}]
    return others[-1] if others and own not in others else ""
