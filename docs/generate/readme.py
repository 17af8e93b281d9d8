"""The README's table: the article's five rows, with the figures that decide each."""

from docs.generate import example, sessions
from docs.generate.markdown import table as markdown_table

CAPACITY = "capacity_users"
CPU = {
    "cpu_s_per_turn_at_capacity": "CPU per turn {}",
    "target_cpu_s_per_turn": "CPU per turn {} at 10 users, idle CPU included",  # runs recorded before
}
TASKS = "integration.scripted-tasks"


def table() -> str:
    """Return the five rows with a handful of figures each, and the runs that they are from.

    Figures of load are those over sessions, where such a result is kept.
    """
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
    pooled = sessions.runs()
    load = f"Scalability: means over the sessions {pooled}, with 95 % intervals. " if pooled else ""
    rest = f"The other rows: run `{run.run_id}`" if pooled else f"Run `{run.run_id}`"
    return f"{markdown_table(heading, rows)}\n{load}{rest}, profile `survey`.\n"


def _scalability(run: example.Example, target: str) -> str:
    pooled = sessions.figures()
    cpu = run.first_of(*CPU)

    def text(measure: str) -> str:
        found = pooled.get(f"{measure}/{target}")
        return found.value if found else run.text(measure, target)

    return "<br>".join(
        (
            f"capacity **{text(CAPACITY)}**{_around(pooled.get(f'{CAPACITY}/{target}'))}",
            f"added TTFT p95 {text('added_ttft_p95_s')} at 10 users",
            CPU[cpu].format(text(cpu).removesuffix("/turn")),
            f"memory with 100 sessions {text('memory_bytes_100')}",
        )
    )


def _around(found: sessions.PooledFigure | None) -> str:
    """Return the interval behind a number, the bracket's own ends where there are no sessions."""
    return f" ({found.interval})" if found else ""


def _ratios(run: example.Example) -> str:
    capacity, cost = run.ratios[CAPACITY], run.ratios[run.first_of(*CPU)]
    pooled = sessions.figures()
    texts = []
    for one in (capacity, cost):
        found = next((f for cell_id, f in pooled.items() if cell_id.startswith(f"{one.measure}/{one.target} / ")), None)
        texts.append((found.value, _around(found)) if found else (one.short, ""))
    return f"**{texts[0][0]}**{texts[0][1]}<br><br>{''.join(texts[1])}"


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
