"""Signing in and out, and what admins do with users."""

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.middleware.csrf import get_token
from rest_framework import mixins, viewsets
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import roles, serializers
from chat.authentication import CHALLENGE, Cookie
from chat.limits import FailedSignIns
from chat.models import AccessToken


def user_of(request: Request) -> User:
    """Return whose name and password the request brings.

    Raises:
        AuthenticationFailed: nobody's, or of a deactivated account.
    """
    given = serializers.Credentials(data=request.data)
    given.is_valid(raise_exception=True)
    user = authenticate(request, **given.validated_data)
    if user is None:
        FailedSignIns.count(given.validated_data["username"])
        raise AuthenticationFailed("The name or the password is wrong, or the account is deactivated.")
    return user


class PasswordView(APIView):
    """What a name and a password open; no other credential is looked at."""

    authentication_classes: tuple[type, ...] = ()
    permission_classes = (AllowAny,)
    throttle_classes = (FailedSignIns,)

    def get_authenticate_header(self, request: Request) -> str:
        """Make wrong credentials a 401 although nothing authenticates the request itself."""
        return CHALLENGE


class Login(PasswordView):
    """Open a session."""

    def post(self, request: Request) -> Response:
        """Answer with the user and the session cookie."""
        Cookie().enforce_csrf(request)  # a foreign page must not sign users in as somebody else
        user = user_of(request)
        login(request._request, user)
        return Response(serializers.UserView(user).data)


class Token(PasswordView):
    """Issue a bearer token."""

    def post(self, request: Request) -> Response:
        """Answer with the token."""
        return Response({"token": AccessToken.issue(user_of(request))})


class Logout(APIView):
    """End the session, or revoke the token."""

    def post(self, request: Request) -> Response:
        """Answer with nothing."""
        if isinstance(request.auth, str):
            AccessToken.objects.filter(digest=AccessToken.digest_of(request.auth)).delete()
        else:
            logout(request._request)
        return Response(status=204)


class Me(APIView):
    """Who is signed in."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Set the CSRF cookie before anything is refused."""
        get_token(request._request)
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        """Answer with the user."""
        return Response(serializers.UserView(request.user).data)


class Users(mixins.ListModelMixin, viewsets.GenericViewSet):
    """What admins see and change of users."""

    permission_classes = (IsAuthenticated, roles.MayManageUsers)
    serializer_class = serializers.UserView
    lookup_field = "id"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[User]:
        """Return all users by name, or those whose name contains the search text."""
        query = serializers.ListQuery(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        users = roles.with_groups(User.objects.order_by("username"))
        search = query.validated_data["search"]
        return users.filter(username__icontains=search) if search else users

    def partial_update(self, request: Request, id: int) -> Response:
        """Change a role or (de)activate."""
        user = self.get_object()
        change = serializers.UserChange(user, data=request.data, context={"request": request})
        change.is_valid(raise_exception=True)
        if "role" in change.validated_data:
            roles.set_role(user, change.validated_data["role"])
        if "is_active" in change.validated_data:
            user.is_active = change.validated_data["is_active"]
            user.save(update_fields=["is_active"])
        return Response(serializers.UserView(User.objects.get(pk=user.pk)).data)
