"""The expected figures of a server of known behaviour, worked out on paper."""

from collections.abc import Callable
from math import erf, exp, log, sqrt


def deterministic_knee(*, cycle_s: float, service_s: float, wait_s: float) -> int:
    """Return the most users whose wait stays within ``wait_s`` where everything takes constant time.

    N users of a single server wait max(0, N·s − c) each once the server never idles (c: a turn and its think time with
    nobody else there, service included). Lazowska et al., Quantitative System Performance, 1984, 5.4.
    """
    return int((cycle_s + wait_s) / service_s)


def exceeding(users: int, *, rest_s: float, service_s: float, limit_s: float) -> float:
    """Return the share of turns that take longer than ``limit_s`` in the server's queue, own service included.

    A closed network of one exponential first-come-first-served server and pauses of any distribution (mean ``rest_s``):
    an arriving user sees the other N − 1 in equilibrium (Sevcik & Mitrani, JACM 28(2), 1981), and j of them ahead make
    the stay an Erlang distribution of j + 1 services (machine repairman; insensitivity to the pauses: BCMP, JACM 1975).
    """
    weights = [1.0]
    for ahead in range(1, users):
        weights.append(weights[-1] * (users - ahead) * service_s / rest_s)
    total, beyond, term, poisson = sum(weights), 0.0, exp(-limit_s / service_s), 0.0
    for ahead, weight in enumerate(weights):
        poisson += term  # P(fewer than ahead + 1 services end within the limit)
        term *= limit_s / service_s / (ahead + 1)
        beyond += weight / total * poisson
    return beyond


def random_knee(*, rest_s: float, service_s: float, limit_s: float) -> int:
    """Return the most users whose 95th percentile of the stay in the queue is within ``limit_s``."""
    users = 1
    while exceeding(users + 1, rest_s=rest_s, service_s=service_s, limit_s=limit_s) <= 0.05:
        users += 1
    return users


def lognormal_residual(median_s: float, sigma: float, constant_s: float) -> Callable[[float], float]:
    """Return G(y): how likely the next event of a renewal process comes within y of an arbitrary moment.

    Its intervals are ``constant_s`` plus a log-normal: G(y) = ∫₀ʸ (1 − F(x)) dx / mean (Cox, Renewal Theory, 1962,
    5.2), by the trapezoidal rule.
    """
    mean_s = constant_s + median_s * exp(sigma**2 / 2)

    def survives(x_s: float) -> float:
        if x_s <= constant_s:
            return 1.0
        return 0.5 * (1 - erf(log((x_s - constant_s) / median_s) / sigma / sqrt(2)))

    def within(y_s: float, steps: int = 400) -> float:
        width = y_s / steps
        inner = sum(survives(i * width) for i in range(1, steps))
        return width * (inner + (survives(0.0) + survives(y_s)) / 2) / mean_s

    return within


def closed_stall_percentile(
    q: float, *, stall_s: float, every_s: float, mean_s: float, residual: Callable[[float], float]
) -> float:
    """Return the q-th percentile of the delay of first tokens behind a server that stalls, as waiting users see it.

    Each user loses at most one turn to each stall, since the next message waits for the answer. Per stall, G(S − x) of
    a user's turns are delayed by more than x, out of (P − E[delay]) / mean cycle, with E[delay] = ∫₀ˢ G.

    Args:
        q: 0 to 100; low percentiles that no stall touches are 0.
        stall_s: S, length of a stall.
        every_s: P, from one stall to the next.
        mean_s: Mean cycle of a user without stalls.
        residual: G.
    """
    steps = 100
    width = stall_s / steps
    lost_s = width * (sum(residual(i * width) for i in range(1, steps)) + residual(stall_s) / 2)
    wanted = (1 - q / 100) * (every_s - lost_s) / mean_s  # turns per user and stall beyond the percentile
    if residual(stall_s) <= wanted:
        return 0.0
    low_s, high_s = 0.0, stall_s
    for _ in range(50):
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (middle_s, high_s) if residual(stall_s - middle_s) > wanted else (low_s, middle_s)
    return low_s


def open_stall_percentile(q: float, *, stall_s: float, every_s: float) -> float:
    """Return the same for arrivals that do not wait: a share (S − x) / P of them is delayed by more than x."""
    return max(0.0, stall_s - (1 - q / 100) * every_s)
