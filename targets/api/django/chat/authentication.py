"""Who is asking: a bearer token (programs) or the session cookie with CSRF (browsers)."""

from typing import Any

from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from chat import problems
from chat.models import AccessToken

CHALLENGE = 'Bearer realm="api"'


def bearer_token(request: HttpRequest) -> str | None:
    """Return the token of an Authorization header; None where there is no such header."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def token_owner(token: str) -> User:
    """Return whose token it is.

    Raises:
        AuthenticationFailed: nobody's, expired, or of a deactivated account.
    """
    found = (
        AccessToken.objects.select_related("user")
        .filter(digest=AccessToken.digest_of(token), expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )
    if found is None:
        raise AuthenticationFailed("The token is not valid.")
    return found.user


def signed_in(request: HttpRequest) -> User:
    """Return the user of a plain Django request by the same rules as the API's views.

    Raises:
        NotAuthenticated: nobody is signed in; AuthenticationFailed: the token is not valid.
    """
    try:
        token = bearer_token(request)
        user = get_user(request) if token is None else token_owner(token)
        if not user.is_active:  # also true of nobody
            raise NotAuthenticated(problems.NOT_SIGNED_IN)
    except (NotAuthenticated, AuthenticationFailed) as exc:
        exc.auth_header = CHALLENGE
        raise
    return user


class Bearer(BaseAuthentication):
    """`Authorization: Bearer <token>`; no cookie is looked at then."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """Return the token's owner and the token."""
        token = bearer_token(request)
        return None if token is None else (token_owner(token), token)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes a refusal a 401."""
        return CHALLENGE


class Cookie(SessionAuthentication):
    """Django's session, with its CSRF check on every unsafe request."""

    def authenticate_header(self, request: Request) -> Any:
        """Return the challenge that makes a refusal a 401."""
        return CHALLENGE
