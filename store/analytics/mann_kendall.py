"""Whether values rise or fall in the course of time: Mann and Kendall's test, and Sen's slope.

Two-sided, with the variance corrected for ties and the sum for continuity; no assumption of a
straight line or of normal errors. https://doi.org/10.2307/1907187, and for the slope, the median of
those of all pairs, https://doi.org/10.1080/01621459.1968.10480934
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

ALPHA: Final = 0.05
LEAST: Final = 8
"""Fewer values tell nothing: the normal distribution is too far from the true one."""
MOST: Final = 1_000
"""Of more values, the last ones are looked at: their pairs are half a million."""


class Trend(NamedTuple):
    """What the values do."""

    word: str
    """`up`, `down`, or `flat` where there is no clear trend, or there are too few values."""
    slope: float | None
    """Change from one value to the next; None with fewer than two."""
    p: float | None
    """How likely so clear a trend is by chance; None with too few values."""
    size: int
    """How many values there were."""


def trend(values: Sequence[float | None]) -> Trend:
    """The trend of values at equal distances; None where one is missing."""
    known = [(at, value) for at, value in enumerate(values) if value is not None][-MOST:]
    if len(known) < 2:
        return Trend("flat", None, None, len(known))
    total, slope = _pairs(known)
    count = len(known)
    if count < LEAST:
        return Trend("flat", slope, None, count)
    deviation = math.sqrt(_variance([value for _, value in known]))
    p = math.erfc((abs(total) - 1) / deviation / math.sqrt(2)) if deviation and total else 1.0
    word = "flat" if p >= ALPHA else "up" if total > 0 else "down"
    return Trend(word, slope, p, count)


def _pairs(known: Sequence[tuple[int, float]]) -> tuple[int, float]:
    """How many more pairs rise than fall, and the median of their slopes."""
    frame = pl.DataFrame(known, schema={"at": pl.Int64, "value": pl.Float64}, orient="row").lazy()
    pairs = frame.join_where(frame, pl.col("at") < pl.col("at_after"), suffix="_after")
    rise = pl.col("value_after") - pl.col("value")
    slope = rise / (pl.col("at_after") - pl.col("at"))
    found = pairs.select(rise.sign().sum().alias("total"), slope.median().alias("slope"))
    total, middle = found.collect().row(0)
    return int(total), float(middle)


def _variance(values: Sequence[float]) -> float:
    def term(count: int) -> int:
        return count * (count - 1) * (2 * count + 5)

    ties = pl.Series(values).value_counts()["count"].to_list()
    return (term(len(values)) - sum(map(term, ties))) / 18
