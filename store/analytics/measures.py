"""What is measured: `count`, `users`, `p95:duration_ms`, … as values."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.errors import UsageError
from store.schema import EXACT_FLOAT_MAX

PLAIN: Final = ("count", "rate", "users", "sessions")
OF_FIELD: Final = ("sum", "mean", "min", "max")
Number = float | int | None
_PERCENTILE: Final = re.compile(r"p(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Measure:
    """One number asked of a group of events."""

    text: str
    kind: str
    """`count`, `rate`, `users`, `sessions`, `values` (how many have the attribute), `sum`, `mean`,
    `min`, `max` or `percentile`.
    """
    of: str = ""
    """The attribute that is measured; "" for those that count."""
    quantile: float = 0.0
    """0 to 1, of a percentile."""

    @property
    def adds_up(self) -> bool:
        """True when the measure of a whole is the sum of those of its shares; none is 0 then."""
        return self.kind in ("count", "rate", "values", "sum")

    @property
    def needs(self) -> int:
        """How many numbers a percentile should rest on, so that one of them lies beyond it: 100 for
        p99 (and p1), 20 for p95; 1 for the extremes, and for what is no percentile.
        """
        beyond = min(self.quantile, 1 - self.quantile)
        return round(1 / beyond) if beyond else 1

    @property
    def counts(self) -> bool:
        """True when there being nothing is the number 0, and not an absent number."""
        return self.adds_up or self.kind in ("users", "sessions")


def parse_measure(text: str) -> Measure:
    """`count`, `rate`, `users`, `sessions`, `sum:F`, `mean:F`, `min:F`, `max:F`, `p50:F`, `p99.9:F`.

    A UsageError says what else could have been meant.
    """
    kind, _, of = text.strip().partition(":")
    if kind in PLAIN and not of:
        return Measure(text, kind)
    percentile = _PERCENTILE.fullmatch(kind)
    if percentile and of and float(percentile[1]) <= 100:
        return Measure(text, "percentile", of, float(percentile[1]) / 100)
    if kind in OF_FIELD and of:
        return Measure(text, kind, of)
    raise UsageError(
        "measure",
        f"{text!r} is none",
        next_step="write count, rate, users, sessions, or sum, mean, min, max, p95 with an "
        "attribute: p95:duration_ms",
    )


FEW_VALUES: Final = 500
"""Up to here a loop is the faster way: Polars takes as long for a step as it does for 200 values."""


def number(value: float | None, measure: Measure, seconds: float) -> Number:
    """A measured value as it is shown: whole where it counts, a rate out of a count in `seconds`;
    nothing found is 0 where that is a count, else None.
    """
    if value is None or not math.isfinite(value):
        return 0 if measure.counts else None
    if measure.kind == "rate":
        return value / seconds if seconds > 0 else 0
    if measure.kind in ("users", "sessions"):
        return round(value)
    return int(value) if value.is_integer() and abs(value) < EXACT_FLOAT_MAX else value


def numbers(values: pl.Series, measure: Measure, seconds: Sequence[float]) -> Sequence[Number]:
    """`number` of each of them, with its own seconds."""
    if len(values) <= FEW_VALUES:
        return [number(value, measure, seconds[at]) for at, value in enumerate(values.to_list())]
    finite = values.is_finite().fill_null(value=False)
    if measure.kind == "rate":
        length = pl.Series(seconds, dtype=pl.Float64)
        rates = (values / length).zip_with(finite & (length > 0), values.clear(len(values)))
        return [0 if rate is None else rate for rate in rates]
    known = values.filter(finite)
    if measure.counts and (known.abs() < EXACT_FLOAT_MAX).all() and (known == known.floor()).all():
        return (
            values.zip_with(finite, values.clear(len(values))).fill_null(0).cast(pl.Int64).to_list()
        )
    return [number(value, measure, 1.0) for value in values]
