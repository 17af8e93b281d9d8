"""The servers of known behaviour, the load on each, and what arithmetic says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp

from harness.records import AnswerPlan, Distribution, Idle, Profile, Search, Slo, Window
from harness.selftest import arithmetic
from harness.selftest.bench import Case

ANYTHING = 1000.0  # seconds: an SLO that nothing misses
SHARP_SLACK_S, SHARP_SERVICE_S = 0.03, 0.08
STALL_S, STALL_EVERY_S = 0.5, 3.0
LEAK_BYTES = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """A server whose capacity follows from arithmetic."""

    case: Case
    users: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A spoilt server and what the harness has to say of it."""

    case: Case
    title: str
    outcome: str  # of the trial
    code: str  # a reason of its verdict
    error_kind: str | None  # of its turns


def _profile(
    *,
    ttft_s: float,
    tokens: int,
    think: Distribution,
    slo: Slo,
    window_s: float,
    turns: int = 20,
    idle: Idle | None = None,
) -> Profile:
    return Profile(
        name="selftest",
        purpose="servers of known behaviour",
        think_s=think,
        answer=AnswerPlan(ttft_s=Distribution(median=ttft_s), itl_s=0.02, tokens=Distribution(median=float(tokens))),
        message_chars=40,
        window=Window(measure_min_s=window_s, measure_max_s=window_s + 2, measure_turns=turns, drain_s=5.0),
        search=Search(base_users=1),
        idle=idle,
        slo=slo,
    )


def _slo(ttft_s: float = ANYTHING, lateness_s: float = ANYTHING) -> Slo:
    return Slo(added_ttft_p95_s=ttft_s, lateness_p95_s=lateness_s, added_stall_p95_s=ANYTHING)


def timing(protocol: str) -> Case:
    """Tokens held for up to 0.2 s and a pause of up to 0.3 s in the middle, different for each message."""
    profile = _profile(ttft_s=0.2, tokens=12, think=Distribution(median=0.4, sigma=0.3), slo=_slo(), window_s=5.0)
    behaviour = ("--hold-s", "0.2", "--pause-s", "0.3")
    return Case(name=f"timing {protocol}", profile=profile, behaviour=behaviour, protocol=protocol)


def rephrasing() -> Case:
    """Return a server that lets the model rephrase each message first, and holds the answer for up to 0.2 s."""
    # An SLO that every turn would miss if the first call counted as the server's own time.
    slo = _slo(ttft_s=0.3)
    profile = _profile(ttft_s=0.2, tokens=12, think=Distribution(median=0.4, sigma=0.3), slo=slo, window_s=5.0)
    return Case(name="rephrases", profile=profile, behaviour=("--rephrases", "--hold-s", "0.2"))


def knees() -> tuple[Knee, ...]:
    """Return three servers: sharp, of a known token rate, and soft (random service)."""
    return _sharp(), _token_rate(), _soft()


def _sharp() -> Knee:
    service_s, ttft_s, think_s = SHARP_SERVICE_S, 0.2, 0.68
    cycle_s = service_s + ttft_s + 0.02 + think_s
    profile = _profile(
        ttft_s=ttft_s,
        tokens=2,
        think=Distribution(median=think_s),
        slo=_slo(ttft_s=service_s + SHARP_SLACK_S),
        window_s=3.0,
    )
    return Knee(
        case=Case(name="knee sharp", profile=profile, behaviour=("--per-turn-s", str(service_s))),
        users=arithmetic.deterministic_knee(cycle_s=cycle_s, service_s=service_s, wait_s=SHARP_SLACK_S),
        text=f"a turn takes a single server {service_s * 1000:g} ms; a cycle takes {cycle_s:.2f} s without waiting",
    )


def _token_rate() -> Knee:
    token_s, tokens, ttft_s, think_s, limit_s = 0.004, 10, 0.1, 0.5, 0.12
    cycle_s = ttft_s + 0.02 * (tokens - 1) + think_s + token_s
    profile = _profile(
        ttft_s=ttft_s, tokens=tokens, think=Distribution(median=think_s), slo=_slo(lateness_s=limit_s), window_s=3.0
    )
    return Knee(
        case=Case(name="knee tokens", profile=profile, behaviour=("--per-token-s", str(token_s))),
        users=arithmetic.deterministic_knee(cycle_s=cycle_s, service_s=token_s * tokens, wait_s=limit_s),
        text=f"a relay of {1 / token_s:g} tokens/s, answers of {tokens}; a cycle takes {cycle_s:.2f} s without waiting",
    )


def _soft() -> Knee:
    service_s, ttft_s, limit_s = 0.01, 0.28, 0.1
    think = Distribution(median=0.2, sigma=0.3)
    rest_s = ttft_s + 0.02 + think.median * exp(think.sigma**2 / 2)
    profile = _profile(ttft_s=ttft_s, tokens=2, think=think, slo=_slo(ttft_s=limit_s), window_s=8.0, turns=40)
    behaviour = ("--per-turn-s", str(service_s), "--random")
    return Knee(
        case=Case(name="knee soft", profile=profile, behaviour=behaviour),
        users=arithmetic.random_knee(rest_s=rest_s, service_s=service_s, limit_s=limit_s),
        text=f"exponential service of {service_s * 1000:g} ms (machine repairman), p95 of the stay at most "
        f"{limit_s * 1000:g} ms",
    )


def stall() -> tuple[Case, Mapping[int, float], Mapping[int, float]]:
    """Return a server that stalls 0.5 s in every 3 s, with the percentiles it must show: closed and open workload."""
    think = Distribution(median=0.22, sigma=0.3)
    answering_s = 0.05 + 0.02
    profile = _profile(ttft_s=0.05, tokens=2, think=think, slo=_slo(), window_s=2 * STALL_EVERY_S)
    window = Window(measure_min_s=4 * STALL_EVERY_S, measure_max_s=4 * STALL_EVERY_S, measure_turns=20, drain_s=5.0)
    residual = arithmetic.lognormal_residual(think.median, think.sigma, answering_s)
    mean_s = answering_s + think.median * exp(think.sigma**2 / 2)
    closed = {
        q: arithmetic.closed_stall_percentile(
            q, stall_s=STALL_S, every_s=STALL_EVERY_S, mean_s=mean_s, residual=residual
        )
        for q in (95, 99)
    }
    opened = {q: arithmetic.open_stall_percentile(q, stall_s=STALL_S, every_s=STALL_EVERY_S) for q in (95, 99)}
    case = Case(
        name="stall",
        profile=replace(profile, window=window),
        behaviour=("--stall-s", str(STALL_S), "--every-s", str(STALL_EVERY_S)),
    )
    return case, closed, opened


def leak() -> Case:
    """Return a server that keeps a mebibyte for every session."""
    profile = _profile(
        ttft_s=0.02,
        tokens=2,
        think=Distribution(median=0.2),
        slo=_slo(),
        window_s=1.0,
        idle=Idle(steps=(0, 10, 20, 30), hold_s=1.2),
    )
    return Case(name="leak", profile=profile, behaviour=("--leak-bytes", str(LEAK_BYTES)), scenario="idle")


def faults() -> tuple[Fault, ...]:
    """Return servers that a tool which only counts 200s or whole answers would take for good ones."""
    limits = Slo(added_ttft_p95_s=0.12, lateness_p95_s=0.12, added_stall_p95_s=ANYTHING)
    strict = _profile(ttft_s=0.05, tokens=20, think=Distribution(median=0.2), slo=limits, window_s=1.5, turns=10)
    patient = replace(strict, slo=_slo(), window=replace(strict.window, measure_min_s=4.0, measure_max_s=5.0))

    def spoilt(
        option: str, title: str, outcome: str, code: str, error_kind: str | None = None, profile: Profile = strict
    ) -> Fault:
        words = option.split()
        case = Case(name=f"fault {title.split()[0]}", profile=profile, behaviour=tuple(words))
        return Fault(case=case, title=title, outcome=outcome, code=code, error_kind=error_kind)

    return (
        spoilt("--fault buffers", "buffers whole answers", "fail", "slo.lateness_p95_s"),
        spoilt("--fault mixes-up", "mixes up its users", "invalid", "invalid.foreign_nonce", "foreign_nonce"),
        spoilt("--fault cuts", "cuts answers short", "fail", "slo.failure_ratio", "truncated"),
        spoilt("--fault silent", "says 200 and nothing", "fail", "slo.failure_ratio", "truncated"),
        spoilt("--drift 0.1", "slows down all the time", "invalid", "invalid.unsteady", profile=patient),
    )
