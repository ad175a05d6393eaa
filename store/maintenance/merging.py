"""Carrying out one merge: sources verified, streamed in order, sealed, published by a rename."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from store.errors import StoreError
from store.maintenance.columns import MergedColumns, bare
from store.maintenance.repeated import FirstOnly, Without
from store.parts.disk import Disk
from store.parts.encoding import PartFile
from store.parts.layout import PartName, StoreFolder
from store.parts.part import Cover, Part
from store.parts.slices import slices
from store.parts.writer import in_order, span_of
from store.parts.writing import writing
from store.tally import Tally
from store.timespan import TimeSpan

SLICE_VALUES: Final = 1_000_000
"""Rows times columns held at once, where parts follow each other: four times as many took 60 MB
more, and longer."""
SLICE_ROWS_MIN: Final = 8_192
DEPTH_MAX: Final = 4
"""Where many parts have events of the same time, a slice has up to so many times the rows: a row
group that lies in many slices is decoded for each."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The part that was published."""

    part: Part
    removed: int
    """Duplicates that this merge took out."""


def merge(
    folder: StoreFolder,
    disk: Disk,
    sources: Sequence[Part],
    name: PartName,
    covers: Sequence[Cover],
    *,
    without: Without | None = None,
) -> Merged:
    """Makes `sources`, of one date, the part `name`, which stands for `covers`; a single one may be
    written again `without` some of its rows.

    Exactly what a reader of the sources sees, but for events whose id came before; sorted, in a
    memory that does not grow with the sources. Durable and visible when it returns; before, it can
    be cut at any instant. FileNotFoundError, StoreError, a Polars error: nothing was published.
    """
    staged, path = folder.staging / name.staged, sources[0].path.with_name(name.file)
    if path.exists():  # renaming would put this part in the place of another one
        raise StoreError("merge", "there is such a part already", place=str(path))
    with writing(folder):
        try:
            merged = _written(disk, staged, sources, name, covers, without)
            disk.rename(staged, path)
        except BaseException:
            _remove(disk, staged)
            raise
    disk.sync_folder(path.parent)
    return merged


def _written(
    disk: Disk,
    staged: Path,
    sources: Sequence[Part],
    name: PartName,
    covers: Sequence[Cover],
    without: Without | None,
) -> Merged:
    columns, bare_sources = MergedColumns.of(sources), bare(sources)
    expected = sum(part.rows for part in sources)
    sieve = without or FirstOnly(sources)
    edges: list[TimeSpan] = []
    rows = 0
    with closing(PartFile(disk, staged, columns.schema, expected)) as file:
        for each in slices(sources, _slice_rows(columns, sources)):
            read = columns.read(bare_sources, each.span, rows=without is not None)
            events = sieve.of(in_order(each.of(read).collect(engine="streaming")))
            if events.height:
                edges.append(span_of(events))
                file.write(columns.settled(events))
                rows += events.height
        if rows + sieve.removed != expected:
            fault = f"{expected:,} events went in, {rows + sieve.removed:,} came out"
            raise StoreError("merge", fault, place=sources[0].path.parent.name)
        part = _described(sources, name, covers, columns, sieve.removed)
        part = replace(part, rows=rows, span=_whole(edges, sources))
        return Merged(replace(part, size_bytes=file.finish(part)), sieve.removed)


def _described(
    sources: Sequence[Part],
    name: PartName,
    covers: Sequence[Cover],
    columns: MergedColumns,
    removed: int,
) -> Part:
    model = sources[0]
    return Part(
        path=model.path.parent / name.file,
        date=model.date,
        level=name.level,
        writer=name.writer,
        sequence=name.sequence,
        rows=0,
        size_bytes=0,
        span=model.span,
        newest_received=max(part.newest_received for part in sources),
        columns=columns.schema,
        covers=tuple(covers),
        tally=_moved(Tally.total(part.tally for part in sources), removed),
        imported=model.imported,
        wide=columns.wide,
        overflow=columns.listed,
        overflow_complete=columns.complete,
        removed=removed + sum(part.removed for part in sources),
    )


def _moved(tally: Tally, removed: int) -> Tally:
    """Those that were removed, from `stored` to `duplicate`: what was received stays."""
    moved = min(removed, tally.fates.get("stored", 0))
    return tally + Tally({"stored": -moved, "duplicate": moved}) if moved else tally


def _slice_rows(columns: MergedColumns, sources: Sequence[Part]) -> int:
    width = len(columns.schema) + len(columns.surplus)
    whole = _whole([], sources).length
    depth = sum(part.span.length / whole for part in sources) if whole else len(sources)
    return max(int(SLICE_VALUES / width * min(max(depth / 2, 1), DEPTH_MAX)), SLICE_ROWS_MIN)


def _whole(edges: Sequence[TimeSpan], sources: Sequence[Part]) -> TimeSpan:
    """From the first to the last; parts without events are of the moment that they were made."""
    spans = edges or [part.span for part in sources]
    return TimeSpan(min(span.start for span in spans), max(span.end for span in spans))


def _remove(disk: Disk, path: Path) -> None:
    try:
        disk.remove(path)
    except OSError:
        return  # a leftover is ignored by its name, and removed by a later round
