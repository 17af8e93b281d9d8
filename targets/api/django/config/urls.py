"""Every path: the REST API under /api, the built front end everywhere else."""

from chat import accounts, site, streaming, system
from chat.conversations import Conversations, Feedback, Hide
from chat.threads import PASSWORDS, threaded
from django.urls import include, path, re_path

api = [
    path("auth/login", threaded(accounts.Login.as_view(), PASSWORDS)),
    path("auth/logout", threaded(accounts.Logout.as_view())),
    path("auth/me", threaded(accounts.Me.as_view())),
    path("auth/token", threaded(accounts.Token.as_view(), PASSWORDS)),
    path("conversations", threaded(Conversations.as_view({"get": "list", "post": "create"}))),
    path(
        "conversations/<uuid:id>",
        threaded(Conversations.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    ),
    path("conversations/<uuid:id>/export", threaded(Conversations.as_view({"get": "export"}))),
    path("conversations/<uuid:id>/messages", streaming.messages),
    path("messages/<uuid:id>/feedback", threaded(Feedback.as_view())),
    path("messages/<uuid:id>/hide", threaded(Hide.as_view())),
    path("admin/users", threaded(accounts.Users.as_view({"get": "list"}))),
    path("admin/users/<int:id>", threaded(accounts.Users.as_view({"patch": "partial_update"}))),
    path("health", system.health),
    path("schema", system.schema),
]

urlpatterns = [
    path("api/", include(api)),
    re_path(r"^(?!api(?:/|$))(?P<path>.*)$", site.page),
]
handler400 = "chat.problems.bad_request"
handler403 = "chat.problems.forbidden"
handler404 = "chat.problems.not_found"
handler500 = "chat.problems.server_error"
