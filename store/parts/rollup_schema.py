"""The columns of a rollup; FORMAT.md has what they mean."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from store.schema import INSTANT

HASHES: Final = pl.List(pl.UInt64())
ROLLUP_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "tier": pl.UInt8(),
    "kind": pl.UInt8(),
    "time": INSTANT,
    "event_type": pl.String(),
    "event_name": pl.String(),
    "service_name": pl.String(),
    "service_version": pl.String(),
    "severity_class": pl.String(),
    "n": pl.Int64(),
    "weight": pl.Float64(),
    "weight.0": pl.Float64(),
    "sum.0": pl.Float64(),
    "low.0": pl.Float64(),
    "high.0": pl.Float64(),
    "errors": pl.Float64(),
    "severities": pl.Float64(),
    "first": INSTANT,
    "last": INSTANT,
    "subjects": HASHES,
    "reach.subjects": pl.UInt64(),
    "devices": HASHES,
    "reach.devices": pl.UInt64(),
    "sessions": HASHES,
    "reach.sessions": pl.UInt64(),
    "bucket": pl.List(pl.Int32()),
    "weights": pl.List(pl.Float64()),
    "device": pl.UInt64(),
    "user": pl.UInt64(),
}
"""All columns of every rollup, in their order; those that a row has nothing to say in are null."""
