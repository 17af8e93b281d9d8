"""The generator as a process of this machine: files in, files out."""

import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from harness import results
from harness.records import LoadPlan, to_json
from harness.runtimes.local.component import Launch, Starter
from harness.runtimes.protocol import GENERATOR

REPOSITORY = Path(__file__).resolve().parents[3]


def command() -> tuple[str, ...]:
    """Return the command line of the generator."""
    locustfile = "loadtests/locustfile.py"  # below its working folder: Locust takes commas in a path for a list
    quiet = ("--headless", "--only-summary", "--loglevel", "WARNING")
    return (sys.executable, "-m", "locust", "-f", locustfile, *quiet)


def start(pod: Starter, plan: LoadPlan, folder: Path, site: Path | None) -> None:
    """Write the plan and start the generator; ``site`` holds the packages of the target's own Streamlit."""
    if plan.protocol == "streamlit" and site is not None:
        plan = replace(plan, streamlit_site=str(site))
    plan_file = folder / "plan.json"
    results.write_json(plan_file, to_json(plan))
    pod.start(
        Launch(
            name=GENERATOR,
            role="generator",
            command=command(),
            cwd=REPOSITORY,
            env={"CHATBENCH_PLAN": str(plan_file)},
            log=folder / "logs" / "generator.log",
            version=version("locust"),
            ready_url=None,
            endpoint=None,
        )
    )
