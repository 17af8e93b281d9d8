"""Streamlit's protobuf messages without Streamlit: only the generated modules of an installed version."""

import importlib
import sys
import types
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_PROBE = Path("streamlit/proto/BackMsg_pb2.py")


@dataclass(frozen=True, slots=True)
class Protocol:
    """The message classes of one installed Streamlit."""

    back_msg: Any  # class BackMsg
    forward_msg: Any  # class ForwardMsg
    widget_state: Any  # class WidgetState
    has_chat_input_value: bool  # False before about 1.41, where a chat message is a string trigger

    def rerun(self, client_state: dict[str, Any], widgets: list[Any], context: dict[str, Any]) -> bytes:
        """Return the frame that asks for a run of the script.

        Args:
            client_state: plain fields of ``ClientState``.
            widgets: states of the page's widgets, triggers included.
            context: plain fields of ``ContextInfo``; those that this version has not are left out.
        """
        message = self.back_msg()
        state = message.rerun_script
        state.SetInParent()
        _fill(state, {name: value for name, value in client_state.items() if value})
        if "context_info" in state.DESCRIPTOR.fields_by_name:
            _fill(state.context_info, context)
        state.widget_states.widgets.extend(widgets)
        return bytes(message.SerializeToString())

    def chat_message(self, widget_id: str, text: str) -> Any:
        """Return the widget state of a message just sent by a chat input."""
        state = self.widget_state(id=widget_id)
        if self.has_chat_input_value:
            state.chat_input_value.data = text
            if "file_uploader_state" in state.chat_input_value.DESCRIPTOR.fields_by_name:
                state.chat_input_value.file_uploader_state.SetInParent()  # no file
        else:
            state.string_trigger_value.data = text
        return state

    def fragments_of(self, new_session: Any) -> set[str]:
        """Return the ids of the fragments that a run is of, none for the whole script, from the message of its begin.

        They stand in the message itself until about 1.60, and in its metadata from then on.
        """
        run = getattr(new_session.metadata, "run", None)
        ids = set(run.fragment_ids) if run is not None else set()
        return ids | set(getattr(new_session.new_session, "fragment_ids_this_run", ()))

    def click(self, widget_id: str) -> Any:
        """Return the widget state of a button just clicked."""
        return self.widget_state(id=widget_id, trigger_value=True)


def _fill(message: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, value)


def find_site(site: str | None) -> Path:
    """Return the folder that holds the ``streamlit`` package: ``site``, or this environment's.

    Raises:
        ValueError: there is none.
    """
    candidates = [site] if site else sys.path
    for folder in candidates:
        if (Path(folder) / _PROBE).is_file():
            return Path(folder)
    where = site or "this environment"
    raise ValueError(f"no streamlit package in {where}: streamlit_site must be a site-packages folder that holds one")


@lru_cache(maxsize=1)
def load(site: str | None) -> Protocol:
    """Return the message classes, loaded through a stub package so that Streamlit itself is never imported."""
    package = types.ModuleType("streamlit")
    package.__path__ = [str(find_site(site) / "streamlit")]
    real = sys.modules.get("streamlit")
    sys.modules["streamlit"] = package
    try:
        back = importlib.import_module("streamlit.proto.BackMsg_pb2")
        forward = importlib.import_module("streamlit.proto.ForwardMsg_pb2")
        states = importlib.import_module("streamlit.proto.WidgetStates_pb2")
    finally:
        if real is None:
            del sys.modules["streamlit"]
        else:
            sys.modules["streamlit"] = real
    return Protocol(
        back.BackMsg,
        forward.ForwardMsg,
        states.WidgetState,
        "chat_input_value" in states.WidgetState.DESCRIPTOR.fields_by_name,
    )
