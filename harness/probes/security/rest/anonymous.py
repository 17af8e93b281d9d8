"""The probes without a session: every operation, with nothing and with made-up credentials, and other paths."""

from harness.probes.client import Client
from harness.probes.contract.access import OPEN
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import Scene, answered
from harness.probes.security.tally import Tally
from harness.probes.world import OPERATIONS

#: where frameworks and servers keep what is not for everybody: consoles, metrics, documentation, sources, secrets
PATHS = (
    "/admin/",
    "/console",
    "/debug",
    "/__debug__/",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/metrics",
    "/server-status",
    "/.env",
    "/.git/config",
    "/api/debug",
    "/api/users",
    "/api/admin",
    "/chat.sqlite3",
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2f..%2fetc/passwd",
)
#: what none of them may show
TELLTALE = (
    b"root:x:",
    b"SECRET_KEY",
    b"SQLite format 3",
    b"[core]",
    b"Traceback",
    b"# HELP",
    b"swagger-ui",
    b"pbkdf2_",
)


def access(scene: Scene) -> Seen:
    """Return what is open to nobody in particular; ``health`` and ``schema`` are open by contract."""
    tally = Tally()
    kept = scene.kept
    subject = scene.user("user0001")["id"]
    before = kept.state()
    strangers = {
        "without a session": scene.anonymous(),
        "with a made-up session": Client(scene.base_url, session="0" * 32),
        "with a made-up token": Client(scene.base_url, bearer="0" * 43),
    }
    for operation, (method, _) in OPERATIONS.items():
        if operation in OPEN:
            continue
        for how, client in strangers.items():
            answer = answered(client, method, kept.path(operation, subject), scene.body(operation))
            tally.status(f"{operation} {how}", (401,), answer.status)
    _beside(scene, tally)
    after = kept.state()
    tally.same("what was asked for afterwards", before, after)
    return tally.seen()


def _beside(scene: Scene, tally: Tally) -> None:
    """Paths outside the contract: refused, or the front end's page as for any path of the application."""
    page = answered(scene.anonymous(), "GET", "/").body
    for path in PATHS:
        answer = answered(scene.anonymous(), "GET", path)
        shown = next((word.decode() for word in TELLTALE if word in answer.body), None)
        refused = 400 <= answer.status < 500
        harmless = answer.status == 200 and answer.body == page and not path.startswith("/api/")
        seen = (
            f"{answer.status} with {shown!r} in it"
            if shown
            else f"{answer.status}" + (", the page" if harmless else "")
        )
        tally.note(f"GET {path}", "refused, or the page", seen, shown is None and (refused or harmless))
