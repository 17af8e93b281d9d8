"""What a report says of the conditions of its numbers."""

from harness.records import TargetInfo
from reports.evidence.conditions import versions

PART = {"name": "bot", "title": "Bot", "package": "streamlit", "version": "1.67.0"}


def info(*parts: dict[str, str]) -> TargetInfo:
    return TargetInfo(
        title="Bot",
        kind="monolith",
        protocol="streamlit",
        instances=1,
        python_processes=1,
        processes="1 process",
        features=(),
        parts=parts,
    )


def test_packages_that_are_not_locked_are_named_with_the_version() -> None:
    noted = PART | {"packages": "packages not locked with hashes"}
    assert versions(info(PART)) == "streamlit 1.67.0"
    assert versions(info(noted, PART)) == "streamlit 1.67.0 (packages not locked with hashes), streamlit 1.67.0"
