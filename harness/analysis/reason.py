"""Every reason code a verdict can carry: its meaning, its cause, its remedy. Decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.analysis.narrow import PER_USER
from harness.analysis.speed import OFF_RATIO
from harness.analysis.validity import Validity
from harness.records.slo import Slo

_RULES, _SLO = Validity(), Slo()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCode:
    """One reason code, explained for people."""

    code: str
    meaning: str  # one line
    cause: str
    remedy: str  # what a person does
    limit: str | None = None  # the default threshold with its unit


def _percent(ratio: float) -> str:
    return f"{ratio * 100:g} %"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms"


_QUIET = "Stop other programs, or use a machine of your own. `chatbench doctor` shows the load of this machine."
_LOG = "Read logs/generator.log in the trial's folder. Then start a new run."
_OVERLOAD = "Nothing is wrong with the measurement. The level lies above the target's capacity."
_NO_APP = "Without an application this is the highest load this machine can measure. Use more CPUs for more users."


def _slo() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="slo.added_ttft_p95_s",
        meaning="The target added too much time before the first token (p95).",
        cause="The target had more work than its CPUs could do, or its requests waited in a queue.",
        remedy=_OVERLOAD,
        limit=f"at most {_ms(_SLO.added_ttft_p95_s)}, p95",
    )
    yield ReasonCode(
        code="slo.lateness_p95_s",
        meaning="Tokens arrived too late after the model sent them (p95).",
        cause="The target relayed tokens more slowly than the model produced them.",
        remedy=_OVERLOAD,
        limit=f"at most {_ms(_SLO.lateness_p95_s)}, p95",
    )
    yield ReasonCode(
        code="slo.added_stall_p95_s",
        meaning="The target added too long a gap within answers (p95).",
        cause="The target paused while it streamed, for example in garbage collection or in a blocking call.",
        remedy=_OVERLOAD,
        limit=f"at most {_ms(_SLO.added_stall_p95_s)}, p95",
    )
    yield ReasonCode(
        code="slo.failure_ratio",
        meaning="Too many turns failed or were unfinished at the end.",
        cause="The target refused requests, broke connections or exceeded a time limit.",
        remedy="Read the target's logs in the trial's folder. The reason's text names the commonest failure.",
        limit=f"at most {_percent(_SLO.failure_ratio)} of the turns",
    )


def _target() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="target.oom",
        meaning="The kernel killed a process of the target at the memory limit.",
        cause="The target needed more memory than the budget has.",
        remedy="This is a result. For more capacity, reduce the target's memory per session.",
        limit="0 kills",
    )
    yield ReasonCode(
        code="target.unsettled",
        meaning="The turns under way still grew long after all users were there.",
        cause="The target answered fewer turns than its users sent, so that a queue grew.",
        remedy=_OVERLOAD,
    )
    yield ReasonCode(
        code="target.exit",
        meaning="A process of the target ended during the trial.",
        cause="The target crashed, or the kernel killed it.",
        remedy="Read the target's logs in the trial's folder. Start it by hand: chatbench serve TARGET.",
    )
    yield ReasonCode(
        code="target.unanswered",
        meaning="Nearly all users waited for the target while the model still responded.",
        cause="The target hangs: it accepts messages and sends no answer.",
        remedy="Read the target's logs in the trial's folder. Look for a deadlock or an exhausted pool.",
        limit="twice the model's mean answer time, plus 1 s",
    )
    yield ReasonCode(
        code="target.visits",
        meaning="No visit was completed.",
        cause="Each visit failed to load the page, to sign in or to receive its answers.",
        remedy="Try the same by hand: chatbench serve TARGET, then open the page and sign in.",
        limit="at least 1 completed visit",
    )
    yield ReasonCode(
        code="target.generator_busy",
        meaning="No application: the load generator reached its CPU limit.",
        cause="One generator process can simulate no more virtual users on this machine.",
        remedy=f"{_NO_APP} Or add generator processes: --workers.",
        limit=f"at most {_RULES.generator_cores:g} cores",
    )
    yield ReasonCode(
        code="target.schedule_delay",
        meaning="No application: the load generator sent messages late.",
        cause="The machine had no CPU time left for the load generator.",
        remedy=f"{_NO_APP} Or add generator processes: --workers.",
        limit=f"at most {_ms(_RULES.schedule_delay_p95_s)}, p95",
    )
    yield ReasonCode(
        code="target.model_lag",
        meaning="No application: the model sent tokens late.",
        cause="The machine had no CPU time left for the model.",
        remedy=_NO_APP,
        limit=f"at most {_ms(_RULES.model_lag_p99_s)}, p99",
    )
    yield ReasonCode(
        code="target.offered",
        meaning="No application: the load generator offered less load than planned.",
        cause="The machine had no CPU time left for the load generator.",
        remedy=_NO_APP,
        limit=f"at least {_percent(_RULES.offered_ratio)} of the planned load",
    )


def _check() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="check.contract",
        meaning="An operation of the contract did not behave as specified.",
        cause="The target lacks the operation, or answers it differently.",
        remedy="See every operation: chatbench check TARGET. Fix the target, then start a new run.",
    )
    yield ReasonCode(
        code="check.turns",
        meaning="The first turns were not answered.",
        cause="The target cannot reach the model, cannot sign in the virtual user, or cuts off answers.",
        remedy="Try it by hand: chatbench serve TARGET. Read the target's logs in the trial's folder.",
    )


def _note() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="note.contended",
        meaning="The target failed on a busy machine; if it always did there, its end is worked out.",
        cause="The load generator and the model had no CPUs of their own.",
        remedy="Use a machine with more CPUs than the budget has.",
        limit=f"at most {_percent(_RULES.contended_host_busy_ratio)} of the machine's CPU time",
    )

    yield ReasonCode(
        code="note.unmatched_calls",
        meaning="The model had calls that belong to no turn: their time counts as the target's.",
        cause="The target asks the model for a title, a summary or a rephrased question, without the message's tag.",
        remedy=(
            "Let each prompt hold the user's message as it came, or the model's answer to it. "
            "Or send its tag in the header X-Chatbench-Tag or the field `user`. "
            "A call that no turn waits for, such as for a title after the answer, changes nothing."
        ),
        limit="0 calls",
    )


def _machine() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="invalid.budget",
        meaning="The target did not have the stated budget of CPUs and memory.",
        cause="The container engine or the kernel did not apply the limits.",
        remedy="`chatbench doctor` shows which limits can be enforced and how to enable them.",
    )
    yield ReasonCode(
        code="invalid.machine_memory",
        meaning="The kernel killed a process of the target, which had not reached its own memory limit.",
        cause="The machine, or an outer control group around target, model and load generator, ran out of memory.",
        remedy=(
            "Stop other programs, raise the outer limit, or use a machine with more memory. "
            "`chatbench doctor` names outer limits, and says whether the target's own limit is enforced."
        ),
        limit="0 kills",
    )
    yield ReasonCode(
        code="invalid.limits",
        meaning="The trial failed under a limit that is too low for its users.",
        cause="A shell, a service or an outer control group limits open files, tasks or ports.",
        remedy="Raise the limit that the reason names. `chatbench doctor` shows all limits of this machine.",
        limit=(
            f"at least {PER_USER['open_files']} open files, {PER_USER['tasks']} task and {PER_USER['ports']} ports "
            "per user, and some besides"
        ),
    )
    yield ReasonCode(
        code="invalid.throttled",
        meaning="A CPU quota from outside stopped the processes of the trial.",
        cause="An outer control group has a quota of CPU time that target, model and generator share.",
        remedy="Lift the quota, or run outside of that group. `chatbench doctor` names it.",
        limit=f"at most {_RULES.throttled_s:g} s of the measured time, all CPUs together",
    )
    yield ReasonCode(
        code="invalid.foreign_cpu",
        meaning="Other programs used too much of the machine's CPU time.",
        cause="A program outside of the trial was busy, such as an update, a build or a browser.",
        remedy=_QUIET,
        limit=f"at most {_percent(_RULES.foreign_cpu_ratio)} of the machine's CPU time",
    )
    yield ReasonCode(
        code="invalid.steal",
        meaning="CPU steal was too high.",
        cause="This machine is virtual, and its host gave the CPUs to other machines.",
        remedy="Start a new run at a quieter hour, or use a machine with dedicated CPUs.",
        limit=f"at most {_percent(_RULES.steal_ratio)} of the CPU time",
    )
    yield ReasonCode(
        code="invalid.machine_speed",
        meaning="The machine was faster or slower than in the rest of the session.",
        cause="Other machines on the same host, or the clock of the CPUs, changed the speed for some minutes.",
        remedy="Nothing: the trial was measured again at once. Where many are left out, use a machine of your own.",
        limit=f"at most {_percent(OFF_RATIO)} from the median of the session's trials before it",
    )
    yield ReasonCode(
        code="invalid.absent",
        meaning="A figure that a rule needs was not recorded.",
        cause="The trial was too short, or the kernel does not provide the reading.",
        remedy="`chatbench doctor` shows which readings this machine provides. Then start a new run.",
    )
    yield ReasonCode(
        code="invalid.audit",
        meaning="The audit tried nothing, or could not be carried through.",
        cause="No probe fits the target's protocol, the target was out of reach, or the probes could not be run.",
        remedy="Read the reason, then check the target: chatbench check TARGET.",
    )


def _model() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="invalid.model",
        meaning="The model exited or stopped responding.",
        cause="The model crashed, or was stopped from outside of the trial.",
        remedy="Read logs/llm.log in the trial's folder. Then start a new run.",
    )
    yield ReasonCode(
        code="invalid.model_lag",
        meaning="The model sent tokens late while the target had CPU time left.",
        cause="Too little CPU time was left for the model.",
        remedy=_QUIET,
        limit=f"at most {_ms(_RULES.model_lag_p99_s)}, p99",
    )
    yield ReasonCode(
        code="invalid.unmatched",
        meaning="Answers are missing from the model's log.",
        cause="The target answered without the model, or the model's log is incomplete.",
        remedy="Make sure that the target sends each message to LLM_BASE_URL and caches no answer.",
        limit="0 turns",
    )
    yield ReasonCode(
        code="invalid.early",
        meaning="Answers reached users before the model sent them.",
        cause="The answer is not that of the model's call it is compared with: the target stored, repeated or made it.",
        remedy="Pass on the model's answer to each message. Let every call of the model show its message's tag.",
        limit="0 turns",
    )


def _generator() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="invalid.generator",
        meaning="The load generator left no complete account of the trial.",
        cause="A generator process crashed, was killed, or did not end within its time limit.",
        remedy=_LOG,
    )
    yield ReasonCode(
        code="invalid.generator_limits",
        meaning="The load generator reached a limit of its own process.",
        cause="Its process could have no more open files, ports, threads or memory; the target had no part in it.",
        remedy="Raise the limit that the reason names, such as `ulimit -n`. Or add processes: --workers 2.",
        limit="0 turns",
    )
    yield ReasonCode(
        code="invalid.generator_busy",
        meaning="The load generator used too much of a core to measure times accurately.",
        cause="One generator process simulates too many virtual users.",
        remedy="Add generator processes: --workers 2.",
        limit=f"at most {_RULES.generator_cores:g} cores per process",
    )
    yield ReasonCode(
        code="invalid.schedule_delay",
        meaning="The load generator sent messages late.",
        cause="Too little CPU time was left for the load generator.",
        remedy=f"Add generator processes: --workers 2. {_QUIET}",
        limit=f"at most {_ms(_RULES.schedule_delay_p95_s)}, p95",
    )
    yield ReasonCode(
        code="invalid.recorder",
        meaning="The recorder met errors while it wrote the turns.",
        cause="A turn could not be parsed or written, for example on a full disk.",
        remedy=f"Check the free disk space. {_LOG}",
        limit="0 errors",
    )
    yield ReasonCode(
        code="invalid.lost_turns",
        meaning="The number of recorded turns differs from the number of turns that users began.",
        cause="Lines of the record are missing, for example on a full disk.",
        remedy=f"Check the free disk space. {_LOG}",
        limit="0 turns",
    )
    yield ReasonCode(
        code="invalid.little",
        meaning="Recorded turns and the users' logged states disagree (Little's law).",
        cause="Turns are missing from the record, or have wrong times.",
        remedy="Run `chatbench selftest`. If it passes, start a new run.",
        limit=f"at most {_percent(_RULES.little_error_ratio)} and {_ms(_RULES.little_error_s_per_turn)} per turn",
    )
    yield ReasonCode(
        code="invalid.users",
        meaning="Open arrivals waited for a virtual user.",
        cause="The pool of signed-in users reached its bound.",
        remedy="Lower the rate of open arrivals in the profile.",
        limit="0 arrivals",
    )
    yield ReasonCode(
        code="invalid.offered",
        meaning="The load generator offered less load than planned.",
        cause="The load generator shared its CPUs with the target and got too little time.",
        remedy="Use a machine with more CPUs than the budget has.",
        limit=f"at least {_percent(_RULES.offered_ratio)} of the planned load",
    )
    yield ReasonCode(
        code="invalid.not_offered",
        meaning="The scenario cannot be played on this target.",
        cause="The target's user class does not implement the scenario.",
        remedy="Implement it in the user class (see docs/your-own.md), or remove the scenario from the profile.",
    )


def _trial() -> Iterator[ReasonCode]:
    yield ReasonCode(
        code="invalid.foreign_nonce",
        meaning="A user received the answer to another message.",
        cause="The target mixes up its sessions, or the last user message of its prompt lacked the message's tag.",
        remedy=(
            "Look for state that sessions share. A target that rephrases questions lets its prompt hold the user's "
            "message as it came, or the model's answer to it. Or it sends the tag in the header X-Chatbench-Tag."
        ),
        limit="0 answers",
    )
    yield ReasonCode(
        code="invalid.sessions",
        meaning="The idle trial did not open every session of its steps.",
        cause="The target refused sessions, or took too long to open them.",
        remedy="Read the target's logs in the trial's folder. Lower the idle steps in the profile.",
        limit="0 missing sessions",
    )
    yield ReasonCode(
        code="invalid.sign_in",
        meaning="Some users could not open their session, so the load was lower than planned.",
        cause="The target refused the sign-in or limited its rate.",
        remedy="Read the target's logs in the trial's folder. Try a sign-in by hand: chatbench serve TARGET.",
        limit="0 users",
    )
    yield ReasonCode(
        code="invalid.few_turns",
        meaning="Too few turns were completed for a 95th percentile.",
        cause="The measure phase is too short for the number of users.",
        remedy="Raise measure_max_s in the profile's window.",
        limit="at least 40 turns, or measure_turns of the profile where that is lower",
    )
    yield ReasonCode(
        code="invalid.stopped",
        meaning="The trial was stopped early as certain to fail, but its turns met the SLO.",
        cause="The client saw late answers for which the model, not the target, was late.",
        remedy=f"{_QUIET} Then start a new run.",
    )
    yield ReasonCode(
        code="invalid.unsettled",
        meaning="The turns under way still fell after the longest wait for them to be flat.",
        cause="A queue from the start was still draining, or the machine was disturbed.",
        remedy="Start a new run. If it stays so, look for work that the target does after its start.",
    )
    yield ReasonCode(
        code="invalid.unsteady",
        meaning="The trial passed, but its two halves differ: no steady state.",
        cause="The target slows down over time, or the machine was disturbed.",
        remedy="Start a new run with a longer window. A difference that stays points to a leak in the target.",
        limit=(
            f"at most {_percent(_RULES.half_difference_ratio)}, "
            f"or {_RULES.half_difference_standard_errors:g} standard errors where that is higher"
        ),
    )


CODES = (*_slo(), *_target(), *_check(), *_note(), *_machine(), *_model(), *_generator(), *_trial())
BY_CODE = {one.code: one for one in CODES}
