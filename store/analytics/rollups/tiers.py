"""The grids that rollups are kept in: how fine, by which keys, with which numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from store.analytics.cells import SEVERITY_CLASS, Spec
from store.timespan import UNITS, ceil, floor

KEYS: Final = ("event_type", "event_name", "service_name", "service_version", SEVERITY_CLASS)
MEASURED: Final = "duration_ms"
"""The attribute of which sums, extremes and percentiles are kept."""
FOLDED: Final = "… other"
"""Stands for the values of a key past the VALUES_MAX most frequent ones of a part."""
VALUES_MAX: Final = 1_000
HASHES: Final = "xxh3-64"
"""By what sessions are hashed. Rollups of before were hashed by Polars, whose versions differ."""
LINK_TIER: Final = 0
"""The code of the rows that link devices to users."""
_WEEK: Final = UNITS["w"]
_TO_MONDAY: Final = timedelta(days=4)
"""From the epoch, a Thursday, to the first Monday after it."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One grid. The cells of a wider one are made of whole cells of each finer one."""

    name: str
    code: int
    """Names it in files."""
    every: str
    """Its width, as Polars writes durations."""
    width: timedelta
    """Of a cell; of a month, the shortest."""
    floor: Callable[[datetime], datetime]
    """The start of the cell that holds an instant."""
    ceil: Callable[[datetime], datetime]
    """The first start of a cell that is not before an instant."""
    keys: tuple[str, ...] = KEYS
    set_max: int = 1_024
    """Hashes kept in a set of users, devices or sessions: beyond, within 3 %. None are kept at 0."""

    @property
    def spec(self) -> Spec:
        """The cells that it holds."""
        return Spec(
            by=self.keys,
            stats=(MEASURED,),
            sketches=(MEASURED,),
            users=self.set_max > 0,
            sessions=self.set_max > 0,
            errors=True,
            seen=True,
        )

    def start(self, times: pl.Expr) -> pl.Expr:
        """The starts of the cells that hold `times`."""
        return times.dt.truncate(self.every)


def _plain(name: str, code: int, every: str, width: timedelta, **how: Any) -> Tier:
    return Tier(
        name,
        code,
        every,
        width,
        lambda instant: floor(instant, width),
        lambda instant: ceil(instant, width),
        **how,
    )


def _monday(instant: datetime) -> datetime:
    return floor(instant - _TO_MONDAY, _WEEK) + _TO_MONDAY


def _next_monday(instant: datetime) -> datetime:
    return ceil(instant - _TO_MONDAY, _WEEK) + _TO_MONDAY


def _month(instant: datetime) -> datetime:
    return instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(instant: datetime) -> datetime:
    start = _month(instant)
    return start if start == instant else _month(start + timedelta(days=31))


FIVE_MINUTES: Final = _plain(
    "five_minutes", 1, "5m", timedelta(minutes=5), keys=(SEVERITY_CLASS,), set_max=512
)
"""What the charts of the Overview show, over any span that they are drawn of."""
FIVE_MINUTES_BY_NAME: Final = _plain(
    "five_minutes_by_name",
    7,
    "5m",
    timedelta(minutes=5),
    keys=("event_name", "service_name", "service_version"),
    set_max=0,
)
"""So that names and releases need no more than five minutes of events at an edge, the same ones as
the charts: on 100 million events, a quarter of an hour at each was a third of the first Overview.
"""
QUARTER_HOUR: Final = _plain("quarter_hour", 2, "15m", timedelta(minutes=15), set_max=0)
"""The same for all other questions: no more than a quarter of an hour at an edge."""
HOUR: Final = _plain("hour", 3, "1h", UNITS["h"], set_max=256)
DAY: Final = _plain("day", 4, "1d", UNITS["d"])
WEEK: Final = Tier("week", 5, "1w", _WEEK, _monday, _next_monday)
MONTH: Final = Tier("month", 6, "1mo", timedelta(days=28), _month, _next_month)

FINE: Final = (FIVE_MINUTES_BY_NAME, FIVE_MINUTES, QUARTER_HOUR, HOUR)
"""Made of the events, an hour at a time."""
TIERS: Final = (*FINE, DAY, WEEK, MONTH)
"""From fine to coarse; days are made of hours, weeks and months of days."""
