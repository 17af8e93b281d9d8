"""What a client is told when its request cannot be answered."""

from collections.abc import Mapping


class ApiError(Exception):
    """An HTTP status with OpenAI's error object; ``close`` ends the connection, whose framing is no longer known."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.close = close
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class WantedError(ApiError):
    """A refusal that the message asked for."""
