"""Every API keeps what its own schema promises, whatever is sent to it: Schemathesis, always the same requests."""

import hashlib
import json
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from harness.environments import plain_environment
from harness.probes.world import OPERATIONS
from harness.records import AnswerPlan, Distribution
from harness.records.recipe import PASSWORD
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import UNLIMITED_PER_MINUTE
from tests.e2e.conftest import ROOT
from tests.e2e.conftest import SEED as DATA_SEED
from tests.e2e.parts.test_contract import CATALOGUE, REST

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
PROGRAM = Path(sys.executable).with_name("schemathesis")
SEED = 20250408
LIMIT_S = 850
ANSWER = AnswerPlan(ttft_s=Distribution(median=0.001), itl_s=0.001, tokens=Distribution(median=3))
OWNER, BYSTANDER = "user0041", "user0042"
#: who asks -> operations left out: signing out would end the token, and signing in is the same for everybody
PEOPLE = {OWNER: ("logout",), "admin": ("logout", "login", "createToken", "sendMessage")}
LEAST_REQUESTS = {OWNER: 600, "admin": 500}
#: operations whose success must be among what was tried, not their refusals alone
REACHED = {
    OWNER: (
        "POST /api/conversations/{id}/messages",
        "PUT /api/messages/{id}/feedback",
        "PATCH /api/conversations/{id}",
    ),
    "admin": ("POST /api/messages/{id}/hide", "PATCH /api/admin/users/{id}"),
}


#: variants answer from the same code
@pytest.fixture(scope="module", params=[name for name in REST if ":" not in name])
def base_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Each API on data of its own, which these tests spoil for others, and without a limit that refuses them."""
    runtime = LocalRuntime()
    prepared = runtime.prepare(CATALOGUE.target(request.param), CATALOGUE, ROOT, DATA_SEED, print)
    try:
        with runtime.open_trial("schemathesis", tmp_path_factory.mktemp("api")) as pod:
            yield pod.launch(prepared, ANSWER, UNLIMITED_PER_MINUTE).instances[0]
    finally:
        runtime.close()


def answer_of(username: str) -> str:
    """Return the id of the first answer in a seeded user's first conversation; targets/CONTRACT.md, "Seeded data"."""
    return str(uuid.UUID(hashlib.sha256(f"{DATA_SEED}:message:{username}:0:1".encode()).hexdigest()[:32]))


def token(base_url: str, username: str) -> str:
    """Sign a program in."""
    body = json.dumps({"username": username, "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{base_url}/api/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["token"])


def tried(base_url: str, bearer: str, answer: str, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Try an API from its served schema; what Schemathesis reports, and what it printed."""
    report = folder / "report.json"
    words = ["--config-file", CONFIGURATION, "--no-color", "run", f"{base_url}/api/schema", "--url", base_url]
    words += ["--seed", str(SEED), "--report", "json", "--report-json-path", report, *options]
    done = subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        env=plain_environment() | {"CHATBENCH_TOKEN": bearer, "CHATBENCH_ANSWER": answer},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text(encoding="utf-8")), done.stdout


@pytest.mark.parametrize("person", PEOPLE)
def test_an_api_keeps_what_its_schema_promises(base_url: str, person: str, tmp_path: Path) -> None:
    left_out = PEOPLE[person]
    options = [word for operation in left_out for word in ("--exclude-operation-id", operation)]
    answer = answer_of(BYSTANDER if person == "admin" else person)  # the owner's run may have deleted the owner's
    report, printed = tried(base_url, token(base_url, person), answer, tmp_path, *options)
    assert (report["failures"], report["errors"], report["exit_code"]) == ([], [], 0), printed
    assert report["complete"]
    assert report["operations"]["tested"] == len(OPERATIONS) - 1 - len(left_out), printed  # the schema's own address
    assert report["test_cases"]["generated"] >= LEAST_REQUESTS[person], printed
    reached = {name for name, phases in report["valid_rates"].items() if any(p["accepted"] for p in phases.values())}
    assert set(REACHED[person]) <= reached, printed


def test_signing_a_program_out_keeps_what_the_schema_promises(base_url: str, tmp_path: Path) -> None:
    report, printed = tried(
        base_url, token(base_url, BYSTANDER), answer_of(BYSTANDER), tmp_path, "--include-operation-id", "logout"
    )
    assert (report["failures"], report["errors"], report["operations"]["tested"]) == ([], [], 1), printed


class Twin(BaseHTTPRequestHandler):
    """An API whose answer is not what its own schema says."""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Serve the schema, or the answer that breaks it."""
        schema = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
        answers = {"200": {"description": "Well.", "content": {"application/json": {"schema": schema}}}}
        document = {"openapi": "3.1.0", "info": {"title": "Twin", "version": "1"}}
        document |= {"paths": {"/api/health": {"get": {"operationId": "health", "responses": answers}}}}
        body = json.dumps(document if self.path == "/api/schema" else {"status": "unwell"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_an_api_that_breaks_its_schema_is_noticed(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Twin) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            report, printed = tried(f"http://127.0.0.1:{server.server_port}", "none", "none", tmp_path)
        finally:
            server.shutdown()
            serving.join()
    assert [one["type"] for one in report["failures"] if one["operations"] == ["GET /api/health"]], printed
    assert report["exit_code"] != 0
