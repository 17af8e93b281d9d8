"""The profiles, and the strict reading of their files."""

from harness.profiles.profile_file import (
    LENGTHS,
    Idle,
    Open,
    Profile,
    Search,
    Soak,
    Spike,
    Visiting,
    Window,
    load,
    names,
    open_scenario,
    think_scenario,
)

__all__ = [
    "LENGTHS",
    "Idle",
    "Open",
    "Profile",
    "Search",
    "Soak",
    "Spike",
    "Visiting",
    "Window",
    "load",
    "names",
    "open_scenario",
    "think_scenario",
]
