"""Times as programs write them, column by column, into UTC instants."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import polars as pl
import pyarrow as pa

from store.normalise.columns import distinct, extremes
from store.schema import INSTANT, arrow_values
from store.timespan import EPOCH

_FEW: Final = 16
_NAIVE: Final = pl.Datetime("us")
_MICROSECOND: Final = timedelta(microseconds=1)
_ARROW_ZONED: Final = pa.timestamp("us", "UTC")
_ARROW_NAIVE: Final = pa.timestamp("us")
# Digits past the microsecond are cut, as timestamps of OpenTelemetry and Go have nine of them.
_LONG_FRACTION: Final = r"([.,]\d{6})\d+"
_NAMED_UTC: Final = re.compile(r"\s*(UTC|GMT)$")
_SPACED_OFFSET: Final = re.compile(r"\s+([+-]\d\d:?\d\d)$")
_UNIX: Final = re.compile(r"[+-]?\d{1,20}(\.\d*)?([eE]\+?\d{1,2})?", re.ASCII)
# Where one Unix unit ends and the next begins, as store.timespan.from_unix has it.
_SECONDS_END, _MILLIS_END, _MICROS_END = 10**11, 10**14, 10**17
# Years 1 to 9999: what ISO dates, and so the names of partitions, can say.
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND


def instants(values: pl.Series, zone: tzinfo) -> pl.Series:
    """The instants that `values` (ISO 8601 or Unix numbers, as text, numbers or datetimes) say.

    What has no zone is in `zone`. Null where there is none or it cannot be read, or where it is
    not in the years 1 to 9999.
    """
    times = _instants(values, zone)
    low, high = extremes(times.cast(pl.Int64))
    if low is None or _FIRST <= low <= high <= _LAST:
        return times
    return times.set(~times.cast(pl.Int64).is_between(_FIRST, _LAST), None)


def instant_of(value: object, zone: tzinfo = UTC) -> datetime | None:
    """The instant that one value of JSON says, as `instants` reads it; None when it says none."""
    return _one(str(value), zone) if type(value) in {str, int, float} else None


def _instants(values: pl.Series, zone: tzinfo) -> pl.Series:
    kind = values.dtype
    if kind == pl.String:
        return _from_text(values, zone)
    if kind.is_integer():
        return _from_whole(values.cast(pl.Int64, strict=False))
    if kind.is_float():
        return _from_float(values)
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return values.cast(INSTANT)
    if isinstance(kind, pl.Date | pl.Datetime):
        return _placed(values.cast(_NAIVE), zone)
    return pl.Series(values.name, [None], dtype=INSTANT).new_from_index(0, len(values))


def _from_text(values: pl.Series, zone: tzinfo) -> pl.Series:
    """The quick ways take a whole column or nothing; the slow one takes each value by itself."""
    quick: tuple[Callable[[pl.Series], pl.Series], ...] = (
        _zoned,
        lambda column: _zoned(column.str.replace(_LONG_FRACTION, "$1")),
        lambda column: _placed(_naive(column), zone),
        lambda column: _from_whole(column.cast(pl.Int64)),
    )
    # What is wrong with a few is found out at once by looking at each.
    for way in quick if len(values) > _FEW else quick[:1]:
        try:
            return way(values)
        except (pa.ArrowInvalid, pl.exceptions.InvalidOperationError):
            continue
    read = {text: _one(text, zone) for text in distinct(values) if text is not None}
    return moments(values.name, [read.get(text) for text in values.to_list()])


def moments(name: str, found: Sequence[datetime | None]) -> pl.Series:
    """Instants out of datetimes, by way of integers: two queries are saved, and rounding."""
    micros = [None if moment is None else (moment - EPOCH) // _MICROSECOND for moment in found]
    return pl.Series(name, micros, dtype=pl.Int64).cast(INSTANT)


# Arrow's cast reads a column of ISO texts ten times as fast as strptime does (0.05 us each).
def _zoned(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, arrow_values(values).cast(_ARROW_ZONED)).cast(INSTANT)


def _naive(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, arrow_values(values).cast(_ARROW_NAIVE))


def _placed(naive: pl.Series, zone: tzinfo) -> pl.Series:
    """Clock times of `zone` as instants: of two the earlier, in a gap an hour later."""
    if zone is UTC or str(zone) == "UTC":
        return naive.dt.replace_time_zone("UTC")
    try:
        placed = naive.dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
        placed = placed.dt.convert_time_zone("UTC")
    except pl.exceptions.PolarsError:  # a fixed offset, which Polars has no name for
        placed = pl.Series(naive.name, [None], dtype=INSTANT).new_from_index(0, len(naive))
    rows = (placed.is_null() & naive.is_not_null()).arg_true()
    moments = [_at(moment, zone) for moment in naive.gather(rows).to_list()]
    return placed.scatter(rows, pl.Series(moments, dtype=INSTANT)) if moments else placed


def _at(naive: datetime, zone: tzinfo) -> datetime:
    return EPOCH + (naive.replace(tzinfo=zone) - EPOCH)


def _from_whole(numbers: pl.Series) -> pl.Series:
    """Unix integers in seconds, milli-, micro- or nanoseconds, told apart by their size."""
    factor = _factor(numbers)
    if factor is not None:
        return (numbers * factor).cast(INSTANT)
    column, size = pl.col(numbers.name), pl.col(numbers.name).abs()
    scaled = (
        pl.when(size < _SECONDS_END)
        .then(column * 1_000_000)
        .when(size < _MILLIS_END)
        .then(column * 1_000)
        .when(size < _MICROS_END)
        .then(column)
        .otherwise(column.floordiv(1_000))
    )
    return numbers.to_frame().select(scaled.cast(INSTANT)).to_series()


def _factor(numbers: pl.Series) -> int | None:
    """By which all of them become microseconds, where all are seconds, or milliseconds, after
    1970, as they mostly are: a query is saved.
    """
    low, high = extremes(numbers)
    if low is None or not low >= 0:
        return None
    if high < _SECONDS_END:
        return 1_000_000
    return 1_000 if _SECONDS_END <= low <= high < _MILLIS_END else None


def _from_float(numbers: pl.Series) -> pl.Series:
    factor = _factor(numbers) if math.isfinite(numbers.sum()) else None
    if factor is not None:
        return (numbers * float(factor)).round(0).cast(pl.Int64).cast(INSTANT)
    column, size = pl.col(numbers.name), pl.col(numbers.name).abs()
    micros = (
        pl.when(size < _SECONDS_END)
        .then(column * 1e6)
        .when(size < _MILLIS_END)
        .then(column * 1e3)
        .when(size < _MICROS_END)
        .then(column)
        # Polars divides one value and many in two ways, and multiplies in one.
        .otherwise(column * 1e-3)
    )
    # Rounded, not cut: 1700000000.1 is a little below itself as a float.
    whole = micros.round(0).cast(pl.Int64, strict=False)
    return numbers.to_frame().select(whole.cast(INSTANT)).to_series()


def _one(text: str, zone: tzinfo) -> datetime | None:
    given = text.strip().upper()
    try:
        if _UNIX.fullmatch(given):
            return _unix(float(given) if any(mark in given for mark in ".E") else int(given))
        spelled = _SPACED_OFFSET.sub(r"\1", _NAMED_UTC.sub("Z", given))
        moment = datetime.fromisoformat(spelled)
        return EPOCH + (moment - EPOCH) if moment.tzinfo else _at(moment, zone)
    except (ValueError, OverflowError):
        return None


def _unix(number: float) -> datetime:
    size = abs(number)
    micros: float
    if size < _SECONDS_END:
        micros = number * 1_000_000
    elif size < _MILLIS_END:
        micros = number * 1_000
    else:
        micros = number if size < _MICROS_END else number // 1_000
    return EPOCH + timedelta(microseconds=round(micros))
