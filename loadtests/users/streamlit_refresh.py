"""The timers of an open Streamlit page: fragments with ``run_every``, and the component ``st_autorefresh``.

As the page has it (``handleAutoRerun`` in Streamlit's ``App.tsx``): a run of the whole script ends the timers of
fragments, which are set again as it draws them. A component's timer lives as long as the component is on the page.
"""

import json
from dataclasses import dataclass
from math import inf

_MS_PER_S = 1000.0
_AUTOREFRESH = "st_autorefresh"  # of the package streamlit-autorefresh
_SHORTEST_S = 0.01  # as a browser's setInterval, more or less


@dataclass(slots=True, kw_only=True)
class Timer:
    """A run that is due again and again."""

    fragment_id: str  # that is run; empty: the whole script
    interval_s: float
    due_s: float
    component_id: str = ""  # whose value is the number of runs so far; empty: a fragment's own timer
    runs: int = 0
    limit: int | None = None


def is_autorefresh(component_name: str) -> bool:
    """Return whether a component is the one that does nothing but ask for runs."""
    return component_name.endswith(_AUTOREFRESH)


class Timers:
    """The timers of one page, by fragment or component."""

    def __init__(self) -> None:
        self._timers: dict[str, Timer] = {}

    def run_every(self, fragment_id: str, interval_s: float, now_s: float) -> None:
        """Run a fragment at an interval; a timer that has this interval goes on."""
        self._set(fragment_id, Timer(fragment_id=fragment_id, interval_s=interval_s, due_s=now_s + interval_s))

    def component(self, component_id: str, arguments: str, fragment_id: str, now_s: float) -> None:
        """Take note of an ``st_autorefresh`` that is drawn with these arguments (JSON)."""
        wanted = json.loads(arguments)
        interval_s = float(wanted["interval"]) / _MS_PER_S
        limit = int(wanted["limit"]) if str(wanted.get("limit") or "").isdigit() else None
        timer = Timer(fragment_id=fragment_id, interval_s=interval_s, due_s=now_s + interval_s, limit=limit)
        timer.component_id = component_id
        self._set(component_id, timer, anew=bool(wanted.get("debounce")))

    def stop(self, fragment_ids: set[str]) -> None:
        """End the timers of fragments."""
        self._timers = {key: timer for key, timer in self._timers.items() if key not in fragment_ids}

    def whole_script_runs(self) -> None:
        """End the timers of all fragments."""
        self._timers = {key: timer for key, timer in self._timers.items() if timer.component_id}

    def keep_components(self, on_page: set[str]) -> None:
        """End the timers of components that are no longer on the page."""
        self._timers = {key: one for key, one in self._timers.items() if not one.component_id or key in on_page}

    def left_s(self, now_s: float) -> float | None:
        """Return the time until the next run is due, None without timers."""
        next_s = min((timer.due_s for timer in self._timers.values()), default=inf)
        return None if next_s == inf else max(0.0, next_s - now_s)

    def due(self, now_s: float) -> list[Timer]:
        """Return the timers that are due, each once however late it is, and set them for the next time."""
        due = [timer for timer in self._timers.values() if timer.due_s <= now_s]
        for timer in due:
            timer.due_s = max(timer.due_s, now_s - timer.interval_s) + timer.interval_s
            timer.runs += 1
            if timer.limit is not None and timer.runs >= timer.limit:
                timer.due_s = inf
        return due

    def _set(self, key: str, timer: Timer, *, anew: bool = False) -> None:
        timer.interval_s = max(_SHORTEST_S, timer.interval_s)
        known = self._timers.get(key)
        if known is None or known.interval_s != timer.interval_s:
            self._timers[key] = timer
        elif anew and known.due_s != inf:
            known.due_s = timer.due_s
