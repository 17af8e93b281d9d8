"""The security probes pass on a sound target of forms and name every flaw of a flawed one."""

from urllib.parse import quote, quote_plus

import pytest

from harness.probes.probe import NothingToTryError, NotMeasuredError, Seen, Try, run
from harness.probes.security import PROBES, sql_injection, sql_inputs
from harness.probes.security.two_addresses import both
from harness.probes.subject import Subject
from harness.records import Finding
from harness.targets.part import FEATURES
from tests.doubles.conformance_twin import SEED
from tests.doubles.security_twin.forms import running

#: flaw of the twin -> the finding that has to say so, and a part of what it says
FLAWS = {
    "deactivated users stay": ("roles-operations", "open as deactivated user: shown"),
    "moderators write": ("roles-operations", "rename as moderator: done"),
    "everybody moderates": ("roles-operations", "hide as user: done"),
    "admins write": ("other-objects", "rename by an admin: 302"),
    "others' conversations leak": ("other-objects", "open by another user: 200, the owner's words in it"),
    "ids told apart": ("other-objects", "an id that exists beside one that does not: another"),
    "owner by field": ("other-objects", "'owner' of the owner: the owner has it now"),
    "lists by field": ("other-objects", "?owner= of the owner: 200, the owner's words in it"),
    "metrics open": ("anonymous-access", "GET /metrics: 200 with '# HELP' in it"),
    "any session signs in": ("anonymous-access", "open with a made-up session: shown, the owner's words in it"),
    "exports open": ("anonymous-access", "export without a session: shown, the owner's words in it"),
    "no CSRF": ("csrf", "rename with no token: 302"),
    "no CSRF at sign-in": ("csrf", "sign in with no token: 302"),
    "anybody's token": ("csrf", "with a token of another's session: 302"),
    "nobody renames": ("csrf", "the same with its token: 403"),
    "origin not looked at": ("csrf", "its token, from a foreign origin: 302"),
    "scripts need no token": ("csrf", "with no token, as a script asks: 302"),
    "GET acts": ("csrf", "still signed in"),
    "reads across": ("csrf", "for a page of https://attacker.example"),
    "readable session cookie": ("cookie-flags", "session cookie: HttpOnly: absent"),
    "SameSite=None": ("cookie-flags", "SameSite: None"),
    "cookies of the whole domain": ("cookie-flags", "session cookie: Domain: 127.0.0.1"),
    "CSRF token kept": ("cookie-flags", "the CSRF token when signing in: kept"),
    "short session": ("cookie-flags", "length: 8"),
    "planted session kept": ("cookie-flags", "planted before signing in: kept"),
    "session outlives signing out": ("cookie-flags", "session after signing out: shown"),
    "sent elsewhere": ("cookie-flags", "another site's address to go on to: https://attacker.example/"),
    "no security headers": ("security-headers", "the sign-in page"),
    "stacked statements": ("sql-injection", "roles and other people's conversations afterwards: changed"),
    "sign-in by injection": ("sql-injection", "sign in username"),
    "pasted search": ("sql-injection", "list q"),
    "waits": ("sql-injection", "pg_sleep"),
    "no rate limit": ("sign-in-throttling", "guess 22 at one name: 401"),
    "names locked together": ("sign-in-throttling", "a guess at another name meanwhile: 429"),
    "names told": ("sign-in-throttling", "beside one that does not: another"),
}
#: what the same flaws have to be found by besides
BESIDES = (
    ("moderators write", "other-objects", "rename by a moderator: 302"),
    ("moderators write", "other-objects", "the conversation afterwards: changed"),
    ("everybody moderates", "other-objects", "hide by another user: 302"),
    ("no CSRF", "csrf", "what was asked for afterwards: changed"),
    ("no rate limit", "sign-in-throttling", "the right password while guessing is stopped: 302"),
    ("no security headers", "security-headers", "a conversation"),
    ("no security headers", "security-headers", "a refusal"),
)
TRIED = [one for one in PROBES if not one.name.startswith("hostile")]


def _subject(base_url: str) -> Subject:
    return Subject(
        target="twin",
        base_url=base_url,
        protocol="forms",
        web=False,
        features=FEATURES,
        seed=SEED,
        rate_limit=60,
        model_log="",
    )


def _finding(name: str, base_url: str) -> Finding:
    [probe] = [one for one in PROBES if one.name == name]
    return run([probe], _subject(base_url))[0]


def test_sound_target_holds_and_has_no_socket_to_try() -> None:
    with running() as base_url:
        findings = run(TRIED, _subject(base_url))
    assert [line for one in findings for line in one.details if line.startswith("FAILED")] == []
    assert {one.name for one in findings if one.outcome == "not measured"} == {"websocket-origin"}
    counts = {one.name: one.exercised for one in findings}
    assert counts["roles-operations"] == 15 * 6
    assert counts["sql-injection"] > 500


@pytest.mark.parametrize(("flaw", "name", "said"), BESIDES)
def test_flaw_is_found_besides(flaw: str, name: str, said: str) -> None:
    with running(flaw) as base_url:
        finding = _finding(name, base_url)
    broken = [line for line in finding.details if line.startswith("FAILED")]
    assert any(said in line for line in broken), broken or finding.details[:20]


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw_is_found(flaw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_injection, "SLOW_S", 0.3 if flaw == "waits" else 30.0)
    name, said = FLAWS[flaw]
    with running(flaw) as base_url:
        finding = _finding(name, base_url)
    assert finding.outcome == "failed", finding.text
    broken = [line for line in finding.details if line.startswith("FAILED")]
    assert any(said in line for line in broken), broken or finding.details[:20]


def test_target_that_is_not_there_is_not_measured() -> None:
    findings = run(TRIED, _subject("http://127.0.0.1:9"))
    assert {(one.outcome, one.exercised) for one in findings} == {("not measured", 0)}
    assert all(one.text for one in findings)


def _seen(*lines: str) -> Seen:
    return Seen(tries=tuple(Try(passed="FAILED" not in one, line=one) for one in lines), text="Said.")


def _untried() -> Seen:
    raise NotMeasuredError("the way there failed")


def _without() -> Seen:
    raise NothingToTryError("no socket")


def test_flaw_of_either_face_breaks_the_finding_and_names_the_face() -> None:
    seen = both({"API": lambda: _seen("read: 404"), "page": lambda: _seen("FAILED write: 200, expected 404")})
    assert [(one.passed, one.line) for one in seen.tries] == [
        (False, "FAILED page: write: 200, expected 404"),
        (True, "API: read: 404"),
    ]


def test_control_of_a_face_is_left_out_of_its_counts() -> None:
    control = Try(passed=True, line="the same with its token: 200", control=True)
    seen = both({"API": lambda: Seen(tries=(*_seen("read: 404").tries, control), text="Said.")})
    assert seen.text == "API, 1 of 1: Said."
    assert [(one.control, one.line) for one in seen.tries][1] == (True, "API: the same with its token: 200")


def test_face_that_has_no_such_thing_is_said_beside_the_other() -> None:
    seen = both({"API": _without, "page": lambda: _seen("read: 404")})
    assert (len(seen.tries), seen.text) == (1, "API: not measured, no socket. page, 1 of 1: Said.")


def test_face_that_could_not_be_tried_leaves_nothing_to_hold() -> None:
    with pytest.raises(NotMeasuredError, match=r"API: not measured, the way there failed\. page, 1 of 1: Said\."):
        both({"API": _untried, "page": lambda: _seen("read: 404")})


def test_flaw_is_told_also_where_the_other_face_could_not_be_tried() -> None:
    seen = both({"API": _untried, "page": lambda: _seen("FAILED write: 200")})
    assert [one.passed for one in seen.tries] == [False]


def test_no_face_tried_is_not_measured() -> None:
    with pytest.raises(NotMeasuredError, match=r"API: not measured, no socket\. page: not measured, no socket"):
        both({"API": _without, "page": _without})


def test_address_that_a_page_holds_of_itself_lets_nothing_out() -> None:
    given = "' UNION SELECT sql, 1, 1, 1 FROM sqlite_master --"
    assert [sql_inputs.telltale(spelled) for spelled in (given, quote(given, safe=""), quote_plus(given))] == [None] * 3
    assert sql_inputs.telltale(f"{quote_plus(given)} CREATE TABLE users") == "CREATE TABLE"
