"""Signing in and out, tokens, CSRF, and what admins do."""

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from chat.extensions import db
from chat.models import AccessToken, StoredSession, User, now
from tests.users import CSRF, PASSWORD, Api, Users, expect_problem

GOOD = {"username": "ann", "password": PASSWORD}


def test_login_opens_a_session_and_changes_the_csrf_token(users: Users) -> None:
    api = users.api()
    response = api.call("post", "/api/auth/login", GOOD)
    assert response.get_json() == {"id": users.ids["ann"], "username": "ann", "role": "user", "is_active": True}
    cookies = {line.split("=")[0]: line for line in response.headers.getlist("Set-Cookie")}
    assert "HttpOnly" in cookies["sessionid"]
    assert "SameSite=Lax" in cookies["sessionid"]
    assert api.cookie("csrftoken") != CSRF
    assert api.get("/api/auth/me").get_json()["username"] == "ann"


def test_session_known_before_signing_in_does_not_work_after_it(users: Users) -> None:
    api = users.api("bob")
    api.call("post", "/api/auth/login", GOOD)
    assert api.cookie("sessionid") != "session-of-bob"
    expect_problem(users.api("bob").get("/api/auth/me"), 401)


def test_cookie_of_a_session_that_never_was_is_nobody_s(app: Flask, users: Users) -> None:
    expect_problem(Api(app, "0" * 32).get("/api/auth/me"), 401)


def test_expired_session_is_nobody_s_and_tidied_up_at_the_next_sign_in(app: Flask, users: Users) -> None:
    with app.app_context():
        db.session.execute(update(StoredSession).values(expires_at=now()))
        db.session.commit()
    expect_problem(users.api("ann").get("/api/auth/me"), 401)
    users.api().call("post", "/api/auth/login", GOOD)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(StoredSession)) == 1


@pytest.mark.parametrize(
    "headers",
    [{"X_CSRFToken": ""}, {"X_CSRFToken": "x" * 32}, {"Origin": "https://elsewhere.example"}],
    ids=["no token", "another token", "another origin"],
)
def test_unsafe_requests_of_other_pages_are_refused(users: Users, headers: dict[str, str]) -> None:
    expect_problem(users.api().call("post", "/api/auth/login", GOOD, **headers), 403)
    for method, path in (("post", "/api/conversations"), ("post", f"{users.path}/messages"), ("delete", users.path)):
        expect_problem(users.api("ann").call(method, path, {}, **headers), 403)
    assert users.api("ann").get(users.path).status_code == 200


def test_token_in_a_cookie_of_another_form_is_no_token(users: Users) -> None:
    api = users.api()
    api.client.set_cookie("csrftoken", "short")
    expect_problem(api.call("post", "/api/auth/login", GOOD), 403)


def test_own_origin_is_welcome(users: Users) -> None:
    assert users.api().call("post", "/api/auth/login", GOOD, Origin="http://localhost").status_code == 200


def test_me_sets_the_csrf_cookie_even_for_strangers_and_keeps_a_good_one(app: Flask, users: Users) -> None:
    api = Api(app)
    expect_problem(api.get("/api/auth/me"), 401)
    assert api.cookie("csrftoken") == CSRF
    api.client.delete_cookie("csrftoken")
    expect_problem(api.get("/api/auth/me"), 401)
    assert len(api.cookie("csrftoken") or "") == 32


def test_wrong_password_unknown_name_and_deactivated_account_look_alike(app: Flask, users: Users) -> None:
    with app.app_context():
        db.session.execute(update(User).where(User.username == "bob").values(is_active=False))
        db.session.commit()
    tries = (("ann", "wrong"), ("nobody", "wrong"), ("bob", PASSWORD))
    details = {
        expect_problem(users.api().call("post", "/api/auth/login", {"username": n, "password": p}), 401)["detail"]
        for n, p in tries
    }
    assert len(details) == 1


def test_eleventh_wrong_password_in_a_minute_is_not_tried(app: Flask, users: Users) -> None:
    limit = app.config["FAILED_SIGN_INS_PER_MINUTE"]
    wrong = {**GOOD, "password": "wrong"}
    # a minute may end in between
    statuses = [users.api().call("post", "/api/auth/token", wrong).status_code for _ in range(limit * 2 + 1)]
    assert statuses[:limit] == [401] * limit
    response = users.api().call("post", "/api/auth/login", GOOD)
    expect_problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert users.api().call("post", "/api/auth/login", {**GOOD, "username": "bob"}).status_code == 200


def test_logout_ends_the_session_on_the_server(app: Flask, users: Users) -> None:
    api = users.api("ann")
    assert api.call("post", "/api/auth/logout").status_code == 204
    assert api.cookie("sessionid") is None
    expect_problem(users.api("ann").get("/api/auth/me"), 401)


@pytest.mark.parametrize(
    "body", [{}, {"username": "ann"}, {**GOOD, "more": 1}, {"username": 1, "password": "x"}, [], "x", b"{", b"\xff"]
)
def test_bodies_are_checked(users: Users, body: object) -> None:
    problem = expect_problem(users.api().call("post", "/api/auth/token", body), 400)
    assert problem["errors"]


def test_other_kinds_of_bodies_are_415(users: Users) -> None:
    response = users.api().call("post", "/api/auth/token", b"a=b", Content_Type="application/x-www-form-urlencoded")
    expect_problem(response, 415)


def bearer(users: Users) -> dict[str, str]:
    token = users.api().call("post", "/api/auth/token", GOOD, csrf=False).get_json()["token"]
    return {"Authorization": f"Bearer {token}"}


def test_token_works_without_csrf_and_is_stored_hashed(app: Flask, users: Users) -> None:
    headers = bearer(users)
    response = app.test_client().post("/api/conversations", json={}, headers=headers)
    assert response.status_code == 201
    with app.app_context():
        assert db.session.scalar(select(AccessToken.digest)) not in headers["Authorization"]


@pytest.mark.parametrize("token", ["nothing", "a=b", "", "Ünicode"])
def test_bad_token_is_refused_even_with_a_good_session(users: Users, token: str) -> None:
    response = users.api("ann").get("/api/auth/me", Authorization=f"Bearer {token}")
    expect_problem(response, 401)
    assert "WWW-Authenticate" in response.headers


def test_expired_revoked_and_orphaned_tokens_stop_working(app: Flask, users: Users) -> None:
    headers = bearer(users)
    with app.app_context():
        db.session.execute(update(AccessToken).values(expires_at=now()))
        db.session.commit()
    expect_problem(users.api().get("/api/auth/me", **headers), 401)
    headers = bearer(users)
    assert users.api("bob").call("post", "/api/auth/logout", csrf=False, **headers).status_code == 204
    expect_problem(users.api().get("/api/auth/me", **headers), 401)
    assert users.api("bob").get("/api/auth/me").status_code == 200  # cookies of that request were not looked at


def test_only_admins_see_users(users: Users) -> None:
    for name in ("ann", "mo"):
        expect_problem(users.api(name).get("/api/admin/users"), 403)
    expect_problem(users.api().get("/api/admin/users"), 401)
    page = users.api("ada").get("/api/admin/users?search=O").get_json()
    assert [(user["username"], user["role"]) for user in page["results"]] == [("bob", "user"), ("mo", "moderator")]


def test_admin_changes_roles_and_deactivates_at_once(users: Users) -> None:
    path = f"/api/admin/users/{users.ids['bob']}"
    bob, ada = users.api("bob"), users.api("ada")
    assert ada.call("patch", path, {"role": "moderator"}).get_json()["role"] == "moderator"
    assert bob.get("/api/auth/me").get_json()["role"] == "moderator"
    assert ada.call("patch", path, {"is_active": False}).get_json()["is_active"] is False
    expect_problem(bob.get("/api/auth/me"), 401)
    expect_problem(users.api("mo").call("patch", path, {"role": "admin"}), 403)
    changed = ada.call("patch", path, {"is_active": True, "role": "user"}).get_json()
    assert (changed["is_active"], changed["role"]) == (True, "user")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "user"}, 400),
        ({"is_active": False}, 400),
        ({}, 400),
        ({"role": "king"}, 400),
        ({"role": None}, 400),
        ({"is_active": "yes"}, 400),
        ({"is_active": 1}, 400),
        ({"role": "admin"}, 200),
        ({"is_active": True}, 200),
    ],
)
def test_changes_of_oneself_and_bad_ones_are_refused(users: Users, body: object, status: int) -> None:
    response = users.api("ada").call("patch", f"/api/admin/users/{users.ids['ada']}", body)
    if status == 200:
        assert response.get_json()["role"] == "admin"
    else:
        expect_problem(response, status)


@pytest.mark.parametrize("number", ["999999", "2147483647", "9" * 30])
def test_unknown_users_are_404(users: Users, number: str) -> None:
    expect_problem(users.api("ada").call("patch", f"/api/admin/users/{number}", {"role": "user"}), 404)
