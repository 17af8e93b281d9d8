"""Ten tasks by a program: done on a right server, and each fails on a server that does it wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.probes.audit import Subject, probes
from harness.probes.integration import PROBES
from harness.probes.integration.programs import CLIENTS, Program, UndoneError, UnstartedError, code_lines
from harness.probes.integration.tasks import PERSON, TASKS
from harness.probes.probe import run
from harness.probes.world import OPERATIONS
from harness.records import Finding
from harness.targets.part import FEATURES
from tests.doubles.conformance_twin import SEED, Twin
from tests.doubles.conformance_twin.operations import Handler

#: what the server does wrong -> the tasks that cannot be done on it
DEFECTS = {
    "any password will do": {"sign in"},
    "creating opens an old one": {
        "create",
        "ask",
        "stream",
        "rename",
        "list",
        "search",
        "feedback",
        "export",
        "delete",
    },
    "messages are not kept": {"create", "ask", "stream", "export", "feedback"},
    "another answer": {"ask", "stream"},
    "buffers the answer": {"stream"},
    "renaming does nothing": {"rename"},
    "renaming loses others": {"list", "delete"},
    "search finds all": {"search"},
    "search finds nothing": {"search"},
    "ratings are forgotten": {"feedback"},
    "exports lack the end": {"create", "ask", "stream", "export"},
    "deleting keeps": {"delete"},
}


class Wrong(Handler):
    """Operations with the defects that concern programs."""

    def schema(self) -> None:
        if self.twin.defect == "describes nothing":
            self.reply(200, b"<!doctype html>", "text/html")
            return
        if self.twin.defect == "describes half":
            paths = {path: {method.lower(): {}} for method, path in OPERATIONS.values() if method == "GET"}
            self.json({"openapi": "3.1.0", "info": {}, "paths": paths})
            return
        super().schema()

    def check_password(self) -> str:
        if self.twin.defect == "any password will do":
            return PERSON
        return super().check_password()

    def create_conversation(self) -> None:
        if self.twin.defect == "creating opens an old one":
            mine = [c for c in self.twin.conversations.values() if c["owner"] == PERSON]
            self.json(self.public(mine[0]), 201)
            return
        super().create_conversation()

    def send_message(self, conversation_id: str) -> None:
        super().send_message(conversation_id)
        if self.twin.defect == "messages are not kept":
            self.find(conversation_id)["messages"].clear()

    def rename_conversation(self, conversation_id: str) -> None:
        if self.twin.defect == "renaming does nothing":
            self.json(self.public(self.find(conversation_id)))
            return
        if self.twin.defect == "renaming loses others":
            self.twin.conversations = {conversation_id: self.twin.conversations[conversation_id]}
        super().rename_conversation(conversation_id)

    def list_conversations(self) -> None:
        if self.twin.defect == "search finds nothing" and self.query.get("search"):
            self.page_of([])
            return
        super().list_conversations()

    def set_feedback(self, message_id: str) -> None:
        if self.twin.defect == "ratings are forgotten":
            self.json(self.answer_of(message_id, anybody=False))
            return
        super().set_feedback(message_id)

    def seen(self, message: dict[str, Any]) -> dict[str, Any]:
        veil = self.twin.defect == "exports lack the end" and "/export" in self.path
        return super().seen(message) | ({"content": message["content"][:8]} if veil else {})


@contextmanager
def serving(defect: str, folder: Path) -> Iterator[Subject]:
    """Serve a twin whose person has a conversation already."""
    log = folder / "model.jsonl"
    twin = Twin(defect, log=log)
    twin.begin(PERSON, "Conversation 1", "2025-04-08T08:00:00+00:00")
    twin.begin(PERSON, "Conversation 2", "2025-04-08T09:00:00+00:00")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("WrongHandler", (Wrong,), {"twin": twin}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Subject(
            target="twin",
            base_url=f"http://127.0.0.1:{server.server_address[1]}",
            protocol="rest",
            web=False,
            features=FEATURES,
            seed=SEED,
            rate_limit=60,
            model_log=str(log),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def finding(name: str, subject: Subject) -> Finding:
    (found,) = run([probe for probe in PROBES if probe.name == name], subject)
    return found


def test_all_tasks_are_done_on_a_right_server(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        found = finding("scripted-tasks", subject)
    assert (found.outcome, found.passed, found.exercised) == ("passed", 10, 10), found.details
    assert found.unit == "lines"
    assert found.value == code_lines((CLIENTS / "rest.py").read_text())[""]
    assert [line.partition(" (")[0] for line in found.details] == list(TASKS)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_task_fails_on_a_server_that_does_it_wrong(defect: str, tmp_path: Path) -> None:
    with serving(defect, tmp_path) as subject:
        found = finding("scripted-tasks", subject)
    failed = {line.partition(" (")[0] for line in found.details if not line.endswith(": done")}
    assert failed == DEFECTS[defect], found.details
    assert (found.outcome, found.passed) == ("failed", 10 - len(failed))


def test_every_task_fails_on_some_wrong_server() -> None:
    assert set().union(*DEFECTS.values()) == set(TASKS)


def test_all_operations_are_described_and_behave_so_on_a_right_server(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        found = [finding(name, subject) for name in ("operations-documented", "operations-conformant")]
    assert [(one.outcome, one.passed, one.exercised) for one in found] == [("passed", 18, 18)] * 2, found[1].details


def test_an_operation_that_is_not_described_is_missed_and_not_held_to_anything(tmp_path: Path) -> None:
    reading = sum(method == "GET" for method, _ in OPERATIONS.values())
    with serving("describes half", tmp_path) as subject:
        documented, conformant = (finding(f"operations-{name}", subject) for name in ("documented", "conformant"))
    assert (documented.outcome, documented.passed, documented.exercised) == ("failed", reading, 18)
    assert conformant.exercised == reading


def test_a_page_in_a_schemas_place_describes_nothing(tmp_path: Path) -> None:
    with serving("describes nothing", tmp_path) as subject:
        documented, conformant = (finding(f"operations-{name}", subject) for name in ("documented", "conformant"))
    assert (documented.outcome, documented.passed, documented.exercised) == ("failed", 0, 18)
    assert documented.text.startswith("no description of an interface is served: 0 of 18 operations (looked for at /")
    assert (conformant.outcome, conformant.exercised) == ("not measured", 0)


def test_a_described_operation_that_behaves_otherwise_is_broken(tmp_path: Path) -> None:
    with serving("deleting keeps", tmp_path) as subject:
        found = finding("operations-conformant", subject)
    assert [line.partition(":")[0] for line in found.details if "checks passed" not in line] == ["deleteConversation"]
    assert (found.outcome, found.passed, found.exercised) == ("failed", 17, 18)


def test_a_page_with_an_api_behind_it_is_used_by_its_api(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        hybrid = replace(subject, protocol="streamlit", base_url="http://127.0.0.1:9", api_url=subject.base_url)
        found = [finding(name, hybrid) for name in ("operations-documented", "scripted-tasks")]
    assert [(one.outcome, one.exercised) for one in found] == [("passed", 18), ("passed", 10)], found[1].details
    assert "(rest.py)" in found[1].text


def test_a_stated_feature_whose_task_fails_is_flagged(tmp_path: Path) -> None:
    with serving("search finds all", tmp_path) as subject:
        found = finding("scripted-tasks", subject)
    flagged = [line for line in found.details if "although the target states that it offers this" in line]
    assert [line.partition(" (")[0] for line in flagged] == ["search"]


def test_a_target_that_is_not_there_fails_every_task(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        pass
    found = finding("scripted-tasks", subject)
    assert (found.outcome, found.passed, found.exercised) == ("failed", 0, 10)


def test_only_tasks_of_stated_features_are_done_and_their_lines_counted(tmp_path: Path) -> None:
    with serving("search finds all", tmp_path) as subject:
        whole = finding("scripted-tasks", subject)
        some = finding("scripted-tasks", replace(subject, features=("sign-in", "conversations", "export")))
    assert [line.partition(" (")[0] for line in some.details] == ["sign in", "create", "ask", "export"]
    assert (some.outcome, some.passed) == ("passed", 4), some.details
    assert some.value is not None
    assert whole.value is not None
    assert 0 < some.value < whole.value


@pytest.mark.parametrize("lacking", ["sign-in", "conversations", "export"])
def test_without_a_second_sessions_way_to_look_no_task_is_tried(lacking: str) -> None:
    features = tuple(one for one in FEATURES if one != lacking)
    subject = Subject(
        target="mine", base_url="http://127.0.0.1:9", protocol="rest", web=False, features=features, seed=1
    )
    found = finding("scripted-tasks", subject)
    assert (found.outcome, found.text) == ("not measured", f"the target does not state that it offers {lacking}")


def test_no_line_is_counted_where_no_task_is_done(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        pass
    found = finding("scripted-tasks", subject)
    assert (found.value, found.unit, found.text) == (None, None, "0 of 10 tasks by chatbench's client (rest.py)")


def test_operations_count_where_their_feature_is_stated(tmp_path: Path) -> None:
    with serving("", tmp_path) as subject:
        few = replace(subject, features=("sign-in", "conversations", "streaming"))
        documented, conformant = (finding(f"operations-{name}", few) for name in ("documented", "conformant"))
    assert (documented.passed, documented.exercised) == (9, 9)
    assert {line.partition(":")[0] for line in conformant.details} == {"me", "createConversation", "sendMessage"}


def test_a_protocol_of_its_own_is_not_measured() -> None:
    subject = Subject(
        target="mine",
        base_url="http://127.0.0.1:9",
        protocol="mine",
        web=False,
        features=(),
        seed=1,
        rate_limit=60,
        model_log="/nowhere",
    )
    found = run([probe for probe in probes() if probe.topic == "integration"], subject)
    assert {one.outcome for one in found} == {"not measured"}
    assert all("a protocol of its own (mine)" in one.text for one in found)


def test_a_client_that_cannot_be_started_says_nothing_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text("import no_such_package\n")
    with pytest.raises(UnstartedError, match="No module named 'no_such_package'"):
        Program(tmp_path / "client.py", "http://127.0.0.1:9").__enter__()


def test_what_a_client_stumbles_over_is_told(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(
        "import os\nclass Chatbot:\n    def __init__(self, address):\n        pass\n"
        "    def ask(self):\n        raise KeyError('answer')\n    def end(self):\n        os._exit(1)\n"
    )
    with Program(tmp_path / "client.py", "http://127.0.0.1:9") as program:
        with pytest.raises(UndoneError, match="KeyError: 'answer'"):
            program.do("ask")
        for _ in range(2):
            with pytest.raises(UndoneError, match="the program ended"):
                program.do("end")


def test_lines_of_code_are_those_that_hold_code() -> None:
    source = '''"""What it is for,

in two lines."""

import os
from json import (
    loads,
)


class Chatbot:
    """One."""  # said

    def ask(self, text):
        # first
        answer = self.call(
            text,

        )
        return f"""{answer}
        """

    def end(self): return os.abort()
'''
    assert code_lines(source) == {"": 8, "ask": 6, "end": 1}
