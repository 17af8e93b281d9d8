"""Pages of 50."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """Numbered pages; a page that does not exist is a 404."""

    page_size = 50
    last_page_strings = ()
