"""Signing in and out."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from chat import limits
from chat.forms import SignIn
from chat.threads import PASSWORDS, threaded

WRONG = "The name or the password is wrong, or the account is deactivated."


@threaded(PASSWORDS)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or open a session and go where the user wanted to."""
    back = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"  # another site's address would make this page its accomplice
    if request.method == "GET":
        return redirect(back) if request.user.is_authenticated else _form(request, back)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    form = SignIn(request.POST)
    if not form.is_valid():
        return _form(request, back, status=400, problem="Type your name and your password.")
    name = form.cleaned_data["username"]
    try:
        limits.check_sign_in(name)
    except limits.LimitedError as exc:
        response = _form(request, back, status=429, problem=str(exc))
        response["Retry-After"] = str(exc.wait_s)
        return response
    user = authenticate(request, username=name, password=form.cleaned_data["password"])
    if user is None:
        limits.count_failed_sign_in(name)
        return _form(request, back, status=401, problem=WRONG)
    login(request, user)
    return redirect(back)


def _form(request: HttpRequest, back: str, *, status: int = 200, problem: str = "") -> HttpResponse:
    context = {"next": back, "problem": problem, "username": request.POST.get("username", "")}
    return render(request, "chat/sign_in.html", context, status=status)


@threaded()
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    logout(request)
    return redirect("sign-in")
