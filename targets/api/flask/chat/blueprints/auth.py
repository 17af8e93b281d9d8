"""Signing in and out."""

from flask import Blueprint, Response, current_app, jsonify, request, session
from flask_login import current_user, login_required, login_user, logout_user
from sqlalchemy import delete, select

from chat import limits, passwords
from chat.extensions import csrf, db, login_manager
from chat.models import AccessToken, User, digest_of, now
from chat.problems import CHALLENGE, refuse
from chat.schemas import Credentials, body
from chat.security import bearer_token

bp = Blueprint("auth", __name__, url_prefix="/api/auth")


@bp.post("/login")
def login() -> Response:
    """Open a session."""
    user = _user_by_password()
    session.clear()
    login_user(user)
    return csrf.give(jsonify(user.as_dict()))


@bp.post("/token")
@csrf.exempt
def create_token() -> Response:
    """Issue a bearer token; no cookie is read or set, so there is nothing to forge."""
    user = _user_by_password()
    token = AccessToken.new()
    expires_at = now() + current_app.config["TOKEN_LIFETIME"]
    db.session.add(AccessToken(digest=digest_of(token), user_id=user.id, expires_at=expires_at))
    db.session.commit()
    return jsonify(token=token)


@bp.post("/logout")
@login_required
def logout() -> tuple[str, int]:
    """End the session, or revoke the token."""
    token = bearer_token(request)
    if token is None:
        logout_user()
        session.clear()
    else:
        db.session.execute(delete(AccessToken).where(AccessToken.digest == digest_of(token)))
        db.session.commit()
    return "", 204


@bp.get("/me")
def me() -> Response:
    """Say who is signed in; the CSRF cookie is set whether or not somebody is."""
    response = jsonify(current_user.as_dict()) if current_user.is_authenticated else login_manager.unauthorized()
    return csrf.give(response, csrf.cookie())


def _user_by_password() -> User:
    """Return whose name and password the request brings; unknown, wrong and deactivated look and last alike."""
    given = body(Credentials)
    limits.check_sign_ins(given.username)
    user = db.session.scalar(select(User).where(User.username == given.username))
    db.session.commit()  # the connection is given back: hashing takes long
    if not passwords.matches(given.password, user and user.password) or user is None or not user.is_active:
        limits.count_failed_sign_in(given.username)
        refuse(401, "The name or the password is wrong, or the account is deactivated.", WWW_Authenticate=CHALLENGE)
    return user
