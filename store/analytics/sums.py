"""Sums and means that do not hang on the order in which rows came."""

from typing import Final

import polars as pl

DIGITS: Final = 12
"""So many of a sum of fractions are the same in any order, up to ten million of them."""


def steady(value: pl.Expr) -> pl.Expr:
    """A sum of fractions without the digits that another order changes; whole numbers stay whole."""
    return pl.when(value == value.round(0)).then(value).otherwise(value.round_sig_figs(DIGITS))


def mean_seconds(seconds: pl.Expr) -> pl.Expr:
    """In a group: the mean of seconds that are whole microseconds; null where there are none."""
    micros = (seconds * 1e6).round(0).cast(pl.Int64)
    count = micros.count()
    return pl.when(count > 0).then(micros.sum() / (count * 1e6))
