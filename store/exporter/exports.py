"""The way from the store to one file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.analytics.filters import Filter, parse_filter
from store.errors import UsageError
from store.event_store import EventStore
from store.exporter.columns import Columns
from store.exporter.delimited import Csv
from store.exporter.format import Format
from store.exporter.ndjson import Ndjson
from store.exporter.ordered import OrderedEvents
from store.exporter.parquet import Parquet
from store.exporter.target import COMPRESSIONS, STDOUT, check_target, compression_of, output
from store.timespan import TimeSpan

FORMATS: Final[tuple[Format, ...]] = (Ndjson(), Csv(), Parquet())
Progress = Callable[[int, int], None]
"""(events written, of at most how many)."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    events: int
    format: str
    path: str

    def as_json(self) -> dict[str, Any]:
        """What `export --json` prints."""
        return {"events": self.events, "format": self.format, "path": self.path}


def export_file(
    path: str | Path,
    *,
    store: EventStore,
    format: str | None = None,  # noqa: A002  the option's name
    span: TimeSpan | None = None,
    where: str | Mapping[str, Any] | Filter | None = None,
    marks: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Writes the events of `span` (None: all) that pass `where` to a file, in the order of
    (event_time, event_id); `-` is standard output. It imports again to the same events.

    The format is that of the name when none is given; `.gz` and `.zst` compress. `marks` adds
    what the store notes by itself (MARKS), which an import would take for attributes. The file
    appears when it is whole, and never in the place of another without `force`. Memory is bounded.
    UsageError: it cannot be written so. NoRoomError, StoreError: the disk, or the store.
    """
    name = str(path)
    how = format_of(name, format)
    check_target(name, force=force)
    keep = where if isinstance(where, Filter) else parse_filter(where)
    parts = store.snapshot().parts
    read = [part for part in parts if part.rows and (span is None or part.span.overlaps(span))]
    columns = Columns.of(read, marks=marks)
    events = OrderedEvents(store, parts, span, keep, columns)
    total, done = events.rows, 0
    with output(name, force=force) as out, how.writing(out, columns.types) as write:
        for frame in events.frames():
            write(frame)
            done += frame.height
            if progress is not None:
                progress(done, total)
    return Exported(done, how.name, name)


def format_of(path: str, name: str | None) -> Format:
    """The format of that name, else of the file's name; NDJSON on standard output. UsageError."""
    known = ", ".join(each.name for each in FORMATS)
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    plain = [suffix for suffix in suffixes if suffix not in COMPRESSIONS][-1:]
    for each in FORMATS:
        if each.name == name or (name is None and {*plain} & {*each.suffixes}):
            return _fit(each, path)
    if name is not None:
        raise UsageError("export", f"there is no format {name!r}", next_step=f"known: {known}")
    if path == STDOUT:
        return FORMATS[0]
    fault = "its name does not tell the format"
    raise UsageError("export", fault, place=path, next_step=f"name one: --format {known}")


def _fit(how: Format, path: str) -> Format:
    if how.compressed and (suffix := compression_of(path)):
        step = f"name it {Path(path).name.removesuffix(suffix)}"
        raise UsageError("export", f"{how.name} is compressed within", place=path, next_step=step)
    return how
