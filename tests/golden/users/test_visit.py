"""Whole visits over real sockets: page and files, sign-in with password, two turns, leave; again as somebody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.users.assets import references
from tests.golden.users.trial import plan, run
from tests.golden.users.twin import Script, Twin, running

pytestmark = pytest.mark.spread


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


@pytest.mark.parametrize(
    ("protocol", "sign_in"), [("rest", ("POST", "/api/auth/login")), ("forms", ("POST", "/sign-in"))]
)
def test_a_visit_is_page_files_sign_in_two_turns_and_leaving(
    twin: Twin, tmp_path: Path, protocol: str, sign_in: tuple[str, str]
) -> None:
    load = plan(tmp_path, twin.url, scenario="visit", protocol=protocol, users=2, measure_min_s=3.0)
    files = run(load)
    visits = files.summary.visits
    done = [one for one in visits if one.end_s is not None]
    assert len(done) >= 3
    for one in done:
        assert one.error is None
        assert (one.page_requests, one.page_bytes) == (3, one.page_bytes)  # the page, its style, its script once
        assert one.page_bytes
        assert one.page_s is not None
        assert one.signed_in_s is not None
        assert one.end_s is not None
        assert one.start_s < one.page_s < one.signed_in_s < one.end_s
    assert twin.requests[0] == ("GET", "/")
    assert twin.requests.count(sign_in) >= len(done)
    assert not [path for _, path in twin.requests if "elsewhere" in path or path in ("/nothing", "/x.js")]
    assert twin.connections >= len(visits)
    people = {turn.conversation for turn in files.turns}
    assert len(people) >= 3  # the next visit is the next person's
    for person in people:
        assert [turn.turn for turn in files.turns if turn.conversation == person] in ([0], [0, 1])
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    assert files.summary.turns_begun == files.summary.turns_ended == len(measured)


def test_a_refused_sign_in_is_a_failed_visit_without_turns(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(fault="no-entry")
    files = run(plan(tmp_path, twin.url, scenario="visit", users=2))
    assert files.turns == []
    ended = [one for one in files.summary.visits if one.end_s is not None]
    assert ended
    assert all(one.error is not None and "HTTP 401" in one.error for one in ended)
    assert {one.signed_in_s for one in ended} == {None}


def test_a_page_class_without_sign_in_ends_the_trial_and_says_so(twin: Twin, tmp_path: Path) -> None:
    files = run(plan(tmp_path, twin.url, scenario="visit", protocol="openai", users=2, measure_max_s=30.0))
    assert files.summary.not_offered == "OpenAIPage has no method open_page"
    assert files.turns == []


def test_what_a_browser_fetches_by_itself_is_found_once() -> None:
    html = """<!doctype html><link rel=icon href=/i.svg><link rel="preconnect" href="https://x.example">
    <link rel="modulepreload" href="/a.js"><script type="module" src="/a.js"></script><img src="p.png">
    <script>1</script>"""
    assert references(html) == ["/i.svg", "/a.js", "p.png"]
