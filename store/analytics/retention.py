"""Retention: of those who began in a period, how many come back in the periods after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity, cohorts, presence, returning
from store.analytics.activity import Kept, OfPoint
from store.analytics.chosen import Chosen, Named, parse_chosen
from store.analytics.cohorts import Cells
from store.analytics.cut import Cut
from store.analytics.intervals import periods, points
from store.analytics.links import Links
from store.analytics.ordered import subjects
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.returning import Returns
from store.analytics.shapes import Finished, Result, Table
from store.errors import UsageError
from store.timespan import UNITS, TimeSpan

PERIODS_MAX: Final = 1_000
CELLS_MAX: Final = 1_000_000
_CHOICES: Final = {
    "mode": ("first-time", "recurring"),
    "on": ("exactly", "on-or-after"),
    "clock": ("calendar", "own"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention(Query):
    """How many of those who begin come back."""

    analysis: ClassVar[str] = "retention"
    is_timed: ClassVar[bool] = True
    tells_now: ClassVar[bool] = True

    interval: timedelta | None = option(UNITS["d"], "day, week, month, or another width")
    start_event: Named = option(
        None, "who begins: NAME [where FILTER]; any event unless told", metavar="EVENT"
    )
    return_event: Named = option(
        None, "who comes back: NAME [where FILTER]; any event unless told", metavar="EVENT"
    )
    periods: int = option(7, "follow them for so many periods", metavar="N")
    mode: str = option(
        "first-time", "whose first ever it is, or who did it", choices=_CHOICES["mode"]
    )
    on: str = option("exactly", "back in that period, or in it or later", choices=_CHOICES["on"])
    clock: str = option(
        "calendar", "periods of the calendar, or from each one's start", choices=_CHOICES["clock"]
    )
    min_returns: int = option(1, "so many returns in a period count", metavar="N")
    users: bool = option(default=False, help_text="also who they are, and when they came back")
    per: str = option(USER, "count these instead of users", metavar="ATTR")


class RetentionAnalysis:
    """A cohort for each period that overlaps the span, which is widened to whole periods.

    `size`: the users with the start event in the period (recurring), or whose first ever such event
    (matching the filters, over all history) lies there (first-time). `retained`: the size, then for
    k = 1 to `periods` those who came back in the k-th period after (exactly), or in it or any later
    one (on-or-after); a period counts with `min_returns` returns in it. What a user does in the
    start period is no return. With the clock `own`, period k are the k-th whole intervals since the
    user's own (in the period, first) start. Periods that have not begun are left out; the first
    `complete` cells are over. A breakdown is by the value at the start that counts; where several
    are of one instant, by the least.

    `users`, where asked for: at most USERS_MAX of those in the cohorts, each with the `start` of the
    cohort's period and `back`, the k of the periods that `retained` counts him in; cohorts in their
    order, in each first who came back last. Who is in several cohorts is there several times.

    `mean`: the share of all in cohorts whose k-th cell is over, so weighted by size; n beside it.
    """

    name = "retention"
    version = 1
    rows_max = activity.ROWS_MAX
    folds = True
    query_type = Retention

    def horizon(self, query: Query) -> TimeSpan | None:
        asked = _asked(query)
        if asked.mode == "first-time" or asked.on == "on-or-after" or asked.clock == "own":
            return None
        grid = periods(query, asked.periods)
        return TimeSpan(grid[0], grid[-1]) if grid else query.span

    def columns(self, query: Query) -> Sequence[str]:
        return _kept(_asked(query)).columns(query)

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return activity.partial(events, _kept(_asked(query)), query, cut)

    def narrow(self, query: Query, span: TimeSpan) -> OfPoint | None:
        return activity.of_point(_kept(_asked(query)), query, span)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return activity.combine(partials, _kept(_asked(query)), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked = _asked(query)
        is_own = asked.clock == "own"
        kept, grid = _kept(asked), periods(query, asked.periods)
        wanted, count = _returns(asked), len(points(query))
        ever = asked.mode == "first-time"
        users: dict[str, Any] = {}
        is_cut = False
        cells = Cells(grid, asked.periods, asked.as_of, asked.interval if is_own else None)
        if not asked.users and presence.fits(kept, wanted, len(grid)):
            rows = activity.numbered(subjects.settled(combined, links), grid)
            counts = presence.counts(rows, kept, count, wanted, ever=ever)
        else:
            rows = activity.numbered(activity.of_users(combined, links), grid)
            begun = returning.begun(rows, kept, count, ever=ever)
            begun = activity.kept_keys(begun, kept.keys, asked.limit)
            counts = returning.counts(begun, rows, kept, wanted)
            users = _users(begun, rows, asked, cells) if asked.users else {}
            is_cut = asked.users and begun.height > cohorts.USERS_MAX
        told = cohorts.table(counts, kept.keys, asked.by, cells)
        return Finished(
            replace(told, summary={**_said(asked), **users}),
            truncated=is_cut,
            events=int(combined["n"].sum()),
            sampled=activity.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return cohorts.as_json(result)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The events asked for that nobody did."""
        start, back = _kinds(_asked(query))
        rows = [row.values.get("retained", []) for row in cast(Table, result).rows]
        nobody = [start.name] if not any(cells[0] for cells in rows if cells) else []
        return [*nobody, *([back.name] if not any(any(cells[1:]) for cells in rows) else [])]


def _asked(query: Query) -> Retention:
    asked = cast(Retention, query)
    for name, known in _CHOICES.items():
        if getattr(asked, name) not in known:
            hint = f"write {' or '.join(known)}"
            raise UsageError(name, f"{getattr(asked, name)!r} is unknown", next_step=hint)
    for name in ("periods", "min_returns"):
        if getattr(asked, name) < 1:
            place = name.replace("_", " ")
            raise UsageError(
                place, f"{getattr(asked, name)} tells nothing", next_step="write 1 or more"
            )
    cells = asked.periods * max(1, len(points(asked)))
    if asked.periods > PERIODS_MAX or cells > CELLS_MAX:
        fault = f"{asked.periods:,} make a table of {cells:,} cells"
        hint = f"take fewer (at most {PERIODS_MAX:,}), a shorter span or a wider interval"
        raise UsageError("periods", fault, next_step=hint)
    return asked


def _kinds(asked: Retention) -> tuple[Chosen, Chosen]:
    start = parse_chosen(asked.start_event, "start event", asked.tz)
    return start, parse_chosen(asked.return_event, "return event", asked.tz)


def _kept(asked: Retention) -> Kept:
    start, back = _kinds(asked)
    is_one = start == back and not asked.by
    kinds = (start,) if is_one else (start, back)
    is_own = asked.clock == "own"
    return Kept(
        kinds,
        asked.by,
        by_first=True,
        exactly=is_own,
        seen=is_own or bool(asked.by),
        named=asked.users,
    )


def _said(asked: Retention) -> dict[str, str]:
    """What the numbers are of, without which they are misread: for people, above the table."""
    start, _ = _kinds(asked)
    first = "first matching event" if start.where else "first ever event"
    return {
        "cohorts": first if asked.mode == "first-time" else "every period's",
        "back": "in that period or later"
        if asked.on == "on-or-after"
        else "exactly in that period",
        "periods": "from each one's start" if asked.clock == "own" else "of the calendar",
    }


def _users(
    begun: pl.DataFrame, rows: pl.DataFrame, asked: Retention, cells: Cells
) -> dict[str, Any]:
    records = returning.records(begun, rows, _kept(asked), _returns(asked))
    names = rows.select(WHO, subjects.NAME).unique(WHO)
    return {cohorts.USERS: cohorts.people(records, names, cells)}


def _returns(asked: Retention) -> Returns:
    return Returns(
        periods=asked.periods,
        least=asked.min_returns,
        or_after=asked.on == "on-or-after",
        own=asked.interval if asked.clock == "own" else None,
        ahead=asked.as_of,
    )
