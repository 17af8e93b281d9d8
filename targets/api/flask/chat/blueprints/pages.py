"""Lists in pages of 50."""

from typing import Any

from flask import request, url_for
from sqlalchemy import Select

from chat.extensions import db
from chat.problems import refuse

PAGE_SIZE = 50


def page_of(rows: Select[Any], number: int) -> dict[str, Any]:
    """Return one page of a list with the addresses of those beside it."""
    page = db.paginate(rows, page=number, per_page=PAGE_SIZE, error_out=False, max_per_page=PAGE_SIZE)
    if number > 1 and not page.items:
        refuse(404, "There is no such page.")
    return {
        "count": page.total,
        "next": _address(number + 1) if page.has_next else None,
        "previous": _address(number - 1) if page.has_prev else None,
        "results": [row.as_dict() for row in page.items],
    }


def _address(number: int) -> str:
    return url_for(str(request.endpoint), _external=True, **{**request.args.to_dict(), "page": number})
