"""Frames of events with differing columns and types as one, without damage to a value."""

from collections.abc import Sequence

import polars as pl

from store.normalise.columns import extremes
from store.schema import EXACT_FLOAT_MAX, as_text, widened


def united(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows in their order; where types differ they are widened as a scan widens parts:
    integers to floats while that is exact, else to text, without a `.0`.
    """
    found = [frame for frame in frames if frame.height]
    if len(found) <= 1:
        return found[0] if found else pl.DataFrame()
    types: dict[str, list[pl.DataType]] = {}
    for frame in found:
        for name, kind in frame.schema.items():
            types.setdefault(name, []).append(kind)
    differing = {name for name, kinds in types.items() if len(set(kinds)) > 1}
    if differing:
        target = {name: _exact_type(name, types[name], found) for name in differing}
        found = [_cast(frame, target) for frame in found]
    return pl.concat(found, how="diagonal")


def _exact_type(
    name: str, kinds: Sequence[pl.DataType], frames: Sequence[pl.DataFrame]
) -> pl.DataType:
    kind = widened(kinds)
    if kind == pl.Int128:
        return pl.String()  # Parquet has no such integers
    if kind != pl.Float64:
        return kind
    whole = (f[name] for f in frames if name in f.columns and f[name].dtype.is_integer())
    ends = (end for values in whole for end in extremes(values) if end is not None)
    exact = all(abs(end) <= EXACT_FLOAT_MAX for end in ends)
    return kind if exact else pl.String()


def _cast(frame: pl.DataFrame, target: dict[str, pl.DataType]) -> pl.DataFrame:
    changes = []
    for name in target.keys() & set(frame.columns):
        kind = frame.schema[name]
        if kind != target[name]:
            text = target[name] == pl.String
            changes.append(as_text(name, kind) if text else pl.col(name).cast(target[name]))
    return frame.with_columns(changes)
