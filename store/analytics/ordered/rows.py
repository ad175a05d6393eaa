"""Events to the rows that an ordered analysis keeps of them."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from store.analytics.ordered import subjects
from store.schema import PART

TIME: Final = "time"
"""The event's own time, to the microsecond; an edge of the span cuts the rows by it."""
SAMPLED: Final = "is_sampled"
"""True where an event stands for more than one; absent or null is false. It is not weighed: see
store.analytics.shapes.Finished.
"""
ROWS_MAX: Final = 60_000_000
"""More rows than these are refused: they take a gigabyte before they are sorted."""
COLUMNS: Final = ("event_time", "sample_rate")
"""What `reduced` reads beside the subject's columns and those of `keep` and `values`."""


def reduced(
    events: pl.LazyFrame,
    keep: pl.Expr | None,
    values: Sequence[pl.Expr],
    *,
    per: str = subjects.USER,
    link: bool = True,
    named: bool = False,
) -> pl.LazyFrame:
    """PART, TIME, the subject's columns and `values` of the events that `keep` finds: a partial of
    an ordered analysis, with or without a cut. WHO is null in those of nobody.
    """
    kinds = events.collect_schema()
    # Nobody's are few, and whose each is need then be read of the kept ones alone.
    kept = events.filter(subjects.is_known(per) if keep is None else keep)
    of = subjects.subject(kinds, per, link=link, named=named)
    return kept.select(PART, pl.col("event_time").alias(TIME), *of, *values, *sampled(kinds))


def sampled(kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """SAMPLED of each event; nothing where none has a rate."""
    has_rates = kinds.get("sample_rate", pl.Null()) != pl.Null
    return [(pl.col("sample_rate") > 1).alias(SAMPLED)] if has_rates else []


def is_sampled(rows: pl.DataFrame) -> bool:
    """Whether some of the events stood for more than one."""
    return SAMPLED in rows.columns and bool(rows[SAMPLED].any())
