"""Signing in and out: browsers with a session and a CSRF token, programs with a bearer token."""

from http.cookies import SimpleCookie

from harness.probes.claims import Probes, expect
from harness.probes.client import Answer, Client
from harness.probes.shapes import USER, expect_shape
from harness.probes.world import OPERATIONS, OWNER, RestWorld
from harness.records.recipe import PASSWORD

PROBES: Probes[RestWorld] = Probes()
CREDENTIALS = {"username": OWNER, "password": PASSWORD}


def _cookie_attributes(answer: Answer, name: str) -> dict[str, str]:
    for line in answer.headers.get_all("Set-Cookie") or []:
        for key, morsel in SimpleCookie(line).items():
            if key == name:
                return {attribute: str(value) for attribute, value in morsel.items()}
    return {}


@PROBES.proves("health", "GET /api/health says ok")
def _health(world: RestWorld) -> None:
    body = world.anonymous.request("GET", "/api/health").json()
    expect(body == {"status": "ok"}, f"the health is {body!r}")


@PROBES.proves("me", "signed out: 401 and a CSRF cookie")
def _me_signed_out(world: RestWorld) -> None:
    client = Client(world.base_url)
    client.request("GET", "/api/auth/me").problem(401)
    expect("csrftoken" in client.cookies, "no csrftoken cookie came with the answer")


@PROBES.proves("me", "a seeded session is signed in beforehand, and says who")
def _me_signed_in(world: RestWorld) -> None:
    for username, role in ((OWNER, "user"), ("moderator", "moderator"), ("admin", "admin")):
        user = expect_shape(world.seeded(username).request("GET", "/api/auth/me").json(), USER, "the user")
        seen = (user["username"], user["role"], user["is_active"])
        expect(seen == (username, role, True), f"the seeded session of {username} belongs to {seen}")


@PROBES.proves("login", "without the CSRF token, or with another one: 403")
def _login_needs_csrf(world: RestWorld) -> None:
    client = Client(world.base_url)
    client.request("GET", "/api/auth/me")
    client.request("POST", "/api/auth/login", CREDENTIALS, csrf=False).problem(403)
    client.request("POST", "/api/auth/login", CREDENTIALS, csrf=False, headers={"X-CSRFToken": "x" * 32}).problem(403)
    expect("sessionid" not in client.cookies, "a refused sign-in set a session cookie")


@PROBES.proves("login", "a wrong password: 401, and no session")
def _login_wrong_password(world: RestWorld) -> None:
    client = Client(world.base_url)
    client.request("POST", "/api/auth/login", CREDENTIALS | {"password": "not it"}).problem(401)
    expect("sessionid" not in client.cookies, "a refused sign-in set a session cookie")


@PROBES.proves("login", "the seeded password signs in with a protected cookie and a fresh CSRF token")
def _login(world: RestWorld) -> None:
    client = Client(world.base_url)
    client.request("GET", "/api/auth/me")
    first_csrf = client.cookies.get("csrftoken")
    answer = client.request("POST", "/api/auth/login", CREDENTIALS)
    user = expect_shape(answer.json(), USER, "the user")
    expect(user["username"] == OWNER, f"signed in as {user['username']!r}")
    attributes = _cookie_attributes(answer, "sessionid")
    expect(bool(attributes.get("httponly")), "the sessionid cookie is not HttpOnly")
    expect(attributes.get("samesite", "").lower() == "lax", f"SameSite of sessionid is {attributes.get('samesite')!r}")
    expect(client.cookies.get("csrftoken") != first_csrf, "signing in did not change the CSRF token")
    client.request("GET", "/api/auth/me").json()


@PROBES.proves("logout", "ends the session on the server: 204, then 401")
def _logout(world: RestWorld) -> None:
    client = Client(world.base_url)
    client.request("POST", "/api/auth/login", CREDENTIALS).json()
    session = client.cookies["sessionid"]
    client.request("POST", "/api/auth/logout", csrf=False).problem(403)
    status = client.request("POST", "/api/auth/logout").status
    expect(status == 204, f"POST /api/auth/logout answered {status}, not 204")
    Client(world.base_url, session=session).request("GET", "/api/auth/me").problem(401)


@PROBES.proves("createToken", "a bearer token acts without CSRF token, alone, until it is revoked")
def _bearer(world: RestWorld) -> None:
    Client(world.base_url).request("POST", "/api/auth/token", CREDENTIALS | {"password": "not it"}).problem(401)
    blank = {"username": " ", "password": " "}  # a name that nobody has
    Client(world.base_url).request("POST", "/api/auth/token", blank).problem(401)
    token = Client(world.base_url).request("POST", "/api/auth/token", CREDENTIALS, csrf=False).json()["token"]
    expect(isinstance(token, str) and len(token) >= 32, f"the token is {token!r}")
    program = Client(world.base_url, bearer=token)
    conversation = world.conversation(program, "By a program")
    program.request("GET", f"/api/conversations/{conversation['id']}").json()
    both = Client(world.base_url, session=world.owner.cookies["sessionid"], bearer="0" * len(token))
    both.request("GET", "/api/auth/me").problem(401)  # cookies of a bearer request are ignored
    expect(program.request("POST", "/api/auth/logout").status == 204, "signing out with the token was refused")
    program.request("GET", "/api/auth/me").problem(401)


@PROBES.proves("schema", "the served OpenAPI document describes the contract's operations")
def _schema(world: RestWorld) -> None:
    paths = world.anonymous.request("GET", "/api/schema").json()["paths"]
    for name, (method, path) in OPERATIONS.items():
        expect(method.lower() in paths.get(path, {}), f"the document lacks {method} {path} ({name})")
