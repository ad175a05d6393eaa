"""Adoption: who uses a feature, who keeps using it, and whether it spreads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Self, cast

import polars as pl

from store.analytics import activity, adopting, before_after
from store.analytics.activity import Kept
from store.analytics.before_after import Sides
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
from store.analytics.intervals import checked_zone, periods
from store.analytics.links import Links
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.errors import UsageError
from store.timespan import TimeSpan, iso, parse_instant

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
    at: str | None = option(None, "also the reach before and after this instant", metavar="TIME")
    release: str | None = option(
        None, "the same of when this version was first there", metavar="VERSION"
    )

    def informed(self, types: Mapping[str, Any]) -> Self:
        """Times that move are fixed."""
        return self if self.at is None else replace(self, at=iso(_instant(self)))

    def key(self) -> tuple[Any, ...]:
        """The instant is looked at when all is put together."""
        return tuple(part for part in Query.key(self) if part[:1] != ("at",))


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

    With `at`, or the first event of a `release` (of what is asked about, whoever sent it), the reach
    in as many whole intervals before as after, all of them over, without the one that the instant
    is in: `before_users` of `before_active`, `after_users` of `after_active`, `difference` of the
    rates with its 95 % interval (Newcombe). Who is there on both sides counts on both.

    With a breakdown, each value has its own users, features and first events; those with the most
    active users come first.
    """

    name = "adoption"
    version = 1
    rows_max = activity.ROWS_MAX
    folds = True
    query_type = Adoption

    def horizon(self, query: Query) -> TimeSpan | None:
        asked = cast(Adoption, query)
        before_after.check(asked.at, asked.release, asked.compare)
        return None

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Adoption, query)
        named = Kept((Chosen(), *_named(query).values()), query.by)
        found = (named if asked.features else _by_name(query)).columns(query)
        versions = ["service_version"] if asked.release is not None else []
        return list(dict.fromkeys([*found, *versions]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        found = self._uses(events, query, cut)
        return before_after.with_release(found, events, cast(Adoption, query).release)

    def _uses(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
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
        combined, released = before_after.apart(combined)
        sides = _sides(asked, released)
        rows = activity.of_users(combined, links)
        everything = activity.added(rows.drop(keys)) if keys else rows
        whole = _told(everything, asked, sides)
        if sides:
            version = {} if asked.release is None else {"release": asked.release}
            whole = replace(whole, summary={**version, **sides.summary(_frame(asked))})
        table = broken_down(whole, _groups(rows, keys, asked, sides)) if keys else whole
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


def _told(rows: pl.DataFrame, asked: Adoption, sides: Sides | None) -> Table:
    uses = rows.filter(pl.col(FEATURE).is_not_null())
    anything, frame = _anything(rows, asked), _frame(asked)
    found = adopting.told(uses, anything, frame, asked.features, asked.limit)
    if not sides:
        return Table(SHOWN, [Row({}, values) for values in found])
    beside = before_after.told(uses, anything, frame, sides)
    nothing = before_after.nothing()
    values = [{**each, **beside.get(each[FEATURE], nothing)} for each in found]
    columns = (*SHOWN[:4], *before_after.SHOWN, *SHOWN[4:])
    return Table(columns, [Row({}, each) for each in values])


def _sides(asked: Adoption, released: datetime | None) -> Sides | None:
    """What lies before and after, if that is asked; a UsageError where it cannot be told."""
    if asked.at is not None:
        return before_after.sides(_frame(asked), _instant(asked), "at")
    if asked.release is None:
        return None
    if released is None:
        fault = f"no event has the version {asked.release!r}"
        hint = "see which there are: eventdeck query top --by service_version"
        raise UsageError("release", fault, next_step=hint)
    return before_after.sides(_frame(asked), released, "release")


def _instant(asked: Adoption) -> datetime:
    assert asked.at is not None
    assert asked.as_of is not None
    return parse_instant(asked.at, now=asked.as_of, zone=checked_zone(asked.tz))


def _frame(asked: Adoption) -> adopting.Frame:
    return adopting.Frame(periods(asked), asked.as_of)


def _groups(
    rows: pl.DataFrame, keys: Sequence[str], asked: Adoption, sides: Sides | None
) -> Iterator[Group]:
    """Of the values that were there in the span."""
    frame = _frame(asked)
    active = frame.inside(frame.until(_anything(rows, asked)))
    best = ranked(active.group_by(keys).agg(pl.col(WHO).n_unique().alias("size")), asked.limit)
    placed = activity.added(rows.join(best, on=keys).drop(keys))
    return groups(placed, best, asked, lambda found: _told(found, asked, sides))


def _named(query: Query) -> dict[str, Chosen]:
    asked = cast(Adoption, query)
    return {text: parse_feature(text, "feature", asked.tz) for text in asked.features}
