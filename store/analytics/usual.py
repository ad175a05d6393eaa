"""What is usual for a point of a series: the median of those like it, and how far they stray."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from store.timespan import UNITS

SERIES: Final = "series"
TIMES: Final = 4.0
"""So many deviations from the median are usual."""
WEEKS: Final = timedelta(weeks=8)
"""Of the same hour of the week."""
WEEKS_LEAST: Final = timedelta(weeks=4)
DAYS: Final = timedelta(days=7)
"""Of all hours, while there are fewer weeks."""
LONG_POINTS: Final = 26
"""Of points longer than a day."""
FEW: Final = 4
"""Fewer points of the same hour tell nothing."""
FEW_OF_ALL: Final = 12
_SHARE: Final = 0.05
"""Of the median: the deviation of measures that never changed."""
_ANSCOMBE: Final = 3 / 8


@dataclass(frozen=True, slots=True)
class Usual:
    """How points are judged."""

    width: timedelta
    tz: str
    counts: bool
    """Whether the values count something, so that chance alone makes them stray."""

    @property
    def is_long(self) -> bool:
        """Whether points are longer than a day, and so have no hour or weekday."""
        return self.width > UNITS["d"]


def judged(points: pl.DataFrame, first: datetime, rule: Usual) -> pl.DataFrame:
    """The points (SERIES, `time`, `value`) with `expected`, `low`, `high`, `score`, and `like`:
    whether they were held against the same hour of the week. Those with too little before them are
    left out. `first` is where history begins.
    """
    local = pl.col("time").dt.convert_time_zone(rule.tz)
    hour = local.dt.hour() if rule.width < UNITS["d"] else pl.lit(0)
    slot = local.dt.weekday().cast(pl.Int32) * 24 + hour.cast(pl.Int32)
    placed = points.with_columns(slot=slot).sort(SERIES, "time")
    days = rule.width * LONG_POINTS if rule.is_long else DAYS
    of_all = _spread(placed, [SERIES], days, FEW if rule.is_long else FEW_OF_ALL)
    if rule.is_long:
        return _scored(of_all.with_columns(like=False), rule)
    same = _spread(placed, [SERIES, "slot"], WEEKS, FEW)
    has_weeks = pl.col("time") >= first + WEEKS_LEAST
    chosen = pl.concat(
        [
            same.filter(has_weeks).with_columns(like=True),
            of_all.filter(~has_weeks).with_columns(like=False).select(*same.columns, "like"),
        ]
    )
    return _scored(chosen, rule)


def _spread(placed: pl.DataFrame, group: list[str], before: timedelta, least: int) -> pl.DataFrame:
    """With the median of the points of the group in the time before, and how far they stray."""
    middle = pl.col("value").median()
    windows = (
        placed.sort(*group, "time")
        .rolling("time", period=before, closed="left", group_by=group)
        .agg(
            middle.alias("expected"),
            (pl.col("value") - middle).abs().median().alias("stray"),
            pl.len().alias("count"),
        )
    )
    found = placed.join(windows, on=[*group, "time"])
    columns = [SERIES, "time", "value", "slot", "expected", "stray"]
    return found.filter(pl.col("count") >= least).select(columns)


def _scored(points: pl.DataFrame, rule: Usual) -> pl.DataFrame:
    value, middle, stray = pl.col("value"), pl.col("expected"), pl.col("stray")
    if rule.counts:
        # Twice the root of a Poisson number is normal, with a deviation of 1.
        root = 2 * (middle.clip(0) + _ANSCOMBE).sqrt()
        apart = (2 * (value.clip(0) + _ANSCOMBE).sqrt() - root).abs()
        ends = [((root + side * TIMES).clip(0) / 2) ** 2 - _ANSCOMBE for side in (-1, 1)]
    else:
        share = middle.abs() * _SHARE
        apart = pl.when(share > 0).then((value - middle).abs() / share).otherwise(0.0)
        ends = [middle + side * TIMES * share for side in (-1, 1)]
    is_flat = stray <= 0
    floor = pl.when(middle >= 0).then(0.0).otherwise(None)
    low = pl.when(is_flat).then(ends[0]).otherwise(middle - TIMES * stray)
    return points.with_columns(
        pl.when(is_flat).then(apart).otherwise((value - middle).abs() / stray).alias("score"),
        pl.max_horizontal(low, floor).alias("low"),
        pl.when(is_flat).then(ends[1]).otherwise(middle + TIMES * stray).alias("high"),
    )


def reason(row: Mapping[str, Any], rule: Usual) -> str:
    """`412, usual 80 to 130 for Mondays 10h`."""
    found = f"{_short(row['value'])}, usual {_short(row['low'])} to {_short(row['high'])}"
    if rule.is_long:
        return f"{found} of the {LONG_POINTS} before"
    if not row["like"]:
        return f"{found} in the 7 days before"
    local = row["time"].astimezone(ZoneInfo(rule.tz))
    hour = "" if rule.width >= UNITS["d"] else f" {local.hour}h"
    return f"{found} for {calendar.day_name[local.weekday()]}s{hour}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
