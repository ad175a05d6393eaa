"""Who began when, and who of them came back how much later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from store.analytics.activity import AT, Kept
from store.analytics.ordered.subjects import WHO
from store.timespan import AHEAD_MAX

_BLOCK: Final = "block"


@dataclass(frozen=True, slots=True)
class Returns:
    """What counts as coming back."""

    periods: int
    """How many after the start are looked at."""
    least: int = 1
    """Events in a period that make it a return."""
    or_after: bool = False
    """Back in a period counts for those before it as well."""
    own: timedelta | None = None
    """The width of periods that are counted from each one's start, if they are."""
    ahead: datetime | None = None
    """Now: what lies days ahead of it has a wrong time, and is no return."""


def begun(rows: pl.DataFrame, kept: Kept, cohorts: int, *, ever: bool) -> pl.DataFrame:
    """`who`, `at` (the number of the cohort, below `cohorts`), and if it is kept `first` (when the
    start was) with the keys it had: for everyone's first start (`ever`), or the first one in each
    period.
    """
    starts = rows.filter(pl.col(kept.count(0)) > 0)
    if not kept.seen:
        starts = starts.select(WHO, AT)
        if ever:
            before = pl.col(AT).fill_null(-1)
            starts = starts.group_by(WHO).agg(before.min()).filter(pl.col(AT) >= 0)
    else:
        # Rows of one instant differ in their keys: the least of them, whatever came first.
        ordered = starts.select(WHO, AT, "first", *kept.keys).sort("first", *kept.keys)
        one = [WHO] if ever else [WHO, AT]
        starts = ordered.unique(one, keep="first", maintain_order=True)
    return starts.filter(pl.col(AT) < cohorts)


def counts(begun: pl.DataFrame, rows: pl.DataFrame, kept: Kept, wanted: Returns) -> pl.DataFrame:
    """`users` for each cohort (`folded`, keys, `at`) and k: all of it for k = 0, else those who
    came back after k periods.
    """
    group = ["folded", *kept.keys, AT]
    sizes = begun.group_by(group).agg(pl.lit(0, pl.Int32).alias("k"), pl.len().alias("users"))
    found = _own(begun, rows, kept, wanted) if wanted.own else _calendar(begun, rows, kept, wanted)
    back = found.group_by(*group, "k").agg(pl.len().alias("users"))
    if wanted.or_after:
        back = _or_after(back, group)
    return pl.concat([sizes, back.select(sizes.columns)])


def records(begun: pl.DataFrame, rows: pl.DataFrame, kept: Kept, wanted: Returns) -> pl.DataFrame:
    """Of everyone who began: WHO, `at`, and `back`, the k of the periods that count, ascending."""
    found = _own(begun, rows, kept, wanted) if wanted.own else _calendar(begun, rows, kept, wanted)
    if wanted.or_after:
        each = pl.int_ranges(1, pl.col("k") + 1, dtype=pl.Int32).alias("back")
        told = found.select(WHO, AT, each)
    else:
        told = found.group_by(WHO, AT).agg(pl.col("k").sort().alias("back"))
    none = pl.lit([], pl.List(pl.Int32))
    everybody = begun.select(WHO, AT).join(told, on=[WHO, AT], how="left")
    return everybody.with_columns(pl.col("back").fill_null(none))


def _calendar(begun: pl.DataFrame, rows: pl.DataFrame, kept: Kept, wanted: Returns) -> pl.DataFrame:
    """A row for everyone who began and each k, or (or_after) the greatest k."""
    back = _returns(rows, kept, wanted, AT).filter(pl.col(AT).is_not_null())
    later = (pl.col("back") - pl.col(AT)).alias("k")
    if wanted.or_after:
        last = back.group_by(WHO).agg(pl.col(AT).max().alias("back"))
        return _capped(begun.join(last, on=WHO).with_columns(later), wanted)
    # Blocks of periods keep users with many starts and many returns from meeting all to all.
    width = max(1, wanted.periods)
    both = [begun.with_columns((pl.col(AT) // width + at).alias(_BLOCK)) for at in (0, 1)]
    near = back.select(WHO, pl.col(AT).alias("back"), (pl.col(AT) // width).alias(_BLOCK)).lazy()
    met = pl.concat(both).lazy().join(near, on=[WHO, _BLOCK]).with_columns(later)
    return met.filter(pl.col("k").is_between(1, wanted.periods)).collect()


def _own(begun: pl.DataFrame, rows: pl.DataFrame, kept: Kept, wanted: Returns) -> pl.DataFrame:
    back = _returns(rows, kept, wanted, "instant").lazy()
    micros = (wanted.own or timedelta()) // timedelta(microseconds=1)
    since = (pl.col("instant") - pl.col("first")).dt.total_microseconds()
    k = (since // micros).cast(pl.Int32).alias("k")
    met = begun.lazy().join(back, on=WHO).filter(since >= micros)
    if not wanted.or_after:
        met = met.filter(since < micros * (wanted.periods + 1))
    group = [name for name in begun.columns if name != "first"]
    enough = met.group_by(*group, k).agg(pl.col("returns").sum())
    enough = enough.filter(pl.col("returns") >= wanted.least)
    if not wanted.or_after:
        return enough.collect()
    return _capped(enough.group_by(group).agg(pl.col("k").max()).collect(), wanted)


def is_back(kept: Kept, wanted: Returns) -> pl.Expr:
    """Whether a row of users tells of a return."""
    came = pl.col(kept.count(len(kept.kinds) - 1)) > 0
    return came & (pl.col("time") <= wanted.ahead + AHEAD_MAX) if wanted.ahead else came


def _returns(rows: pl.DataFrame, kept: Kept, wanted: Returns, when: str) -> pl.DataFrame:
    """`who`, when, and how many `returns` there were (enough of them, in a period)."""
    count = kept.count(len(kept.kinds) - 1)
    back = rows.filter(is_back(kept, wanted))
    if kept.by:
        back = back.group_by(WHO, when, "time").agg(pl.col(count).sum())
    back = back.select(WHO, when, pl.col(count).alias("returns"))
    return back.filter(pl.col("returns") >= wanted.least) if when == AT else back


def _capped(last: pl.DataFrame, wanted: Returns) -> pl.DataFrame:
    """With k no greater than what is looked at; without those who never came back."""
    k = pl.col("k").clip(upper_bound=wanted.periods).cast(pl.Int32)
    return last.filter(pl.col("k") >= 1).with_columns(k.alias("k"))


def _or_after(last: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Out of how many came back last after k periods: how many did after k or more."""
    each = last.with_columns(pl.int_ranges(1, pl.col("k") + 1, dtype=pl.Int32).alias("k"))
    return each.explode("k").group_by(*group, "k").agg(pl.col("users").sum())
