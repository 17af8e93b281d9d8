"""Signing in by a provider of the test's own, which then forges tokens."""

import base64
import hashlib
import json
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from harness.experiments.scene import PATIENCE_MS, Beside, Scene, claim

CLIENT_ID, BUTTON, KEY_BITS, EXPONENT = "chat", "Sign in with Acme", 2048, 65537
FORGERIES = ("audience", "nonce", "issuer", "expired", "signature")
#: RFC 8017, 9.2: what stands before a SHA-256 in a signature
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def accept(scene: Scene) -> None:
    """Come as an admin, come as a user, come with forged tokens."""
    provider: Provider = scene.beside.thing
    for username, roles, admin in (("ada.admin", ["admin"], True), ("ben.user", [], False)):
        provider.username, provider.roles, provider.forged = username, roles, ""
        page = _came(scene)
        expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_editable(timeout=PATIENCE_MS)
        expect(page.get_by_text(username).first).to_be_visible(timeout=PATIENCE_MS)
        users = page.get_by_role("link", name="Users")
        if admin:
            expect(users.first).to_be_visible(timeout=PATIENCE_MS)
        else:
            claim(users.count() == 0, "somebody without a role is offered the page Users")
    for forged in FORGERIES:
        provider.username, provider.roles, provider.forged = "eve.forger", ["admin"], forged
        page = _came(scene)
        page.wait_for_timeout(2500)
        page.goto(scene.base_url)
        expect(page.get_by_role("button", name=BUTTON)).to_be_visible(timeout=PATIENCE_MS)
        claim(
            page.get_by_role("textbox", name="Message", exact=True).count() == 0,
            f"wrong {forged}: signed in all the same",
        )


def _came(scene: Scene) -> Page:
    """Return the page of somebody who pressed the button and was at the provider."""
    page = scene.page()
    page.goto(scene.base_url)
    button = page.get_by_role("button", name=BUTTON).or_(page.get_by_role("link", name=BUTTON)).first
    expect(button).to_be_visible(timeout=PATIENCE_MS)
    visits = scene.beside.thing.visits
    button.click()
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while scene.beside.thing.visits == visits and time.monotonic() < deadline_s:
        page.wait_for_timeout(100)
    claim(scene.beside.thing.visits > visits, "the button does not lead to the provider")
    return page


class Provider:
    """A provider of OpenID Connect that lets everybody in as whom it is told, with tokens as good as it is told."""

    def __init__(self) -> None:
        self.issuer = ""
        self.username, self.roles, self.forged = "", [""], ""
        self.visits = 0
        self.codes: dict[str, str] = {}

    @cached_property
    def primes(self) -> tuple[int, int]:
        """Two primes of a key that is made anew each time."""
        return _prime(KEY_BITS // 2), _prime(KEY_BITS // 2)

    @property
    def modulus(self) -> int:
        """The public key."""
        return self.primes[0] * self.primes[1]

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        """Return the public key as a JWK set."""
        n, e = (_b64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (self.modulus, EXPONENT))
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "of-the-test", "n": n, "e": e}]}

    def claims(self) -> dict[str, Any]:
        """Return what is said of somebody."""
        return {"sub": self.username, "preferred_username": self.username, "name": self.username, "roles": self.roles,
                "email": f"{self.username}@acme.example"}  # fmt: skip

    def token(self, nonce: str) -> dict[str, Any]:
        """Return the answer of the token endpoint, forged as told."""
        now = int(time.time())
        claims = self.claims() | {"iss": self.issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 600}
        claims |= {
            "audience": {"aud": "another-client"},
            "nonce": {"nonce": "of-another-sign-in"},
            "issuer": {"iss": "http://127.0.0.1:1/elsewhere"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }.get(self.forged, {})
        signed = ".".join(
            _b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "of-the-test", "typ": "JWT"}, claims)
        )
        signature = self.sign(signed.encode())
        if self.forged == "signature":
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 600,
                "id_token": f"{signed}.{_b64(signature)}"}  # fmt: skip

    def sign(self, content: bytes) -> bytes:
        """Return an RSASSA-PKCS1-v1_5 signature with SHA-256 (RFC 8017, 8.2)."""
        size = KEY_BITS // 8
        tail = b"\0" + SHA256_PREFIX + hashlib.sha256(content).digest()
        padded = b"\0\1" + b"\xff" * (size - 2 - len(tail)) + tail
        p, q = self.primes
        private = pow(EXPONENT, -1, (p - 1) * (q - 1))
        return pow(int.from_bytes(padded, "big"), private, self.modulus).to_bytes(size, "big")


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _prime(bits: int) -> int:
    """Return a number of this many bits that is prime beyond doubt for a test (Miller & Rabin)."""
    while True:
        n = secrets.randbits(bits) | 1 | 3 << (bits - 2)
        if (
            all(n % small for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31))
            and (n - 1) % EXPONENT
            and _probably_prime(n)
        ):
            return n


def _probably_prime(n: int) -> bool:
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(12):
        x = pow(random.randrange(2, n - 1), odd, n)  # noqa: S311  # a key for one test
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(twos - 1)):
            return False
    return True


class _Endpoints(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        """Discovery, keys, authorisation, what is said of somebody."""
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/authorize":
            self.provider.visits += 1
            code = secrets.token_urlsafe(12)
            self.provider.codes[code] = query.get("nonce", "")
            answer = urlencode({"code": code, "state": query.get("state", "")})
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{answer}")
            self.end_headers()
            return
        documents = {
            "/.well-known/openid-configuration": self.provider.metadata,
            "/keys": self.provider.keys,
            "/userinfo": self.provider.claims,
        }
        self._json(documents[url.path]() if url.path in documents else {}, 200 if url.path in documents else 404)

    def do_POST(self) -> None:
        """Trade a code, once, for tokens."""
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
        nonce = self.provider.codes.pop(form.get("code", [""])[0], None)
        if nonce is None:
            self._json({"error": "invalid_grant"}, 400)
        else:
            self._json(self.provider.token(nonce), 200)

    def _json(self, document: dict[str, Any], status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def beside() -> Iterator[Beside]:
    """Serve the provider."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Endpoints", (_Endpoints,), {"provider": provider}))
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Beside(names={"issuer": provider.issuer}, thing=provider)
    finally:
        server.shutdown()
        server.server_close()
