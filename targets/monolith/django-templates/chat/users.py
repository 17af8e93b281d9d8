"""What admins see and change of users."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from chat import problems, sidebar
from chat.access import page
from chat.forms import Search, UserChange
from chat.models import User


@page("GET", "HEAD", may="may_manage_users")
def index(request: HttpRequest) -> HttpResponse:
    """List users by name, or those whose name contains the search words."""
    search = Search({"q": request.GET.get("name", ""), "shown": request.GET.get("people", "")})
    words, shown = "", settings.USERS_SHOWN
    if search.is_valid():
        words = search.cleaned_data["q"]
        shown = search.cleaned_data["shown"] or shown
    found = User.objects.order_by("username").only("id", "username", "role", "is_active")
    if words:
        found = found.filter(username__icontains=words)
    context = {
        "people": found[:shown],
        "count": found.count(),
        "name": words,
        "more_people": shown + settings.USERS_SHOWN,
        "shown": shown,
        "roles": User.Role.values,
    }
    return render(request, "chat/users.html", sidebar.context(request) | context)


@page("POST", may="may_manage_users")
def change(request: HttpRequest, id: int) -> HttpResponse:
    """Change somebody's role, or (de)activate the account; never one's own."""
    user = User.objects.filter(pk=id).first()
    if user is None:
        raise Http404
    form = UserChange(request.POST)
    if not form.is_valid():
        return problems.respond(request, 400, problems.invalid(form))
    if user == request.user:
        return problems.respond(request, 400, "Your own role and account are for another admin to change.")
    if form.cleaned_data["role"]:
        user.role = form.cleaned_data["role"]
    if form.cleaned_data["is_active"] is not None:
        user.is_active = form.cleaned_data["is_active"]
    user.save(update_fields=["role", "is_active"])
    return redirect(request.POST["back"] if request.POST.get("back", "").startswith("/users") else "users")
