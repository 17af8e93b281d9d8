"""What admins do with users."""

from typing import Any

from flask import Blueprint
from flask_login import current_user
from sqlalchemy import select

from chat.blueprints.pages import page_of
from chat.extensions import db
from chat.models import User
from chat.problems import Invalid, refuse
from chat.schemas import ListQuery, UserChange, body, query
from chat.security import role_required

bp = Blueprint("admin", __name__, url_prefix="/api/admin")
LARGEST_ID = 2**31 - 1


@bp.get("/users")
@role_required("admin")
def users() -> dict[str, Any]:
    """List all by name."""
    wanted = query(ListQuery)
    rows = select(User).order_by(User.username)
    if wanted.search:
        rows = rows.where(User.username.icontains(wanted.search, autoescape=True))
    return page_of(rows, int(wanted.page))


@bp.patch("/users/<int:id>")
@role_required("admin")
def change(id: int) -> dict[str, Any]:
    """Change a role or (de)activate; nobody locks themselves out."""
    user = db.session.get(User, id) if id <= LARGEST_ID else None
    if user is None:
        refuse(404, "There is no such user.")
    wanted = body(UserChange)
    if user.id == current_user.id:
        if wanted.role != "admin" and "role" in wanted.model_fields_set:
            raise Invalid({"role": ["You cannot change your own role."]})
        if not wanted.is_active:
            raise Invalid({"is_active": ["You cannot deactivate yourself."]})
    for name in wanted.model_fields_set:
        setattr(user, name, getattr(wanted, name))
    db.session.commit()
    return user.as_dict()
