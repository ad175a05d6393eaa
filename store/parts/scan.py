"""Parts as one lazy frame: missing columns filled, differing types widened, rows told apart."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.widen import column_types
from store.schema import FIXED, OVERFLOW, PART, ROW, as_text, column
from store.timespan import TimeSpan

__all__ = ["OF_A_PART", "column_types", "scan"]

OF_A_PART: Final = (
    pl.exceptions.ComputeError,
    pl.exceptions.SchemaError,
    pl.exceptions.ColumnNotFoundError,
    OSError,
)
"""What a part that changed under its footer makes a scan raise; also a disk that cannot read it."""
BIG_PART_ROWS: Final = 20_000
"""From here a part gets a scan of its own, whose PART is a constant; smaller ones share a scan,
whose set-up costs 0.4 ms, and find theirs by the row's number, which costs 30 ns a row."""
BIG_PARTS_MAX: Final = 64

Kinds = tuple[pl.DataType | None, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a group of parts has in common, so that one scan reads them all."""

    columns: Kinds
    """The types of the wanted columns in these files; None where there is none."""
    overflow: Kinds
    """The types of the wanted attributes inside OVERFLOW."""
    is_cut: bool
    """True when an edge of the span lies within these parts."""
    alone: int
    """The part's own index when it is big, else -1."""


def scan(
    parts: Sequence[Part],
    columns: Collection[str],
    span: TimeSpan | None,
    *,
    rows: bool = False,
    apart: bool = True,
) -> pl.LazyFrame:
    """The wanted `columns` of `parts`, and PART: each row's index into `parts` (UInt32). With
    `rows`, also ROW: its place within its part. Unless they are to be told `apart`, PART is null.

    Types are those of `column_types(parts)`; a column that no part has is null (a fixed one in
    its type, else text). With `span`, only events within it: parts outside are not opened, row
    groups outside not read. Rows come in no particular order. Nothing is read before the collect,
    which fails with FileNotFoundError when a part is gone by then: take a new snapshot.
    """
    wanted = list(dict.fromkeys(name for name in columns if name not in (PART, ROW)))
    # Polars gives one row where nothing but constants is selected.
    wanted = wanted or ["event_time"]
    found = column_types(parts, wanted)
    targets = {name: found.get(name) or FIXED.get(name, pl.String()) for name in wanted}
    groups = _grouped(parts, wanted, span, apart=apart)
    frames = []
    for layout, indexes in groups.items():
        group = [(index, parts[index]) for index in indexes]
        numbers = _numbers(group, rows=rows) if apart else [pl.lit(None).alias(PART)]
        frames.append(_read(layout, group, targets, span, numbers))
    if not frames:
        added = {PART: pl.UInt32() if apart else pl.Null(), **({ROW: pl.UInt32()} if rows else {})}
        return pl.LazyFrame(schema={**targets, **added})
    return pl.concat(frames) if len(frames) > 1 else frames[0]


def _grouped(
    parts: Sequence[Part], wanted: Sequence[str], span: TimeSpan | None, *, apart: bool
) -> dict[_Layout, list[int]]:
    """The parts to read by what they have in common, in the order of their first part."""
    groups: dict[_Layout, list[int]] = defaultdict(list)
    reading = [
        index
        for index, part in enumerate(parts)
        if part.rows and (span is None or part.span.overlaps(span))
    ]
    big = {index for index in reading if apart and parts[index].rows >= BIG_PART_ROWS}
    alone = big if len(big) <= BIG_PARTS_MAX else frozenset[int]()
    kinds: dict[tuple[int, int, bool], tuple[Kinds, Kinds]] = {}
    for index in reading:
        part = parts[index]
        shared = (id(part.columns), id(part.overflow), part.overflow_complete)
        if shared not in kinds:
            kinds[shared] = _kinds(part, wanted)
        is_cut = span is not None and not span.covers(part.span)
        groups[_Layout(*kinds[shared], is_cut, index if index in alone else -1)].append(index)
    return groups


def _kinds(part: Part, wanted: Sequence[str]) -> tuple[Kinds, Kinds]:
    # A name that the footer had no room for may be inside OVERFLOW all the same.
    unlisted = None if part.overflow_complete else pl.String()
    columns = tuple(part.columns.get(name) for name in wanted)
    inside = tuple(
        part.overflow.get(name, None if kind or name in FIXED else unlisted)
        for name, kind in zip(wanted, columns, strict=True)
    )
    return columns, inside


def _read(
    layout: _Layout,
    group: Sequence[tuple[int, Part]],
    targets: Mapping[str, pl.DataType],
    span: TimeSpan | None,
    numbers: Sequence[pl.Expr],
) -> pl.LazyFrame:
    """The group's events; `numbers` are made out of ROW, the row's number within all of them."""
    stored = {
        name: kind for name, kind in zip(targets, layout.columns, strict=True) if kind is not None
    }
    inside = {
        name: kind for name, kind in zip(targets, layout.overflow, strict=True) if kind is not None
    }
    schema = stored | ({OVERFLOW: pl.String()} if inside else {})
    if layout.is_cut or not schema:
        schema = {**schema, "event_time": FIXED["event_time"]}
    events = pl.scan_parquet(
        [part.path for _, part in group],
        schema=schema,
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
        row_index_name=ROW,
        cache=False,
    )
    if layout.is_cut and span is not None:
        time = pl.col("event_time")
        events = events.filter((time >= span.start) & (time < span.end))
    values = [_value(name, stored.get(name), inside.get(name), to) for name, to in targets.items()]
    return _opened(events, inside).select(*values, *numbers)


def _numbers(group: Sequence[tuple[int, Part]], *, rows: bool) -> list[pl.Expr]:
    """PART and, with `rows`, ROW, out of the row's number within the scan of the group."""
    row = pl.col(ROW).cast(pl.UInt32)
    if len(group) == 1:
        part = pl.lit(group[0][0], pl.UInt32()).alias(PART)
        return [part, row] if rows else [part]
    ends = pl.Series([part.rows for _, part in group], dtype=pl.UInt32).cum_sum()
    starts = ends.shift(1, fill_value=0)
    indexes = pl.Series([index for index, _ in group], dtype=pl.UInt32)

    def of_place(found: pl.Series) -> pl.Expr:
        # In these words, Polars knows that each row's stands for itself, and filters before it.
        return row.map_batches(
            lambda at: found.gather(ends.search_sorted(at, side="right")),
            return_dtype=pl.UInt32(),
            is_elementwise=True,
        )

    part = of_place(indexes).alias(PART)
    return [part, (row - of_place(starts)).alias(ROW)] if rows else [part]


def _opened(events: pl.LazyFrame, inside: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The attributes inside OVERFLOW as columns of their own, under names that no column can have.

    All are decoded as texts first: that takes any value of any row and keeps it exactly.
    """
    if not inside:
        return events
    texts = pl.col(OVERFLOW).str.json_decode(pl.Struct({name: pl.String() for name in inside}))
    fields = [
        _from_text(texts.struct.field(name), kind).alias(_inner(name))
        for name, kind in inside.items()
    ]
    return events.with_columns(fields)


def _inner(name: str) -> str:
    return f"\0{name}"


def _from_text(text: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:
        return text
    return text == "true" if kind == pl.Boolean else text.cast(kind, strict=False)


def _value(
    name: str, stored: pl.DataType | None, inside: pl.DataType | None, target: pl.DataType
) -> pl.Expr:
    """A wanted column out of the places where it stands, in the wanted type."""
    places = ((name, stored), (_inner(name), inside))
    found = [_widened(place, kind, target) for place, kind in places if kind is not None]
    if len(found) == 1:
        return found[0].alias(name)  # a plain column: filters reach the file through it
    return pl.coalesce(found or [pl.lit(None, target)]).alias(name)


def _widened(name: str, kind: pl.DataType, target: pl.DataType) -> pl.Expr:
    if kind == target:
        return column(name)
    return as_text(name, kind) if target == pl.String else column(name).cast(target)
