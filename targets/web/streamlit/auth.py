"""Who is there: the API's session, kept in a cookie of this server, and the sign-in page.

A script cannot set a cookie over its WebSocket: after signing in the page trades a code, valid once and for a minute,
for the cookie at ``/session`` (see app.py). The running page does not wait for that.
"""

import re
import secrets
import threading
import time

import streamlit as st

from api import ApiError, Json, get_api

COOKIE = "chat_session"
CODE_S = 60.0
COOKIE_S = 30 * 24 * 3600  # as long as the API keeps a session
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,512}")  # nothing that could add to a header

_COOKIE_KEEPER = st.components.v2.component(
    "cookie_keeper",
    js="""
    export default function ({ data }) {
        if (data.code && window.tradedCode === data.code) return; // drawn again: a code is good for once
        window.tradedCode = data.code;
        fetch("/session", {
            method: data.code ? "POST" : "DELETE",
            headers: { "X-Sign-In-Code": data.code },
            credentials: "same-origin",
        });
    }
    """,
)


class Codes:
    """Sessions that wait to be fetched as a cookie, by their codes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, str]] = {}

    def issue(self, session: str) -> str:
        """Return a code for a session."""
        code, now = secrets.token_hex(16), time.monotonic()
        with self._lock:
            self._waiting = {c: kept for c, kept in self._waiting.items() if kept[0] > now}
            self._waiting[code] = (now + CODE_S, session)
        return code

    def claim(self, code: str) -> str | None:
        """Trade a code for its session; None if the code is unknown, used or too old."""
        with self._lock:
            until, session = self._waiting.pop(code, (0.0, None))
        return session if until > time.monotonic() else None


@st.cache_resource(show_spinner=False)
def get_codes() -> Codes:
    """Return this process's codes."""
    return Codes()


def session() -> str | None:
    """Return the session at the API, None where nobody signed in."""
    state = st.session_state
    if "session" not in state:
        token = st.context.cookies.get(COOKIE, "")
        state.session = token if _TOKEN.fullmatch(token) else None
    found: str | None = state.session
    return found


def current_user() -> Json | None:
    """Return who is signed in, asking the API: roles and deactivation take effect at once."""
    token = session()
    if token is None:
        return None
    try:
        user: Json = get_api().json(token, "GET", "/auth/me")
    except ApiError as error:
        if error.status != 401:
            raise
        st.session_state.session = None
        return None
    return user


def sign_in(username: str, password: str) -> str | None:
    """Sign a user in; return what went wrong in words for that user, None if nothing did."""
    if not username or not password:
        return "Enter a username and a password."
    try:
        token = get_api().log_in(username, password)
    except ApiError as error:
        return "That username and password do not match." if error.status in (400, 401) else str(error)
    st.session_state.session = token
    st.session_state.cookie_code = get_codes().issue(token)
    return None


def sign_out() -> None:
    """End the session at the API and have the browser forget its cookie."""
    token = session()
    st.session_state.clear()
    st.session_state.session = None
    st.session_state.cookie_code = ""
    if token is not None:
        try:
            get_api().call(token, "POST", "/auth/logout")
        except ApiError as error:
            if error.status != 401:
                st.session_state.sign_out_trouble = str(error)


def keep_cookie() -> None:
    """Have the browser fetch or forget its cookie, once after signing in or out."""
    code = st.session_state.pop("cookie_code", None)
    if code is not None:
        _COOKIE_KEEPER(key="cookie_keeper", data={"code": code}, height=1)


def sign_in_page() -> None:
    """Show the sign-in form."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(":material/forum: Chat", anchor=False)
        st.caption("Sign in to talk to the assistant and to find your earlier conversations.")
        with st.form("sign_in"):
            username = st.text_input("Username", autocomplete="username", max_chars=150)
            password = st.text_input("Password", type="password", autocomplete="current-password", max_chars=128)
            submitted = st.form_submit_button("Sign in", type="primary", width="stretch")
        trouble = st.session_state.pop("sign_out_trouble", None)
        if submitted:
            trouble = sign_in(username.strip(), password)
            if trouble is None:
                st.rerun()
        if trouble:
            st.error(trouble, icon=":material/error:")
    keep_cookie()
