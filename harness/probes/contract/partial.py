"""The checks of a REST chatbot that states only some features: those that a virtual user needs."""

from harness.probes.claims import Check, Probes, expect, run
from harness.probes.client import Client
from harness.probes.world import RestWorld

CONTRACT = frozenset(
    {
        *("sign-in", "conversations", "streaming", "markdown", "history", "rename", "delete", "export"),
        *("feedback", "moderation", "admin", "rate-limit"),
    }
)
PROBES: Probes[RestWorld] = Probes()
SIGNED_IN: Probes[RestWorld] = Probes()


def check_spoken(base_url: str, *, seed: int, features: frozenset[str]) -> list[Check]:
    """Try the operations that the load uses, and with ``sign-in`` that they keep people apart.

    Talks as the seeded users 31 and 32, and leaves new conversations behind.
    """
    probes = [*PROBES, *(SIGNED_IN if "sign-in" in features else ())]
    return run(probes, RestWorld(base_url, seed=seed))


@PROBES.proves("me", "a session signed in beforehand is taken")
def _me(world: RestWorld) -> None:
    expect("username" in world.owner.request("GET", "/api/auth/me").json(), "the answer has no username")


@PROBES.proves("createConversation", "answers 201 with an id, by which the list holds it")
def _conversation(world: RestWorld) -> None:
    made = world.owner.request("POST", "/api/conversations", {}).json(201)
    listed = world.owner.request("GET", "/api/conversations").json()["results"]
    expect(made["id"] in [one["id"] for one in listed], "the list does not hold the new conversation")


@PROBES.proves("sendMessage", "streams token events, then done; the pieces are this message's answer")
def _stream(world: RestWorld) -> None:
    made = world.owner.request("POST", "/api/conversations", {}).json(201)
    message = world.message(tokens=12, ttft_s=0.05, itl_s=0.01)
    with world.owner.stream(f"/api/conversations/{made['id']}/messages", {"content": message.content}) as stream:
        expect(stream.answer.status == 200, f"the stream began with status {stream.answer.status}")
        media_type = stream.answer.media_type
        expect(media_type == "text/event-stream", f"the stream came as {media_type!r}")
        events = list(stream.events)
    expect(
        bool(events) and events[-1].name == "done", f"the stream ends with {[e.name for e in events[-1:]]}, not done"
    )
    message.expect_answer("".join(event.data["text"] for event in events if event.name == "token"))


@PROBES.proves("sendMessage", "an answer that the model cuts short does not end with done")
def _cut(world: RestWorld) -> None:
    made = world.owner.request("POST", "/api/conversations", {}).json(201)
    message = world.message(tokens=12, ttft_s=0, itl_s=0.01, fault="disconnect")
    with world.owner.stream(f"/api/conversations/{made['id']}/messages", {"content": message.content}) as stream:
        try:
            names = [event.name for event in stream.events]
        except OSError:
            return  # broken off: the person's page sees that too
    expect("done" not in names, "the stream says done")


@SIGNED_IN.proves("me", "nobody signed in: 401")
def _anonymous(world: RestWorld) -> None:
    seen = Client(world.base_url).request("GET", "/api/auth/me").status
    expect(seen == 401, f"it answered {seen}")


@SIGNED_IN.proves("sendMessage", "another person's conversation answers 404")
def _other(world: RestWorld) -> None:
    made = world.owner.request("POST", "/api/conversations", {}).json(201)
    content = world.message(tokens=2, ttft_s=0).content
    seen = world.other.request("POST", f"/api/conversations/{made['id']}/messages", {"content": content}).status
    expect(seen == 404, f"it answered {seen}")
