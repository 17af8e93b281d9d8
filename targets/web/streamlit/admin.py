"""The page for admins. The API decides what is allowed."""

import streamlit as st

from api import ApiError, Json, get_api
from markup import literal

ROLES = ("user", "moderator", "admin")
ROWS = 25  # half of what a page of the API holds: each row is three widgets to draw


def users_page() -> None:
    """Show users with their roles, and who may sign in."""
    state = st.session_state
    st.title("Users", anchor=False)
    search = st.text_input("Search users", icon=":material/search:", max_chars=150)
    page = int(st.number_input("Page", min_value=1, max_value=1_000_000, step=1))
    asked = {"search": search.strip(), "page": (page + 1) // 2}
    try:
        found = get_api().json(state.session, "GET", "/admin/users", params=asked)["results"]
    except ApiError as error:
        if error.status != 404:
            raise
        found = []  # a page past the end
    users = found[:ROWS] if page % 2 else found[ROWS:]
    if trouble := state.pop("users_trouble", None):
        st.error(trouble, icon=":material/error:")
    if not users:
        st.info("No user found here.", icon=":material/person_off:")
    for user in users:
        _user_row(user, own=user["id"] == state.user_id)


def _user_row(user: Json, *, own: bool) -> None:
    name, role, active = st.columns([3, 2, 1], vertical_alignment="center")
    name.markdown(f"**{literal(user['username'])}**" + (" (you)" if own else ""))
    role_key, active_key = f"role-{user['id']}-{user['role']}", f"active-{user['id']}-{user['is_active']}"
    role.selectbox(
        f"Role of {literal(user['username'])}",
        ROLES,
        index=ROLES.index(user["role"]),
        key=role_key,
        label_visibility="collapsed",
        on_change=_change,
        args=(user["id"], "role", role_key),
        disabled=own,
    )
    active.toggle(
        "Active",
        value=user["is_active"],
        key=active_key,
        on_change=_change,
        args=(user["id"], "is_active", active_key),
        disabled=own,
    )


def _change(user_id: int, field: str, key: str) -> None:
    state = st.session_state
    try:
        get_api().call(state.session, "PATCH", f"/admin/users/{user_id}", json={field: state[key]})
    except ApiError as error:
        state.users_trouble = str(error)
