"""Counts without Redis: one row a name, begun anew with each minute."""

from chat import cache, counters
from chat.models import Counter
from django.test import TestCase


class CountersTestCase(TestCase):
    """What chat/counters.py keeps."""

    def test_counts_grow_within_a_minute_and_begin_anew_with_the_next(self) -> None:
        self.assertEqual([counters.count("rate:1", 7) for _ in range(3)], [1, 2, 3])
        self.assertEqual((counters.counted("rate:1", 7), counters.counted("rate:1", 8)), (3, 0))
        self.assertEqual(counters.count("rate:1", 8), 1)
        self.assertEqual(Counter.objects.count(), 1)

    def test_names_are_counted_apart(self) -> None:
        self.assertEqual((counters.count("rate:1", 7), counters.count("rate:2", 7)), (1, 1))

    def test_without_redis_these_are_the_counts(self) -> None:
        if cache.client is None:
            self.assertEqual((cache.count("failed:x", 7), cache.counted("failed:x", 7)), (1, 1))
            self.assertEqual(counters.counted("failed:x", 7), 1)
        else:
            self.assertEqual(Counter.objects.count(), 0)
