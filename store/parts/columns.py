"""From a frame of events to the columns that a part stores, and their canonical order."""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson
import polars as pl

from store.parts.footer import KIND_NAMES
from store.schema import (
    ATTRIBUTE_PREFIX,
    EXACT_FLOAT_MAX,
    FIXED,
    OVERFLOW,
    PART,
    REQUIRED,
    ROW,
    as_text,
)

_TAKEN: Final = (PART, ROW, "_date")
_ORDER: Final = {name: place for place, name in enumerate(FIXED)}
_INT64_MAX: Final = 2**63 - 1


def storable(events: pl.DataFrame) -> pl.DataFrame:
    """`events` in the types and the order that parts have.

    Columns without a value are left out (but for the required ones), attributes become Boolean,
    Int64, UInt64, Float64 or String, what fits none of them its text. The fixed columns come
    first, then the attributes by name, OVERFLOW last.
    """
    kept = [
        column
        for column in events.get_columns()
        if column.null_count() < events.height or column.name in REQUIRED
    ]
    stored = [_stored(each) for each in kept]
    ordered = sorted(stored, key=lambda column: _place(column.name))
    frame = pl.DataFrame(ordered)
    # An attribute may be called "", which Polars takes for no name at all.
    frame.columns = [column.name for column in ordered]
    return frame


def attribute_name(name: str) -> str:
    """`name`, unless scans or tools that read Hive folders give it another meaning."""
    return f"{ATTRIBUTE_PREFIX}{name}" if name in _TAKEN else name


def wide_columns(events: pl.DataFrame) -> frozenset[str]:
    """The integer attributes with values past 2^53."""
    return frozenset(
        column.name
        for column in events.get_columns()
        if column.dtype in {pl.Int64, pl.UInt64} and column.name not in FIXED and _is_wide(column)
    )


def _is_wide(column: pl.Series) -> bool:
    least, most = cast("int | None", column.min()), cast("int | None", column.max())
    return max(-(least or 0), most or 0) > EXACT_FLOAT_MAX


def _place(name: str) -> tuple[int, str]:
    return (len(_ORDER) + (name == OVERFLOW), name) if name not in _ORDER else (_ORDER[name], "")


def _stored(column: pl.Series) -> pl.Series:
    name = column.name
    fixed = FIXED.get(name)
    if fixed is not None:
        return column if column.dtype == fixed else column.cast(fixed)
    column = column.alias(attribute_name(name))
    return column if column.dtype in _ATTRIBUTE_KINDS else _attribute(column)


_ATTRIBUTE_KINDS: Final[Mapping[pl.DataType, str]] = {
    kind: name
    for kind, name in KIND_NAMES.items()
    if name in {"text", "int", "uint", "float", "bool"}
}


def _attribute(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind.is_integer():
        most = cast("int", column.max())
        fits = pl.Int64 if most <= _INT64_MAX else pl.UInt64
        narrowed = column.cast(fits, strict=False)
        return narrowed if narrowed.null_count() == column.null_count() else column.cast(pl.String)
    if kind.is_float():
        return column.cast(pl.Float64)
    if kind.is_nested() or kind == pl.Binary:
        texts = [None if value is None else _text(value) for value in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column.to_frame().select(as_text(column.name, kind)).to_series()


def _text(value: Any) -> str:
    """A list or an object as JSON, bytes as text that shows what is no UTF-8 in it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return orjson.dumps(value, default=str).decode()
