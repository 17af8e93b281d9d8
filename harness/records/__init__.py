"""Frozen records of everything that is written down, and their strict reading."""

from harness.records.coding import FORMAT_VERSION, READERS, from_json, to_json
from harness.records.experiment import Cost, Experiment, ExperimentOutcome, Level, Mark
from harness.records.finding import CONTROL, Finding, FindingOutcome, SwapMatrix, SwappedPair, Topic
from harness.records.machine import machine_differences
from harness.records.plan import AnswerPlan, Distribution, LoadPlan, SpikePlan
from harness.records.profile import (
    Idle,
    Open,
    Profile,
    Search,
    Soak,
    Spike,
    Visiting,
    Window,
)
from harness.records.resources import Component, Limits, ResourceSample, Role
from harness.records.run import GateTerms, KnownQuantity, Run, SelfTest, TargetInfo
from harness.records.slo import Slo
from harness.records.speed import FixedWork, MachineSpeed
from harness.records.trial import Trial, TrialKey, scenario_name
from harness.records.turn import (
    OWN_LIMIT,
    OWN_LIMIT_WORDS,
    Arrivals,
    Emission,
    GeneratorSummary,
    Outcome,
    Phase,
    PhaseTimes,
    StepTimes,
    Turn,
    Unsettled,
    Visit,
    WorkerShare,
    is_own_limit,
)
from harness.records.verdict import Reason, Verdict, VerdictOutcome

__all__ = [
    "CONTROL",
    "FORMAT_VERSION",
    "OWN_LIMIT",
    "OWN_LIMIT_WORDS",
    "READERS",
    "AnswerPlan",
    "Arrivals",
    "Component",
    "Cost",
    "Distribution",
    "Emission",
    "Experiment",
    "ExperimentOutcome",
    "Finding",
    "FindingOutcome",
    "FixedWork",
    "GateTerms",
    "GeneratorSummary",
    "Idle",
    "KnownQuantity",
    "Level",
    "Limits",
    "LoadPlan",
    "MachineSpeed",
    "Mark",
    "Open",
    "Outcome",
    "Phase",
    "PhaseTimes",
    "Profile",
    "Reason",
    "ResourceSample",
    "Role",
    "Run",
    "Search",
    "SelfTest",
    "Slo",
    "Soak",
    "Spike",
    "SpikePlan",
    "StepTimes",
    "SwapMatrix",
    "SwappedPair",
    "TargetInfo",
    "Topic",
    "Trial",
    "TrialKey",
    "Turn",
    "Unsettled",
    "Verdict",
    "VerdictOutcome",
    "Visit",
    "Visiting",
    "Window",
    "WorkerShare",
    "from_json",
    "is_own_limit",
    "machine_differences",
    "scenario_name",
    "to_json",
]
