"""What could come next in the options of an analysis: options, and values of the kind each takes."""

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from store.analytics.query import Query
from tui.filtering import Suggestions, Work
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.asking import all_options, parser_of
from tui.views.step_completion import common_names

if TYPE_CHECKING:
    from store.analytics.filters import Completion

OPTIONS_MAX: Final = 50
DURATIONS: Final = ("1m", "5m", "15m", "1h", "6h", "1d", "7d", "30d")
MEASURES: Final = ("count", "users", "sessions", "rate", "p50:", "p95:", "p99:", "mean:", "sum:")
NAMES: Final = frozenset({"NAME", "EVENT", "STEP", "FEATURE", "START_EVENT", "RETURN_EVENT"})
_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*(?:"|$)|'[^']*(?:'|$))+""")


class OptionSuggestions:
    """Completes what is typed; remembers the names of events while the row is open."""

    def __init__(self, seen: Seen, name: str, kind: type[Query]) -> None:
        self._seen = seen
        self._kind = kind
        self._takes = parser_of(name, kind).option_actions()
        self._names: Sequence[str] | None = None
        self._filters = Suggestions(seen.span)

    def work(self, text: str, cursor: int) -> Work:
        """For the query runner: gives a Completion."""

        def complete(store: Store, cancelled: Cancelled) -> "Completion":
            start, before = _place(text[:cursor])
            action = self._takes.get(before)
            if action is None or action.nargs == 0:
                return self._options(text, start, cursor)
            if action.metavar == "FILTER":
                return self._filter(text, start, cursor, store, cancelled)
            typed = text[start:cursor].strip("\"'")
            known = self._values(action, store, cancelled)
            return _fitting(start, _end(text, cursor), typed, known)

        return complete

    def _options(self, text: str, start: int, cursor: int) -> "Completion":
        written = set(text.split())
        known = [
            name for name in all_options(self._kind) if name not in written or self._many(name)
        ]
        found = _fitting(start, _end(text, cursor), text[start:cursor], known)
        return replace(found, options=tuple(f"{name} " for name in found.options))

    def _many(self, name: str) -> bool:
        return isinstance(self._takes.get(name), argparse._AppendAction)  # noqa: SLF001

    def _filter(
        self, text: str, start: int, cursor: int, store: Store, cancelled: Cancelled
    ) -> "Completion":
        """Within its quotes, if it has any."""
        start += text[start : start + 1] in ("'", '"')
        inner = text[start:].rstrip("\"'")
        work = self._filters.work(inner, cursor - start)
        found: Completion = work(store, cancelled)  # type: ignore[assignment]
        return replace(found, start=found.start + start, end=found.end + start)

    def _values(self, action: argparse.Action, store: Store, cancelled: Cancelled) -> Sequence[str]:
        if action.choices:
            return [str(choice) for choice in action.choices]
        kind = str(action.metavar)
        if kind in NAMES:
            if self._names is None:
                self._names = common_names(store, self._seen, cancelled)
            return self._names
        if kind == "VERSION":
            return common_versions(store, self._seen, cancelled)
        if kind == "ATTR":
            return [name for name in store.column_types() if not name.startswith("_")]
        return {"DURATION": DURATIONS, "INTERVAL": DURATIONS, "MEASURE": MEASURES}.get(kind, ())


def common_versions(store: Store, seen: Seen, cancelled: Cancelled) -> Sequence[str]:
    """Versions of services in the view, commonest first."""
    from store.analytics.shapes import Table
    from store.analytics.top import Top

    query = Top(by=("service_version",), span=seen.span, where=seen.view.where or None)
    table = store.run(query, cancelled=cancelled).result
    assert isinstance(table, Table)
    versions = (row.key["service_version"] for row in table.rows if not row.folded)
    return [version for version in versions if version]


def _place(before: str) -> tuple[int, str]:
    """Where the word at the end begins, and the word before it."""
    words = list(_WORD.finditer(before))
    if not words or words[-1].end() < len(before):
        return len(before), words[-1][0] if words else ""
    return words[-1].start(), words[-2][0] if len(words) > 1 else ""


def _end(text: str, cursor: int) -> int:
    """The end of the word at the cursor."""
    blank = next((at for at in range(cursor, len(text)) if text[at].isspace()), len(text))
    return max(cursor, blank)


def _fitting(start: int, end: int, typed: str, known: Sequence[str]) -> "Completion":
    """Those that hold what is typed, those that begin with it first; none for a whole one."""
    from store.analytics.filters import Completion

    low = typed.lower()
    found = [] if typed in known else [name for name in known if low in name.lower()]
    found.sort(key=lambda name: not name.lower().startswith(low))
    return Completion(start, end, "option", tuple(map(shlex.quote, found[:OPTIONS_MAX])))
