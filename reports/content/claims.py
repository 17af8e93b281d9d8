"""The article's claims on scalability (section 2.2, in other words), judged by measured cells and open thresholds."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.records import Run
from reports.cells.cell import Cell
from reports.content.table import Table
from reports.evidence.conditions import Conditions, versions
from reports.numbers import as_text, significant

Judgement = Literal["supported", "refuted", "inconclusive", "not measured"]

LARGE_USERS = 1000
SEVERAL_THOUSAND_USERS = 2000
FEW_USERS = 100
EARLY_RATIO = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of the article and what the measurement makes of it.

    Attributes:
        section: Where the article says it.
        says: The statement, paraphrased.
        threshold: What the words are taken to mean, as a number.
        why: The numbers that decided.
        rests_on: Ids of table cells.
    """

    id: str
    section: str
    says: str
    threshold: str
    judgement: Judgement
    why: str
    rests_on: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the claim as plain data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"rests_on": list(self.rests_on)}


def judge(run: Run, table: Table, terms: Conditions) -> list[Claim]:
    """Judge the article's claims on scalability at the run's think time."""
    at = terms.think
    modular = table.cell(f"capacity_users/{table.modular}")
    streamlit = _streamlit(table)
    claims = [
        _carries("large-loads", "A modular build carries large loads", LARGE_USERS, modular, at),
        _carries(
            "several-thousand",
            "Django with Redis carries several thousand simultaneous users without slowing down",
            SEVERAL_THOUSAND_USERS,
            modular if table.modular and "django" in table.modular.split(":")[0].split("+") else None,
            at,
        ),
        _versioned(_early(table, streamlit, at), run, streamlit),
    ]
    for name in (streamlit, *_others(run, streamlit)):
        for claim in (_own_resources(table, name), _few(table.cell(f"capacity_users/{name}"), at)):
            one = _versioned(claim, run, name)
            claims.append(one if name == streamlit else replace(one, id=f"{one.id}/{name}"))
    return claims


def _others(run: Run, streamlit: str | None) -> list[str]:
    """Return the run's further Streamlit targets: other versions, more processes."""
    return [name for name in run.targets if name.partition(":")[0] == "streamlit" and name != streamlit]


def _versioned(claim: Claim, run: Run, name: str | None) -> Claim:
    """Return the target and version that a claim is judged on."""
    if name is None or name not in run.targets:
        return claim
    return replace(claim, says=f"{claim.says} (here {name}: {versions(run.targets[name])})")


def _streamlit(table: Table) -> str | None:
    return table.monolithic if table.monolithic and table.monolithic.startswith("streamlit") else None


def _unmeasured(cell: Cell | None) -> bool:
    return cell is None or cell.verdict == "not measured"


def _ids(*cells: Cell | None) -> tuple[str, ...]:
    return tuple(cell.id for cell in cells if cell)


def _carries(name: str, says: str, users: int, cell: Cell | None, at: str) -> Claim:
    """Judge a capacity of at least so many users: only a failure that the target caused refutes it."""
    judgement: Judgement = "inconclusive"
    if cell is None or _unmeasured(cell):
        judgement, why = "not measured", "no capacity was measured for such a target"
    elif cell.bracket is None:
        why = cell.text
    else:
        low, high = cell.bracket
        why = cell.text
        if low is not None and low >= users:
            judgement = "supported"
        elif high is not None and high <= users:
            judgement = "refuted"
    return Claim(
        id=name,
        section="2.2",
        says=says,
        threshold=f"capacity of at least {as_text(users, 'users')} at {at} (the article names no number)",
        judgement=judgement,
        why=why,
        rests_on=_ids(cell),
    )


def _few(cell: Cell | None, at: str) -> Claim:
    judgement: Judgement = "inconclusive"
    if cell is None or _unmeasured(cell):
        judgement, why = "not measured", "Streamlit's capacity was not measured"
    else:
        low, high = cell.bracket or (None, None)
        why = cell.text
        if high is not None and high <= FEW_USERS:
            judgement = "supported"
        elif low is not None and low >= FEW_USERS:
            judgement = "refuted"
    return Claim(
        id="few-streamlit-users",
        section="2.2",
        says="A server of 2 vCPU and 4 GB carries only few Streamlit users before it slows down",
        threshold=f"capacity of fewer than {as_text(FEW_USERS, 'users')} at {at}",
        judgement=judgement,
        why=why,
        rests_on=_ids(cell),
    )


def _early(table: Table, streamlit: str | None, at: str) -> Claim:
    cell = table.cell(f"capacity_users/{table.modular} / {streamlit}") if streamlit else None
    judgement: Judgement = "inconclusive"
    if cell is None:
        judgement, why = "not measured", "the capacities of a modular build and of Streamlit are needed"
    else:
        low, high = cell.bracket or (None, None)
        why = f"modular ÷ monolithic: {cell.text}"
        if low is not None and low >= EARLY_RATIO:
            judgement = "supported"
        elif high is not None and high < EARLY_RATIO:
            judgement = "refuted"
    return Claim(
        id="streamlit-early",
        section="2.2",
        says="Streamlit slows down early",
        threshold=f"the modular capacity is at least {significant(EARLY_RATIO)} times as high in this budget at {at}",
        judgement=judgement,
        why=why,
        rests_on=_ids(cell),
    )


def _own_resources(table: Table, streamlit: str | None) -> Claim:
    cell = table.cell(f"memory_slope_bytes_per_session/{streamlit}") if streamlit else None
    modular = table.cell(f"memory_slope_bytes_per_session/{table.modular}")
    judgement: Judgement = "inconclusive"
    if cell is None or _unmeasured(cell):
        judgement, why = "not measured", "memory per open session was not measured"
    else:
        low, high = cell.bracket or (None, None)
        why = cell.text
        if low is not None and low > 0:
            judgement = "supported"
        elif high is not None and high <= 0:
            judgement = "refuted"
        if modular and not _unmeasured(modular):
            why += f"; modular build: {modular.text}"
    return Claim(
        id="streamlit-own-resources",
        section="2.2",
        says="Each Streamlit user costs resources of its own",
        threshold="memory grows with every open session: the slope's 95 % interval lies above 0",
        judgement=judgement,
        why=why,
        rests_on=_ids(cell, modular),
    )
