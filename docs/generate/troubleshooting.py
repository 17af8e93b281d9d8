"""The reason codes for docs/troubleshooting.md, from their registry."""

from harness.analysis.reason import CODES, ReasonCode

FAMILIES = {
    "invalid": "The measurement cannot be trusted. The report shows no number of this trial.",
    "target": "The target failed in a way that no threshold of the SLO describes.",
    "slo": "The target missed a threshold of the SLO.",
    "check": "The target does not behave as its contract says, so nothing more is measured.",
    "note": "The verdict stands, with a reservation.",
}


def codes() -> str:
    """Return a heading per family of codes, and below it meaning, limit, cause and remedy of each code."""
    text = ""
    for family, says in FAMILIES.items():
        text += f"\n## Codes `{family}.*`\n\n{says}\n"
        text += "".join(_code(one) for one in CODES if one.code.startswith(f"{family}."))
    return text + "\n"


def _code(one: ReasonCode) -> str:
    limit = f"- **Limit:** {one.limit}.\n" if one.limit else ""
    return f"\n### {one.code}\n\n{one.meaning}\n\n{limit}- **Cause:** {one.cause}\n- **Remedy:** {one.remedy}\n"
