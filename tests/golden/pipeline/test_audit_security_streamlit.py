"""The security probes of Streamlit on our own monolith with flaws put in; ``test_audit`` tries it as it is."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from harness.probes.probe import run
from harness.probes.security import PROBES
from harness.probes.security.streamlit.roles import EXPECTED, OPERATIONS, WRITING
from harness.probes.security.streamlit.scene import OWNER
from harness.probes.subject import Subject
from harness.records import Finding
from harness.targets.part import FEATURES
from tests import ROOT
from tests.golden.model.server import Model

PART = ROOT / "targets" / "monolith" / "streamlit"
SEED = 42
#: file, what stands there, what stands there instead
FLAWS = (
    ("store.py", "conversations WHERE id = ? AND user_id = ?", "conversations WHERE id = ? AND ? > 0"),
    ("store.py", "WHERE conversation_id = ? AND user_id = ?", "WHERE conversation_id = ? AND ? > 0"),
    ("store.py", "SET title = ? WHERE id = ? AND user_id = ?", "SET title = ? WHERE id = ? AND ? > 0"),
    (
        "store.py",
        '"UPDATE conversations SET updated_at = ? WHERE id = ? AND user_id = ?"',
        '"UPDATE conversations SET updated_at = ? WHERE id = ? AND ? > 0"',
    ),
    ("store.py", "(SELECT id FROM conversations WHERE user_id = ?)", "(SELECT id FROM conversations WHERE ? > 0)"),
    ("store.py", r"AND title LIKE ? ESCAPE '\'", "AND title LIKE '%{search}%'"),
    ("store.py", 'sql = r"""SELECT * FROM conversations', 'sql = f"""SELECT * FROM conversations'),
    ("store.py", "rows(sql, user_id, _like(search), limit)", "rows(sql, user_id, limit)"),
    ("store.py", "AND expires_at > ? AND is_active", "AND expires_at > ?"),
    ("store.py", "if not active:", "if False:"),
    ("store.py", '"DELETE FROM sessions WHERE id = ?"', '"DELETE FROM sessions WHERE id = -?"'),
    ("admin.py", "return user if user is not None and user.role in roles else None", "return user"),
    ("main.py", "if user.role in admin.MODERATORS:", "if True:"),
    ("main.py", 'if user.role == "admin":', "if True:"),
    ("main.py", "if user is None:\n", "if user is None:\n    st.text(str(_titles()))\n"),
    ("main.py", "user = auth.current_user()\n", "TITLES\nuser = auth.current_user()\n"),
    ("auth.py", "ATTEMPTS_PER_MINUTE = 10", "ATTEMPTS_PER_MINUTE = 10_000"),
    ("app.py", "if origin is not None and", "if False and"),
    (
        "app.py",
        'httponly=True, samesite="lax", secure',
        'httponly=False, samesite="none", domain="127.0.0.1", secure',
    ),
    ("app.py", 'methods=["POST", "DELETE"])', 'methods=["POST", "DELETE"]), METRICS'),
    ("auth.py", "token = secrets.token_hex(16)", "token = secrets.token_hex(4)"),
    ("auth.py", "return token if get_store().claim_session", "return token if [get_store().claim_session"),
    ("auth.py", "hash_token(token)) else None", "hash_token(token))] else None"),
    (
        "auth.py",
        'return "That username and password do not match."',
        'return "That username and password do not match." if found else "Nobody is called that."',
    ),
    ("app.py", "middleware=[Middleware(SecurityHeaders)]", "middleware=[]"),
)
METRICS = 'Route("/metrics", lambda request: Response("# HELP people"))'
TITLES = """
def _titles():
    from store import get_store

    rows = get_store().database.rows("SELECT title FROM conversations ORDER BY id DESC LIMIT 5")
    return [row[0] for row in rows]

"""
#: finding -> what it has to say of the flawed build
FOUND = {
    "roles-operations": (
        *(f"{one} as another user: done" for one in (*WRITING, "read", "hide", "list users", "change a user")),
        *(f"{one} as moderator: done" for one in ("list users", "change a user", "delete")),
        *(f"{one} as deactivated user: done" for one in EXPECTED if one != "sign in"),
        "list users as user: done",
        "delete as admin: done",
    ),
    "other-objects": (
        *(f"{one} by another user: done" for one in (*WRITING, "read")),
        *(f"delete by {one}: done" for one in ("moderator", "admin")),
        "the conversation afterwards: changed",
    ),
    "anonymous-access": (
        *(f"the page {how}: more" for how in ("without a session", "with a made-up session")),
        "GET /metrics: 200 with '# HELP' in it",
    ),
    "csrf": (
        *(f"POST /session {how}: 204" for how in ("without a code", "with a made-up code", "as text/plain")),
        *(
            f"{one} /session from {origin}: 204"
            for one in ("POST", "DELETE")
            for origin in ("a foreign origin", "the origin null")
        ),
        *(f"{method} of an upload without its token: 204" for method in ("PUT", "DELETE")),
        "reading for a foreign page (CORS): ",
    ),
    "websocket-origin": (
        "origin https://attacker.example: 101",
        "origin null: 101",
        "origin http://127.0.0.1.attacker.example:",
        "origin http://attacker.example:",
    ),
    "cookie-flags": (
        "HttpOnly: absent",
        "SameSite: none",
        "Domain: 127.0.0.1",
        "length: 8",
        "the sign-in code a second time: 204",
        "after signing out: still signed in",
    ),
    "security-headers": (
        "(CSP script-src): absent",
        "(CSP object-src): absent",
        "(CSP img-src): absent",
        "framing by others: absent",
        "guessed content types: absent",
        "(Referrer-Policy): absent",
        "(COOP): absent",
    ),
    "sql-injection": ("search of conversations \"' OR '1'='1\": found", "sign-in code \"' OR '1'='1\": answered 204"),
    "sign-in-throttling": (
        "a name that exists beside one that does not: another",
        "guess 22 at one name: That username and password do not match",
        "the right password while guessing is stopped: signed in",
    ),
}
#: put into a build of its own: whoever is not signed in is the owner, and an admin
UNGUARDED = (
    (
        "auth.py",
        "return get_store().session_user(state.session_id) if state.session_id is not None else None",
        "from dataclasses import replace\n"
        "    user = get_store().session_user(state.session_id) if state.session_id is not None else None\n"
        f"    return user or replace(get_store().credentials({OWNER!r})[0], role='admin')",
    ),
)
#: a build that keeps the session id a browser came with, and counts all guesses together
PLANTED = (
    ("auth.py", "def claim_cookie(code: str)", "def claim_cookie(code: str, token: str = '')"),
    ("auth.py", "    token = secrets.token_hex(16)", "    token = token or secrets.token_hex(16)"),
    (
        "app.py",
        'request.headers.get("x-sign-in-code", ""))',
        'request.headers.get("x-sign-in-code", ""), request.cookies.get(auth.COOKIE, ""))',
    ),
    ("auth.py", 'f"sign-in {username[:150]}"', '"sign-in"'),
)
#: a build that refuses what people may do: no password is right, no code is, nothing is renamed
SHUT = (
    ("auth.py", "password, found[1] if found else _NOBODY) or found is None", "password, _NOBODY) or True"),
    ("store.py", "SET title = ? WHERE id = ? AND user_id = ?", "SET title = ? WHERE id = ? AND user_id = -?"),
)
#: a build that takes no sign-in code at all
DEAF = (("app.py", "if token is None:", "if True:"),)
#: what Streamlit itself lets through; the findings' texts say so
KNOWN = ("unguessable", "http://localhost:", "http://127.0.0.1:")


@contextmanager
def _served(folder: Path, model: Model, *options: str) -> Iterator[str]:
    env = os.environ | {
        "DATA_DIR": str(folder / "data"),
        "LLM_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
        "STREAMLIT_SERVER_COOKIE_SECRET": "of-a-test",
        "HOME": str(folder),
    }
    seed = [sys.executable, "seed.py", "--users", "60", "--conversations", "1", "--seed", str(SEED)]
    subprocess.run(seed, cwd=folder, env=env, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port", str(port), *options]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, *words], cwd=folder, env=env, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url + "/_stcore/health", server)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None, "Streamlit ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("Streamlit did not come up")


def _copied(folder: Path) -> Path:
    return Path(shutil.copytree(PART, folder / "app", ignore=shutil.ignore_patterns("__pycache__", "data")))


@pytest.fixture(scope="module")
def flawed(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The build with a flaw for every probe."""
    options = ("--server.enableCORS", "false", "--server.enableXsrfProtection", "false")
    with _served(_flawed(tmp_path_factory.mktemp("flawed"), FLAWS), model, *options) as url:
        yield url


def _flawed(folder: Path, flaws: tuple[tuple[str, str, str], ...]) -> Path:
    folder = _copied(folder)
    for name, there, instead in flaws:
        file = folder / name
        text = file.read_text(encoding="utf-8")
        assert there in text, f"{name} has no {there!r} to put a flaw into"
        file.write_text(text.replace(there, instead.replace("TITLES\n", TITLES).replace("METRICS", METRICS)))
    return folder


@cache  # each is tried once on each build
def _finding(name: str, base_url: str) -> Finding:
    [probe] = [one for one in PROBES if one.name == name]
    subject = Subject(
        target="streamlit",
        base_url=base_url,
        protocol="streamlit",
        web=False,
        features=FEATURES,
        seed=SEED,
        rate_limit=60,
        model_log="",
        streamlit_site=sysconfig.get_path("purelib"),
    )
    return run([probe], subject)[0]


@pytest.mark.parametrize("name", FOUND)
def test_flaw_is_found(name: str, flawed: str) -> None:
    finding = _finding(name, flawed)
    assert finding.outcome == "failed", finding.text
    broken = [line for line in finding.details if line.startswith("FAILED")]
    missing = [said for said in FOUND[name] if not any(said in line for line in broken)]
    assert missing == [], broken


def _broken(name: str, base_url: str) -> list[str]:
    return [line for line in _finding(name, base_url).details if line.startswith("FAILED")]


def _missing(told: list[str], broken: list[str]) -> list[str]:
    return [said for said in told if not any(said in line for line in broken)]


def test_every_operation_open_to_nobody_is_found(model: Model, tmp_path: Path) -> None:
    with _served(_flawed(tmp_path, UNGUARDED), model) as url:
        anonymous, roles = (_broken(name, url) for name in ("anonymous-access", "roles-operations"))
    told = ["the page without a session: more", "the page with a made-up session: more"]
    told += [f"{one} without a session: done" for one in OPERATIONS]
    others = ("list own conversations", "begin a conversation", "list users", "change a user")
    told += [f"{one} with a made-up session: done" for one in others]  # the conversation is gone by then
    assert _missing([*told, "what was asked for afterwards: changed"], anonymous) == [], anonymous
    told = [f"{one} as nobody: done" for one in EXPECTED if one != "sign in"]
    assert _missing([*told, "sign in as deactivated user: done"], roles) == [], roles


def test_session_that_was_planted_and_guesses_counted_together_are_found(model: Model, tmp_path: Path) -> None:
    with _served(_flawed(tmp_path, PLANTED), model) as url:
        cookies, throttling = (_broken(name, url) for name in ("cookie-flags", "sign-in-throttling"))
    assert _missing(["a session id planted before signing in: kept"], cookies) == [], cookies
    assert _missing(["a guess at another name meanwhile: Too many attempts"], throttling) == [], throttling


def test_what_people_may_do_and_cannot_is_found(model: Model, tmp_path: Path) -> None:
    with _served(_flawed(tmp_path, SHUT), model) as url:
        broken = _broken("roles-operations", url)
    told = [f"sign in as {one}: refused" for one in ("nobody", "user", "another user", "moderator", "admin")]
    assert _missing([*told, "rename as user: refused"], broken) == [], broken


def test_page_whose_own_code_is_refused_is_found(model: Model, tmp_path: Path) -> None:
    with _served(_flawed(tmp_path, DEAF), model) as url:
        broken = _broken("csrf", url)
    assert _missing(["the page's own request with its code: 403"], broken) == [], broken
