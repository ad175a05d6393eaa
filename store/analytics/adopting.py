"""The numbers of adoption, out of who used what when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from store.analytics import activity
from store.analytics.activity import AT
from store.analytics.mann_kendall import trend
from store.analytics.ordered.subjects import WHO
from store.analytics.shares import wilson
from store.schema import INSTANT

FEATURE: Final = "feature"
HABIT_PERIODS: Final = 4
VALUES: Final = (
    *("feature", "users", "active_users", "adoption_rate", "low", "high", "uses_per_user"),
    *("median_uses", "first_used", "last_used", "trend", "change", "p_value", "periods", "reach"),
    *("new_adopters", "habit", "habit_of", "adopters", "ever_active", "seconds_to_adopt"),
    "not_yet",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The intervals that are looked at: their starts, and the end of the last one."""

    grid: Sequence[datetime]
    now: datetime | None

    @property
    def count(self) -> int:
        return max(0, len(self.grid) - 1)

    @property
    def over(self) -> int:
        """How many of them are over."""
        return sum(not self.now or end <= self.now for end in self.grid[1:])

    def inside(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of `activity.numbered` rows that lie within."""
        return rows.filter(pl.col(AT) < self.count)

    def until(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows before its end, with `at`, the number of their interval; null before it."""
        end = pl.lit(self.grid[-1] if self.grid else None, INSTANT)
        return activity.numbered(rows.filter(pl.col("time") < end), self.grid)


def told(
    uses: pl.DataFrame,
    anything: pl.DataFrame,
    frame: Frame,
    features: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    """The values of each feature. `uses` are rows of `activity` with FEATURE, `anything` those of
    all events (of several features, when there are no others).
    """
    used = frame.until(uses)
    active = activity.added(frame.until(anything).drop(FEATURE)) if anything.height else None
    sizes = frame.inside(used).group_by(FEATURE).agg(pl.col(WHO).n_unique().alias("users"))
    best = sizes.sort("users", FEATURE, descending=[True, False]).head(limit)
    shown = list(dict.fromkeys(features)) or best[FEATURE].to_list()
    used = used.filter(pl.col(FEATURE).is_in(shown))
    if active is None or not used.height:
        return [_nothing(name) for name in shown]
    columns = _Columns(used, active, frame)
    return [columns.of(name) for name in shown]


def _nothing(name: str) -> dict[str, Any]:
    """Of a feature that nobody used: the same values, in the same order."""
    zeros = (
        "users",
        "active_users",
        "periods",
        "new_adopters",
        "adopters",
        "ever_active",
        "not_yet",
    )
    told: dict[str, Any] = {**dict.fromkeys(VALUES), **dict.fromkeys(zeros, 0)}
    habit = {"habit": [None] * HABIT_PERIODS, "habit_of": [0] * HABIT_PERIODS}
    return told | {FEATURE: name, "trend": "flat", "reach": []} | habit


class _Columns:
    """What is reckoned for all features at once, by the feature's name."""

    def __init__(self, used: pl.DataFrame, active: pl.DataFrame, frame: Frame) -> None:
        self._frame = frame
        within = frame.inside(used)
        each = within.group_by(FEATURE, WHO).agg(pl.col("n").sum(), pl.col("last").max())
        born = used.group_by(FEATURE).agg(
            pl.col("first").min().alias("born"), pl.col("time").min().alias("born_in")
        )
        first_seen = active.group_by(WHO).agg(pl.col("first").min().alias("seen"))
        began = used.group_by(FEATURE, WHO).agg(pl.col("first", "time").min())
        adopted = activity.numbered(began, frame.grid).join(first_seen, on=WHO, how="left")
        told = born.join(_of_users(each), on=FEATURE, how="left")
        told = told.join(_of_adopters(adopted, frame), on=FEATURE, how="left")
        last = active.group_by(WHO).agg(pl.col("last").max())["last"]
        last_inside = frame.inside(active).group_by(WHO).agg(pl.col("last").max())["last"]
        self._told = told.with_columns(
            ever_active=since(last, told["born"]), active_users=since(last_inside, told["born"])
        )
        self._rows = {row[FEATURE]: row for row in self._told.iter_rows(named=True)}
        self._reach = _reach(within, frame.inside(active), born, frame)
        self._habit = _habits(used, adopted, frame)

    def of(self, name: str) -> dict[str, Any]:
        row = self._rows.get(name)
        if row is None:
            return _nothing(name)
        rate = wilson(row["users"] or 0, row["active_users"])
        reach = self._reach.get(name, [])
        found = trend(reach[: self._frame.over])
        again, of = self._habit.get(name, ([0] * HABIT_PERIODS, [0] * HABIT_PERIODS))
        told = {
            **row,
            **rate._asdict(),
            "adoption_rate": rate.share,
            "users": row["users"] or 0,
            "first_used": row["born"],
            "trend": found.word,
            "change": found.slope,
            "p_value": found.p,
            "periods": found.size,
            "reach": reach,
            "habit": [wilson(*pair).share for pair in zip(again, of, strict=True)],
            "habit_of": of,
            "not_yet": row["ever_active"] - row["adopters"],
        }
        return {name: told[name] for name in VALUES}


def _of_users(each: pl.DataFrame) -> pl.DataFrame:
    return each.group_by(FEATURE).agg(
        pl.len().cast(pl.Int64).alias("users"),
        pl.col("n").mean().alias("uses_per_user"),
        pl.col("n").median().alias("median_uses"),
        pl.col("last").max().alias("last_used"),
    )


def _of_adopters(adopted: pl.DataFrame, frame: Frame) -> pl.DataFrame:
    is_new = pl.col(AT).is_not_null() & (pl.col(AT) < frame.count)
    waited = (pl.col("first") - pl.col("seen")).dt.total_microseconds() / 1e6
    return adopted.group_by(FEATURE).agg(
        pl.len().cast(pl.Int64).alias("adopters"),
        is_new.sum().cast(pl.Int64).alias("new_adopters"),
        waited.median().alias("seconds_to_adopt"),
    )


def since(last: pl.Series, born: pl.Series) -> pl.Series:
    """How many of the users whose last event was then were still active at each birth."""
    earlier = last.sort().search_sorted(born, side="left")
    return (len(last) - earlier.cast(pl.Int64)).cast(pl.Int64)


def _reach(
    within: pl.DataFrame, active: pl.DataFrame, born: pl.DataFrame, frame: Frame
) -> Mapping[str, list[float | None]]:
    """For each feature, the share of active users who used it in each interval; None before it was
    there, and where nobody was.
    """
    users = within.group_by(FEATURE, AT).agg(pl.col(WHO).n_unique().alias("users"))
    sizes = active.group_by(AT).agg(pl.col(WHO).n_unique().alias("active"))
    # In the interval in which it appeared, only those count who were active after that.
    begins = active.select("time", AT, "last").join(born, left_on="time", right_on="born_in")
    least = begins.filter(pl.col("last") >= pl.col("born")).group_by(FEATURE, AT)
    shares = (
        born.join(sizes, how="cross")
        .join(users, on=[FEATURE, AT], how="left")
        .join(least.agg(pl.len().alias("since")), on=[FEATURE, AT], how="left")
        .with_columns(start=pl.lit(pl.Series(frame.grid, dtype=INSTANT)).gather(pl.col(AT)))
        .filter(pl.col("start") >= pl.col("born_in"))
        .with_columns(
            share=pl.col("users").fill_null(0) / pl.coalesce("since", "active"),
        )
    )
    found: dict[str, list[float | None]] = {}
    for name, at, share in shares.select(FEATURE, AT, "share").rows():
        found.setdefault(name, [None] * frame.count)[at] = share
    return found


def _habits(
    used: pl.DataFrame, adopted: pl.DataFrame, frame: Frame
) -> Mapping[str, tuple[list[int], list[int]]]:
    """For each feature: of those who first used it in the span, how many did k intervals later, and
    of how many that is over.
    """
    new = adopted.select(FEATURE, WHO, pl.col(AT).alias("began")).filter(
        pl.col("began").is_not_null() & (pl.col("began") < frame.count)
    )
    back = new.join(used.select(FEATURE, WHO, AT), on=[FEATURE, WHO])
    later = back.with_columns(k=pl.col(AT) - pl.col("began"))
    counted = later.filter(pl.col("k").is_between(1, HABIT_PERIODS) & (pl.col(AT) < frame.over))
    found: dict[str, tuple[list[int], list[int]]] = {}
    for name, last, users in _over(new, frame):
        again, of = found.setdefault(name, ([0] * HABIT_PERIODS, [0] * HABIT_PERIODS))
        for k in range(min(last, HABIT_PERIODS)):
            of[k] += users
    for name, k, users in counted.group_by(FEATURE, "k").agg(pl.len()).rows():
        again, of = found[name]
        again[k - 1] = users
    return found


def _over(new: pl.DataFrame, frame: Frame) -> Iterator[tuple[str, int, int]]:
    """The feature, how many intervals after the start are over, and how many began then."""
    yield from (
        (name, frame.over - 1 - began, users)
        for name, began, users in new.group_by(FEATURE, "began").agg(pl.len()).rows()
    )
