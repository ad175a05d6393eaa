"""Columns out of the times, ids and counts of OTLP.

In plain Python: for the few hundred records of a request, a Polars expression costs more.
"""

from collections.abc import Iterable

import polars as pl

from store.schema import INSTANT

_NONE = frozenset({"", "0" * 16, "0" * 32})


def instants_of(nanoseconds: Iterable[int]) -> pl.Series:
    """Unix nanoseconds, cut to microseconds; null for 0, which says nothing."""
    return pl.Series([at // 1_000 or None for at in nanoseconds], dtype=pl.Int64).cast(INSTANT)


def whole_of(numbers: Iterable[int]) -> pl.Series:
    """Null for 0."""
    return pl.Series([number or None for number in numbers], dtype=pl.UInt64)


def hex_of(ids: Iterable[bytes]) -> pl.Series:
    """In hex; null for what is empty or all zeros, which says that there is none."""
    texts = [text if (text := each.hex()) not in _NONE else None for each in ids]
    return pl.Series(texts, dtype=pl.String)
