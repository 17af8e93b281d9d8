"""Security: what a running target lets through of roles, other people's objects, forged requests and injected text.

No penetration test: well-known inputs, one after the other, over loopback, each with what the contract expects of it.
"""

import http.client
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.probes.client import Client
from harness.probes.probe import NotMeasuredError, Probes, Seen, expect_offered
from harness.probes.security import streamlit
from harness.probes.security.forms import access as form_access
from harness.probes.security.forms import injection as form_injection
from harness.probes.security.forms import surface
from harness.probes.security.forms.scene import Scene as FormScene
from harness.probes.security.rest import anonymous, cookies, forgery, headers, injection, matrix, ownership, throttling
from harness.probes.security.rest.scene import Scene
from harness.probes.security.two_addresses import both
from harness.probes.subject import Subject

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["PROBES"]

PROBES = Probes("security")
TRIED = ("rest", "forms", "streamlit")
#: what the contract gives people to do, each act with its own permissions
ACTS = ("sign-in", "conversations", "rename", "delete", "export", "feedback", "moderation", "admin")


def _expect_answers(base_url: str, path: str) -> None:
    try:
        Client(base_url).request("GET", path)
    except (OSError, http.client.HTTPException) as error:
        raise NotMeasuredError(f"nothing answers at {base_url}: {error}") from None


def _rest(trying: Callable[[Scene], Seen], subject: Subject) -> Seen:
    _expect_answers(subject.program_url, "/api/health")
    return trying(Scene(subject.program_url, seed=subject.seed))


def _forms(trying: Callable[[FormScene], Seen], subject: Subject) -> Seen:
    _expect_answers(subject.base_url, "/health")
    return trying(FormScene(subject.base_url, seed=subject.seed))


def _expect_application(subject: Subject) -> None:
    if subject.protocol == "openai":
        raise NotMeasuredError("no application: this is the model itself")


def _tried(
    subject: Subject, rest: Callable[[Scene], Seen], forms: Callable[[FormScene], Seen], page: str, *needs: str
) -> Seen:
    """Try a property in the way of the target's protocol.

    Raises:
        NotMeasuredError: there is no way, or the target does not state what it needs.
    """
    _expect_application(subject)
    if subject.protocol in TRIED:
        expect_offered(subject, *needs)
    if subject.protocol == "rest":
        return _rest(rest, subject)
    if subject.protocol == "forms":
        return _forms(forms, subject)
    if subject.protocol == "streamlit" and subject.api_url is not None:
        # the API of a hybrid is open to anybody who finds it, whatever the page asks of it
        return both({"API": lambda: _rest(rest, subject), "page": lambda: streamlit.tried(page, subject)})
    if subject.protocol == "streamlit":
        return streamlit.tried(page, subject)
    raise NotMeasuredError(f"nothing here knows how to try this on the protocol {subject.protocol!r}")


@PROBES.finds("roles-operations", "roles × operations as the contract says")
def _roles(subject: Subject) -> Seen:
    return _tried(subject, matrix.roles, form_access.roles, "roles", *ACTS)


@PROBES.finds("other-objects", "another user's objects refused")
def _objects(subject: Subject) -> Seen:
    return _tried(subject, ownership.objects, form_access.objects, "objects", *ACTS)


@PROBES.finds("anonymous-access", "refused without signing in")
def _anonymous(subject: Subject) -> Seen:
    return _tried(subject, anonymous.access, form_access.anonymous, "anonymous", *ACTS)


# Moderators' pages show the newest answers of all: from here on no probe looks for its own among them.


@PROBES.finds("hostile-answers", "hostile payloads in answers that ran nothing and fetched nothing", concurrent=True)
def _hostile_answers(subject: Subject) -> Seen:
    def look(browser: "Browser") -> Seen:
        from harness.probes.security.pages import answers

        several = "conversations" in subject.features
        return answers.answers(browser, subject.base_url, seed=subject.seed, several=several)

    return _looked_at(subject, look)


@PROBES.finds(
    "hostile-titles", "hostile payloads in titles and messages that ran nothing and fetched nothing", concurrent=True
)
def _hostile_titles(subject: Subject) -> Seen:
    def look(browser: "Browser") -> Seen:
        from harness.probes.security.pages import titles

        expect_offered(subject, "conversations")
        if subject.protocol == "rest" or subject.api_url is not None:
            return titles.by_api(browser, subject.base_url, subject.program_url, seed=subject.seed)
        return titles.by_page(browser, subject.base_url, seed=subject.seed, renames="rename" in subject.features)

    return _looked_at(subject, look)


def _looked_at(subject: Subject, look: "Callable[[Browser], Seen]") -> Seen:
    """Look at the target's page with a real browser; NotMeasuredError where there is none, or no page."""
    _expect_application(subject)
    if subject.protocol == "rest" and not subject.web:
        raise NotMeasuredError("an API without a web part shows nothing to anybody")
    try:
        import playwright  # noqa: F401  # asked for by name: what else cannot be imported is a fault of chatbench
    except ModuleNotFoundError:
        raise NotMeasuredError("no browser in a sealed container; audit the same target without containers") from None
    from harness.probes.browser import chromium

    if chromium.find() is None:
        raise NotMeasuredError("this machine has no Chromium; install one (on Debian: apt install chromium)")
    try:
        with chromium.opened() as browser:
            seen = look(browser)
            if not browser.is_connected():  # every page broke with it, and none of a payload
                raise NotMeasuredError("Chromium ended by itself meanwhile")
            return seen
    except BenchError as error:
        raise NotMeasuredError(f"{error.message}; {error.hint}") from error


@PROBES.finds("csrf", "forged requests refused (CSRF)")
def _csrf(subject: Subject) -> Seen:
    return _tried(subject, forgery.requests, surface.forgery, "forgery", *ACTS)


@PROBES.finds("websocket-origin", "WebSocket refused for a foreign Origin, other ports of localhost included")
def _websocket(subject: Subject) -> Seen:
    return _tried(subject, forgery.no_socket, surface.no_socket, "websocket")


@PROBES.finds("cookie-flags", "cookies and sessions protected")
def _cookies(subject: Subject) -> Seen:
    return _tried(subject, cookies.flags, surface.cookies, "cookies", "sign-in")


@PROBES.finds("security-headers", "security headers")
def _headers(subject: Subject) -> Seen:
    return _tried(subject, headers.headers, surface.headers, "headers")


@PROBES.finds("sql-injection", "SQL injection payloads without effect")
def _injection(subject: Subject) -> Seen:
    return _tried(subject, injection.sql, form_injection.sql, "sql", *ACTS)


@PROBES.finds("sign-in-throttling", "guessing passwords stopped")
def _throttling(subject: Subject) -> Seen:
    return _tried(subject, throttling.sign_in, surface.throttling, "throttling", "sign-in")
