"""The README's table: the article's five rows, with the figures that decide each."""

from docs.generate import example
from docs.generate.markdown import table as markdown_table

CAPACITY = "capacity_users"
CPU = {
    "cpu_s_per_turn_at_capacity": "CPU per turn {}",
    "target_cpu_s_per_turn": "CPU per turn {} at 10 users, idle CPU included",  # runs recorded before
}
TASKS = "integration.scripted-tasks"


def table() -> str:
    """Return the five rows with a handful of figures each, and the run that they are from."""
    run = example.survey()
    modular, monolithic = (column["target"] for column in run.table["columns"])
    rows = [
        ("**Flexibility**", *(run.text("flexibility", target) for target in (modular, monolithic)), ""),
        ("**Scalability**", *(_scalability(run, target) for target in (modular, monolithic)), _ratios(run)),
        ("**Integration**", *(_integration(run, target) for target in (modular, monolithic)), ""),
        ("**Security**", *(_security(run, target) for target in (modular, monolithic)), ""),
        ("**Maintenance**", *(run.text("maintenance.swap", target) for target in (modular, monolithic)), ""),
    ]
    heading = ("", f"Modular: `{modular}`", f"Monolithic: `{monolithic}`", "Modular ÷ monolithic")
    return f"{markdown_table(heading, rows)}\nRun `{run.run_id}`, profile `survey`.\n"


def _scalability(run: example.Example, target: str) -> str:
    cpu = run.first_of(*CPU)
    return "<br>".join(
        (
            f"capacity **{run.text(CAPACITY, target)}**",
            f"added TTFT p95 {run.text('added_ttft_p95_s', target)} at 10 users",
            CPU[cpu].format(run.text(cpu, target).removesuffix("/turn")),
            f"memory with 100 sessions {run.text('memory_bytes_100', target)}",
        )
    )


def _ratios(run: example.Example) -> str:
    ratios = (run.ratios[CAPACITY].short, "", run.ratios[run.first_of(*CPU)].short)
    return f"**{ratios[0]}**<br><br>{ratios[2]}"


def _integration(run: example.Example, target: str) -> str:
    documented = run.text("integration.operations-documented", target)
    return f"operations documented: {documented}<br>tasks by a program: {run.cells[TASKS, target].text}"


def _security(run: example.Example, target: str) -> str:
    failed = [
        f"{cell.label}: {cell.short}"
        for cell in run.cells.values()
        if cell.target == target and cell.measure.startswith("security.") and cell.verdict == "failed"
    ]
    return "<br>".join((f"properties passed: {run.security(target)}", *failed))
