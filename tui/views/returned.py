"""Who is behind a cell of retention: those of a cohort who came back in a period, or who did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from store.analytics.shapes import Answer, Table
from store.errors import UsageError
from store.timespan import UNITS, TimeSpan, iso, parse_instant
from tui.formatting import clean, count, fit
from tui.theme import Look
from tui.view_state import Seen, View
from tui.views.matrix import after, cohort_name
from tui.views.retention_question import Cohorts
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

if TYPE_CHECKING:
    from store.analytics.retention import Retention

_KINDS: Final = ("back", "gone")


@dataclass(frozen=True, slots=True)
class Behind:
    """A cell: the cohort that began at `start`, so many periods on; `gone` are those who did not
    come back in it.
    """

    start: datetime
    after: int
    gone: bool = False

    def text(self) -> str:
        """As a view keeps it: `back:2:2026-11-21T00:00:00Z`."""
        return f"{_KINDS[self.gone]}:{self.after}:{iso(self.start)}"

    def turned(self) -> "Behind":
        """The others of the cohort."""
        return replace(self, gone=not self.gone)

    def query(self, asked: Cohorts, seen: Seen) -> "Retention":
        """Of this cohort alone, as far as the cell."""
        # A day that a clock is turned in has 23 hours: the next period is another cohort then.
        length = min(asked.interval, UNITS["h"])
        whole = asked.query(seen, self.after)
        return replace(whole, span=TimeSpan(self.start, self.start + length), by=(), users=True)


def behind_of(text: str) -> Behind | None:
    """None for a text that is none."""
    kind, _, rest = text.partition(":")
    number, _, start = rest.partition(":")
    if kind not in _KINDS or not (number.isascii() and number.isdecimal()) or not int(number):
        return None
    try:
        found = parse_instant(start, now=datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
    except UsageError:
        return None
    return Behind(found, int(number), gone=kind == "gone")


@dataclass(frozen=True, slots=True)
class Returned:
    """The rows behind a cell; `size` is the whole cohort."""

    behind: Behind
    total: int
    size: int
    rows: Sequence[Row]
    truncated: bool

    def title(self, interval: timedelta, zone: tzinfo, subjects: str = "users") -> str:
        """`9 of 81 users of 21 Nov 2026 were back +2d`."""
        name = cohort_name(self.behind.start, interval, zone)
        did = "were not back" if self.behind.gone else "were back"
        numbers = f"{count(self.total)} of {count(self.size)} {subjects}"
        return f"{numbers} of {clean(name)} {did} {after(interval, self.behind.after)}"

    def note(self) -> str:
        others = "who were back" if self.behind.gone else "who were not"
        shown = f"{count(len(self.rows))} of them listed, " if self.truncated else ""
        return f"{shown}n shows those {others}"


def returned_of(answer: Answer, behind: Behind) -> Returned:
    """Out of the answer to `Behind.query`."""
    assert isinstance(answer.result, Table)
    rows = [row.values for row in answer.result.rows if row.values["start"] == behind.start]
    retained: Sequence[int] = rows[0]["retained"] if rows else [0]
    size = retained[0]
    back = retained[behind.after] if behind.after < len(retained) else 0
    everybody: Sequence[Mapping[str, Any]] = answer.result.summary.get("users", ())
    wanted = [
        {**user, "periods": behind.after}
        for user in everybody
        if user["start"] == behind.start and (behind.after in user["back"]) != behind.gone
    ]
    total = size - back if behind.gone else back
    return Returned(behind, total, size, wanted, len(wanted) < total)


def sessions_of(view: View, user: str, span: TimeSpan) -> View:
    """All sessions of somebody, be it a user or a device that nobody was linked to."""
    from store.analytics.filters import parse_filter, term

    mine = " or ".join(parse_filter(None).and_(term(n, "=", user)).text() for n in _WHOSE)
    return replace(view, where=mine, span=span, by="", sort="", options=())


_WHOSE: Final = ("user_id", "install_id")


def returned_columns(interval: timedelta) -> tuple[Column, ...]:
    return (
        Column("user", "who", 20, _user_cell, grows=True, sortable=False, least=8),
        Column("times", "periods back", 12, _times_cell, right=True, sortable=False),
        Column("record", "back in", 26, _record_cell(interval), sortable=False, rank=1),
    )


def _user_cell(row: Row, width: int, look: Look) -> list[Part]:
    shown = fit(row["user"] or "(nobody known)", width, ellipsis=look.glyphs.ellipsis)
    return [(shown, look.style("bright"))]


def _times_cell(row: Row, width: int, look: Look) -> list[Part]:
    times = len(row["back"])
    shown = f"{times} of {row['periods']}" if times else look.glyphs.nothing
    return [(shown.rjust(width), look.style("text" if times else "faint"))]


def _record_cell(interval: timedelta) -> Any:
    """The latest first: which of them there is room for."""

    def cell(row: Row, width: int, look: Look) -> list[Part]:
        names = " ".join(after(interval, k) for k in reversed(row["back"]))
        shown = fit(names, width, ellipsis=look.glyphs.ellipsis)
        return [(shown, look.style("dim"))]

    return cell
