"""A figure in words: its label inside a sentence, a value against its limit."""

import pytest

from harness.analysis.registry import figure


def test_a_label_inside_a_sentence_keeps_its_abbreviation_and_loses_its_unit() -> None:
    assert [figure(name).phrase for name in ("steal_ratio", "added_ttft_p95_s", "idle_cores", "ttft_p50_s")] == [
        "CPU steal",
        "added TTFT p95",
        "idle CPU",
        "TTFT p50",
    ]
    assert figure("little_error_ratio").phrase == "Little's law error"
    assert (figure("idle_cores").suffix, figure("steal_ratio").suffix) == (None, "ratio")


@pytest.mark.parametrize(
    ("name", "value", "limit", "text"),
    [
        ("steal_ratio", 0.053, 0.05, "CPU steal 5.3 % (limit 5 %)"),
        ("steal_ratio", 0.050001, 0.05, "CPU steal 5.0001 % (limit 5 %)"),
        ("added_ttft_p95_s", 12.3456, 0.5, "added TTFT p95 12,346 ms (limit 500 ms)"),
        ("generator_cores", 0.91, 0.8, "load generator CPU 0.91 cores (limit 0.8 cores)"),
        ("lost_turns", 3.0, 0.0, "lost turns 3 (limit 0)"),
    ],
)
def test_a_value_beyond_its_limit_never_reads_like_it(name: str, value: float, limit: float, text: str) -> None:
    assert figure(name).against(value, limit) == text
