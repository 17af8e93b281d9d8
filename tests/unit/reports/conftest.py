"""Reports whose plots are drawn but not rendered: turning them into bytes takes three seconds a report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.plots import canvas

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def unrendered(figure: object, folder: Path, name: str, title: str, alt: str) -> canvas.Plot:
    """Write empty files in place of a plot's own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_bytes(SVG)
    (folder / f"{name}.png").write_bytes(b"")
    return canvas.Plot(name=name, title=title, alt=alt, svg=SVG, wide=False)


@pytest.fixture(scope="module", autouse=True)
def plots(request: pytest.FixtureRequest) -> Iterator[None]:
    """Render plots only for modules marked ``rendered``."""
    with pytest.MonkeyPatch.context() as patch:
        if not request.node.get_closest_marker("rendered"):
            patch.setattr(canvas, "save", unrendered)
        yield
