"""Who was active when: what retention, lifecycle and their like keep of a part.

A row for each user (or device that nobody may have been linked to yet), point in time and, where
it is asked for, breakdown values: how many events there were, how many of each kind that matters,
and when the first of them was. All of it adds up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl

from store import schema
from store.analytics.batches import STREAMING_ROWS
from store.analytics.cells import SEVERITY_CLASS, stored_in
from store.analytics.chosen import Chosen
from store.analytics.cut import Cut
from store.analytics.intervals import cell_start, point_of
from store.analytics.links import Links
from store.analytics.ordered import rows as ordered_rows
from store.analytics.ordered import subjects
from store.analytics.ordered.subjects import WHO
from store.analytics.query import Query
from store.schema import INSTANT, PART, as_text
from store.timespan import TimeSpan

ROWS_MAX: Final = ordered_rows.ROWS_MAX
"""Users by points in time: as many rows as an ordered analysis may keep."""
AT: Final = "at"
"""The number of a point in time."""
_FINE: Final = "is_fine"
"""There, and true, when `time` is a cell of a cut part's grid."""
_SAMPLED: Final = "is_sampled"
_TIME: Final = pl.col("event_time")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside who and when."""

    kinds: tuple[Chosen, ...] = (Chosen(),)
    """Events of none of these are left out."""
    by: tuple[str, ...] = ()
    by_first: bool = False
    """True: only events of the first kind carry breakdown values, the others have none (null)."""
    exactly: bool = False
    """True: the instant itself is a key, `time` the point that holds it."""
    timed: bool = True
    """False: one row for all time."""
    named: bool = False
    """True: whose events they are is kept as text as well."""
    seen: bool = False
    """True: `first` and `last`, of events of the first kind, are kept."""

    @property
    def keys(self) -> list[str]:
        """The columns of the breakdown values, in the order of `by`."""
        return [f"key.{at}" for at in range(len(self.by))]

    def count(self, kind: int) -> str:
        """The column with the number of events of a kind: `n`, of all, where they are all of it."""
        return "n" if self.kinds[kind] == Chosen() else f"n.{kind}"

    def columns(self, query: Query, at: datetime | None = None) -> Sequence[str]:
        """The columns that `partial` reads."""
        time = [] if at else ["event_time"]
        found = [*time, "sample_rate", *map(stored_in, self.by)]
        found += subjects.columns(per_of(query), link=query.link, named=self.named)
        found += (name for kind in self.kinds for name in kind.columns())
        return list(dict.fromkeys(found))


def per_of(query: Query) -> str:
    """Whose events are put together: users', or what the query counts `per`."""
    return getattr(query, "per", subjects.USER)


@dataclass(frozen=True, slots=True)
class OfPoint:
    """What reduces parts whose events all lie in one point, without reading their times."""

    kept: Kept
    at: datetime

    def columns(self, query: Query) -> Sequence[str]:
        return self.kept.columns(query, self.at)

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return partial(events, self.kept, query, cut, self.at)


def of_point(kept: Kept, query: Query, span: TimeSpan) -> OfPoint | None:
    """Where all of `span` is one point, and its events' instants do not matter."""
    if not kept.timed or kept.exactly or kept.seen:
        return None
    at = point_of(query, span)
    return OfPoint(kept, at) if at else None


def partial(
    events: pl.LazyFrame, kept: Kept, query: Query, cut: Cut | None, at: datetime | None = None
) -> pl.LazyFrame:
    """The rows of each part: PART, WHO, DEVICE where there are some, `time`, the keys; `n` events,
    how many of each kind, what else is `kept`, and `is_sampled` where something was. With `at`, the
    point that all events are in, they need not have a time.
    """
    types = events.collect_schema()
    marks = [f"\0kind {at}" for at in range(len(kept.kinds))]
    tested = [
        kind.expr(types).alias(mark)
        for mark, kind in zip(marks, kept.kinds, strict=True)
        if kind != Chosen()
    ]
    users = events.filter(subjects.is_known(per_of(query))).with_columns(tested)
    if len(tested) == len(marks):
        users = users.filter(pl.any_horizontal(marks))
    of_first = pl.lit(value=True) if kept.kinds[0] == Chosen() else pl.col(marks[0])
    sizes = [
        pl.col(mark).sum().cast(pl.Int64).alias(kept.count(number))
        for number, (mark, kind) in enumerate(zip(marks, kept.kinds, strict=True))
        if kind != Chosen()
    ]
    first = _TIME if kept.kinds[0] == Chosen() else _TIME.filter(of_first)
    ends = [first.min().alias("first"), first.max().alias("last")] if kept.seen else []
    is_many = (pl.col("sample_rate") > 1).fill_null(value=False)
    sampled = [is_many.any().alias(_SAMPLED)] if types["sample_rate"] != pl.Null else []
    count = pl.len().cast(pl.Int64).alias("n")
    time = [] if at else [_time_key(kept, query, cut)]
    keys = _keys(kept, query, types, of_first)
    fine = [pl.lit(value=True).alias(_FINE)] if cut else []
    found = users.group_by(*keys, *time, *fine).agg(count, *sizes, *ends, *sampled)
    return found.with_columns(schema.instant(at).alias("time")) if at else found


def _time_key(kept: Kept, query: Query, cut: Cut | None) -> pl.Expr:
    if cut:
        return _TIME.dt.truncate(cut.width).alias("time")
    return (cell_start(query, _TIME) if kept.timed else pl.lit(None, INSTANT)).alias("time")


def _keys(
    kept: Kept, query: Query, types: Mapping[str, pl.DataType], of_first: pl.Expr
) -> list[pl.Expr]:
    found = [pl.col(PART)] if types[PART] != pl.Null else []
    found += subjects.subject(types, per_of(query), link=query.link, named=kept.named)
    found += [_TIME.alias("instant")] if kept.exactly else []
    for key, name in zip(kept.keys, kept.by, strict=True):
        text = _text(name, types).fill_null("")
        found.append((pl.when(of_first).then(text) if kept.by_first else text).alias(key))
    return found


def _text(name: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    return schema.severity_class() if name == SEVERITY_CLASS else as_text(name, types[name])


def combine(partials: pl.DataFrame, kept: Kept, query: Query) -> pl.DataFrame:
    """The rows of many parts as one set of rows; cells of cut parts become points."""
    if _FINE not in partials.columns:
        return added(_whole(partials))
    is_fine = pl.col(_FINE).fill_null(value=False)
    time = cell_start(query, pl.col("time")) if kept.timed else pl.lit(None, INSTANT)
    cells = partials.filter(is_fine).with_columns(time.alias("time"))
    return added(_whole(pl.concat([partials.filter(~is_fine), cells]).drop(_FINE)))


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Of parts with devices, or sampled events, and of parts without."""
    flags = [name for name in (subjects.DEVICE, _SAMPLED) if name in rows.columns]
    return rows.with_columns(pl.col(flags).fill_null(value=False)) if flags else rows


def added(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the same keys as one."""
    numbers = [name for name in rows.columns if name == "n" or name.startswith("n.")]
    numbers += [name for name in ("first", "last", _SAMPLED) if name in rows.columns]
    keys = [name for name in rows.columns if name not in numbers]
    how = [_added_up(name) for name in numbers]
    return rows.lazy().group_by(keys).agg(how).select(rows.columns).collect(engine=_engine(rows))


def _engine(rows: pl.DataFrame) -> Literal["streaming", "in-memory"]:
    """Many rows are grouped in half the time as they flow; few are not worth setting it up."""
    return "streaming" if rows.height >= STREAMING_ROWS else "in-memory"


def _added_up(name: str) -> pl.Expr:
    column = pl.col(name)
    if name == "first":
        return column.min()
    if name == "last":
        return column.max()
    return column.any() if name == _SAMPLED else column.sum()


def of_users(rows: pl.DataFrame, links: Links) -> pl.DataFrame:
    """The rows by user: devices that were linked to one are that one."""
    told = subjects.settled(rows, links)
    if subjects.NAME in rows.columns:
        return added(subjects.with_names(told))
    return added(told) if subjects.DEVICE in rows.columns else told


def numbered(rows: pl.DataFrame, starts: Sequence[datetime]) -> pl.DataFrame:
    """The rows with `at`, the number of their point among `starts` (ascending): null before the
    first one, and that of the last one for all that come after it.
    """
    times = pl.Series(starts, dtype=INSTANT)
    place = times.search_sorted(rows["time"], side="right").cast(pl.Int32) - 1
    at = pl.when(pl.col(AT) >= 0).then(AT)
    return rows.with_columns(place.alias(AT)).with_columns(at.alias(AT))


def is_sampled(rows: pl.DataFrame) -> bool:
    """Whether some events stood for more than one."""
    return _SAMPLED in rows.columns and bool(rows[_SAMPLED].any())


def kept_keys(users: pl.DataFrame, keys: Sequence[str], limit: int) -> pl.DataFrame:
    """The rows with the keys past the `limit` that have the most users made one: `folded` is true
    then, and the keys are empty. Users of several of them are still several rows.
    """
    if not keys:
        return users.with_columns(folded=pl.lit(value=False))
    sizes = users.group_by(keys).agg(pl.col(WHO).n_unique().alias("users"))
    best = sizes.sort("users", *keys, descending=[True, *([False] * len(keys))]).head(limit)
    marked = users.join(best.drop("users").with_columns(folded=False), on=keys, how="left")
    marked = marked.with_columns(pl.col("folded").fill_null(value=True))
    blank = [pl.when("folded").then(pl.lit("")).otherwise(key).alias(key) for key in keys]
    return marked.with_columns(blank)


def folded(rows: pl.DataFrame, keys: Sequence[str], limit: int) -> pl.DataFrame:
    """The same, with each user's rows of all folded keys added up."""
    marked = kept_keys(rows, keys, limit)
    return added(marked) if marked["folded"].any() else marked
