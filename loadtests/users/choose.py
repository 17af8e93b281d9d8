"""The page class of a protocol."""

import importlib.util
import sys
import traceback
from pathlib import Path

from harness.records import LoadPlan
from harness.records.recipe import session_token
from loadtests.page import Page, Visitor
from loadtests.schedule.draws import username
from loadtests.users.forms import FormsPage
from loadtests.users.openai import OpenAIPage
from loadtests.users.rest import RestPage
from loadtests.users.streamlit import StreamlitPage

FRAMES = 4  # of a traceback that is shown: those of the file itself
_BUILT_IN: dict[str, type[Page]] = {
    "rest": RestPage,
    "forms": FormsPage,
    "openai": OpenAIPage,
    "streamlit": StreamlitPage,
}


def page_class(protocol: str, user_class: str | None) -> type[Page]:
    """Return the page class of a protocol, or the class named by ``path/to/user.py:Name``.

    Raises:
        ValueError: no such protocol, file or class, or what the file itself raised, with the end of its traceback.
    """
    if user_class is None:
        if protocol not in _BUILT_IN:
            raise ValueError(f"protocol {protocol!r}: expected one of {', '.join(sorted(_BUILT_IN))}")
        return _BUILT_IN[protocol]
    path, _, name = user_class.rpartition(":")
    if not Path(path).is_file():
        raise ValueError(f"user class {user_class!r}: no file {path!r}; expected path/to/user.py:Name")
    spec = importlib.util.spec_from_file_location("chatbench_user_class", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"user class {user_class!r}: {path!r} is not a Python file; name one that ends in .py")
    if (folder := str(Path(path).resolve().parent)) not in sys.path:
        sys.path.append(folder)  # for modules beside it; last, so that none of them hides another package
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        told = "".join(traceback.format_exception(fault, limit=-FRAMES))
        raise ValueError(f"user class {user_class!r}: {path} cannot be read\n{told}") from fault
    candidate = getattr(module, name, None)
    if not (isinstance(candidate, type) and issubclass(candidate, Page)):
        raise ValueError(f"user class {user_class!r}: {name!r} is not a subclass of loadtests.page.Page in that file")
    if missing := ", ".join(sorted(candidate.__abstractmethods__)):
        raise ValueError(f"user class {user_class!r}: {name} lacks {missing}: write every method that Page asks for")
    return candidate


def visitor(plan: LoadPlan, user: int) -> Visitor:
    """Return the visitor of a virtual user; the same user always talks to the same instance."""
    name = username(user, plan.seeded_users)
    return Visitor(
        number=user,
        base_url=plan.instances[user % len(plan.instances)],
        username=name,
        session=session_token(plan.seed, name),
        streamlit_site=plan.streamlit_site,
    )
