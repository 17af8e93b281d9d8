"""The page of results, from the example runs; what a person wrote about them is in docs/example/remarks.toml."""

import re

from docs.generate import example, sessions
from docs.generate.claims import judged
from docs.generate.example import FOLDER, Example
from docs.generate.markdown import sentences, table

OVERVIEW = {
    "capacity_users": "capacity (users)",
    "live_streams_at_capacity": "live streams",
    "users_per_core_at_capacity": "users per core",
    "cpu_s_per_turn_at_capacity": "CPU per turn",
    "target_cpu_s_per_turn": "CPU per turn, 10 users, idle CPU included",  # runs recorded before
    "added_ttft_p95_s": "added TTFT p95, 10 users",
    "memory_bytes_0": "memory, 0 sessions",
    "memory_bytes_100": "memory, 100 sessions",
    "cold_start_s": "cold start",
    "integration.scripted-tasks": "tasks by a program",
}
SERVERS = "servers_1000_users"
#: of the two runs side by side; the rest is in containers/beside.md
BESIDE = (
    "Runtime",
    "Versions",
    "Budget as enforced",
    "Capacity",
    "Users per core",
    "CPU time per turn, idle",
    r"CPU time per turn at capacity \|",
    "Idle CPU",
    "Memory in total, 0",
    "Memory in total, 150",
    "Cold start",
)


def page() -> str:
    """Return the page."""
    run, said = example.survey(), example.remarks()
    return (
        "# Results\n\n"
        + sentences(said["page"])
        + "\n## The article's pair\n\n"
        + _pair(run, said["pair"])
        + _sessions()
        + "\n## Bottlenecks\n\n"
        + "".join(f"- **`{one['target']}`** {one['text']}\n" for one in run.table["bottlenecks"])
        + "\n"
        + sentences(said["bottlenecks"])
        + "\n## The article's claims on scalability\n\n"
        + _claims(run)
        + "\n"
        + sentences(said["claims"])
        + "\n## Every target\n\n"
        + _overview(run)
        + "\n"
        + sentences(said["targets"])
        + "\n## Parts that swap\n\n"
        + sentences(said["swap"])
        + "\n## In containers and without\n\n"
        + _containers(said["containers"])
    )


def _pair(run: Example, said: list[str]) -> str:
    modular, monolithic = (column["target"] for column in run.table["columns"])
    rows = []
    for one in run.measures():
        if one.row:
            texts = [run.cells[one.measure, target].text for target in (modular, monolithic)]
            rows.append((one.row, one.label, *texts, run.ratios[one.measure].text if one.measure in run.ratios else ""))
    heading = ("Row", "Figure", f"`{modular}`", f"`{monolithic}`", "Modular ÷ monolithic")
    text = run.table["headline"] + "\n\n" + table(heading, rows) + "\n" + sentences(said)
    return text + "\n" + _terms(run)


def _sessions() -> str:
    """Return the section on several sessions; empty while no pooled result is kept."""
    pooled = sessions.table()
    later = sessions.held()
    said = f"\nThe session after them, held against the ranges predicted for it:\n\n{later}" if later else ""
    return f"\n## Over sessions\n\n{pooled}{said}" if pooled else ""


def _terms(run: Example) -> str:
    """Return the conditions of a run, its targets' versions aside."""
    rows = [(name, value) for name, value in run.table["conditions"].items() if not name.startswith("Target ")]
    return f"Conditions of run `{run.run_id}`:\n\n" + table(("Condition", "Value"), rows)


def _claims(run: Example) -> str:
    rows = [(one.section, one.says, one.threshold, one.answer, one.why) for one in judged(run)]
    return table(("Section", "Claim, in other words", "Taken to mean", "Judgement", "Because"), rows)


def _overview(run: Example) -> str:
    shown = {measure: label for measure, label in OVERVIEW.items() if any(measure == one for one, _ in run.cells)}
    rows = [
        (
            f"`{target}`",
            *(run.text(measure, target).removesuffix("/turn").removesuffix(" users") for measure in shown),
            run.cells[SERVERS, target].text.split(" (")[0] if run.text(SERVERS, target) != "–" else "–",
            run.security(target),
        )
        for target in run.targets
    ]
    heading = ("Target", *shown.values(), "servers for 100 / 1,000 / 10,000 users", "security: passed of tried")
    return table(heading, rows) + "\nAll cells: [example/table.md](example/table.md).\n"


def _containers(said: list[str]) -> str:
    text = ""
    for block in (FOLDER / "containers" / "beside.md").read_text(encoding="utf-8").strip().split("\n\n"):
        heading, rule, *rows = block.splitlines()
        kept = [row for row in rows if re.match(rf"\| (?:{'|'.join(BESIDE)})", row)]
        text += "\n".join((heading, rule, *kept)) + "\n\n"
    ratio = example.containers().ratios["capacity_users"]
    text += f"Capacity in containers, modular ÷ monolithic: {ratio.text}.\n\n"
    return text + sentences(said) + "\nAll cells: [example/containers/beside.md](example/containers/beside.md).\n"
