"""The README's table: the article's five rows, with the figures that decide each."""

from math import sqrt

from docs.generate import example, sessions
from docs.generate.markdown import table as markdown_table
from reports.numbers import significant, span

CAPACITY, PER_CORE = "capacity_users", "users_per_core_at_capacity"
PLAIN = {"django+angular": "django:plain+angular", "streamlit": "streamlit:plain"}  # as the documentation starts them
CPU = {
    "cpu_s_per_turn_at_capacity": "CPU per turn {}",
    "target_cpu_s_per_turn": "CPU per turn {} at 10 users, idle CPU included",  # runs recorded before
}
TASKS = "integration.scripted-tasks"
KNOWN = {"measured", "bound"}  # verdicts of a cell with a number


def table() -> str:
    """Return the five rows with a handful of figures each, and the runs that they are from.

    Figures of load are those over sessions, where such a result is kept. What tuning is worth stands below the table.
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
    said = f"{markdown_table(heading, rows)}\n{load}{sessions.reservation()}{rest}, profile `{run.profile}`.\n"
    worth = tuning(run)
    return f"{said}\n{worth}\n" if worth else said


def tuning(run: example.Example) -> str:
    """Return what tuning is worth on each side, a sentence a target; empty where none was measured plain as well."""
    said = [_worth(run.cells.get((CAPACITY, t)), run.cells.get((CAPACITY, plain))) for t, plain in PLAIN.items()]
    known = " ".join(one for one in said if one)
    opening = f"[Tuning](docs/decisions/plain-and-tuned.md) is worth this much in run `{run.run_id}`."
    return f"{opening} {known}" if known else ""


def _worth(tuned: example.Cell | None, plain: example.Cell | None) -> str:
    """Return both capacities, and the factor between the middles of their brackets with the range that these leave."""
    if not (tuned and plain and tuned.bracket and plain.bracket and {tuned.verdict, plain.verdict} <= KNOWN):
        return ""
    said = f"`{plain.target}` has a capacity of {plain.short}, `{tuned.target}` of {tuned.short}"
    ends = [end for end in (*tuned.bracket, *plain.bracket) if end]
    if len(ends) < 4:
        return f"{said}; the factor is open."
    low, high, plain_low, plain_high = ends
    factor, least, most = sqrt(low * high / (plain_low * plain_high)), low / plain_high, high / plain_low
    reach = span(least, most, None, worked_out=(plain.worked_out[1], tuned.worked_out[1]))
    unsure = ", so perhaps none" if least <= 1 <= most else ""
    return f"{said}: a factor of **{significant(factor)}** ({reach}{unsure})."


def _scalability(run: example.Example, target: str) -> str:
    pooled = sessions.figures()
    cpu = run.first_of(*CPU)

    def text(measure: str, of: str = target) -> str:
        found = pooled.get(f"{measure}/{of}")
        return found.value if found else run.text(measure, of)

    plain = PLAIN.get(target, "")
    where = f" in the {run.profile}" if pooled and f"{CAPACITY}/{plain}" not in pooled else ""
    lines = (
        f"capacity **{text(CAPACITY)}**{_around(pooled.get(f'{CAPACITY}/{target}'))}",
        f"not tuned: capacity {text(CAPACITY, plain)}{where}" if text(CAPACITY, plain) != "–" else "",
        f"users per core used at capacity {text(PER_CORE).removesuffix('/core')}" if text(PER_CORE) != "–" else "",
        f"added TTFT p95 {text('added_ttft_p95_s')} at 10 users",
        CPU[cpu].format(text(cpu).removesuffix("/turn")),
        f"memory with 100 sessions {text('memory_bytes_100')}",
    )
    return "<br>".join(line for line in lines if line)


def _around(found: sessions.PooledFigure | None) -> str:
    """Return the interval behind a number over sessions; nothing where there is none."""
    return f" ({found.interval})" if found and found.interval != "–" else ""


def _ratios(run: example.Example) -> str:
    names = {CAPACITY: "capacity", PER_CORE: "users per core", run.first_of(*CPU): "CPU per turn"}
    pooled = sessions.figures()
    texts = []
    for one in (run.ratios[measure] for measure in names if measure in run.ratios):
        found = next((f for cell_id, f in pooled.items() if cell_id.startswith(f"{one.measure}/{one.target} / ")), None)
        texts.append(f"{names[one.measure]} **{found.value if found else one.short}**{_around(found)}")
    return "<br>".join(texts)


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
