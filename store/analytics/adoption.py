"""Adoption: who uses a feature, who keeps using it, and whether it spreads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity, adopting
from store.analytics.activity import Kept
from store.analytics.chosen import Chosen, parse_feature
from store.analytics.cut import Cut
from store.analytics.intervals import periods
from store.analytics.links import Links
from store.analytics.ordered.subjects import USER
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.timespan import TimeSpan

FEATURE: Final = adopting.FEATURE
_BY_NAME: Final = Kept(by=("event_name",), seen=True)
SHOWN: Final = (
    *("feature", "users", "active_users", "adoption_rate", "uses_per_user", "trend", "change"),
    *("new_adopters", "median_uses", "seconds_to_adopt", "first_used", "last_used"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption(Query):
    """How many use a feature, and whether more and more do."""

    analysis: ClassVar[str] = "adoption"
    is_timed: ClassVar[bool] = True
    points_min: ClassVar[int] = 10
    tells_now: ClassVar[bool] = True
    breaks_down: ClassVar[bool] = False

    features: tuple[str, ...] = option(
        (),
        "a filter, an event's name, or NAME where FILTER; each event is one unless told",
        metavar="FEATURE",
        flag="feature",
    )
    per: str = option(USER, "count these instead of users", metavar="ATTR")


class AdoptionAnalysis:
    """A row for each feature asked for, else for the `limit` events with the most users.

    Over the span, widened to whole intervals: `users` of the feature; `active_users`, all who did
    anything since the feature was first used by anybody (before, nobody could); `adoption_rate`,
    their quotient, with its 95 % interval `low` to `high` (Wilson); `uses_per_user`, the mean, and
    `median_uses` (depth). `first_used` is over all history, `last_used` in the span.

    `trend` (`up`, `down`, `flat`: no clear one) is of the reach, users of the feature by active
    users, in each interval that is over, from 8 on (Mann and Kendall, p < 0.05); `change` is Sen's
    slope, in shares (0.01: a point) an interval; `reach` are its points, `p_value` and `periods`
    stand beside.

    `new_adopters` first used it in the span; `habit` is the share of them who did again in the 1st
    to 4th interval after, of those for whom it is over, `habit_of` how many these are. `adopters`
    by `ever_active` is who ever used it, of those who ever were active since it is there;
    `seconds_to_adopt` the median of adopters from their first event to their first use, `not_yet`
    those who never used it.
    """

    name = "adoption"
    version = 1
    rows_max = activity.ROWS_MAX
    query_type = Adoption

    def horizon(self, query: Query) -> TimeSpan | None:
        return None

    def columns(self, query: Query) -> Sequence[str]:
        if not cast(Adoption, query).features:
            return _BY_NAME.columns(query)
        return Kept((Chosen(), *_named(query).values())).columns(query)

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        if not cast(Adoption, query).features:
            rows = activity.partial(events, _BY_NAME, query, cut)
            return rows.rename({"key.0": FEATURE})
        frames = [
            activity.partial(events, Kept((kind,), seen=True), query, cut)
            .drop("n.0", strict=False)
            .with_columns(pl.lit(name, pl.String()).alias(FEATURE))
            for name, kind in [(None, Chosen()), *_named(query).items()]
        ]
        return pl.concat(frames)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return activity.combine(partials, Kept(), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked = cast(Adoption, query)
        rows = activity.of_users(combined, links)
        anything = rows.filter(pl.col(FEATURE).is_null()) if asked.features else rows
        grid = periods(query)
        found = adopting.told(
            rows.filter(pl.col(FEATURE).is_not_null()),
            anything,
            adopting.Frame(grid, asked.as_of),
            asked.features,
            asked.limit,
        )
        return Finished(
            Table(SHOWN, [Row({}, values) for values in found]),
            events=int(anything["n"].sum()),
            sampled=activity.is_sampled(combined),
            truncated=not asked.features and rows[FEATURE].n_unique() > asked.limit,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The events asked for that nobody did."""
        named, rows = _named(query), cast(Table, result).rows
        return [
            named[row.values[FEATURE]].name for row in rows if named and not row.values["users"]
        ]


def _named(query: Query) -> dict[str, Chosen]:
    asked = cast(Adoption, query)
    return {text: parse_feature(text, "feature", asked.tz) for text in asked.features}
