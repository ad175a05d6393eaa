"""Parquet files of any shape: nested columns made flat, some thousand rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from store.errors import UsageError
from store.importer.rows import Reading, Rows
from store.normalise import Raw
from store.normalise.columns import free_name
from store.schema import INSTANT
from store.tally import Refusal

_BATCH_ROWS: Final = 20_000
_BROKEN: Final = (pa.ArrowException, OSError)


class Parquet:
    """Structs become dots, lists and maps JSON text; times other than `event_time` ISO text."""

    name = "parquet"
    suffixes: Sequence[str] = (".parquet", ".pq")
    starts: Sequence[bytes] = (b"PAR1",)

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows in their order. UsageError: no Parquet file, or not a plain file on disk; a
        column to be mapped is not there.
        """
        key = self._key(reading)
        try:
            file = pq.ParquetFile(reading.source.path)
        except _BROKEN as error:
            raise UsageError("import", _said(error), place=reading.source.name) from None
        with file:
            yield from _rows(file, reading, key)

    def _key(self, reading: Reading) -> str:
        """Of the whole content; `read` needs to jump about in the file, so it must be one."""
        if reading.source.path is None:
            step = "save it, and import the file"
            raise UsageError("import", "parquet cannot be read from standard input", next_step=step)
        with reading.source.path.open("rb") as plain:
            while piece := plain.read(1024 * 1024):
                reading.keys.add(piece)
        return reading.keys.key()


def _rows(file: pq.ParquetFile, reading: Reading, key: str) -> Iterator[Rows]:
    first = 1
    batches = file.iter_batches(_BATCH_ROWS)
    share = reading.source.size / max(file.metadata.num_rows, 1)
    while True:
        try:
            batch = next(batches, None)
        except _BROKEN as error:
            refusal = Refusal(f"{reading.where}{first}", _said(error), "bad_parquet")
            yield Rows(Raw(pl.DataFrame(), refusals=[refusal]), key)
            return
        if batch is None:
            return
        columns = _columns(cast(pl.DataFrame, pl.from_arrow(batch)), reading, is_first=first == 1)
        numbers = range(first, first + batch.num_rows)
        yield Rows(Raw(_frame(columns, len(numbers)), numbers, reading.where), key)
        reading.watch(int(share * batch.num_rows))
        first += batch.num_rows


def _frame(columns: list[pl.Series], rows: int) -> pl.DataFrame:
    return pl.DataFrame(columns or [pl.Series("event_name", [None] * rows, dtype=pl.String)])


def _columns(rows: pl.DataFrame, reading: Reading, *, is_first: bool) -> list[pl.Series]:
    flat = [part for column in rows.get_columns() for part in _flat(column)]
    if is_first:
        reading.naming.check([column.name for column in flat], reading.source.name)
    taken: set[str] = set()
    named = ((field, column) for column in flat for field in reading.naming.fields_of(column.name))
    return [
        _plain(column, is_time=field == "event_time").alias(free_name(field, taken))
        for field, column in named
        if column.dtype != pl.Null
    ]


def _flat(column: pl.Series) -> list[pl.Series]:
    if not isinstance(column.dtype, pl.Struct):
        return [column]
    fields = column.struct.unnest().get_columns()
    return [part for each in fields for part in _flat(each.alias(f"{column.name}.{each.name}"))]


def _plain(column: pl.Series, *, is_time: bool) -> pl.Series:
    """A column of text, whole numbers, floats, booleans or times, each value exactly."""
    kind = column.dtype
    if kind in {pl.String, pl.Boolean, pl.Int64, pl.UInt64, pl.Float64}:
        return column
    if kind.is_temporal():
        return column if is_time and kind.base_type() in {pl.Datetime, pl.Date} else _times(column)
    if kind.is_float():
        return column.cast(pl.Float64)
    if isinstance(kind, pl.Decimal):
        floats = column.cast(pl.Float64)
        return floats if floats.cast(kind, strict=False).equals(column) else column.cast(pl.String)
    if kind.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == column.null_count() else column.cast(pl.String)
    if isinstance(kind, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return _texts(column)


def _times(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        utc = column.dtype.time_zone is not None
        shown = column.cast(INSTANT) if utc else column.cast(pl.Datetime("us"))
        return shown.dt.strftime("%Y-%m-%dT%H:%M:%S%.f" + ("Z" if utc else ""))
    if isinstance(column.dtype, pl.Duration):
        return column.dt.to_string("iso")
    return column.cast(pl.String)


def _texts(column: pl.Series) -> pl.Series:
    texts = [None if value is None else _text(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _text(value: Any) -> str:
    """Bytes as the text that they are, else in hex; lists, maps and all else as JSON."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return orjson.dumps(value, default=_text_within, option=orjson.OPT_NON_STR_KEYS).decode()


def _text_within(value: Any) -> str:
    return _text(value) if isinstance(value, bytes) else str(value)


def _said(error: Exception) -> str:
    return f"it cannot be read as Parquet: {str(error).splitlines()[0]}"
