"""The sign test against values that can be looked up or counted by hand."""

import pytest

from harness.analysis.signs import sign_test


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 2, 158 / 4096), (9, 3, 598 / 4096), (6, 6, 1.0)],
)
def test_p_is_twice_the_tail_of_the_binomial(better: int, worse: int, p: float) -> None:
    found = sign_test([(0, 1)] * better + [(2, 1)] * worse + [(1, 1)] * 3)
    assert (found.first, found.second, found.ties) == (better, worse, 3)
    assert found.p == pytest.approx(p)
    assert found.settled == (p < 0.05)
