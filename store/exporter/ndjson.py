"""NDJSON: one object a line with what the event has; nulls are left out."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl

from store.exporter.format import Write
from store.exporter.target import Output
from store.schema import OVERFLOW, column, iso_text
from store.terminals import harmless_json


class Ndjson:
    """Exact, and harmless when it is shown on a terminal. Any number of attributes."""

    name = "ndjson"
    suffixes: Sequence[str] = (".ndjson", ".jsonl", ".json", ".ldjson")
    compressed = False

    @contextmanager
    def writing(self, out: Output, types: Mapping[str, pl.DataType]) -> Iterator[Write]:  # noqa: ARG002
        """Lines as they come."""

        def write(events: pl.DataFrame) -> None:
            out.write(_harmless(json_lines(events)))

        yield write


def json_lines(events: pl.DataFrame) -> bytes:
    """Each event as one JSON object in a line."""
    times = [iso_text(n) for n, kind in events.schema.items() if isinstance(kind, pl.Datetime)]
    events = events.with_columns(times)
    if OVERFLOW not in events.columns and not any(c.null_count() or _odd(c) for c in events):
        lines = io.BytesIO()  # nothing to leave out: a fifth of the time
        events.write_ndjson(lines)
        return lines.getvalue()
    return _objects(events).write_csv(include_header=False, quote_style="never").encode()


def _harmless(lines: bytes) -> bytes:
    """The same JSON with escapes for the characters that a terminal could obey."""
    if lines.isascii() and b"\x7f" not in lines:
        return lines
    return harmless_json(lines.decode()).encode()


def _objects(events: pl.DataFrame) -> pl.DataFrame:
    """A column of JSON objects, without what is null."""
    nullable = [name for name in events.columns if events[name].null_count()]
    always = [n for n in events.columns if n not in nullable and n != OVERFLOW]
    entries = [_entries(events, [name for name in always if not _odd(events[name])])]
    entries += [_odd_entry(name) for name in always if _odd(events[name])]
    entries += [_optional(events[name]) for name in nullable if name != OVERFLOW]
    if OVERFLOW in events.columns:
        entries.append(_inner(pl.col(OVERFLOW)))
    line = pl.lit("{") + pl.concat_str(entries, separator=",", ignore_nulls=True) + pl.lit("}")
    return events.select(line.alias("line"))


def _inner(json: pl.Expr) -> pl.Expr:
    """What is between an object's braces."""
    return json.str.strip_prefix("{").str.strip_suffix("}")


def _entries(events: pl.DataFrame, names: Sequence[str]) -> pl.Expr:
    assert names, events.columns
    return _inner(pl.struct(map(column, names)).struct.json_encode())


def _optional(values: pl.Series) -> pl.Expr:
    name = values.name
    entry = (
        _odd_entry(name) if _odd(values) else _inner(pl.struct(column(name)).struct.json_encode())
    )
    return pl.when(column(name).is_not_null()).then(entry)


def _odd(values: pl.Series) -> bool:
    """Whether there are floats that JSON has no word for."""
    return values.dtype.is_float() and not (values.is_finite() | values.is_null()).all()


def _odd_entry(name: str) -> pl.Expr:
    """Those as the texts `NaN`, `inf` and `-inf`."""
    plain, text = pl.struct(column(name)), pl.struct(column(name).cast(pl.String))
    sound = column(name).is_finite()
    found = pl.when(sound).then(plain.struct.json_encode()).otherwise(text.struct.json_encode())
    return _inner(found)
