"""Adoption: who uses a feature, who keeps using it, and whether it spreads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity, adopting
from store.analytics.activity import Kept
from store.analytics.breakdown import (
    Group,
    broken_down,
    broken_down_json,
    groups,
    key_columns,
    ranked,
    whole_of,
)
from store.analytics.chosen import Chosen, parse_feature
from store.analytics.cut import Cut
from store.analytics.intervals import periods
from store.analytics.links import Links
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.timespan import TimeSpan

FEATURE: Final = adopting.FEATURE
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

    With a breakdown, each value has its own users, features and first events; those with the most
    active users come first.
    """

    name = "adoption"
    version = 1
    rows_max = activity.ROWS_MAX
    folds = True
    query_type = Adoption

    def horizon(self, query: Query) -> TimeSpan | None:
        return None

    def columns(self, query: Query) -> Sequence[str]:
        if not cast(Adoption, query).features:
            return _by_name(query).columns(query)
        return Kept((Chosen(), *_named(query).values()), query.by).columns(query)

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        if not cast(Adoption, query).features:
            kept = _by_name(query)
            return activity.partial(events, kept, query, cut).rename({kept.keys[-1]: FEATURE})
        frames = [
            activity.partial(events, Kept((kind,), query.by, seen=True), query, cut)
            .drop("n.0", strict=False)
            .with_columns(pl.lit(name, pl.String()).alias(FEATURE))
            for name, kind in [(None, Chosen()), *_named(query).items()]
        ]
        return pl.concat(frames)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return activity.combine(partials, Kept(), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked, keys = cast(Adoption, query), key_columns(query.by)
        rows = activity.of_users(combined, links)
        everything = activity.added(rows.drop(keys)) if keys else rows
        whole = _told(everything, asked)
        table = broken_down(whole, _groups(rows, keys, asked)) if keys else whole
        return Finished(
            table,
            events=int(_anything(everything, asked)["n"].sum()),
            sampled=activity.is_sampled(combined),
            truncated=not asked.features and rows[FEATURE].n_unique() > asked.limit,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return broken_down_json(result, flat_rows_json)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The events asked for that nobody did."""
        named, rows = _named(query), whole_of(result).rows
        return [
            named[row.values[FEATURE]].name for row in rows if named and not row.values["users"]
        ]


def _by_name(query: Query) -> Kept:
    return Kept(by=(*query.by, "event_name"), seen=True)


def _anything(rows: pl.DataFrame, asked: Adoption) -> pl.DataFrame:
    """Who did anything at all."""
    return rows.filter(pl.col(FEATURE).is_null()) if asked.features else rows


def _told(rows: pl.DataFrame, asked: Adoption) -> Table:
    uses = rows.filter(pl.col(FEATURE).is_not_null())
    anything = _anything(rows, asked)
    found = adopting.told(uses, anything, _frame(asked), asked.features, asked.limit)
    return Table(SHOWN, [Row({}, values) for values in found])


def _frame(asked: Adoption) -> adopting.Frame:
    return adopting.Frame(periods(asked), asked.as_of)


def _groups(rows: pl.DataFrame, keys: Sequence[str], asked: Adoption) -> Iterator[Group]:
    """Of the values that were there in the span."""
    frame = _frame(asked)
    active = frame.inside(frame.until(_anything(rows, asked)))
    best = ranked(active.group_by(keys).agg(pl.col(WHO).n_unique().alias("size")), asked.limit)
    placed = activity.added(rows.join(best, on=keys).drop(keys))
    return groups(placed, best, asked, lambda found: _told(found, asked))


def _named(query: Query) -> dict[str, Chosen]:
    asked = cast(Adoption, query)
    return {text: parse_feature(text, "feature", asked.tz) for text in asked.features}
