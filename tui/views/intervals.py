"""How wide a point of a chart is: round on a clock, and no more points than columns."""

from datetime import timedelta
from typing import Final

from store.timespan import TimeSpan

_SECONDS: Final = (0.1, 0.2, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40)
_MINUTES: Final = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40)
_HOURS: Final = (1, 1.5, 2, 3, 4, 6, 8, 12)
_DAYS: Final = (1, 2, 3, 4, 7, 14, 28)
WIDTHS: Final = (
    *(timedelta(milliseconds=ms) for ms in (1, 2, 5, 10, 20, 50)),
    *(timedelta(seconds=number) for number in _SECONDS),
    *(timedelta(minutes=number) for number in _MINUTES),
    *(timedelta(hours=number) for number in _HOURS),
    *(timedelta(days=number) for number in _DAYS),
)


def interval_for(length: timedelta, columns: int) -> timedelta:
    """The narrowest of WIDTHS with which `length` has at most `columns` points."""
    wanted = length / max(1, columns)
    return next((width for width in WIDTHS if width >= wanted), WIDTHS[-1])


def points_of(span: TimeSpan, interval: timedelta) -> int:
    """How many points a chart of `span` has, however the span lies on the clock: a picture whose
    number of points changed from tick to tick would be drawn anew each time.
    """
    return max(1, round(span.length / interval))
