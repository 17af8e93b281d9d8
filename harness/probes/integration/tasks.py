"""Ten tasks done by a program without a browser, each judged by what somebody else sees of it.

Two programs of the same kind sign in as the same person. The first does the tasks; the second, in a session of its own
and never told what the first was told, has to find the effects: random titles, and answers only the model can give.
"""

import json
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from harness.probes.claims import RefutedError, expect
from harness.probes.integration.programs import Program, UndoneError
from harness.probes.world import Message, emission
from harness.records.recipe import PASSWORD

TASKS = ("sign in", "create", "ask", "stream", "list", "search", "rename", "export", "delete", "feedback")
PERSON = "user0041"
LOG_WITHIN_S = 5.0
SLOWLY: dict[str, Any] = {"tokens": 12, "itl_s": 0.1, "ttft_s": 0.1}  # so that pieces can be told from a whole
QUICKLY: dict[str, Any] = {"tokens": 10, "itl_s": 0.01, "ttft_s": 0.05}


class Story:
    """The tasks in the order they build on each other; each method raises where its effect cannot be seen."""

    def __init__(
        self, here: Program, there: Program, *, seed: int, model_log: Path | None, person: str = PERSON
    ) -> None:
        """``here`` does the tasks, ``there`` looks; the model's log tells when it had said what."""
        self.here, self.there = here, there
        self.seed, self.model_log, self.person = seed, model_log, person
        self.before: dict[str, str] = {}
        self.conversation = ""
        self.title = f"Renamed {secrets.token_hex(4)}"
        self.told: list[tuple[Message, str]] = []  # message, answer as the program was given it

    def tell(self, tasks: Collection[str] = TASKS) -> dict[str, str | None]:
        """Do these tasks; return what went wrong with each, None where nothing did, in the order of ``TASKS``."""
        steps: dict[str, Callable[[], None]] = {
            "sign in": self._sign_in,
            "create": self._create,
            "ask": self._ask,
            "stream": self._stream,
            "rename": self._rename,
            "list": self._list,
            "search": self._search,
            "feedback": self._feedback,
            "export": self._export,
            "delete": self._delete,
        }
        wrong = {name: _fault(step) for name, step in steps.items() if name in tasks}
        return {name: wrong[name] for name in TASKS if name in tasks}

    def _sign_in(self) -> None:
        refused = False
        try:
            self.here.do("sign_in", self.person, "not the password")
        except UndoneError:
            refused = True
        for program in (self.here, self.there) if refused else (self.there,):
            program.do("sign_in", self.person, PASSWORD)
        self.before = self._listed(self.there)
        expect("Conversation 1" in self.before.values(), f"the person's conversations are not there: {self.before}")
        expect(refused, "a wrong password was taken for the right one")

    def _create(self) -> None:
        """A build may keep a conversation only once something was said in it, so the first message is part of this."""
        message = Message(self.seed, **QUICKLY)
        answer = self.here.do("ask", self.here.do("create"), message.content)
        self.told.append((message, str(answer)))
        new = self._listed(self.there).keys() - self.before.keys()
        expect(len(new) == 1, f"{len(new)} new conversations are listed for another session, not one")
        self.conversation = new.pop()
        self._expect_kept(message.tag, "message")

    def _ask(self) -> None:
        message = Message(self.seed, **QUICKLY)
        answer = str(self.here.do("ask", self._created(), message.content))
        self._answered(message, answer)

    def _stream(self) -> None:
        message = Message(self.seed, **SLOWLY)
        pieces = self.here.do("stream", self._created(), message.content)
        self._answered(message, "".join(text for _, text in pieces))
        first_s = next(at_s for at_s, text in pieces if text)
        said = emission(self.model_log, message.tag, within_s=LOG_WITHIN_S)
        ended_s = said["request_s"] + said["emit_s"][-1]
        expect(first_s < ended_s, f"its first piece came {first_s - ended_s:.2f} s after the model had sent the last")

    def _answered(self, message: Message, answer: str) -> None:
        self.told.append((message, answer))
        message.expect_answer(answer)
        self._expect_kept(message.tag, "message")
        self._expect_kept(message.nonce, "answer")

    def _expect_kept(self, mark: str, what: str) -> None:
        found = any(mark in one["content"] for one in self._messages())
        expect(found, f"another session does not find the {what} in the conversation")

    def _rename(self) -> None:
        self.here.do("rename", self._created(), self.title)
        seen = self._listed(self.there).get(self.conversation)
        expect(seen == self.title, f"another session sees the title {seen!r}, not {self.title!r}")

    def _list(self) -> None:
        here, there = self._listed(self.here), self._listed(self.there)
        expect(here == there, "two sessions list different conversations")
        self._created()
        expect(self.conversation in here, "the new conversation is not listed")
        expect(self.before.items() <= here.items(), "conversations of before are no longer listed")

    def _search(self) -> None:
        for program in (self.here, self.there):
            word = self._listed(self.there)[self._created()].split()[-1]
            found = dict(program.do("search", word))
            expect(set(found) == {self.conversation}, f"searching {word!r} finds {sorted(found.values())}")
            nothing = program.do("search", secrets.token_hex(8))
            expect(nothing == [], f"searching what is nowhere finds {len(nothing)} conversations")

    def _feedback(self) -> None:
        before = self._ratings()
        self.here.do("feedback", self._created(), "up")
        after = self._ratings()
        expect(after == [*before[:-1], "up"], f"another session sees the ratings {after}, before {before}")

    def _export(self) -> None:
        mine, theirs = (json.loads(one.do("export", self._created())) for one in (self.here, self.there))
        expect(mine == theirs, "two sessions export different documents")
        expect(mine.get("title") == self._listed(self.there)[self.conversation], f"its title is {mine.get('title')!r}")
        said = [one["content"].strip() for one in mine["messages"]]
        expected = [text.strip() for message, answer in self.told for text in (message.content, answer)]
        expect(
            said == expected, f"the export holds {len(said)} messages, other ones than the {len(expected)} exchanged"
        )
        expect(len(expected) > 0, "nothing was exchanged that could be exported")

    def _delete(self) -> None:
        gone = self._created()
        expect(gone in self._listed(self.there), "it was not listed before")
        self.here.do("delete", gone)
        after = self._listed(self.there)
        expect(gone not in after, "another session still lists it")
        expect(self.before.keys() <= after.keys(), "other conversations are gone too")

    def _created(self) -> str:
        expect(self.conversation != "", "there is no new conversation to do it in")
        return self.conversation

    def _messages(self) -> list[dict[str, Any]]:
        return list(json.loads(self.there.do("export", self._created()))["messages"])

    def _ratings(self) -> list[str | None]:
        return [one["feedback"] for one in self._messages() if one["role"] == "assistant"]

    @staticmethod
    def _listed(program: Program) -> dict[str, str]:
        return dict(program.do("conversations"))


def _fault(step: Callable[[], None]) -> str | None:
    try:
        step()
    except (RefutedError, UndoneError) as error:
        return str(error)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration) as error:
        # an export or a list of another form than it should have: reading it is what fails
        return f"the result has an unexpected form: {type(error).__name__} {error}"
    return None
