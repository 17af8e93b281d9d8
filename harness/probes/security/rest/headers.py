"""Security headers of the page and of the API's answers."""

from harness.probes.probe import Seen
from harness.probes.security.header_policy import HSTS, judge
from harness.probes.security.rest.scene import Scene
from harness.probes.security.tally import Tally


def headers(scene: Scene) -> Seen:
    """Return which protections the page and an answer of the API carry."""
    tally = Tally()
    page = scene.anonymous().request("GET", "/", headers={"Accept": "text/html"})
    if page.media_type == "text/html":
        judge(tally, "the page", page)
    else:
        tally.fact("No page was there to look at.")
    judge(tally, "an answer of the API", scene.owner.request("GET", "/api/auth/me"))
    tally.fact(HSTS)
    return tally.seen()
