"""The list of one's conversations beside every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chat.forms import Search


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what the list shows: the newest, or those whose title contains the search words."""
    search = Search(request.GET)
    words, shown = "", settings.CONVERSATIONS_SHOWN
    if search.is_valid():
        words = search.cleaned_data["q"]
        shown = search.cleaned_data["shown"] or shown
    found = request.user.conversations.only("id", "title")
    if words:
        found = found.filter(title__icontains=words)
    rows = list(found[: shown + 1])
    return {
        "conversations": rows[:shown],
        "query": words,
        "more": shown + settings.CONVERSATIONS_SHOWN if len(rows) > shown else None,
    }
