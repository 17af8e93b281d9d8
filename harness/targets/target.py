"""A target: one chatbot as started, made from parts."""

from dataclasses import dataclass

from harness.targets.part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One chatbot as started: a monolith, or an api with a web part."""

    name: str
    parts: tuple[Part, ...]

    @property
    def backend(self) -> Part:
        """The part that keeps users, conversations and messages: the monolith, or the API."""
        return self.parts[0]

    @property
    def web(self) -> Part | None:
        """The web part, None for a monolith."""
        return self.parts[1] if len(self.parts) > 1 else None

    @property
    def servers(self) -> tuple[Part, ...]:
        """The parts that run as programs, in the order of their start; another part serves built files."""
        return () if self.no_app else (self.backend, *(part for part in self.parts[1:] if part.local.start))

    @property
    def server(self) -> Part:
        """The part that answers the load."""
        return (self.backend, *self.servers)[-1]

    @property
    def kind(self) -> str:
        """``monolith``, ``modular`` (browsers ask the API), ``hybrid`` (a server between them does) or ``control``."""
        if self.backend.control or self.no_app:
            return "control"
        if self.web is None:
            return "monolith"
        return "modular" if self.server is self.backend else "hybrid"

    @property
    def no_app(self) -> bool:
        """Tell if the target has no application: nothing of its own is started."""
        return self.backend.kind == "no_app"

    @property
    def instances(self) -> int:
        """The number of times that its server is started."""
        return 0 if self.no_app else self.server.local.instances

    @property
    def title(self) -> str:
        """The parts' titles joined."""
        return " + ".join(part.title for part in self.parts)

    @property
    def protocol(self) -> str:
        """The wire protocol its users speak: the web part's if it declares one, else the backend's."""
        return self._speaks.protocol or "rest"

    @property
    def user_class(self) -> str | None:
        """The part's own user class, as ``/absolute/user.py:Name``; None for a class of loadtests."""
        part = self._speaks
        return f"{part.folder / part.user_class}" if part.user_class else None

    @property
    def features(self) -> tuple[str, ...]:
        """The features of all its parts."""
        return tuple(sorted({feature for part in self.parts for feature in part.features}))

    @property
    def _speaks(self) -> Part:
        web = self.web
        return web if web and web.protocol else self.backend

    @property
    def processes(self) -> str:
        """The processes and threads of its programs."""
        parts = self.servers or self.parts
        return parts[0].processes if len(parts) == 1 else "; ".join(f"{part.title}: {part.processes}" for part in parts)

    @property
    def python_processes(self) -> int:
        """The number of Python processes (each has one interpreter lock) of all programs and instances."""
        return sum(part.local.instances * part.local.interpreters for part in self.servers)
