"""Pages of 50."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from sqlalchemy import Select, func, select

from app.database import Connections
from app.schemas import PAGE_SIZE, PageNumber


@dataclass(frozen=True, slots=True)
class Asked:
    """The page of a list that a request asks for."""

    request: Request
    number: int

    def link(self, number: int) -> str:
        """Return the address of another page of the same list."""
        return str(self.request.url.include_query_params(page=number))


async def _asked(
    request: Request,
    page: Annotated[PageNumber, Query(description="Counted from 1; a page past the end answers 404.")] = 1,
) -> Asked:
    return Asked(request, page)


PageQuery = Annotated[Asked, Depends(_asked)]


async def page_of(database: Connections, query: Select[Any], asked: Asked) -> dict[str, Any]:
    """Return a page of a query's rows, with links to its neighbours.

    Raises:
        HTTPException: 404, the page is past the end.
    """
    number = asked.number
    async with database.read() as connection:
        counting = select(func.count()).select_from(query.order_by(None).subquery())
        count = (await connection.execute(counting)).scalar_one()
        if number > max(1, -(-count // PAGE_SIZE)):
            raise HTTPException(404, "There is no such page.")
        results = await connection.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return {
        "count": count,
        "next": asked.link(number + 1) if number * PAGE_SIZE < count else None,
        "previous": asked.link(number - 1) if number > 1 else None,
        "results": results.all(),
    }
