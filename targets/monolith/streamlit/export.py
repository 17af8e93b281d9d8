"""A conversation as a file to keep."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from store import Conversation, Message

HIDDEN = "This answer was hidden by a moderator."


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _content(message: Message) -> str:
    return HIDDEN if message.hidden else message.content


def as_json(conversation: Conversation, messages: Sequence[Message]) -> str:
    """Return the conversation as a JSON document."""
    document = {
        "title": conversation.title,
        "created_at": _time(conversation.created_at),
        "updated_at": _time(conversation.updated_at),
        "messages": [
            {
                "role": m.role,
                "content": _content(m),
                "created_at": _time(m.created_at),
                "complete": m.complete,
                "feedback": m.feedback,
            }
            for m in messages
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_markdown(conversation: Conversation, messages: Sequence[Message]) -> str:
    """Return the conversation as a Markdown document."""
    parts = [f"# {' '.join(conversation.title.split())}\n"]
    for message in messages:
        who = "You" if message.role == "user" else "Assistant"
        parts.append(f"## {who}, {_time(message.created_at)}\n\n{_content(message)}\n")
    return "\n".join(parts)
