"""Roles are Django groups; what a role may do is the permissions of its group."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

ROLES = ("user", "moderator", "admin")
READ_ANY = "chat.read_any_conversation"
HIDE = "chat.hide_message"
MANAGE_USERS = "auth.change_user"
GROUP_PERMISSIONS = {"moderator": (READ_ANY, HIDE), "admin": (READ_ANY, HIDE, MANAGE_USERS)}


def create_groups(**_: Any) -> None:
    """Create the groups with their permissions where they are missing."""
    for name, permissions in GROUP_PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=name)
        for permission in permissions:
            app_label, codename = permission.split(".")
            group.permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))


def role_of(user: User) -> str:
    """Return the highest role of a user; prefetched groups are used where there are any."""
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(ROLES) if role in names), "user")


def set_role(user: User, role: str) -> None:
    """Make this the user's only role."""
    user.groups.set(Group.objects.filter(name=role))


def with_groups(users: QuerySet[User]) -> QuerySet[User]:
    """Load the groups of a list of users in one query."""
    return users.prefetch_related("groups")


class MayHide(BasePermission):
    """Moderators and admins."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the user's groups hold the permission."""
        return request.user.has_perm(HIDE)


class MayManageUsers(BasePermission):
    """Admins."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the user's groups hold the permission."""
        return request.user.has_perm(MANAGE_USERS)
