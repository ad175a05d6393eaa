"""Events larger than the limit: their longest values are cut, the rest is kept."""

from typing import Any, Final

import polars as pl

from store.normalise.columns import longest
from store.normalise.json_text import dumps, loads
from store.schema import OVERFLOW, REQUIRED

ORIGINAL_BYTES: Final = "original_bytes"
"""The column that says how large a cut event was."""
OTHER_BYTES: Final = 8
"""What a number, a boolean or a time counts for."""


def within(events: pl.DataFrame, event_bytes_max: int) -> pl.DataFrame:
    """No event whose values take more than `event_bytes_max`: text in UTF-8, 8 for any other.

    The longest texts of a larger one are cut to one common length, between characters, and
    ORIGINAL_BYTES says what it had. A list that was cut is no JSON any more.
    """
    texts = [name for name, kind in events.schema.items() if kind == pl.String]
    others = OTHER_BYTES * (events.width - len(texts))
    if events.estimated_size() + others <= event_bytes_max:  # one takes no more than all do
        return events
    # For a few hundred events, looking at each column costs less than an expression over all.
    if sum(longest(events[name]) for name in texts) + others <= event_bytes_max:
        return events
    lengths = pl.sum_horizontal(pl.col(texts).str.len_bytes().cast(pl.Int64))
    sizes = events.select((lengths + others).alias(ORIGINAL_BYTES)).to_series()
    too_large = sizes > event_bytes_max
    if not too_large.any():
        return events
    rows = too_large.arg_true()
    columns = [name for name in texts if name not in REQUIRED]
    cut = [_cut(row, event_bytes_max - others) for row in events[rows][columns].to_dicts()]
    changed = (
        events[name].scatter(rows, pl.Series([row[name] for row in cut], dtype=pl.String))
        for name in columns
    )
    return events.with_columns(*changed, sizes.set(~too_large, None))


def _cut(row: dict[str, Any], budget: int) -> dict[str, Any]:
    overflow = loads(row[OVERFLOW].encode()) if row.get(OVERFLOW) else {}
    texts = [v for v in (*row.values(), *overflow.values()) if isinstance(v, str)]
    longest = _level([len(text.encode()) for text in texts], budget)
    shorter = {name: _shortened(value, longest) for name, value in row.items()}
    if overflow:
        within_it = {name: _shortened(value, longest) for name, value in overflow.items()}
        shorter[OVERFLOW] = dumps(within_it)
    return shorter


def _level(lengths: list[int], budget: int) -> int:
    """The length to which all must be cut to take no more than `budget` together."""
    left = len(lengths)
    for length in sorted(lengths):
        if length * left > budget:
            return max(budget // left, 0)
        budget -= length
        left -= 1
    return max(lengths, default=0)


def _shortened(value: Any, bytes_max: int) -> Any:
    """Without half a character at the end."""
    if not isinstance(value, str) or len(value) * 4 <= bytes_max:
        return value
    return value.encode()[:bytes_max].decode(errors="ignore")
