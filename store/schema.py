"""The columns of an event: the fixed ones, their types, and how differing types are widened.

Any other attribute is a column of its own name in the parts that have it. An attribute that
collides with a fixed column (in any case) and a fixed field of the wrong type live on under
`attr.NAME`. Past ATTRIBUTE_COLUMNS_MAX in a part, further ones go into OVERFLOW, one JSON object
an event.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl
import polars.selectors as cs

from store.timespan import EPOCH, UNITS

INSTANT: Final = pl.Datetime("us", "UTC")

# name -> type; the first four are required.
FIXED: Final[Mapping[str, pl.DataType]] = {
    "event_id": pl.String(),
    "event_time": INSTANT,
    "event_type": pl.String(),
    "event_name": pl.String(),
    "received_time": INSTANT,
    "severity": pl.UInt8(),  # OpenTelemetry's number, 1 to 24
    "severity_text": pl.String(),  # as the sender wrote it
    "service_name": pl.String(),
    "service_version": pl.String(),
    "service_commit": pl.String(),
    "is_dev": pl.Boolean(),
    "install_id": pl.String(),
    "user_id": pl.String(),
    "user_bucket": pl.UInt16(),
    "subject_hash": pl.UInt64(),  # of user_id, else install_id; null without either
    "session_id": pl.String(),
    "component": pl.String(),
    "trace_id": pl.String(),
    "span_id": pl.String(),
    "parent_span_id": pl.String(),
    "duration_ms": pl.Float64(),
    "value": pl.Float64(),
    "message": pl.String(),
    "sample_rate": pl.Float64(),  # how many events this one stands for; null is 1
    "source": pl.String(),  # the intake that took it: "native", "import", …
}
REQUIRED: Final = ("event_id", "event_time", "event_type", "event_name")
ATTRIBUTE_PREFIX: Final = "attr."
OVERFLOW: Final = "_overflow"
ATTRIBUTE_COLUMNS_MAX: Final = 500
# Columns that scans add; never stored.
PART: Final = "_part"
ROW: Final = "_row"

# The lowest OpenTelemetry number of each severity class.
# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
SEVERITIES: Final[Mapping[str, int]] = {
    "trace": 1,
    "debug": 5,
    "info": 9,
    "warning": 13,
    "error": 17,
    "fatal": 21,
}
SEVERITY_ALIASES: Final[Mapping[str, str]] = {
    "verbose": "trace",
    "information": "info",
    "notice": "info",
    "warn": "warning",
    "err": "error",
    "critical": "fatal",
    "crit": "fatal",
    "alert": "fatal",
    "emerg": "fatal",
    "emergency": "fatal",
    "panic": "fatal",
}
# The severity of well-known event types; any other type has none of its own.
TYPE_SEVERITIES: Final[Mapping[str, str]] = {
    "component_load": "info",
    "component_ready": "info",
    "animation_play": "debug",
    "animation_pause": "debug",
    "animation_stop": "debug",
    "animation_complete": "info",
    "animation_loop": "debug",
    "state_change": "info",
    "input_change": "debug",
    "event_trigger": "info",
    "user_interaction": "info",
    "error": "error",
    "warning": "warning",
    "performance": "info",
    "resource_load": "info",
    "session_start": "info",
    "session_end": "info",
}
# Integers up to here are exact as floats.
EXACT_FLOAT_MAX: Final = 2**53


def column(name: str) -> pl.Expr:
    """The column of exactly this name; `pl.col` takes `^a.*$` and `*`, which senders may use as
    names, for patterns.
    """
    return cs.by_name(name) if name == "*" or name[:1] == "^" else pl.col(name)


def instant(value: datetime) -> pl.Expr:
    """An instant in an expression: made of its number, an eighth of the time that Polars takes to
    make one of a datetime (0.1 ms, more than a step on a few rows).
    """
    return pl.lit((value - EPOCH) // UNITS["us"], pl.Int64).cast(INSTANT)


def severity_number(text: str) -> int | None:
    """The OpenTelemetry number for a severity's name in any case (`WARN`, `error2`) or digits."""
    name = text.strip().lower()
    if name.isdecimal() and 1 <= int(name) <= 24:
        return int(name)
    step = name[-1:] if name[-1:] in "234" and name[-1:] else ""
    base = name.removesuffix(step)
    number = SEVERITIES.get(SEVERITY_ALIASES.get(base, base))
    return None if number is None else number + (int(step) - 1 if step else 0)


def severity_class(column: str = "severity") -> pl.Expr:
    """The class's name (`error`) of a severity number; null stays null."""
    number = pl.col(column)
    names = [
        pl.when(number >= least).then(pl.lit(name))
        for name, least in sorted(SEVERITIES.items(), key=lambda item: -item[1])
    ]
    return pl.coalesce(*names).alias("severity_class")


def widened(types: Iterable[pl.DataType]) -> pl.DataType:
    """The narrowest type that holds every value of all these column types, Null aside.

    Int and Float meet in Float64 (a scan checks that the integers stay exact, below 2^53, and
    takes text otherwise); any other pair meets in text.
    """
    found = {kind for kind in types if kind != pl.Null}
    if len(found) <= 1:
        return next(iter(found), pl.Null())
    if all(kind.is_integer() for kind in found):
        return pl.Int64() if all(kind.is_signed_integer() for kind in found) else pl.Int128()
    if all(kind.is_numeric() for kind in found):
        return pl.Float64()
    return pl.String()


def as_text(name: str, kind: pl.DataType) -> pl.Expr:
    """The column as group keys and filters read it: `1` for 1.0, `true`, ISO times; null stays."""
    values = column(name)
    if kind.is_float():
        whole = (values == values.round(0)) & (values.abs() < EXACT_FLOAT_MAX)
        exact = pl.when(whole).then(values).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.coalesce(exact, values.cast(pl.String)).alias(name)
    if kind == pl.String:
        return values
    return values.cast(pl.String).alias(name)


def iso_text(name: str) -> pl.Expr:
    """A column of instants in UTC as store.timespan.iso writes them; null stays."""
    text = column(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
    short = text.str.replace(r"\.0+$", "").str.replace(r"(\.\d*?)0+$", "${1}")
    return (short + "Z").alias(name)


def arrow_values(values: pl.Series) -> Any:
    """The values as a pyarrow array. Without their name: one with a NUL, as a sender may choose,
    panics on the way.
    """
    return values.alias("").to_arrow()
