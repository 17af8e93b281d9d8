"""The script that each session runs: who is there, and which pages that user gets."""

import streamlit as st

import admin
import auth
import chat
import versions
from markup import literal

st.set_page_config(page_title="Chat", page_icon="💬", layout="centered")

user = auth.current_user()
if user is None:
    auth.sign_in_page()
    st.stop()

with st.sidebar:
    who, leave = versions.row(2, 1)
    who.caption(f":material/person: {literal(user.username)} · {user.role}")
    leave.button("Sign out", on_click=auth.sign_out, type="tertiary", icon=":material/logout:")
with st.container():  # also where it is empty: what follows keeps its place on the page, and the box its text
    auth.keep_cookie()

pages = [st.Page(chat.page, title="Chat", icon=":material/forum:", default=True)]
if user.role in admin.MODERATORS:
    pages.append(st.Page(admin.moderation_page, title="Moderation", icon=":material/shield:", url_path="moderation"))
if user.role == "admin":
    pages.append(st.Page(admin.users_page, title="Users", icon=":material/group:", url_path="users"))
st.navigation(pages).run()
