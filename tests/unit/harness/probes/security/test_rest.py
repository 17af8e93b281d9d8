"""The security probes pass on a sound REST target and name every flaw of a flawed one."""

import pytest

from harness.probes.probe import run
from harness.probes.security import PROBES, sql_injection
from harness.probes.subject import Subject
from harness.records import Finding
from harness.targets.part import FEATURES
from tests.doubles.conformance_twin import SEED
from tests.doubles.security_twin.rest import running

#: flaw of the twin -> the finding that has to say so, and a part of what it says first
FLAWS = {
    "wrong roles": ("roles-operations", "FAILED"),
    "deactivated users stay": ("roles-operations", "as deactivated user: 200"),
    "moderators write": ("roles-operations", "renameConversation as moderator: 200"),
    "admins write": ("other-objects", "renameConversation by an admin: 200"),
    "others' conversations leak": ("other-objects", "getConversation by another user: 200, the owner's words in it"),
    "ids told apart": ("other-objects", "another"),
    "owner by field": ("other-objects", "'owner' of the owner: the owner has it now"),
    "lists by field": ("other-objects", "?owner= of the owner: 200, the owner's words in it"),
    "open to nobody": ("anonymous-access", "getConversation without a session: 200"),
    "any session signs in": ("anonymous-access", "getConversation with a made-up session: 200"),
    "any token signs in": ("anonymous-access", "renameConversation with a made-up token: 200"),
    "metrics open": ("anonymous-access", "GET /metrics: 200 with '# HELP' in it"),
    "files outside": ("anonymous-access", "etc/passwd: 200 with 'root:x:' in it"),
    "no CSRF": ("csrf", "with no token"),
    "any token": ("csrf", "with a wrong token"),
    "text/plain": ("csrf", "with JSON as text/plain"),
    "forms let through": ("csrf", "renameConversation with a form: 200"),
    "nobody renames": ("csrf", "the same with its token: 403"),
    "GET deletes": ("csrf", "still signed in and the conversation there: 404"),
    "origin not looked at": ("csrf", "renameConversation with its valid token, from a foreign origin: 200"),
    "ports not looked at": ("csrf", "its valid token, from another port of the same host: 200"),
    "GET acts": ("csrf", "still signed in"),
    "GET hides": ("csrf", "GET hide instead of its own method: 204"),
    "reads across": ("csrf", "for a page of https://attacker.example"),
    "readable session cookie": ("cookie-flags", "session cookie: HttpOnly: absent"),
    "SameSite=None": ("cookie-flags", "SameSite: None"),
    "cookies of the whole domain": ("cookie-flags", "session cookie: Domain: 127.0.0.1"),
    "CSRF token kept": ("cookie-flags", "the CSRF token when signing in: kept"),
    "short session": ("cookie-flags", "length: 8"),
    "planted session kept": ("cookie-flags", "planted session id afterwards: 200"),
    "planted id stays": ("cookie-flags", "a session id planted before signing in: kept"),
    "logout forgets the server": ("cookie-flags", "session after signing out: 200"),
    "no security headers": ("security-headers", "the page"),
    "stacked statements": ("sql-injection", "roles and other people's conversations afterwards: changed"),
    "titles are cut": ("sql-injection", "createConversation title"),
    "sign-in by injection": ("sql-injection", "login username"),
    "waits": ("sql-injection", "pg_sleep"),
    "no rate limit": ("sign-in-throttling", "guess 22 at one name: 401"),
    "names locked together": ("sign-in-throttling", "a guess at another name meanwhile: 429"),
    "names told": ("sign-in-throttling", "beside one that does not: another"),
}

#: what the same flaws have to be found by besides
BESIDES = (
    ("moderators write", "other-objects", "renameConversation by a moderator: 200"),
    ("moderators write", "other-objects", "deleteConversation by a moderator: 204"),
    ("moderators write", "other-objects", "the conversation afterwards: changed"),
    ("no CSRF", "csrf", "login with no token: 200"),
    ("no rate limit", "sign-in-throttling", "the right password while guessing is stopped: 200"),
    ("no rate limit", "sign-in-throttling", "guessing on at the operation for tokens: 401"),
    ("no security headers", "security-headers", "an answer of the API"),
    ("SameSite=None", "cookie-flags", "csrftoken: SameSite: None"),
)


def _subject(base_url: str, protocol: str = "rest") -> Subject:
    return Subject(
        target="twin",
        base_url=base_url,
        protocol=protocol,
        web=True,
        features=FEATURES,
        seed=SEED,
        rate_limit=60,
        model_log="",
    )


def _finding(name: str, base_url: str) -> Finding:
    [probe] = [one for one in PROBES if one.name == name]
    return run([probe], _subject(base_url))[0]


def test_sound_target_holds_and_what_it_has_not_is_not_measured() -> None:
    with running() as base_url:
        findings = run([one for one in PROBES if not one.name.startswith("hostile")], _subject(base_url))
    broken = [line for one in findings for line in one.details if line.startswith("FAILED")]
    assert broken == []
    unmeasured = {one.name: one.text for one in findings if one.outcome == "not measured"}
    assert set(unmeasured) == {"websocket-origin"}
    counts = {one.name: one.exercised for one in findings}
    assert counts["roles-operations"] == 18 * 6
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
    assert any(said in line for line in finding.details if line.startswith("FAILED")), finding.details[:20]


@pytest.mark.parametrize("flaw", ["", "tells the error"])
def test_sql_made_of_a_search_is_found_on_a_real_database(flaw: str) -> None:
    with running(flaw, pasting=True) as base_url:
        finding = _finding("sql-injection", base_url)
    assert finding.outcome == "failed"
    broken = [line for line in finding.details if line.startswith("FAILED")]
    assert all("listConversations search" in line for line in broken)
    said = ("let out 'sqlite3.'",) if flaw else ("500", "let out 'pbkdf2_'")
    assert all(any(word in line for line in broken) for word in said), broken


def test_matrix_is_printed_with_what_was_seen_where_it_differs() -> None:
    with running("moderators write") as base_url:
        finding = _finding("roles-operations", base_url)
    [row] = [line for line in finding.table if line.startswith("renameConversation  ")]
    assert "200 not 404" in row


def test_target_that_is_not_there_is_not_measured() -> None:
    findings = run([one for one in PROBES if not one.name.startswith("hostile")], _subject("http://127.0.0.1:9"))
    assert {one.outcome for one in findings} == {"not measured"}
    assert all(one.text for one in findings)


def test_model_without_an_application_is_not_measured() -> None:
    findings = run(list(PROBES), _subject("http://127.0.0.1:9", "openai"))
    assert {one.text for one in findings} == {"no application: this is the model itself"}
