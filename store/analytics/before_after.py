"""Before and after: how the reach of features differs on both sides of an instant, such as that of
a release.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import polars as pl

from store.analytics.activity import AT
from store.analytics.adopting import FEATURE, Frame, since
from store.analytics.ordered.subjects import WHO
from store.analytics.shares import newcombe, wilson
from store.errors import UsageError
from store.schema import PART
from store.timespan import iso

SHOWN: Final = ("before_rate", "after_rate", "difference", "difference_low", "difference_high")
_SIDES: Final = ("before", "after")
_RELEASE: Final = "\0release"
"""Stands among the features for a version."""


class Sides(NamedTuple):
    """As many whole intervals before an instant as after it, by their numbers; the one that it lies
    within is of both, and left out.
    """

    at: datetime
    before: range
    after: range

    def summary(self, frame: Frame) -> dict[str, str]:
        """What is compared with what, for all features."""
        edges = {
            f"{side}_{end}": iso(frame.grid[number])
            for side, numbers in zip(_SIDES, (self.before, self.after), strict=True)
            for end, number in (("start", numbers.start), ("end", numbers.stop))
        }
        return {"at": iso(self.at), **edges}


def sides(frame: Frame, at: datetime, place: str) -> Sides:
    """Those of `at`; a UsageError names `place`, the option, when there are none."""
    if not frame.count or not frame.grid[0] <= at < frame.grid[-1]:
        fault = f"{iso(at)} is not in the time that is asked about"
        raise UsageError(place, fault, next_step="write --since and --until around it")
    holds = bisect_right(frame.grid, at) - 1
    first = holds + (frame.grid[holds] < at)
    count = min(holds, frame.over - first)
    if count < 1:
        fault = f"there is no whole interval that is over on both sides of {iso(at)}"
        hint = "take a longer time around it, or a shorter --interval"
        raise UsageError(place, fault, next_step=hint)
    return Sides(at, range(holds - count, holds), range(first, first + count))


def told(
    uses: pl.DataFrame, anything: pl.DataFrame, frame: Frame, found: Sides
) -> Mapping[str, dict[str, Any]]:
    """For each feature and side the users, the active ones since it was there, and their share; and
    the difference of the shares with its 95 % interval (Newcombe). `uses` and `anything` are as in
    `adopting.told`.
    """
    used, active = frame.until(uses), frame.until(anything)
    born = used.group_by(FEATURE).agg(pl.col("first").min().alias("born"))
    before, after = (_side(used, active, born, numbers) for numbers in (found.before, found.after))
    return {name: _values(before[name], after[name]) for name in born[FEATURE]}


def nothing() -> dict[str, Any]:
    """Of a feature that nobody used."""
    return _values((0, 0), (0, 0))


def _side(
    used: pl.DataFrame, active: pl.DataFrame, born: pl.DataFrame, numbers: range
) -> Mapping[str, tuple[int, int]]:
    """For each feature, its users and the active ones in some intervals."""
    inside = pl.col(AT).is_between(numbers.start, numbers.stop - 1)
    users = used.filter(inside).group_by(FEATURE).agg(pl.col(WHO).n_unique().alias("users"))
    last = active.filter(inside).group_by(WHO).agg(pl.col("last").max())["last"]
    sizes = born.with_columns(active=since(last, born["born"])).join(users, on=FEATURE, how="left")
    counted = sizes.select(FEATURE, pl.col("users").fill_null(0), "active")
    return {name: (count, of) for name, count, of in counted.rows()}


def _values(before: tuple[int, int], after: tuple[int, int]) -> dict[str, Any]:
    shares = [wilson(*side) for side in (before, after)]
    gap = newcombe(shares[1], shares[0])
    values: dict[str, Any] = {}
    for side, counts, share in zip(_SIDES, (before, after), shares, strict=True):
        names = (f"{side}_users", f"{side}_active", f"{side}_rate")
        values |= dict(zip(names, (*counts, share.share), strict=True))
    return values | dict(zip(SHOWN[2:], gap, strict=True))


# The release


def first_of(events: pl.LazyFrame, version: str) -> pl.LazyFrame:
    """When each part first has a version, as a row beside those of `activity`: anybody's events
    tell, and nobody's.
    """
    parts = [PART] if events.collect_schema()[PART] != pl.Null else []
    time = pl.col("event_time")
    told = [pl.len().cast(pl.Int64).alias("n"), time.min().alias("first"), time.max().alias("last")]
    found = events.filter(pl.col("service_version") == version)
    rows = found.group_by(parts).agg(told) if parts else found.select(told)
    return rows.filter(pl.col("n") > 0).with_columns(pl.lit(_RELEASE).alias(FEATURE))


def apart(rows: pl.DataFrame) -> tuple[pl.DataFrame, datetime | None]:
    """The rows of `activity` alone, and when the version was first there."""
    is_release = pl.col(FEATURE).eq_missing(pl.lit(_RELEASE))
    first: Any = rows.filter(is_release)["first"].min()
    return rows.filter(~is_release), first


def with_release(frame: pl.LazyFrame, events: pl.LazyFrame, version: str | None) -> pl.LazyFrame:
    """The partial of adoption with the row of the version, if one is asked about."""
    if version is None:
        return frame
    return pl.concat([frame, first_of(events, version)], how="diagonal")


def check(at: str | None, release: str | None, compare: str | None) -> None:
    """A UsageError where there are two of them, which say what is held against what, or nothing."""
    if at is not None and release is not None:
        raise UsageError("release", "--at says when as well", next_step="keep one of them")
    if compare and (at is not None or release is not None):
        fault = "before and after are compared already"
        raise UsageError("compare", fault, next_step="leave it out, or --at and --release")
    if release is not None and not release.strip():
        raise UsageError("release", "it names no version", next_step="write --release 2.3.1")
