"""The way from files to parts."""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from store.collector.dead_letters.box import Box
from store.collector.processors import PROCESSORS
from store.errors import UsageError
from store.event import EventIds
from store.importer.blocks import Keys, row_ids
from store.importer.delimited import Csv
from store.importer.log import Log
from store.importer.naming import NOTHING, Naming
from store.importer.ndjson import Ndjson
from store.importer.otlp import Otlp
from store.importer.parquet import Parquet
from store.importer.rows import Format, Reading, Rows
from store.importer.runs import Runs
from store.importer.source import Source, Watch, sources
from store.normalise import Arrival, Decoded
from store.normalise.given_ids import with_ids
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import Settings
from store.tally import ERRORS_SHOWN_MAX, Receipt, Refusal

FORMATS: Final[tuple[Format, ...]] = (Otlp(), Ndjson(), Csv(), Parquet(), Log())
_LINES: Final = Ndjson.suffixes
SOURCE: Final = "import"
"""The `source` of imported events, and their line in the tally."""
Progress = Callable[[int, int], None]
"""(bytes read, of how many; 0: not known)."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def import_files(
    paths: Sequence[str | Path],
    *,
    settings: Settings,
    format: str | None = None,  # noqa: A002  the option's name
    mapping: Mapping[str, str] = NOTHING,
    constants: Mapping[str, str] = NOTHING,
    zone: tzinfo = UTC,
    logs: bool = False,
    now: Callable[[], datetime] = utc_now,
    progress: Progress | None = None,
) -> Receipt:
    """Stores the events of these files (`-` is standard input); durable when it returns.

    `mapping` takes a field from a column of another name, `constants` are fields with one value
    for all rows, `zone` is that of times without one; with `logs`, the lines of ordinary logs in a
    file of logs are events too. A row that is no event is refused, and the others are stored. A
    row without an id gets one out of the file's content and its number (and `mapping`,
    `constants`, `zone`), so that importing twice stores once. Memory is bounded.
    UsageError: a file cannot be read, a format is not known; nothing of that file was stored.
    NoRoomError, ReadOnlyStoreError: what was committed until then stays, and is in the tally.
    """
    naming = Naming(mapping, constants)
    files = [(source, format_of(source, format)) for source in sources(paths)]
    folder = StoreFolder.open(settings.store, create=True)
    writer = PartWriter(folder, now=now)
    rows_max = settings.collector.part_events_max
    received = now()
    arrival = Arrival(received, SOURCE, EventIds(received.timestamp), settings.limits, zone)
    watch = _watch(progress, sum(source.size for source, _ in files))
    box = Box(folder, now=now)
    with (
        contextlib.closing(box),
        Runs(folder, writer, intake=SOURCE, part_rows_max=rows_max) as runs,
    ):
        for source, how in files:
            seed = repr((sorted(mapping.items()), sorted(constants.items()), str(zone)))
            reading = Reading(source, naming, settings.limits, Keys(seed), watch, logs)
            _import(reading, how, arrival, _Fates(runs, box))
        return runs.finish()


def format_of(source: Source, name: str | None) -> Format:
    """The format of that name, else of the file's name, else of its first bytes; UsageError."""
    known = ", ".join(each.name for each in FORMATS)
    for each in FORMATS:
        if each.name == name or (name is None and source.suffix in each.suffixes):
            return _by_content(each, source) if name is None else each
    if name is not None:
        raise UsageError("import", f"there is no format {name!r}", next_step=f"known: {known}")
    start = source.start()
    for each in FORMATS:
        if start.startswith(tuple(each.starts)):
            return each
    fault = "its name does not tell its format"
    raise UsageError("import", fault, place=source.name, next_step=f"name one: --format {known}")


def _by_content(named: Format, source: Source) -> Format:
    """Another format whose files are named alike, when the content is certainly of that."""
    start = source.start() if source.suffix in _LINES else b""
    for each in FORMATS:
        if not each.suffixes and start.startswith(tuple(each.starts)):
            return each
    return named


def _watch(progress: Progress | None, total: int) -> Watch:
    done = 0

    def watch(read: int) -> None:
        nonlocal done
        done += read
        if progress is not None:
            progress(done, total)

    return watch


def _import(reading: Reading, how: Format, arrival: Arrival, fates: "_Fates") -> None:
    for rows in how.read(reading):
        decoded = _decoded(rows, reading.naming, arrival)
        fates.refuse(decoded.refusals, rows.refused)
        events = decoded.events
        for processor in PROCESSORS if events.height else ():
            done = processor(events)
            events = done.events
            others = Receipt(
                filtered=done.filtered, sampled_out=done.sampled_out, duplicate=done.duplicate
            )
            fates.runs.count(others, done.reasons)
        fates.runs.add(events)
    for fault in reading.broken:
        text = f"its compressed data is cut off or damaged: {fault}"
        fates.refuse([Refusal(reading.source.name, text, "bad_compression")])


def _decoded(rows: Rows, naming: Naming, arrival: Arrival) -> Decoded:
    frame = naming.with_constants(rows.raw.frame)
    if frame.height:
        frame = with_ids(frame, row_ids(rows.key, rows.raw.numbers))
    return replace(rows.raw, frame=frame).decoded(arrival)


class _Fates(NamedTuple):
    """Where events go, and where the others."""

    runs: Runs
    box: Box

    def refuse(self, refusals: Sequence[Refusal], body: bytes = b"") -> None:
        if not refusals:
            return
        receipt = Receipt(rejected=len(refusals), errors=tuple(refusals[:ERRORS_SHOWN_MAX]))
        self.runs.count(receipt, Counter(f"rejected.{refusal.reason}" for refusal in refusals))
        self.box.put(SOURCE, refusals, body)
