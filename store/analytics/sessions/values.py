"""What sessions are broken down by: of each attribute the first value that is given among a
session's events; of those at one instant, that of the least event id.

A value is kept with its instant and its id, so the least of two is the first of both.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from store.analytics.breakdown import key_columns, key_texts
from store.analytics.cells import stored_in

_VALUE = "value"


def columns(by: Sequence[str]) -> list[str]:
    """What `given` reads."""
    return [*map(stored_in, by), *(["event_id"] if by else [])]


def given(by: Sequence[str], kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Of an event: its values (`key_columns`), null where it has none."""
    return [
        pl.when(text.is_not_null())
        .then(pl.struct(pl.col("event_time"), pl.col("event_id"), text.alias(_VALUE)))
        .alias(key)
        for key, text in zip(key_columns(by), key_texts(by, kinds), strict=True)
    ]


def firsts(names: Sequence[str]) -> list[pl.Expr]:
    """In a group of events, of pieces: the first value of each attribute, where `names` has it."""
    values = [pl.col(name).drop_nulls() for name in names if name.startswith("key.")]
    return [value.min_by(value) for value in values]


def firsts_of_runs(rows: pl.DataFrame, new: pl.Series) -> list[pl.Series]:
    """The same of each run of rows; `new` is true where one begins."""
    keys = [name for name in rows.columns if name.startswith("key.")]
    if not keys:
        return []
    runs = rows.select(new.cum_sum().alias("run"), *keys)
    found = runs.group_by("run").agg(firsts(keys)).sort("run")
    return found.select(keys).get_columns()


def named(sessions: pl.DataFrame) -> pl.DataFrame:
    """With the values as text; "" without any."""
    keys = [name for name in sessions.columns if name.startswith("key.")]
    texts = [pl.col(key).struct.field(_VALUE).fill_null("").alias(key) for key in keys]
    return sessions.with_columns(texts)
