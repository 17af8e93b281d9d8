"""Guessing a password: how soon it is stopped, for whom, and whether refusals tell names apart."""

from harness.probes.client import Answer, Client
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import WRITER, Scene, answered
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

ALLOWED = 10  # failures a minute, by contract
PATIENCE = 2 * ALLOWED + 2  # a minute may turn meanwhile
BYSTANDER = "user0093"  # no other probe guesses at this name


def sign_in(scene: Scene) -> Seen:
    """Return what guessing at one name meets; the name stays locked for up to a minute afterwards."""
    tally = Tally()
    known = _guess(scene, WRITER)
    unknown = _guess(scene, "nobody-of-this-name")
    alike = (known.status, known.body) == (unknown.status, unknown.body)
    tally.note(
        "a name that exists beside one that does not", "the same refusal", "the same" if alike else "another", alike
    )
    answer, guesses = known, 1
    while answer.status == 401 and guesses < PATIENCE:
        answer, guesses = _guess(scene, WRITER), guesses + 1
    stopped = answer.status == 429
    tally.note(f"guess {guesses} at one name", "429 after ten", str(answer.status), stopped and guesses > 1)
    right = answered(Client(scene.base_url), "POST", "/api/auth/login", {"username": WRITER, "password": PASSWORD})
    tally.status("the right password while guessing is stopped", (429,), right.status)
    token = answered(Client(scene.base_url), "POST", "/api/auth/token", {"username": WRITER, "password": "guess"})
    tally.status("guessing on at the operation for tokens", (429,), token.status)
    tally.status("a guess at another name meanwhile", (401,), _guess(scene, BYSTANDER).status)
    tally.fact(
        f"Guessing at one name was stopped at guess {guesses}." if stopped else f"{guesses} guesses were let through."
    )
    return tally.seen()


def _guess(scene: Scene, username: str) -> Answer:
    return answered(Client(scene.base_url), "POST", "/api/auth/login", {"username": username, "password": "guess"})
