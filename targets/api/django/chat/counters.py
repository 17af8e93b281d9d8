"""Counts within one minute as rows of the database, so that all processes count the same; used without Redis."""

from django.db import connection

from chat.models import Counter

_COUNT = """
    INSERT INTO chat_counter (name, minute, count) VALUES (%s, %s, 1)
    ON CONFLICT (name) DO UPDATE SET
        count = CASE WHEN chat_counter.minute = excluded.minute THEN chat_counter.count + 1 ELSE 1 END,
        minute = excluded.minute
    RETURNING count
"""


def count(name: str, minute: int) -> int:
    """Count one more in this minute, in one statement, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [name, minute])
        return int(cursor.fetchone()[0])


def counted(name: str, minute: int) -> int:
    """Return how many were counted in this minute."""
    return Counter.objects.filter(name=name, minute=minute).values_list("count", flat=True).first() or 0
