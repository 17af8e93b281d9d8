"""The script that each session runs: who is there, and which pages that user gets."""

import streamlit as st

import admin
import auth
import chat
from api import ApiError
from markup import literal

st.set_page_config(page_title="Chat", page_icon="💬", layout="centered")

try:
    user = auth.current_user()
except ApiError as error:
    st.error(str(error), icon=":material/cloud_off:")
    st.button("Try again", icon=":material/refresh:")
    st.stop()
if user is None:
    auth.sign_in_page()
    st.stop()

with st.sidebar.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.caption(f":material/person: {literal(user['username'])} · {user['role']}")
    st.button("Sign out", on_click=auth.sign_out, type="tertiary", icon=":material/logout:")
with st.container():  # also where it is empty: what follows keeps its place on the page, and the box its text
    auth.keep_cookie()

st.session_state.moderates = user["role"] in ("moderator", "admin")
pages = [st.Page(chat.page, title="Chat", icon=":material/forum:", default=True)]
if user["role"] == "admin":
    st.session_state.user_id = user["id"]
    pages.append(st.Page(admin.users_page, title="Users", icon=":material/group:", url_path="users"))
try:
    st.navigation(pages).run()
except ApiError as error:
    if error.status == 401:  # signed out elsewhere, or deactivated
        st.session_state.session = None
        st.rerun()
    st.error(str(error), icon=":material/error:")
    st.button("Try again", icon=":material/refresh:", key="again")
