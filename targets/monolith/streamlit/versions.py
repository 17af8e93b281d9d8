"""What Streamlit 1.44 (April 2025) does not have, in one place; README.md lists the differences.

Each function is Streamlit's own of today where there is one, and what a program of that time did where there is not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from markup import without_odd_links

TODAY = hasattr(st, "App")
THINKING = ":shimmer[Thinking…]" if TODAY else ":gray[Thinking…]"
WIDE: Mapping[str, Any] = {"width": "stretch"} if TODAY else {"use_container_width": True}
#: a chat input whose button stops the answer under way; before, only the page's own menu did
CHAT_INPUT: Mapping[str, Any] = {"submit_mode": "stop"} if TODAY else {}
#: runs when the cookie's code arrives; of 1.44 the content security policy has to name it
COOKIE_SCRIPT = """
    const code = document.currentScript.dataset.code;
    fetch("/session", {
        method: code ? "POST" : "DELETE",
        headers: { "X-Sign-In-Code": code },
        credentials: "same-origin",
    });
"""

_COOKIE_KEEPER = (
    st.components.v2.component(
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
    if TODAY
    else None
)


def keep_cookie(code: str) -> None:
    """Have the browser trade a code for the session's cookie, or forget the cookie where the code is empty."""
    if _COOKIE_KEEPER is not None:
        _COOKIE_KEEPER(key="cookie_keeper", data={"code": code}, height=1)
    else:  # an inline frame; the code is hexadecimal digits
        st.components.v1.html(f'<script data-code="{code}">{COOKIE_SCRIPT}</script>', height=1)


def looks(**options: Any) -> dict[str, Any]:
    """Return options that change looks alone; 1.44 does not know them."""
    return options if TODAY else {}


def row(*widths: float) -> Sequence[Any]:
    """Return a place for each thing that stands side by side: one line today, columns of these widths before."""
    if TODAY:
        line = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        return [line] * len(widths)
    return st.columns(widths, vertical_alignment="center")


def thumbs(key: str, given: int | None, on_change: Callable[..., None], args: tuple[Any, ...]) -> None:
    """Show thumbs up and down with what was given before."""
    if TODAY:
        st.feedback("thumbs", key=key, default=given, on_change=on_change, args=args)
        return
    if given is not None:
        st.session_state.setdefault(key, given)
    st.feedback("thumbs", key=key, on_change=on_change, args=args)


def export_button(label: str, content: Callable[[], str], file_name: str, mime: str) -> None:
    """Offer a file; today it is made when it is asked for, before it had to be there already."""
    data = content if TODAY else content()
    st.download_button(label, data, file_name, mime, icon=":material/download:", on_click="ignore")


def show_answer(text: str) -> None:
    """Show an answer as Markdown; 1.44 would make links of ``javascript:`` addresses."""
    st.markdown(text if TODAY else without_odd_links(text))


def stream_answer(place: Any, texts: Iterator[str]) -> None:
    """Show an answer as it grows; each update holds all of it, in Streamlit's own way of streaming as well."""
    if TODAY:
        place.write_stream(texts)
        return
    shown = ""
    for text in texts:
        shown += text
        place.markdown(without_odd_links(shown))
