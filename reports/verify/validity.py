"""Judges again whether a trial could be trusted, by limits written down here: nothing shared with ``harness.analysis``.

What no sample holds is taken from the verdict's own words: that a process ended by itself, or that the generator did.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.verify.difference import same

Figures = Mapping[str, float | None]
Broken = dict[str, str]  # rule -> what broke it

FOREIGN_CPU_PERCENT = STEAL_PERCENT = 5
LITTLE_PERCENT, LITTLE_MS_PER_TURN = 1, 5
GENERATOR_CORES, MESSAGE_LATE_MS, MODEL_LATE_MS = 0.8, 10, 5
BUSY_TARGET_SHARE = 0.9  # of the budget's cores: then a late model may be the target's doing
OFFERED_PERCENT = 98
CONTENDED_PERCENT = 90
HALVES_PERCENT, HALVES_ERRORS = 10, 3
THROTTLED_S = 0.5
NARROW = {"open_files": (3, 200), "tasks": (1, 100), "ports": (2, 200)}  # for each user, and besides
FEWEST_TURNS = 40
LOADED = ("chat", "think", "climb", "open", "soak", "spike", "visit")  # scenarios under load
SHOWN = ("spike", "visit", "climb")  # made to show what happens: no SLO, so no conditions of a pass either
EXPLAINED = {
    "model",
    "budget",
    "machine_memory",
    "limits",
    "generator",
    "not_offered",
    "audit",
    "sessions",
    "unsettled",
    "machine_speed",
}  # rest on more than figures
NEEDED = ("added_ttft_p95_s", "lateness_p95_s", "failure_ratio", "little_error_ratio", "little_error_s_per_turn")
FIGURE_OF = {
    "foreign_cpu": "foreign_cpu_ratio",
    "steal": "steal_ratio",
    "throttled": "throttled_s",
    "machine_speed": "machine_speed",
    "little": "little_error_ratio",
    "unmatched": "unmatched_turns",
    "early": "early_turns",
    "lost_turns": "lost_turns",
    "few_turns": "turns",
    "users": "arrivals_without_user",
    "schedule_delay": "schedule_delay_p95_s",
    "model_lag": "model_lag_p99_s",
    "offered": "offered_ratio",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The facts of a trial besides its figures: from ``trial.json``, ``run.json`` and the turns themselves."""

    scenario: str  # the word before a hyphen
    spare_cpus: bool
    cores: int  # of the budget
    no_app: bool  # no application
    stopped_early: bool
    turns_needed: int
    recorder_errors: int
    sign_in_failures: int
    foreign_nonces: int
    shortfall: bool
    waited_s: float | None = None  # for answers that never came, by users who did little else
    own_limits: int = 0  # turns and visits that failed for a limit of the load generator's own process
    narrow: bool = False  # files, tasks or ports are limited to less than its users may need

    @classmethod
    def of(
        cls,
        trial: Mapping[str, Any],
        run: Mapping[str, Any],
        foreign_nonces: int,
        waited_s: float | None,
        own_limits: int = 0,
    ) -> "Account":
        """Read it from the plain JSON objects."""
        summary, limits = trial["summary"], trial["limits"]
        scenario = trial["key"]["scenario"]
        window = run["profile"].get("window") or {}
        return cls(
            scenario=scenario,
            spare_cpus=bool(limits["spare_cpus"]),
            cores=len(limits["cpus"]),
            no_app=run["targets"][trial["key"]["target"]]["instances"] == 0,
            stopped_early=bool(summary["stopped_early"]),
            turns_needed=1
            if scenario == "visit"
            else min(FEWEST_TURNS, int(window.get("measure_turns", FEWEST_TURNS))),
            recorder_errors=int(summary["recorder_errors"]),
            sign_in_failures=int(summary["sign_in_failures"]),
            foreign_nonces=foreign_nonces,
            shortfall=bool(limits["shortfall"]),
            waited_s=waited_s,
            own_limits=own_limits,
            narrow=_narrow(trial),
        )


def check(verdict: Mapping[str, Any], figures: Figures, account: Account, *, missed: bool) -> Iterator[str]:
    """Yield what is wrong with a verdict's trust in its trial; ``missed``: a threshold of the SLO was."""
    outcome, codes = verdict["outcome"], [reason["code"] for reason in verdict["reasons"]]
    always, for_a_pass = _broken(figures, account)
    if outcome == "invalid":
        yield from _stated(verdict, figures, account, always, for_a_pass)
        if not always and missed and not _explained(codes):
            yield "invalid, but it missed the SLO and no rule was broken that spoils a fail"
        return
    if account.shortfall:
        yield f"{outcome}, but should be invalid (budget): the target did not have the stated budget"
    if outcome == "fail" and account.narrow and "target.oom" not in codes:
        yield "fail, but should be invalid (limits): files, tasks or ports were too few for its users"
    if outcome == "fail" and {"target.exit", "target.oom"} & set(codes):
        return
    for reason in verdict["reasons"]:
        if reason["code"] == "target.unanswered" and not _near(reason["value"], account.waited_s):
            yield f"{reason['text']!r} does not follow: users waited {account.waited_s} s"
    if outcome == "fail" and account.scenario in LOADED:
        yield from _contention(verdict, figures, account)
    broken = always | (for_a_pass if outcome == "pass" else {})
    yield from (f"{outcome}, but should be invalid ({rule}): {text}" for rule, text in broken.items())


def _contention(verdict: Mapping[str, Any], figures: Figures, account: Account) -> Iterator[str]:
    """Yield what is wrong where a fail does not say as it should whether the machine may have failed instead."""
    percent = 100 * (figures.get("host_busy_ratio") or 0.0)
    contended = not account.spare_cpus and percent > CONTENDED_PERCENT
    if contended != verdict["contended"]:
        shared = "spare CPUs" if account.spare_cpus else "no spare CPUs"
        yield f"contended is {verdict['contended']}, but the machine was {percent:.3g} % busy with {shared}"


def unsettled(verdict: Mapping[str, Any], figures: Figures, account: Account) -> Iterator[str]:
    """Yield what is wrong with a verdict on a load that never settled, by what was read meanwhile."""
    broken = _disturbed(figures, account)
    if account.spare_cpus and not account.no_app:
        broken |= _late_tools(figures, account)
    if verdict["outcome"] == "invalid":
        yield from _stated(verdict, figures, account, broken, {})
    elif "target.unsettled" in [reason["code"] for reason in verdict["reasons"]]:
        if account.narrow:
            yield "fail, but should be invalid (limits): files, tasks or ports were too few for its users"
        yield from _contention(verdict, figures, account)
        yield from (f"fail, but should be invalid ({rule}): {text}" for rule, text in broken.items())


def unmeasured(trial: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the verdict of a trial without *measure*, whatever the machine's readings are."""
    outcome = trial["verdict"]["outcome"]
    codes = [reason["code"] for reason in trial["verdict"]["reasons"]]
    unsettled = (trial.get("summary") or {}).get("unsettled")
    grows = unsettled is not None and unsettled["later_live"] > unsettled["earlier_live"]
    if ("target.unsettled" in codes and not grows) or ("invalid.unsettled" in codes and (grows or not unsettled)):
        yield f"{outcome} as not settled, but the generator's account says {unsettled}"
    if outcome == "pass":
        yield "pass, but nothing was measured"
    elif outcome == "fail" and not {"target.exit", "target.oom", "target.unsettled", "check.contract"} & set(codes):
        yield "fail, but nothing was measured and nothing died"
    elif not codes:
        yield f"{outcome} without a reason"
    elif outcome == "fail" and _narrow(trial) and "target.oom" not in codes:
        yield "fail, but should be invalid (limits): files, tasks or ports were too few for its users"
    if trial["verdict"].get("contended") and not trial.get("figures"):
        yield "contended, but the machine's CPU time was not recorded"


def _narrow(trial: Mapping[str, Any]) -> bool:
    """Tell whether a limit was lower than so many users may need; records from before it was read have none."""
    summary, limits = trial.get("summary") or {}, trial.get("limits") or {}
    users = int(summary["users"] if "users" in summary else trial.get("key", {}).get("level", 0))
    allowed = {name: limits.get(name) for name in NARROW}
    return any(n is not None and n < NARROW[name][0] * users + NARROW[name][1] for name, n in allowed.items())


def _explained(codes: list[str]) -> bool:
    return any(code.removeprefix("invalid.") in EXPLAINED for code in codes)


def _stated(
    verdict: Mapping[str, Any], figures: Figures, account: Account, always: Broken, for_a_pass: Broken
) -> Iterator[str]:
    """Yield the stated reasons of an invalid trial that did not happen."""
    rules = [r for r in verdict["reasons"] if r["code"].startswith("invalid.")]
    if not rules:
        yield "invalid without a broken rule"
    for reason in rules:
        rule = reason["code"].removeprefix("invalid.")
        if rule == "budget" and not account.shortfall:
            yield "invalid (budget), but the target had the stated budget"
        elif rule == "limits" and not account.narrow:
            yield "invalid (limits), but files, tasks and ports were enough for its users"
        elif rule not in EXPLAINED and rule not in always | for_a_pass:
            yield f"invalid ({rule}), but that rule was not broken: {reason['text']!r} does not follow"
        elif rule in FIGURE_OF and not _near(reason["value"], figures.get(FIGURE_OF[rule])):
            yield f"invalid ({rule}): says {reason['value']}, the samples give {figures.get(FIGURE_OF[rule])}"


def _near(said: float | None, found: float | None) -> bool:
    return said is not None and same(said, found)


def _broken(figures: Figures, account: Account) -> tuple[Broken, Broken]:
    """Return the rules that were broken: those that spoil any trial, and those that only a pass has to keep."""
    always = _disturbed(figures, account)
    if account.scenario == "idle":
        return always | _absent(figures, ("foreign_cpu_ratio", "steal_ratio")), {}
    if account.scenario not in LOADED:
        return {}, {}
    always |= _books(figures, account)
    late = _late_tools(figures, account) if account.spare_cpus else {}
    if not account.no_app:
        always |= late
    if account.scenario in SHOWN:
        return always, {}
    for_a_pass = _conditions_of_a_pass(figures, account) | (late if account.no_app else {})
    return always, for_a_pass


def _disturbed(figures: Figures, account: Account) -> Broken:
    broken: Broken = {}
    foreign, steal = (100 * (figures.get(n) or 0.0) for n in ("foreign_cpu_ratio", "steal_ratio"))
    if foreign > FOREIGN_CPU_PERCENT:
        broken["foreign_cpu"] = f"CPU used by other programs {foreign:.3g} % (limit {FOREIGN_CPU_PERCENT} %)"
    if steal > STEAL_PERCENT:
        broken["steal"] = f"CPU steal {steal:.3g} % (limit {STEAL_PERCENT} %)"
    throttled_s = figures.get("throttled_s") or 0.0
    if throttled_s > THROTTLED_S:
        broken["throttled"] = f"CPU throttled {throttled_s:.3g} s (limit {THROTTLED_S} s)"
    if account.own_limits:
        broken["generator_limits"] = f"turns that met a limit of the load generator {account.own_limits} (limit 0)"
    if account.recorder_errors:
        broken["recorder"] = f"recorder errors {account.recorder_errors} (limit 0)"
    if account.foreign_nonces:
        broken["foreign_nonce"] = f"answers to another user's message {account.foreign_nonces} (limit 0)"
    return broken


def _books(figures: Figures, account: Account) -> Broken:
    """Check that the users, the files and the model's log hold the same turns."""
    broken: Broken = {}
    percent, each_s = 100 * (figures.get("little_error_ratio") or 0.0), figures.get("little_error_s_per_turn")
    if percent > LITTLE_PERCENT and (each_s is None or 1000 * each_s > LITTLE_MS_PER_TURN):
        broken["little"] = f"Little's law error {percent:.3g} % (limit {LITTLE_PERCENT} %)"
    if count := figures.get("unmatched_turns"):
        broken["unmatched"] = f"answers missing from the model's log {count:g} (limit 0)"
    if count := figures.get("early_turns"):
        broken["early"] = f"answers before the model sent them {count:g} (limit 0)"
    if count := figures.get("lost_turns"):
        broken["lost_turns"] = f"lost turns {count:g} (limit 0)"
    if count := figures.get("arrivals_without_user"):
        broken["users"] = f"arrivals that waited for a user {count:g} (limit 0)"
    turns = figures.get("turns") or 0.0
    hung = account.waited_s is not None and not account.no_app  # then its users had no chance to make more
    if turns < account.turns_needed and not account.stopped_early and not hung:
        broken["few_turns"] = f"turns {turns:g} (minimum {account.turns_needed})"
    return broken


def _late_tools(figures: Figures, account: Account) -> Broken:
    broken: Broken = {}
    shares = [v for n, v in figures.items() if re.fullmatch(r"generator_[0-9]+_cores", n) and v is not None]
    busiest = max(shares or [figures.get("generator_cores") or 0.0])
    if busiest > GENERATOR_CORES:
        broken["generator_busy"] = f"load generator CPU {busiest:.3g} cores (limit {GENERATOR_CORES} cores)"
    late_ms = 1000 * (figures.get("schedule_delay_p95_s") or 0.0)
    if late_ms > MESSAGE_LATE_MS:
        broken["schedule_delay"] = f"schedule delay p95 {late_ms:.3g} ms (limit {MESSAGE_LATE_MS} ms)"
    lag_ms, used = 1000 * (figures.get("model_lag_p99_s") or 0.0), figures.get("target_cores")
    if lag_ms > MODEL_LATE_MS and (used is None or used < BUSY_TARGET_SHARE * account.cores):
        broken["model_lag"] = f"model lag p99 {lag_ms:.3g} ms (limit {MODEL_LATE_MS} ms)"
    return broken


def _conditions_of_a_pass(figures: Figures, account: Account) -> Broken:
    broken = _absent(figures, (*NEEDED, "foreign_cpu_ratio", "steal_ratio"))
    if account.stopped_early:
        broken["stopped"] = "stopped early as certain to fail"
    if account.sign_in_failures:
        broken["sign_in"] = f"users without a session {account.sign_in_failures} (limit 0)"
    offered = figures.get("offered_ratio")
    if not account.spare_cpus and offered is not None and 100 * offered < OFFERED_PERCENT:
        broken["offered"] = f"offered load {100 * offered:.4g} % (minimum {OFFERED_PERCENT} %)"
    for name in ("turn_half", "live_half") if account.scenario != "soak" else ():
        apart, error = figures.get(f"{name}_difference_ratio"), figures.get(f"{name}_error_ratio") or 0.0
        if apart is not None and abs(apart) > max(HALVES_PERCENT / 100, HALVES_ERRORS * error):
            broken["unsteady"] = f"difference between the window's halves {100 * abs(apart):.3g} % ({name})"
    return broken


def _absent(figures: Figures, names: tuple[str, ...]) -> Broken:
    missing = [name for name in names if figures.get(name) is None]
    return {"absent": f"{missing[0]} not recorded"} if missing else {}
