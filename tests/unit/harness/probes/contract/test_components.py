"""The note on components: what virtual users leave out is told, what they play is not."""

from unittest.mock import MagicMock

import pytest
import websocket

from harness.probes.contract.components import check_components, noted
from harness.probes.security.streamlit import wire


@pytest.mark.parametrize("names", [[], ["streamlit_autorefresh.st_autorefresh"]])
def test_nothing_is_noted_of_what_virtual_users_play(names: list[str]) -> None:
    assert noted(names) == []


def test_components_are_named_in_a_check_that_passes() -> None:
    note = noted(["b.chart", "a.lottie", "streamlit_autorefresh.st_autorefresh"])
    assert [(one.operation, one.passed) for one in note] == [("page", True)]
    assert "the scripts of a.lottie, b.chart: what these send is not in the load" in note[0].text


class Endless:
    """A WebSocket to a page whose script does not end: it draws, or only pings come, or nothing at all."""

    def __init__(self, opcode: int | None) -> None:
        self.opcode = opcode

    def send_binary(self, _: object) -> None: ...

    def close(self) -> None: ...

    def recv_data(self, *, control_frame: bool) -> tuple[int, bytes]:
        assert control_frame
        if self.opcode is None:
            raise websocket.WebSocketTimeoutException("timed out")
        return self.opcode, b"news"


@pytest.mark.parametrize(
    ("opcode", "said"),
    [
        (websocket.ABNF.OPCODE_BINARY, "the page's script was still running after 0 s"),
        (websocket.ABNF.OPCODE_PING, "the page's script was still running after 0 s"),
        (None, "the page's script was silent for 20 s"),
    ],
)
def test_a_script_that_does_not_end_is_noted_and_given_up(
    monkeypatch: pytest.MonkeyPatch, opcode: int | None, said: str
) -> None:
    known = wire.Messages(back=MagicMock(), forward=MagicMock(), state=MagicMock())
    monkeypatch.setattr(wire, "messages", lambda _: known)
    monkeypatch.setattr(wire, "RUN_S", 0.05)
    monkeypatch.setattr(websocket, "create_connection", lambda *_, **__: Endless(opcode))
    (note,) = check_components("http://127.0.0.1:1", seed=1, site="site")
    assert note.passed
    assert note.text.startswith(f"note: {said}: its components are not known")


def test_nothing_is_noted_where_the_targets_own_streamlit_is_not_known() -> None:
    assert check_components("http://127.0.0.1:1", seed=1, site=None) == []
