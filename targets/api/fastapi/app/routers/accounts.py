"""Signing in and out, and what admins do with users."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from sqlalchemy import select, update

from app import identity, passwords, problems
from app.cache import Cache, Remembered, seconds_left
from app.database import Connections, Database
from app.json_body import JsonRoute
from app.paging import PageQuery, page_of
from app.schemas import Credentials, Search, Token, User, UserChange, UserPage
from app.settings import Settings
from app.tables import users

router = APIRouter(prefix="/api", route_class=JsonRoute)
PathId = Annotated[int, Path(ge=1, le=2_147_483_647)]


async def user_of(given: Credentials, database: Connections, cache: Cache, settings: Settings) -> User:
    """Return whose name and password these are.

    Raises:
        HTTPException: 401, nobody's, or of a deactivated account; 429, too many failures for this name.
    """
    if await cache.failed_sign_ins(given.username) >= settings.failed_sign_ins_per_minute:
        wait_s = seconds_left()
        raise HTTPException(429, f"Too many failures; try again in {wait_s} s.", {"Retry-After": str(wait_s)})
    async with database.read() as connection:
        user = (await connection.execute(select(users).where(users.c.username == given.username))).one_or_none()
    known = await passwords.matches(given.password, user.password if user else None)
    if user is None or not known or not user.is_active:
        await cache.count_failed_sign_in(given.username)
        raise problems.not_signed_in("The name or the password is wrong, or the account is deactivated.")
    return User.model_validate(user)


@router.post(
    "/auth/login",
    tags=["auth"],
    operation_id="login",
    summary="Sign in; sets the session cookie and a fresh CSRF cookie.",
    dependencies=[Depends(identity.check_csrf)],
    responses=problems.responses(400, 401, 403, 413, 415, 429, 503),
)
async def login(
    request: Request, response: Response, given: Credentials, database: Database, cache: Remembered
) -> User:
    """Open a session; a foreign page must not sign users in as somebody else."""
    user = await user_of(given, database, cache, request.state.settings)
    await identity.open_session(request, response, database, user)
    return user


@router.post(
    "/auth/token",
    tags=["auth"],
    operation_id="createToken",
    summary="A bearer token for a program, valid 30 days; shown once, stored hashed.",
    responses=problems.responses(400, 401, 413, 415, 429, 503),
)
async def create_token(request: Request, given: Credentials, database: Database, cache: Remembered) -> Token:
    """Issue a token; no cookie is read or set, so no CSRF token is needed."""
    settings = request.state.settings
    user = await user_of(given, database, cache, settings)
    return Token(token=await identity.issue_token(database, user, settings))


@router.post(
    "/auth/logout",
    tags=["auth"],
    operation_id="logout",
    summary="End the session; a bearer token used for the request is revoked.",
    status_code=204,
    responses=problems.responses(401, 403, 503),
)
async def logout(request: Request, response: Response, user: identity.Acting, database: Database) -> None:
    """End what the request was made with."""
    await identity.close_session(request, database)
    if identity.bearer_of(request) is None:
        response.delete_cookie(identity.SESSION_COOKIE, httponly=True)


@router.get(
    "/auth/me",
    tags=["auth"],
    operation_id="me",
    summary="Who is signed in; sets the CSRF cookie whether or not somebody is.",
    response_model=User,
    responses=problems.responses(401, 503),
)
async def me(request: Request, response: Response, user: identity.Identified) -> User | Response:
    """Say who is asking."""
    answer = response
    if user is None:
        refusal = problems.not_signed_in()
        answer = problems.response(401, refusal.detail, headers=refusal.headers)
    identity.set_csrf_cookie(answer, request.state.settings, identity.csrf_token_of(request))
    return answer if user is None else user


@router.get(
    "/admin/users",
    tags=["admin"],
    operation_id="listUsers",
    summary="All users by name, 50 a page (admin).",
    responses=problems.responses(400, 401, 403, 404, 503),
)
async def list_users(
    admin: identity.Admin,
    database: Database,
    page: PageQuery,
    search: Annotated[Search, Query(description="Part of the username, any case.")] = "",
) -> UserPage:
    """Show a page of all users, or of those whose name contains the search text."""
    query = select(users).order_by(users.c.username)
    if search:
        query = query.where(users.c.username.icontains(search, autoescape=True))
    return UserPage.model_validate(await page_of(database, query, page))


@router.patch(
    "/admin/users/{id}",
    tags=["admin"],
    operation_id="updateUser",
    summary="Change a user's role or (de)activate the account (admin); a deactivated user is signed out at once.",
    responses=problems.responses(400, 401, 403, 404, 413, 415, 503),
)
async def update_user(id: PathId, given: UserChange, admin: identity.ActingAdmin, database: Database) -> User:
    """Change a user, not oneself: the last admin must not lock the door from outside."""
    changes = given.model_dump(exclude_unset=True)
    if id == admin.id:
        if changes.get("role", admin.role) != admin.role:
            raise problems.InvalidError("role", "You cannot change your own role.")
        if not changes.get("is_active", True):
            raise problems.InvalidError("is_active", "You cannot deactivate yourself.")
    changing = update(users).where(users.c.id == id).values(changes).returning(users)
    async with database.write() as connection:
        user = (await connection.execute(changing)).one_or_none()
    if user is None:
        raise HTTPException(404, "There is no such user.")
    return User.model_validate(user)
