"""Pages of 50."""

from typing import Any

from rest_framework import serializers
from rest_framework.pagination import PageNumberPagination


class PageQuery(serializers.Serializer):
    """Which page."""

    page = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)


class Pages(PageNumberPagination):
    """Numbered pages; what is no number is a 400, a page that does not exist a 404."""

    page_size = 50
    last_page_strings = ()

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """Return the rows of the page asked for."""
        PageQuery(data=request.query_params.dict()).is_valid(raise_exception=True)
        return super().paginate_queryset(queryset, request, view)
