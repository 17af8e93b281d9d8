"""The checks that hold for every operation: malformed requests, the rate limit, the headers of answers."""

import statistics
import time
import urllib.parse
from functools import partial

from harness.probes.claims import Probe, Probes, expect
from harness.probes.client import Answer, Client
from harness.probes.world import OWNER, RestWorld

PROBES: Probes[RestWorld] = Probes()
LARGEST_BODY_BYTES = 2 * 1024 * 1024
FAILED_SIGN_INS = 10
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@PROBES.proves("errors", "an unknown path below /api is a 404 problem, a wrong method 405 with Allow")
def _unknown_paths(world: RestWorld) -> None:
    world.owner.request("GET", "/api/nothing-here").problem(404)
    answer = world.owner.request("DELETE", "/api/conversations")
    answer.problem(405)
    allowed = {method.strip() for method in answer.header("Allow").split(",")}
    expect({"GET", "POST"} <= allowed, f"Allow of /api/conversations is {answer.header('Allow')!r}")
    world.anonymous.request("DELETE", "/api/health", csrf=False).problem(405)  # whoever asks, with no token at all


@PROBES.proves("errors", "a malformed body is 400, of another type 415, over 2 MiB 413, a page that is no number 400")
def _malformed(world: RestWorld) -> None:
    path = "/api/conversations"
    for body in (b"{", b'"text"', b"\xff\xfe", b'{"title": "x", "owner": "me"}', b'{"title": 7}'):
        world.owner.request("POST", path, body).problem(400)
    world.owner.request(
        "POST", path, b"title=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    ).problem(415)
    large = b'{"title": "' + b"x" * LARGEST_BODY_BYTES + b'"}'
    world.owner.request("POST", path, large).problem(413)
    world.owner.request("GET", f"{path}?page=first").problem(400)


@PROBES.proves("errors", "NUL is 400 in every text that is sent, the only one of its characters or one of many")
def _nul(world: RestWorld) -> None:
    mine = f"/api/conversations/{world.conversation(world.owner)['id']}"
    sent = {"username": "nobody", "password": "wrong"}
    for text in ("\x00", " \x00 ", "\x00a", "a\x00", "a\x00b"):
        for method, path, body, field in (
            ("POST", "/api/conversations", {"title": text}, "title"),
            ("PATCH", mine, {"title": text}, "title"),
            ("POST", f"{mine}/messages", {"content": text}, "content"),
            ("POST", "/api/auth/token", sent | {"username": text}, "username"),
            ("POST", "/api/auth/login", sent | {"password": text}, "password"),
            ("GET", f"/api/conversations?search={urllib.parse.quote(text)}", None, "search"),
        ):
            client = world.anonymous if field in sent else world.owner
            answer = client.request(method, path, body)
            errors = answer.problem(400).get("errors", {})
            expect(field in errors, f"{answer.request} with {text!r}: no error names {field}")


@PROBES.proves("headers", "every answer, refusals included, carries the security headers")
def _headers(world: RestWorld) -> None:
    for answer in (
        world.anonymous.request("GET", "/api/health"),
        world.anonymous.request("GET", "/api/auth/me"),
        world.owner.request("GET", "/api/conversations"),
        world.owner.request("GET", "/api/nothing-here"),
    ):
        expect_security_headers(answer)


def expect_security_headers(answer: Answer) -> None:
    """Raise RefutedError unless an answer carries the contract's headers and its content policy."""
    for name, wanted in HEADERS.items():
        expect(answer.header(name) == wanted, f"{answer.request}: {name} is {answer.header(name)!r}, not {wanted!r}")
    policy = {
        directive.split()[0]: directive.split()[1:]
        for directive in answer.header("Content-Security-Policy").split(";")
        if directive.strip()
    }
    for directive, wanted in (
        ("default-src", "'self'"),
        ("script-src", "'self'"),
        ("connect-src", "'self'"),
        ("object-src", "'none'"),
        ("frame-ancestors", "'none'"),
        ("base-uri", "'self'"),
    ):
        seen = policy.get(directive)
        expect(
            seen == [wanted], f"{answer.request}: {directive} of the Content-Security-Policy is {seen}, not {wanted}"
        )


def limits(messages_per_minute: int) -> list[Probe[RestWorld]]:
    """Return the probes of the rate limits."""
    claim = f"after {messages_per_minute} messages a minute: 429 with Retry-After, for this user alone"
    return [
        Probe("sendMessage", claim, partial(_message_limit, messages_per_minute)),
        Probe("login", f"after {FAILED_SIGN_INS} failures for one name: 429 with Retry-After", _sign_in_limit),
    ]


def _expect_limited(answer: Answer) -> None:
    answer.problem(429)
    wait = answer.header("Retry-After")
    expect(wait.isdigit() and 1 <= int(wait) <= 60, f"Retry-After is {wait!r}")


def _message_limit(per_minute: int, world: RestWorld) -> None:
    conversation = world.conversation(world.talker)
    path = f"/api/conversations/{conversation['id']}/messages"
    taken = 0
    while taken <= 2 * per_minute:  # a minute may turn meanwhile
        answer = world.talker.request("POST", path, {"content": world.message(tokens=2, ttft_s=0, itl_s=0).content})
        if answer.status != 201:
            break
        taken += 1
    expect(answer.status == 429, f"message {taken + 1} answered {answer.status}: no limit of {per_minute} a minute")
    _expect_limited(answer)
    expect(taken >= per_minute, f"already message {taken + 1} was refused, {per_minute} are allowed")
    with world.talker.stream(path, {"content": "Hello"}) as stream:
        _expect_limited(stream.answer)
    world.ask(world.reader, world.conversation(world.reader)["id"], world.message(tokens=2, ttft_s=0))


def _sign_in_limit(world: RestWorld) -> None:
    known_s: list[float] = []
    _failed_sign_in(world, OWNER, known_s).problem(401)
    name = f"nobody-{time.monotonic_ns()}"
    unknown_s: list[float] = []
    answer = _failed_sign_in(world, name, unknown_s)
    while answer.status == 401 and len(unknown_s) <= 2 * FAILED_SIGN_INS:  # a minute may turn meanwhile
        answer = _failed_sign_in(world, name, unknown_s)
    _expect_limited(answer)
    expect(len(unknown_s) > FAILED_SIGN_INS, f"already failure {len(unknown_s)} was refused for being too many")
    median_s = statistics.median(unknown_s)
    expect(
        median_s > known_s[0] / 5, f"an unknown name is refused in {median_s:.3f} s, a known one in {known_s[0]:.3f} s"
    )


def _failed_sign_in(world: RestWorld, name: str, took_s: list[float]) -> Answer:
    client = Client(world.base_url)
    client.request("GET", "/api/auth/me")
    begun_s = time.monotonic()
    answer = client.request("POST", "/api/auth/login", {"username": name, "password": "wrong"})
    took_s.append(time.monotonic() - begun_s)
    return answer
