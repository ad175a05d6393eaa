"""Reach: one user a hundred times, or a hundred users once?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity
from store.analytics.activity import ROWS_MAX
from store.analytics.cells import SEVERITY_CLASS, stored_in
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.ordered import subjects
from store.analytics.ordered.subjects import WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.sums import steady
from store.analytics.table_json import flat_rows_json
from store.schema import PART, as_text, severity_class
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("events", "users", "users_estimate", "buckets", "top_user_share"),
    *("events_per_user", "median_per_user", "without_user"),
)
BUCKETS: Final = 30
"""How many buckets senders are taken to have, while no higher number than these is seen."""
_SIZES: Final = (30, 32, 64, 100, 128, 256, 500, 512, 1_000, 1_024, 4_096, 10_000, 65_536)
_BUCKET: Final = "user_bucket"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach(Query):
    """Whether events are of many users, or of one above all."""

    analysis: ClassVar[str] = "reach"

    bucket_count: int | None = option(
        None, "how many buckets `user_bucket` is out of; else the least usual one", metavar="N"
    )


class ReachAnalysis:
    """`events`; `users`, the distinct ones; `top_user_share`, of all events, those of the busiest
    user; `events_per_user` and `median_per_user`; `without_user`, the events of nobody known.

    Senders that hide their users may send a `user_bucket` instead, a hash of the user in one of a
    few buckets: `buckets` is how many of those are hit, and `users_estimate` how many users so many
    hit on average, -B·ln(1 - b/B) (linear counting, https://doi.org/10.1145/78922.78925); a half
    bucket is taken to be free when all are hit. It is never less than `users`.
    """

    name = "reach"
    version = 1
    rows_max = ROWS_MAX
    folds = True
    query_type = Reach

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        found = ["event_time", "sample_rate", _BUCKET, *map(stored_in, query.by)]
        return list(dict.fromkeys([*found, *subjects.columns(subjects.USER, link=query.link)]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        types = events.collect_schema()
        keys = [
            (severity_class() if name == SEVERITY_CLASS else as_text(name, types[name]))
            .fill_null("")
            .alias(f"key.{at}")
            for at, name in enumerate(query.by)
        ]
        of = subjects.subject(types, subjects.USER, link=query.link)
        time = [pl.col("event_time").dt.truncate(cut.width).alias("time")] if cut else []
        weighed = types["sample_rate"] != pl.Null
        weight = pl.col("sample_rate").fill_null(1.0).clip(1.0).sum() if weighed else pl.len()
        return events.group_by(PART, *time, *of, _BUCKET, *keys).agg(
            pl.len().cast(pl.Int64).alias("n"), weight.cast(pl.Float64).alias("weight")
        )

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        rows = partials.drop("time", strict=False)
        if subjects.DEVICE in rows.columns:
            rows = rows.with_columns(pl.col(subjects.DEVICE).fill_null(value=False))
        return _added(rows)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        keys = [f"key.{at}" for at in range(len(query.by))]
        nobody = combined.filter(pl.col(WHO).is_null()).drop(subjects.DEVICE, strict=False)
        known = subjects.settled(combined, links)
        rows = pl.concat([known, nobody.select(known.columns)])
        rows = activity.kept_keys(rows, keys, query.limit)
        told = _told(rows, keys)
        found = [
            Row(dict(zip(query.by, (row[key] for key in keys), strict=True)), values, row["folded"])
            for row in told.iter_rows(named=True)
            for values in [_values(row, cast(Reach, query))]
        ]
        return Finished(
            Table(COLUMNS, found),
            events=int(combined["n"].sum()),
            sampled=bool((combined["weight"] > combined["n"]).any()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        rows = flat_rows_json(result)["rows"]
        is_one = len(rows) == 1 and not cast(Table, result).rows[0].key
        return rows[0] if is_one and not cast(Table, result).rows[0].folded else {"rows": rows}


def _added(rows: pl.DataFrame) -> pl.DataFrame:
    keys = [name for name in rows.columns if name not in ("n", "weight")]
    return rows.group_by(keys).agg(pl.col("n", "weight").sum()).select(rows.columns)


def _told(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The sums of each group, the most events first, what is folded last; one row without any."""
    group = ["folded", *keys]
    whole = steady(pl.col("weight").sum())
    each = rows.group_by(*group, WHO).agg(whole)
    users = (
        each.filter(pl.col(WHO).is_not_null())
        .group_by(group)
        .agg(
            pl.len().alias("users"),
            pl.col("weight").max().alias("top"),
            (whole / pl.len()).alias("mean"),
            pl.col("weight").median().alias("median"),
        )
    )
    sums = rows.group_by(group).agg(
        whole.alias("events"),
        steady(pl.col("weight").filter(pl.col(WHO).is_null()).sum()).alias("nobody"),
        pl.col(_BUCKET).drop_nulls().n_unique().alias("buckets"),
        pl.col(_BUCKET).max().alias("greatest"),
    )
    if not rows.height and not keys:
        nothing = {"folded": False, "events": 0.0, "nobody": 0.0, "buckets": 0, "greatest": None}
        sums = pl.DataFrame([nothing])
    found = sums.join(users, on=group, how="left")
    return found.sort(*group[:1], "events", *keys, descending=[False, True, *[False] * len(keys)])


def _values(row: Mapping[str, Any], asked: Reach) -> dict[str, Any]:
    users, events = row["users"] or 0, row["events"]
    told = (
        _whole(events),
        users,
        max(users, _estimate(row["buckets"], row["greatest"], asked.bucket_count)),
        row["buckets"],
        row["top"] / events if users and events else None,
        row["mean"],
        row["median"],
        _whole(row["nobody"]),
    )
    return dict(zip(COLUMNS, told, strict=True))


def _estimate(hit: int, greatest: int | None, count: int | None) -> int:
    if not hit or greatest is None:
        return 0
    size = max(count or next(size for size in _SIZES if size > greatest), greatest + 1)
    free = max(size - hit, 0.5)
    return max(hit, round(size * math.log(size / free)))


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
