"""What the self-test holds for true: closed formulas against simulations that share nothing with them."""

import heapq
import random
from collections.abc import Callable
from math import exp

import pytest

from harness.selftest import arithmetic


def stays(users: int, *, rest_s: Callable[[], float], service_s: Callable[[], float], seed: int) -> list[float]:
    """Simulate customers who queue at one server and rest in between; return how long each stay took."""
    draw = random.Random(seed)
    free_s, found = 0.0, []
    coming = [(draw.random(), n) for n in range(users)]
    heapq.heapify(coming)
    for number in range(users * 100 + 40_000):
        at_s, n = heapq.heappop(coming)
        free_s = max(at_s, free_s) + service_s()
        if number > users * 100:
            found.append(free_s - at_s)
        heapq.heappush(coming, (free_s + rest_s(), n))
    return sorted(found)


@pytest.mark.parametrize(("cycle_s", "service_s", "wait_s"), [(0.98, 0.08, 0.03), (0.784, 0.04, 0.12), (1.0, 0.3, 0.0)])
def test_the_deterministic_knee_is_where_simulated_waits_pass_the_limit(
    cycle_s: float, service_s: float, wait_s: float
) -> None:
    knee = arithmetic.deterministic_knee(cycle_s=cycle_s, service_s=service_s, wait_s=wait_s)
    for users, within in ((knee, True), (knee + 1, False)):
        found = stays(users, rest_s=lambda: cycle_s - service_s, service_s=lambda: service_s, seed=1)
        assert (max(found[-100:]) - service_s <= wait_s + 1e-9) == within


def test_a_single_user_stays_for_an_exponential_service() -> None:
    assert arithmetic.exceeding(1, rest_s=1.0, service_s=0.1, limit_s=0.2) == pytest.approx(exp(-2))


@pytest.mark.parametrize("users", [10, 30, 42, 50])
def test_the_share_of_long_stays_is_that_of_a_simulation(users: int) -> None:
    draw = random.Random(users)
    found = stays(
        users,
        rest_s=lambda: 0.3 + 0.2 * exp(0.3 * draw.gauss(0, 1)),
        service_s=lambda: draw.expovariate(100),
        seed=users,
    )
    known = arithmetic.exceeding(users, rest_s=0.3 + 0.2 * exp(0.3**2 / 2), service_s=0.01, limit_s=0.1)
    assert sum(stay > 0.1 for stay in found) / len(found) == pytest.approx(known, rel=0.25, abs=0.002)


def test_the_random_knee_is_the_last_level_within_the_limit() -> None:
    setting = {"rest_s": 0.509, "service_s": 0.01, "limit_s": 0.1}
    knee = arithmetic.random_knee(**setting)
    assert arithmetic.exceeding(knee, **setting) <= 0.05 < arithmetic.exceeding(knee + 1, **setting)


def delays_behind_stalls(stall_s: float, every_s: float, cycle_s: Callable[[], float], *, waits: bool) -> list[float]:
    """Simulate one person for long: when each first token was due and how much later a stalling server sent it."""
    at_s, found = 0.0, []
    for _ in range(200_000):
        at_s += cycle_s()
        delay_s = max(0.0, stall_s - at_s % every_s)
        found.append(delay_s)
        at_s += delay_s if waits else 0.0
    return sorted(found)


@pytest.mark.parametrize("q", [90, 95, 99])
def test_the_tail_behind_stalls_is_that_of_a_simulation_closed_and_open(q: int) -> None:
    draw = random.Random(q)

    def cycle_s() -> float:
        return 0.07 + 0.22 * exp(0.3 * draw.gauss(0, 1))

    mean_s = 0.07 + 0.22 * exp(0.3**2 / 2)
    residual = arithmetic.lognormal_residual(0.22, 0.3, 0.07)
    closed = delays_behind_stalls(0.5, 3.0, cycle_s, waits=True)
    known = arithmetic.closed_stall_percentile(q, stall_s=0.5, every_s=3.0, mean_s=mean_s, residual=residual)
    assert closed[len(closed) * q // 100] == pytest.approx(known, abs=0.01)
    opened = delays_behind_stalls(0.5, 3.0, lambda: draw.expovariate(1 / mean_s), waits=False)
    known = arithmetic.open_stall_percentile(q, stall_s=0.5, every_s=3.0)
    assert opened[len(opened) * q // 100] == pytest.approx(known, abs=0.01)


def test_percentiles_that_no_stall_touches_are_nothing() -> None:
    residual = arithmetic.lognormal_residual(0.22, 0.3, 0.07)
    setting = {"stall_s": 0.01, "every_s": 30.0}
    assert arithmetic.closed_stall_percentile(95, mean_s=0.3, residual=residual, **setting) == 0.0
    assert arithmetic.open_stall_percentile(95, **setting) == 0.0


def test_a_residual_is_certain_in_the_end_and_uniform_at_first() -> None:
    residual = arithmetic.lognormal_residual(0.22, 0.3, 0.07)
    mean_s = 0.07 + 0.22 * exp(0.3**2 / 2)
    assert residual(0.05) == pytest.approx(0.05 / mean_s)
    assert residual(3.0) == pytest.approx(1.0, abs=1e-3)
