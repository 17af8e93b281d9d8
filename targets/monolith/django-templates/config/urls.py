"""Every address of the site: users' pages, what their forms and scripts send, health, files."""

from chat import accounts, answers, assets, conversations, messages, users
from django.urls import path

urlpatterns = [
    path("", conversations.home, name="home"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("c", conversations.create, name="new"),
    path("c/<uuid:id>", conversations.show, name="conversation"),
    path("c/<uuid:id>/rename", conversations.rename, name="rename"),
    path("c/<uuid:id>/delete", conversations.delete, name="delete"),
    path("c/<uuid:id>/export", conversations.export, name="export"),
    path("messages", answers.send, name="begin"),
    path("c/<uuid:id>/messages", answers.send, name="send"),
    path("messages/<uuid:id>/feedback", messages.rate, name="rate"),
    path("messages/<uuid:id>/hide", messages.hide, name="hide"),
    path("users", users.index, name="users"),
    path("users/<int:id>", users.change, name="user"),
    path("health", assets.health, name="health"),
    path("static/<str:digest>/<str:name>", assets.file, name="asset"),
]
handler400 = "chat.problems.bad_request"
handler403 = "chat.problems.forbidden"
handler404 = "chat.problems.not_found"
handler500 = "chat.problems.server_error"
