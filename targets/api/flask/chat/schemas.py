"""What comes in, checked strictly: no unknown field, no silent conversion, no NUL."""

from typing import Annotated, Literal, TypeVar

from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from werkzeug.exceptions import UnsupportedMediaType

from chat.models import TITLE_CHARS, Role

MESSAGE_CHARS = 100_000
LAST_PAGE = 1_000_000
S = TypeVar("S", bound=BaseModel)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters are not allowed.")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("This field may not be blank.")
    return text


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= LAST_PAGE):
        raise ValueError("A page is a whole number from 1.")
    return int(text)


Text = Annotated[str, Field(min_length=1), AfterValidator(_without_nul)]
Filled = Annotated[Text, AfterValidator(_not_blank)]
Title = Annotated[Filled, Field(max_length=TITLE_CHARS), AfterValidator(str.strip)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Credentials(Body):
    """A sign-in."""

    username: Annotated[Text, Field(max_length=150)]
    password: Annotated[Text, Field(max_length=128)]


class NewConversation(Body):
    """A conversation to begin."""

    title: Title = ""


class Rename(Body):
    """A conversation's new title."""

    title: Title


class NewMessage(Body):
    """A message to send, kept as it is."""

    content: Annotated[Filled, Field(max_length=MESSAGE_CHARS)]


class FeedbackChange(Body):
    """Thumbs up, thumbs down or neither."""

    value: Literal["up", "down"] | None


class HideChange(Body):
    """Whether an answer is hidden."""

    hidden: bool


class UserChange(Body):
    """A user's new role or state; only what was sent counts."""

    role: Role = "user"
    is_active: bool = True

    @model_validator(mode="after")
    def _of_something(self) -> "UserChange":
        if not self.model_fields_set:
            raise ValueError("Give role or is_active.")
        return self


class ListQuery(BaseModel):
    """The query of a list."""

    search: Annotated[str, Field(max_length=200), AfterValidator(_without_nul)] = ""
    page: Annotated[str, AfterValidator(_page)] = "1"


class ExportQuery(BaseModel):
    """The query of an export."""

    format: Literal["json", "markdown"] = "json"


def body(schema: type[S]) -> S:
    """Return the request's body; none at all counts as an empty object.

    Raises:
        ValidationError: it is no JSON or breaks a rule; UnsupportedMediaType: it is of another type.
    """
    content = request.get_data(cache=False)
    if not content and not request.content_type:
        content = b"{}"
    elif request.mimetype != "application/json":
        raise UnsupportedMediaType("Send application/json.")
    return schema.model_validate_json(content)


def query(schema: type[S]) -> S:
    """Return the request's query.

    Raises:
        ValidationError: it breaks a rule.
    """
    return schema.model_validate(request.args.to_dict())
