"""NDJSON: one object a line with what the event has; nulls are left out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import polars as pl

from store.exporter.format import Write
from store.exporter.target import Output
from store.schema import OVERFLOW, column, iso_text

# What a terminal could obey inside of a JSON string; C0 is escaped by JSON itself.
_OBEYED: Final = tuple(
    map(
        chr,
        (*range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)),
    )
)
_ESCAPES: Final = tuple(f"\\u{ord(each):04x}" for each in _OBEYED)
_ANY_OBEYED: Final = f"[{''.join(_OBEYED)}]"


class Ndjson:
    """Exact, and harmless when it is shown on a terminal. Any number of attributes."""

    name = "ndjson"
    suffixes: Sequence[str] = (".ndjson", ".jsonl", ".json", ".ldjson")
    compressed = False

    @contextmanager
    def writing(self, out: Output, types: Mapping[str, pl.DataType]) -> Iterator[Write]:  # noqa: ARG002
        """Lines as they come."""

        def write(events: pl.DataFrame) -> None:
            lines = json_lines(events).to_frame()
            out.write(lines.write_csv(include_header=False, quote_style="never").encode())

        yield write


def json_lines(events: pl.DataFrame) -> pl.Series:
    """Each event as one JSON object."""
    times = [iso_text(n) for n, kind in events.schema.items() if isinstance(kind, pl.Datetime)]
    events = events.with_columns(times)
    nullable = [name for name in events.columns if events[name].null_count()]
    always = [n for n in events.columns if n not in nullable and n != OVERFLOW]
    entries = [_entries(events, [name for name in always if not _odd(events[name])])]
    entries += [_odd_entry(name) for name in always if _odd(events[name])]
    entries += [_optional(events[name]) for name in nullable if name != OVERFLOW]
    if OVERFLOW in events.columns:
        entries.append(_inner(pl.col(OVERFLOW)))
    line = pl.lit("{") + pl.concat_str(entries, separator=",", ignore_nulls=True) + pl.lit("}")
    lines = events.select(line.alias("line"))["line"]
    if lines.str.contains(_ANY_OBEYED).any():
        lines = lines.str.replace_many(list(_OBEYED), list(_ESCAPES))
    return lines


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
