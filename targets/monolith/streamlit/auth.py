"""Who is there: passwords, sessions and the sign-in page.

The session lives in the database under the hash of a random token. The token reaches the browser as an ``HttpOnly``
cookie, which a script cannot set over its WebSocket: after signing in the page trades a code, valid once and for a
minute, for the cookie at ``/session`` (see app.py). The running page does not wait for that.
"""

import base64
import hashlib
import hmac
import secrets

import streamlit as st

import versions
from store import User, get_store

COOKIE = "chat_session"
ITERATIONS = 1_000_000
ATTEMPTS_PER_MINUTE = 10
# what an unknown user's password is checked against, so that both answers take the same time
_NOBODY = f"pbkdf2_sha256${ITERATIONS}${secrets.token_hex(8)}$"


def hash_password(password: str, salt: str, iterations: int = ITERATIONS) -> str:
    """Return PBKDF2-SHA256 of a password in Django's notation."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
    return f"pbkdf2_sha256${iterations}${salt}${base64.b64encode(digest).decode()}"


def check_password(password: str, stored: str) -> bool:
    """Tell whether the password is the one that was hashed."""
    _, iterations, salt, _ = stored.split("$", 3)
    return hmac.compare_digest(hash_password(password, salt, int(iterations)), stored)


def hash_token(token: str) -> str:
    """Return what is stored of a session's token: enough to find it, useless to a thief."""
    return hashlib.sha256(token.encode()).hexdigest()


def claim_cookie(code: str) -> str | None:
    """Trade a sign-in code for the session's token; None if the code is unknown, used or too old."""
    token = secrets.token_hex(16)
    return token if get_store().claim_session(hash_token(code), hash_token(token)) else None


def current_user() -> User | None:
    """Return who is signed in, asking the database each time: roles and deactivation take effect at once."""
    state = st.session_state
    if "session_id" not in state:
        token = st.context.cookies.get(COOKIE)
        state.session_id = get_store().find_session(hash_token(token)) if token else None
    return get_store().session_user(state.session_id) if state.session_id is not None else None


def sign_in(username: str, password: str) -> str | None:
    """Sign a user in; return what went wrong in words for that user, None if nothing did."""
    store = get_store()
    if not store.allow(f"sign-in {username[:150]}", ATTEMPTS_PER_MINUTE):
        return "Too many attempts. Wait a minute, then try again."
    found = store.credentials(username)
    if not check_password(password, found[1] if found else _NOBODY) or found is None:
        return "That username and password do not match."
    code = secrets.token_hex(16)
    st.session_state.session_id = store.open_session(found[0].id, hash_token(code))
    st.session_state.cookie_code = code
    return None


def sign_out() -> None:
    """End the session on the server and have the browser forget its cookie."""
    if st.session_state.get("session_id") is not None:
        get_store().close_session(st.session_state.session_id)
    st.session_state.clear()
    st.session_state.session_id = None
    st.session_state.cookie_code = ""


def keep_cookie() -> None:
    """Have the browser fetch or forget its cookie, once after signing in or out."""
    code = st.session_state.pop("cookie_code", None)
    if code is not None:
        versions.keep_cookie(code)


def sign_in_page() -> None:
    """Show the sign-in form."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(":material/forum: Chat", anchor=False)
        st.caption("Sign in to talk to the assistant and to find your earlier conversations.")
        with st.form("sign_in"):
            username = st.text_input("Username", autocomplete="username", max_chars=150)
            password = st.text_input("Password", type="password", autocomplete="current-password", max_chars=1000)
            submitted = st.form_submit_button("Sign in", type="primary", **versions.WIDE)
        if submitted:
            problem = sign_in(username.strip(), password)
            if problem is None:
                st.rerun()
            st.error(problem, icon=":material/error:")
    keep_cookie()
