"""What the retention screen asks the store. Imports the queries late: they bring Polars."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from store.timespan import MONTH, UNITS, duration_text, parse_duration
from tui.view_state import Seen, View
from tui.views.questions import zone_name
from tui.widgets.definition_line import Said

if TYPE_CHECKING:
    from store.analytics.retention import Retention

EVERY: Final = "*"
# How many rows one looks at: people think in days and weeks, so of those there may be more.
COHORTS_MAX: Final = 12
COHORTS_OF: Final = {UNITS["d"]: 31, UNITS["w"]: 26}
GROUPS_MAX: Final = 50
INTERVALS: Final = (
    *(timedelta(minutes=number) for number in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=number) for number in (1, 2, 3, 6, 12)),
    *(UNITS["d"], UNITS["w"], MONTH),
)
MODES: Final = {"first-time": "their first ever", "recurring": "each time"}
ONS: Final = {"exactly": "back exactly then", "on-or-after": "back then or later"}
CLOCKS: Final = {"calendar": "by the calendar", "own": "from their own start"}


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Retention as the view says it; what it leaves open is filled in."""

    interval: timedelta
    start: str = EVERY
    """Who begins: `NAME [where FILTER]`, or any event."""
    back: str = EVERY
    mode: str = "first-time"
    on: str = "exactly"
    clock: str = "calendar"
    least: int = 1
    """So many returns in a period count."""

    def query(self, seen: Seen, periods: int) -> "Retention":
        """Retention over the view's span, so many periods on."""
        from store.analytics.retention import Retention

        return Retention(
            span=seen.span,
            where=seen.view.where or None,
            tz=zone_name(seen.zone),
            by=(seen.view.by,) if seen.view.by else (),
            limit=GROUPS_MAX,
            interval=self.interval,
            start_event=self.start,
            return_event=self.back,
            periods=periods,
            mode=self.mode,
            on=self.on,
            clock=self.clock,
            min_returns=self.least,
        )

    def said(self) -> Said:
        """The definition as the line above the cohorts says it, the weightiest settings first."""
        settings = [
            ("per", _period(self.interval)),
            ("", ONS.get(self.on, self.on)),
            ("", MODES.get(self.mode, self.mode)),
            *([("", CLOCKS["own"])] if self.clock == "own" else []),
            *([("at least", str(self.least))] if self.least > 1 else []),
        ]
        return Said("from", (_named(self.start), f"back with {_named(self.back)}"), settings)


def cohorts_of(view: View, length: timedelta) -> Cohorts:
    """What the view says; a UsageError names what makes no sense."""
    interval, least = view.option("interval"), view.option("least", "1")
    if not (least.isascii() and least.isdecimal()):
        raise UsageError("least", f"{least!r} is no number", next_step="write 1 or more")
    return Cohorts(
        interval=parse_duration(interval) if interval else suited_interval(length),
        start=view.option("start", EVERY),
        back=view.option("back", EVERY),
        mode=view.option("mode", "first-time"),
        on=view.option("on", "exactly"),
        clock=view.option("clock", "calendar"),
        least=int(least),
    )


def suited_interval(length: timedelta) -> timedelta:
    """The shortest of which a span of that length has few enough to look at."""
    fitting = (i for i in INTERVALS if length / i <= COHORTS_OF.get(i, COHORTS_MAX))
    return next(fitting, INTERVALS[-1])


def _named(chosen: str) -> str:
    return "any event" if chosen == EVERY else chosen


def _period(interval: timedelta) -> str:
    words = {UNITS["d"]: "day", UNITS["w"]: "week", MONTH: "month"}
    return words.get(interval, duration_text(interval))
