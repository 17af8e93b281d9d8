"""A conversation as a file to keep."""

from collections.abc import Callable, Iterable

import orjson

from chat.models import Conversation, Message

HIDDEN = "This answer was hidden by a moderator."


def text_of(message: Message) -> str:
    """Return what a user may read of a message."""
    return HIDDEN if message.hidden else message.content


def as_json(conversation: Conversation, messages: Iterable[Message]) -> bytes:
    """Return the conversation as a JSON document."""
    document = {
        "id": str(conversation.pk),
        "title": conversation.title,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "messages": [
            {
                "role": message.role,
                "content": text_of(message),
                "created_at": message.created_at,
                "hidden": message.hidden,
                "feedback": message.feedback,
            }
            for message in messages
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n"


def as_markdown(conversation: Conversation, messages: Iterable[Message]) -> bytes:
    """Return the conversation as a Markdown document."""
    parts = [f"# {' '.join(str(conversation).split())}\n"]
    for message in messages:
        who = "You" if message.role == Message.Role.USER else "Assistant"
        parts.append(f"## {who}, {message.created_at:%Y-%m-%d %H:%M} UTC\n\n{text_of(message)}\n")
    return "\n".join(parts).encode()


Writer = Callable[[Conversation, Iterable[Message]], bytes]
FORMATS: dict[str, tuple[str, str, Writer]] = {
    "json": ("application/json", "json", as_json),
    "markdown": ("text/markdown; charset=utf-8", "md", as_markdown),
}
