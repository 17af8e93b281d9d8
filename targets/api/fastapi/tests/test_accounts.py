"""Signing in and out, tokens, CSRF, and what admins do."""

import pytest
from app.identity import token_digest
from app.tables import access_tokens, now
from sqlalchemy import select, update

from tests.conftest import PASSWORD, Api, World, problem

pytestmark = pytest.mark.anyio
GOOD = {"username": "ann", "password": PASSWORD}


async def test_login_opens_a_session_and_changes_the_csrf_token(world: World) -> None:
    api = world.api()
    before = api.cookies["csrftoken"]
    response = await api.call("POST", "/api/auth/login", GOOD)
    assert response.json() == {"id": world.ids["ann"], "username": "ann", "role": "user", "is_active": True}
    cookies = "; ".join(response.headers.get_list("set-cookie"))
    assert "HttpOnly" in cookies
    assert "SameSite=lax" in cookies
    assert api.cookies["csrftoken"] != before
    assert (await api.get("/api/auth/me")).json()["username"] == "ann"


async def test_login_ends_the_session_the_browser_had(world: World) -> None:
    api = world.api("bob")
    await api.call("POST", "/api/auth/login", GOOD)
    problem(await world.api("bob").get("/api/auth/me"), 401)


@pytest.mark.parametrize("token", ["", "x" * 32, "é"])
async def test_login_without_the_csrf_token_is_refused(world: World, token: str) -> None:
    headers = {"X-CSRFToken": token.encode()}
    problem(await world.api().post("/api/auth/login", json=GOOD, headers=headers), 403)


async def test_requests_of_foreign_pages_are_refused(world: World) -> None:
    problem(await world.api("ann").call("POST", "/api/conversations", {}, Origin="https://attacker.example"), 403)
    problem(await world.api("ann").call("POST", "/api/conversations", {}, Origin="null"), 403)
    response = await world.api("ann").call("POST", "/api/conversations", {}, Origin=world.base_url)
    assert response.status_code == 201


async def test_me_sets_the_csrf_cookie_even_for_strangers(world: World) -> None:
    api = world.api()
    api.cookies.clear()
    problem(await api.get("/api/auth/me"), 401)
    assert len(api.cookies["csrftoken"]) == 32


async def test_wrong_password_unknown_name_and_deactivated_account_look_alike(world: World) -> None:
    await world.api("ada").call("PATCH", f"/api/admin/users/{world.ids['bob']}", {"is_active": False})
    details = set()
    for name, password in (("ann", "wrong"), ("nobody", "wrong"), ("bob", PASSWORD)):
        body = {"username": name, "password": password}
        details.add(problem(await world.api().call("POST", "/api/auth/login", body), 401)["detail"])
    assert len(details) == 1


async def test_eleventh_wrong_password_in_a_minute_is_not_tried(world: World) -> None:
    wrong = {"username": f"ann{world.ids['ann']}", "password": "wrong"}  # a name Redis does not know yet
    statuses = []
    for _ in range(21):  # a minute may end in between
        statuses.append((await world.api().call("POST", "/api/auth/login", wrong)).status_code)
        if statuses[-1] == 429:
            break
    assert statuses[:10] == [401] * 10
    response = await world.api().call("POST", "/api/auth/login", wrong)
    problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_logout_ends_the_session(world: World) -> None:
    api = world.api("ann")
    assert (await api.call("POST", "/api/auth/logout")).status_code == 204
    assert "sessionid" not in api.cookies
    problem(await world.api("ann").get("/api/auth/me"), 401)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "ann"}, "password"),
        ({**GOOD, "more": 1}, "more"),
        ({"username": 1, "password": "x"}, "username"),
        ({"username": "a\0", "password": "x"}, "username"),
        ({"username": "a", "password": "x" * 129}, "password"),
        ([], "non_field_errors"),
        (None, "non_field_errors"),
    ],
)
async def test_bodies_are_checked(world: World, body: object, field: str) -> None:
    refusal = problem(await world.api().post("/api/auth/token", json=body), 400)
    assert field in refusal["errors"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"username":"\\ud800","password":"x"}', b'{"a":NaN}', b""])
async def test_malformed_bodies_are_refused(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(await world.api().post("/api/auth/token", content=body, headers=headers), 400)


async def test_other_content_types_are_refused(world: World) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": content_type}
        problem(await world.api().post("/api/auth/token", content=b"a=b", headers=headers), 415)


async def token_of(api: Api) -> str:
    return str((await api.call("POST", "/api/auth/token", GOOD)).json()["token"])


async def test_token_works_without_csrf_and_is_stored_hashed(world: World) -> None:
    api = world.api()
    api.cookies.clear()
    token = await token_of(api)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await api.post("/api/conversations", json={}, headers=headers)).status_code == 201
    async with world.database.read() as connection:
        stored = (await connection.execute(select(access_tokens.c.digest))).scalars().all()
    assert list(stored) == [token_digest(token)]


@pytest.mark.parametrize("header", ["Bearer nothing", "bearer x y", "Bearer"])
async def test_bad_token_is_refused_even_with_a_good_session(world: World, header: str) -> None:
    response = await world.api("ann").get("/api/auth/me", headers={"Authorization": header})
    problem(response, 401)
    response = await world.api("ann").get("/api/conversations", headers={"Authorization": header})
    problem(response, 401)
    assert "WWW-Authenticate" in response.headers


async def test_a_session_is_no_token_and_a_token_no_session(world: World) -> None:
    headers = {"Authorization": "Bearer session-of-ann"}
    problem(await world.api().get("/api/auth/me", headers=headers), 401)
    api = world.api()
    api.keep("sessionid", await token_of(api))
    problem(await api.get("/api/auth/me"), 401)


async def test_expired_and_revoked_tokens_stop_working(world: World) -> None:
    headers = {"Authorization": f"Bearer {await token_of(world.api())}"}
    async with world.database.write() as connection:
        await connection.execute(update(access_tokens).values(expires_at=now()))
    problem(await world.api().get("/api/auth/me", headers=headers), 401)
    headers = {"Authorization": f"Bearer {await token_of(world.api())}"}
    assert (await world.api().post("/api/auth/logout", headers=headers)).status_code == 204
    problem(await world.api().get("/api/auth/me", headers=headers), 401)


async def test_only_admins_see_users(world: World) -> None:
    for name in ("ann", "mo"):
        problem(await world.api(name).get("/api/admin/users"), 403)
    problem(await world.api().get("/api/admin/users"), 401)
    page = (await world.api("ada").get("/api/admin/users?search=O")).json()
    assert [(user["username"], user["role"]) for user in page["results"]] == [("bob", "user"), ("mo", "moderator")]


async def test_admin_changes_roles_and_deactivates_at_once(world: World) -> None:
    path = f"/api/admin/users/{world.ids['bob']}"
    bob, ada = world.api("bob"), world.api("ada")
    assert (await ada.call("PATCH", path, {"role": "moderator"})).json()["role"] == "moderator"
    assert (await bob.get("/api/auth/me")).json()["role"] == "moderator"
    assert (await ada.call("PATCH", path, {"is_active": False})).json()["is_active"] is False
    problem(await bob.get("/api/auth/me"), 401)
    problem(await world.api("mo").call("PATCH", path, {"role": "admin"}), 403)


@pytest.mark.parametrize("body", [{"role": "user"}, {"is_active": False}, {}, {"role": "king"}, {"is_active": "yes"}])
async def test_changes_admins_may_not_make(world: World, body: object) -> None:
    problem(await world.api("ada").call("PATCH", f"/api/admin/users/{world.ids['ada']}", body), 400)


@pytest.mark.parametrize("id", ["999999", "0", "-1", "99999999999999999999", "nobody"])
async def test_unknown_users_are_404(world: World, id: str) -> None:
    problem(await world.api("ada").call("PATCH", f"/api/admin/users/{id}", {"role": "user"}), 404)
    problem(await world.api("ann").call("PATCH", f"/api/admin/users/{id}", {"role": "user"}), 403)
