"""Numbers in words."""

import pytest

from reports.numbers import as_text, significant, span


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "s", "0 ms"),
        (0.0004, "s", "0.4 ms"),
        (0.0123, "s", "12 ms"),
        (0.9996, "s", "1 s"),
        (12.345, "s", "12.3 s"),
        (-0.0042, "s", "-4.2 ms"),
        (4 * 2**30, "bytes", "4 GiB"),
        (512.0, "bytes", "512 B"),
        (-1536.0, "bytes", "-1.5 KiB"),
        (1.5 * 2**20, "bytes/session", "1.5 MiB/session"),
        (0.0123, "ratio", "1.23 %"),
        (3.456, "×", "3.46 ×"),
        (1234.0, "users", "1,234 users"),
        (0.056, "s/turn", "56 ms/turn"),
        (7.25, None, "7.25"),
    ],
)
def test_a_value_is_printed_with_its_unit(value: float, unit: str | None, text: str) -> None:
    assert as_text(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234.5, "1,230"), (0.00123456, "0.00123"), (99.96, "100"), (20.0, "20")]
)
def test_three_digits_are_significant_and_none_is_scientific(value: float, text: str) -> None:
    assert significant(value) == text


def test_a_range_names_a_shared_unit_once() -> None:
    assert span(50, 75, "users") == "50–75 users"
    assert span(22.9, 23, None) == "22.9–23"
    assert span(0.4, 1.2, "s") == "400 ms – 1.2 s"
    assert span(0.4, 0.4, "s") == "400 ms"
