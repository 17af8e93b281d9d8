"""The components of a Streamlit page whose scripts a browser would run; virtual users run none but one."""

from collections.abc import Iterable

from harness.probes.claims import Check, RefutedError
from harness.records.recipe import session_token

PLAYED = "st_autorefresh"  # loadtests/users/streamlit_refresh.py
_KINDS = ("component_instance", "bidi_component")


def check_components(base_url: str, *, seed: int, site: str | None) -> list[Check]:
    """Return a note, as a check that passed, where a page has components; nothing where it cannot be opened.

    A script that does not end is noted too. The virtual user's own turns say whether a page can be used.
    """
    import websocket  # with the messages of one Streamlit: in the process that tries this target alone

    from harness.probes.security.streamlit.wire import Session, UnfinishedError, messages

    if site is None:
        return []
    cookie = session_token(seed, "user0001")
    try:
        with Session(base_url=base_url, messages=messages(site), cookie=cookie) as page:
            shown = [one.element for one in page.page if one.kind in _KINDS]
    except UnfinishedError as late:
        text = f"note: {late}: its components are not known, and a turn is over when the script has ended"
        return [Check(operation="page", passed=True, text=text)]
    except (OSError, RefutedError, websocket.WebSocketException):
        return []
    return noted({str(one.component_name) for one in shown})


def noted(components: Iterable[str]) -> list[Check]:
    """Return the note on the components of a page, by their names."""
    unplayed = sorted(name for name in components if not name.endswith(PLAYED))
    if not unplayed:
        return []
    text = f"note: virtual users do not run the scripts of {', '.join(unplayed)}: what these send is not in the load"
    return [Check(operation="page", passed=True, text=text)]
