"""docs/troubleshooting.md explains every reason code, and quotes messages that chatbench really prints."""

import errno
import os
import re

import pytest

from docs.generate import troubleshooting
from harness.analysis.reason import CODES
from tests import ROOT
from tests.unit.project.messages import strings

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- generated: reason-codes -->\n(.*?)<!-- /generated -->", re.DOTALL)
QUOTED = re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE)
PRINTED = "\n".join([*strings(), (ROOT / "Makefile").read_text(encoding="utf-8"), os.strerror(errno.ENOSPC)])


def test_the_codes_are_those_of_the_registry() -> None:
    block = BLOCK.search(PAGE)
    assert block
    assert block[1] == troubleshooting.codes(), "python -m docs.generate writes it"


@pytest.mark.parametrize("one", CODES, ids=lambda one: one.code)
def test_every_code_has_a_heading_with_cause_and_remedy(one: object) -> None:
    code, cause, remedy = (getattr(one, name) for name in ("code", "cause", "remedy"))
    section = PAGE.partition(f"\n### {code}\n")[2].partition("\n### ")[0]
    assert cause in section
    assert remedy in section


def test_every_table_quotes_messages() -> None:
    assert len(QUOTED) >= 20


@pytest.mark.parametrize("message", QUOTED)
def test_quoted_message_is_printed_by_the_sources(message: str) -> None:
    pattern = "[^\n]*".join(re.escape(piece.strip()) for piece in message.split("…"))
    assert re.search(pattern, PRINTED), message
