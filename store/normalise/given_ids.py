"""The ids that rows came with, and those that are made for the others."""

from collections.abc import Sequence

import polars as pl


def with_ids(frame: pl.DataFrame, ids: Sequence[str]) -> pl.DataFrame:
    """Raw columns in which each row without an id of its own has that of `ids`."""
    made = pl.Series("event_id", ids, dtype=pl.String)
    if "event_id" not in frame.columns:
        return frame.with_columns(made)
    given = frame["event_id"]
    if given.dtype.is_integer():
        given = given.cast(pl.String)
    if given.dtype != pl.String:
        return frame
    return frame.with_columns(given.zip_with((given != "").fill_null(False), made))
