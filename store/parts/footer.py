"""What a part's footer says beside Parquet's own, and the seals over the file.

Two pairs stand last in the footer's key-value metadata: SUMMARY_KEY with a JSON object, and
SEAL_KEY with two XXH3-64 in hex: of all bytes before the footer, and of the footer itself with
those last 16 digits as zeros. Parquet's page checksums leave out page headers and the footer; the
seals leave out nothing.
"""

import contextlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from os import SEEK_END
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import orjson
import polars as pl
import xxhash

from store.errors import ForeignPartError, NewerFormatError, PartUnreadableError, UsageError
from store.parts.layout import FORMAT, PartName
from store.parts.part import Cover, Part, Rolled
from store.schema import FIXED, INSTANT, REQUIRED
from store.tally import Tally
from store.timespan import EPOCH, TimeSpan

MAGIC: Final = b"PAR1"
TAIL_READ_BYTES: Final = 32 * 1024
"""One read gets the footer of a part with some 200 columns."""
TAIL_BYTES: Final = 8
"""The footer's length (4 bytes, little-endian) and the magic."""
SUMMARY_KEY: Final = "eventdeck"
SEAL_KEY: Final = "eventdeck.seal"
DIGITS: Final = 16
UNSEALED: Final = "0" * (2 * DIGITS)

# The types of stored columns, as summaries name them.
KINDS: Final[Mapping[str, pl.DataType]] = {
    "text": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "instant": INSTANT,
    "uint": pl.UInt64(),
    "uint16": pl.UInt16(),
    "uint8": pl.UInt8(),
}
KIND_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_MICROSECOND: Final = timedelta(microseconds=1)
# Thrift's compact form: a string of 14 bytes, then one of 32. The pair is the last with user text
# in the footer, so the last occurrence is the seal.
_SEAL_MARK: Final = b"\x18\x0e" + SEAL_KEY.encode() + b"\x18\x20"
# JSON escapes quotes inside texts, so this cannot occur within a summary.
_SUMMARY_START: Final = b'{"eventdeck":'


@dataclass(frozen=True, slots=True)
class Footer:
    """A footer's bytes whose seal was right, and the seal over the bytes before it."""

    raw: bytes
    body_seal: str
    summary: Mapping[str, Any]


def seal(file: bytearray, before: xxhash.xxh3_64 | None = None) -> None:
    """Fills in both seals of a written file, in place; `file` may be its end alone, that holds the
    whole footer, when `before` has hashed all bytes before that end.
    """
    start = footer_start(bytes(file[-TAIL_BYTES:]), len(file))
    at = file.rindex(_SEAL_MARK) + len(_SEAL_MARK)
    body = before or xxhash.xxh3_64()
    with memoryview(file) as view:
        body.update(view[:start])
        file[at : at + DIGITS] = body.hexdigest().encode()
        own = at + DIGITS
        file[own : own + DIGITS] = xxhash.xxh3_64_hexdigest(view[start:-TAIL_BYTES]).encode()


def body_seal_of(file: bytearray) -> str:
    """The seal over the rows of a file that was sealed."""
    at = file.rindex(_SEAL_MARK) + len(_SEAL_MARK)
    return file[at : at + DIGITS].decode()


def footer_start(tail: bytes, size: int) -> int:
    """Where the footer starts in a file of `size` bytes that ends in `tail`."""
    if len(tail) < TAIL_BYTES or tail[-4:] != MAGIC:
        raise _unreadable("it does not end as a Parquet file: it is cut off or empty")
    (length,) = struct.unpack("<I", tail[-TAIL_BYTES:-4])
    start = size - TAIL_BYTES - int(length)
    if start < 0:
        raise _unreadable("its footer is longer than the file")
    return start


def parse_footer(raw: bytes) -> Footer:
    """The footer (without the tail) with its seal verified.

    PartUnreadableError when the seal is wrong, ForeignPartError when there was none or what it
    seals makes no sense, NewerFormatError for a later format.
    """
    if _of_another_program(raw):
        raise ForeignPartError("part", "it is a Parquet file, but its footer is not of eventdeck")
    at = raw.rfind(_SEAL_MARK)
    start = raw.rfind(_SUMMARY_START, 0, max(at, 0))
    if start < 0:
        raise _unreadable("its footer is damaged")
    body = at + len(_SEAL_MARK)
    own = body + DIGITS
    digest = xxhash.xxh3_64(raw[:own])
    digest.update(b"0" * DIGITS + raw[own + DIGITS :])
    if digest.hexdigest().encode() != raw[own : own + DIGITS]:
        raise _unreadable("the checksum of its footer is wrong")
    with _making_sense():
        # One zero byte ends the pair that holds the summary.
        summary = orjson.loads(raw[start : at - 1])
        if summary["eventdeck"] > FORMAT:
            raise NewerFormatError("part", f"it is of format {summary['eventdeck']}")
        return Footer(raw, raw[body:own].decode(), summary)


def summary_of(part: Part) -> bytes:
    """The JSON that the footer of `part` carries; what is nothing is left out."""
    document = {
        "eventdeck": FORMAT,
        "part": f"{part.date}/{PartName(part.level, part.writer, part.sequence).file}",
        "rows": part.rows,
        "first": (part.span.start - EPOCH) // _MICROSECOND,
        "last": (part.span.end - EPOCH) // _MICROSECOND,
        "received": (part.newest_received - EPOCH) // _MICROSECOND,
        "columns": {name: KIND_NAMES[kind] for name, kind in part.columns.items()},
    }
    extra = {
        "wide": sorted(part.wide),
        "covers": [tuple(cover) for cover in part.covers],
        "tally": _bare_tally(part.tally),
        "imported": part.imported,
        "overflow": {name: KIND_NAMES[kind] for name, kind in part.overflow.items()},
        "overflow_cut": not part.overflow_complete,
        "removed": part.removed,
        "rollup": _rolled_summary(part.rolled) if part.rolled else None,
    }
    return orjson.dumps(document | {name: value for name, value in extra.items() if value})


def read_footer(file: BinaryIO) -> Footer:
    """The footer of an open file; PartUnreadableError, NewerFormatError, OSError."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - TAIL_READ_BYTES))
    end = file.read()
    start = footer_start(end[-TAIL_BYTES:], size)
    missing = size - start - len(end)
    if missing > 0:
        file.seek(start)
        end = file.read(missing) + end
    return parse_footer(end[start - size : -TAIL_BYTES])


def read_part(path: Path, day: str, name: PartName) -> Part:
    """The part at `path`, which should be that of this date and name; its rows are not read.

    PartUnreadableError, ForeignPartError, NewerFormatError, OSError.
    """
    with path.open("rb", buffering=0) as file:
        found = read_footer(file)
        size = file.seek(0, SEEK_END)
    with _making_sense():
        return _part(found, path, day, name, size)


def _part(found: Footer, path: Path, day: str, name: PartName, size: int) -> Part:
    summary = found.summary
    if summary["part"] != f"{day}/{name.file}":
        raise ForeignPartError(
            "part", f"it is a copy: its footer says that it is {summary['part']}"
        )
    return Part(
        path=path,
        date=day,
        level=name.level,
        writer=name.writer,
        sequence=name.sequence,
        rows=range(summary["rows"] + 1)[-1],  # a number, and not below 0
        size_bytes=size,
        span=TimeSpan(_instant(summary["first"]), _instant(summary["last"])),
        newest_received=_instant(summary["received"]),
        columns=_columns(tuple(summary["columns"].items())),
        covers=tuple(Cover(*cover) for cover in summary.get("covers", ())),
        tally=Tally.from_json(summary.get("tally", {})),
        imported=summary.get("imported", False),
        wide=frozenset(summary.get("wide", ())),
        overflow=_kinds(tuple(summary.get("overflow", {}).items())),
        overflow_complete=not summary.get("overflow_cut", False),
        removed=summary.get("removed", 0),
        rolled=_rolled(summary["rollup"], found.body_seal) if "rollup" in summary else None,
    )


def _rolled_summary(rolled: Rolled) -> dict[str, Any]:
    document = {
        "tiers": rolled.tiers,
        "covers": [(day, *cover) for day, cover in rolled.covers],
        "folded": sorted(rolled.folded),
        "hashes": rolled.hashes,
    }
    return {name: value for name, value in document.items() if value} | {"tiers": rolled.tiers}


def _rolled(summary: Mapping[str, Any], seal: str) -> Rolled:
    return Rolled(
        tuple(summary["tiers"]),
        tuple((day, Cover(*cover)) for day, *cover in summary.get("covers", ())),
        frozenset(summary.get("folded", ())),
        summary.get("hashes", ""),
        seal,
    )


def _bare_tally(tally: Tally) -> dict[str, Any]:
    return {name: value for name, value in tally.as_json().items() if value}


@lru_cache(maxsize=256)
def _columns(names: tuple[tuple[str, str], ...]) -> Mapping[str, pl.DataType]:
    """As `_kinds`; ValueError unless the required columns are there and fixed ones have their type:
    a scan would fail on them, and take the answers about all other parts with it.
    """
    kinds = _kinds(names)
    wrong = [name for name, kind in kinds.items() if name in FIXED and kind != FIXED[name]]
    if wrong or not kinds.keys() >= set(REQUIRED):
        raise ValueError(", ".join(wrong) or "a required column is missing")
    return kinds


@lru_cache(maxsize=256)
def _kinds(names: tuple[tuple[str, str], ...]) -> Mapping[str, pl.DataType]:
    """Shared among parts with the same columns: ten thousand parts have a few dozen layouts."""
    return MappingProxyType({column: KINDS[name] for column, name in names})


def _instant(microseconds: int) -> Any:
    return EPOCH + timedelta(microseconds=microseconds)


def _of_another_program(raw: bytes) -> bool:
    """Whether this is a sound footer without a trace of us. What is damaged may well be ours."""
    if SUMMARY_KEY.encode() in raw:
        return False
    import pyarrow as pa  # readers of sound parts need none of it
    import pyarrow.parquet as pq

    tail = struct.pack("<I", len(raw)) + MAGIC
    try:
        pq.read_metadata(pa.BufferReader(MAGIC + raw + tail))
    except (pa.ArrowException, OSError):
        return False
    return True


@contextlib.contextmanager
def _making_sense() -> Iterator[None]:
    """The seal is right, so this was written on purpose: whatever it is, it must stop no reader."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as error:
        raise ForeignPartError("part", f"its footer makes no sense to us: {error!r}") from error


def _unreadable(fault: str) -> PartUnreadableError:
    return PartUnreadableError("part", fault)
