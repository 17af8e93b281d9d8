"""The contract's objects. What comes in is checked strictly: no unknown field, no silent conversion."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from app.tables import TITLE_CHARS, Author, Role, Thumb

MESSAGE_CHARS = 100_000
PAGE_SIZE = 50
NO_NUL = r"^[^\x00]*$"
NO_NUL_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"


def _not_blank(text: str) -> str:
    # The pattern, which Rust reads here, knows less white space than Python does.
    if not text.strip():
        raise ValueError("may not be blank")
    return text


def _whole_number(text: str) -> str:
    if not (text.isascii() and text.isdecimal()):  # int() would also take " 1_0"
        raise ValueError("must be a whole number")
    return text


Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TITLE_CHARS, pattern=NO_NUL_NOT_BLANK),
    AfterValidator(_not_blank),
    AfterValidator(str.strip),
    Field(description="Outer white space is removed; what remains has 1 to 200 characters."),
]
Content = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MESSAGE_CHARS, pattern=NO_NUL_NOT_BLANK),
    AfterValidator(_not_blank),
    Field(description="Kept as sent; must hold something other than white space."),
]
Search = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole_number)]
Link = Annotated[str, Field(json_schema_extra={"format": "uri"})]


class Given(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """A response's body."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, frozen=True)


class Credentials(Given):
    """A sign-in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=NO_NUL)]
    password: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128, pattern=NO_NUL),
        Field(json_schema_extra={"format": "password"}),
    ]


class NewConversation(Given):
    """A conversation to begin."""

    title: Title = Field(default="", json_schema_extra=lambda schema: schema.pop("default"))


class Rename(Given):
    """A conversation's new title."""

    title: Title


class NewMessage(Given):
    """A message to send."""

    content: Content


class FeedbackChange(Given):
    """Thumbs up, thumbs down or neither."""

    value: Thumb | None


class HideChange(Given):
    """Whether an answer is hidden."""

    hidden: bool


class UserChange(Given):
    """A user's new role or state; fields that are not given stay as they are."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    role: Role = Field(default="user", json_schema_extra=lambda schema: schema.pop("default"))
    is_active: bool = Field(default=True, json_schema_extra=lambda schema: schema.pop("default"))

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give role or is_active")
        return self


class Token(View):
    """A bearer token."""

    token: Annotated[str, StringConstraints(min_length=32)]


class User(View):
    """A user."""

    id: int
    username: str
    role: Role
    is_active: bool


class Conversation(View):
    """A conversation."""

    id: uuid.UUID
    title: Annotated[str, Field(description="Empty until the first message of a conversation begun without a title.")]
    created_at: datetime
    updated_at: datetime


class Message(View):
    """A message."""

    id: uuid.UUID
    role: Author
    content: Annotated[str, Field(description="Markdown; empty for users of role `user` where `hidden` is true.")]
    created_at: datetime
    hidden: bool
    feedback: Thumb | None

    @classmethod
    def seen(cls, row: Any, *, reveal: bool = False) -> Self:
        """Return a stored message as users see it; the text of a hidden one only where it may be revealed."""
        message = cls.model_validate(row)
        return message.model_copy(update={"content": ""}) if message.hidden and not reveal else message


class Page(View):
    """One of the pages of a list."""

    count: Annotated[int, Field(ge=0)]
    next: Link | None
    previous: Link | None


class UserPage(Page):
    """A page of users."""

    results: Annotated[list[User], Field(max_length=PAGE_SIZE)]


class ConversationPage(Page):
    """A page of conversations."""

    results: Annotated[list[Conversation], Field(max_length=PAGE_SIZE)]


class MessageList(View):
    """All messages of a conversation, oldest first."""

    results: list[Message]


class Export(Conversation):
    """A conversation with its messages."""

    messages: list[Message]


class Exchange(View):
    """A message and its answer."""

    message: Message
    answer: Message


class MessageEvent(View):
    """`event: message`: the message is saved, in this conversation as it is now; the answer will have this id."""

    message: Message
    answer_id: uuid.UUID
    conversation: Conversation


class TokenEvent(View):
    """`event: token`: the next piece of the answer."""

    text: str


class DoneEvent(View):
    """`event: done`: the answer is complete and saved."""

    message: Message


class Health(View):
    """That the build can serve."""

    status: Literal["ok"]


class Problem(BaseModel):
    """RFC 9457."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    errors: dict[str, list[str]] = Field(
        default={},
        description="By field, with status 400 only.",
        json_schema_extra=lambda schema: schema.pop("default"),
    )
