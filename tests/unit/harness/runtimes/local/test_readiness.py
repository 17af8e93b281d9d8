"""What a person is told about a component that did not become ready."""

from pathlib import Path

import pytest

from harness.runtimes.local import Launch, readiness

WANTED = Launch(
    name="bot",
    role="target",
    command=("python", "my app.py"),
    cwd=Path("/bots/my bot"),
    env={"OPENAI_BASE_URL": "http://127.0.0.1:40999/v1"},
    log=Path("bot.log"),
    version="1",
    endpoint=None,
    ready_url="http://127.0.0.1:40123/health",
)


@pytest.mark.parametrize(
    ("tail", "problem", "said"),
    [
        ("[Errno 98] Address already in use", "", "another port will be picked"),
        ("ModuleNotFoundError: No module named 'x'", "", "add it there"),
        ("", "HTTP status 404", "correct `ready`"),
        ("Uvicorn running on http://0.0.0.0:8000", "refused", "its log names port 8000: write {port}"),
        ("listening on port 3000", "refused", "its log names port 3000"),
        ("Listening and serving HTTP on :8080", "refused", "its log names port 8080"),
        ("listening on *:3000", "refused", "its log names port 3000"),
        ("Tomcat started on port(s): 8080 (http)", "refused", "its log names port 8080"),
        ("asking http://127.0.0.1:40999/v1 for its models", "refused", "raise ready_within_s"),
        ("model: 127.0.0.1:40999\n    serving at 127.0.0.1:8000", "refused", "its log names port 8000"),
        ("listening on 127.0.0.1:40123", "refused", "raise ready_within_s"),
        ("loading weights", "refused", "raise ready_within_s"),
        ("Killed", "", "start it by hand in /bots/my bot: python 'my app.py'"),
    ],
)
def test_the_remedy_is_that_of_the_fault(tail: str, problem: str, said: str) -> None:
    assert said in readiness._remedy(tail, problem, WANTED)
