"""The Security row of a target whose page is Streamlit, tried in a process of its own.

One process can hold the messages of one version of Streamlit only.
"""

import json
import subprocess
import sys
from pathlib import Path

from harness.probes.probe import NotMeasuredError, Seen, Try
from harness.probes.subject import Subject

TIME_LIMIT_S = 180.0
REPOSITORY = Path(__file__).resolve().parents[4]


def tried(name: str, subject: Subject) -> Seen:
    """Try the property of this name; NotMeasuredError where that cannot be done, or the way there failed."""
    if subject.streamlit_site is None:
        raise NotMeasuredError("the packages of the target's own Streamlit are not known, so that its messages are not")
    words = [sys.executable, "-m", "harness.probes.security.streamlit"]
    words += [name, subject.base_url, str(subject.seed), subject.streamlit_site]
    try:
        ended = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"it did not end within {TIME_LIMIT_S:.0f} s") from None
    if ended.returncode:
        said = ended.stderr.strip().splitlines()
        raise NotMeasuredError(f"the way there failed: {said[-1] if said else 'without a word'}")
    told = json.loads(ended.stdout)
    return Seen(
        tries=tuple(Try(**one) for one in told["tries"]),
        text=told["text"],
        brief=told["brief"],
        table=tuple(told["table"]),
    )
