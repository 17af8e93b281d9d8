"""Pages for moderators and admins. Each action asks the database again whether the user may."""

import streamlit as st

import auth
import versions
from markup import literal
from store import ROLES, JudgedAnswer, User, get_store

MODERATORS = ("moderator", "admin")
PAGE_SIZE = 20
JUDGED = 30
PREVIEW_CHARS = 2_000


def _allowed(*roles: str) -> User | None:
    user = auth.current_user()
    return user if user is not None and user.role in roles else None


def moderation_page() -> None:
    """Show answers to hide or to show again."""
    if _allowed(*MODERATORS) is None:
        st.error("Only moderators may see this page.")
        return
    st.title("Moderation", anchor=False)
    choice = st.segmented_control("Answers", ("Disliked or hidden", "Newest"), default="Disliked or hidden")
    answers = get_store().answers_to_judge(choice != "Newest", JUDGED)
    if not answers:
        st.info("No answer needs attention.", icon=":material/task_alt:")
    for answer in answers:
        _judge(answer)


def _judge(answer: JudgedAnswer) -> None:
    with st.container(border=True):
        marks = [answer.username, answer.title, *(["disliked"] if answer.feedback == "down" else [])]
        st.caption(literal(" · ".join(marks)))
        st.text(answer.content[:PREVIEW_CHARS])
        st.button(
            "Show again" if answer.hidden else "Hide",
            key=f"hide-{answer.id}",
            icon=":material/visibility:" if answer.hidden else ":material/visibility_off:",
            on_click=_set_hidden,
            args=(answer.id, not answer.hidden),
        )


def _set_hidden(message_id: int, hidden: bool) -> None:
    if _allowed(*MODERATORS) is not None:
        get_store().set_hidden(message_id, hidden)


def users_page() -> None:
    """Show users with their roles, and who may sign in."""
    admin = _allowed("admin")
    if admin is None:
        st.error("Only admins may see this page.")
        return
    st.title("Users", anchor=False)
    search = st.text_input("Search users", max_chars=150, **versions.looks(icon=":material/search:"))
    page = int(st.number_input("Page", min_value=1, max_value=1_000_000, step=1))
    users = get_store().users(search.strip(), PAGE_SIZE, (page - 1) * PAGE_SIZE)
    if not users:
        st.info("No user found here.", icon=":material/person_off:")
    for user in users:
        _user_row(user, own=user.id == admin.id)


def _user_row(user: User, *, own: bool) -> None:
    name, role, active = st.columns([3, 2, 1], vertical_alignment="center")
    name.markdown(f"**{literal(user.username)}**" + (" (you)" if own else ""))
    role_key, active_key = f"role-{user.id}-{user.role}", f"active-{user.id}-{user.is_active}"
    role.selectbox(
        f"Role of {literal(user.username)}",
        ROLES,
        index=ROLES.index(user.role),
        key=role_key,
        label_visibility="collapsed",
        on_change=_set_role,
        args=(user.id, role_key),
        disabled=own,
    )
    active.toggle(
        "Active",
        value=user.is_active,
        key=active_key,
        on_change=_set_active,
        args=(user.id, active_key),
        disabled=own,
    )


def _set_role(user_id: int, key: str) -> None:
    admin = _allowed("admin")
    if admin is not None and admin.id != user_id and st.session_state[key] in ROLES:
        get_store().set_role(user_id, st.session_state[key])


def _set_active(user_id: int, key: str) -> None:
    admin = _allowed("admin")
    if admin is not None and admin.id != user_id:
        get_store().set_active(user_id, bool(st.session_state[key]))
