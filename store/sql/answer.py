"""One statement, one answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.analytics.filters import Filter
from store.errors import StoreError
from store.event_store import EventStore
from store.schema import ATTRIBUTE_PREFIX, FIXED, PART, column
from store.sql.faults import sentence
from store.sql.statement import check_reads_only
from store.timespan import TimeSpan

TABLES: Final[Mapping[str, str | None]] = {
    "events": None,
    "metrics": "metric",
    "spans": "span",
    "logs": "log",
}
"""table -> the event type that it holds; None: all."""
BATCH_ROWS: Final = 20_000
ATTEMPTS_MAX: Final = 5
# `1.5` is a decimal to Polars; nobody who asks for numbers wants texts.
_DECIMALS: Final = pl.selectors.decimal()


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """What a statement found."""

    columns: Mapping[str, pl.DataType]
    frames: Iterator[pl.DataFrame]
    """The rows in their order, a batch at a time; there is at least one frame, maybe empty."""


def run_sql(
    store: EventStore, text: str, *, span: TimeSpan | None = None, where: Filter | None = None
) -> SqlAnswer:
    """Runs one question of SQL over the events of `span` that pass `where`, in the TABLES.

    Only columns that it needs are read, rows come batch by batch: memory is bounded unless the
    question itself needs all rows at once, as ORDER BY does. A column whose name Polars would take
    for a pattern (`^a.*$`, `*`) is called `attr.NAME`. Nothing can be written, and nothing but the
    events be read. UsageError: a mistake, with its place; StoreError: parts cannot be read.
    """
    tokens = check_reads_only(text)
    columns: Mapping[str, pl.DataType] = {}
    gone: Exception | None = None
    for _ in range(ATTEMPTS_MAX):
        events = _events(store, span, where)
        columns = columns or dict(events.collect_schema())
        try:
            found = _context(events).execute(text).with_columns(_DECIMALS.cast(pl.Float64))
            schema = dict(found.collect_schema())
            frames = _batches(found)
            first = next(frames, pl.DataFrame(schema=schema))
        except FileNotFoundError as error:  # merged meanwhile
            gone = error
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            if not (_is_of_a_part(error) and store.distrust()):
                raise sentence(error, text, tokens, columns, tuple(TABLES)) from None
            gone = error
        else:
            return SqlAnswer(schema, _chained(first, frames, text))
    raise _gone(store, gone)


def _events(store: EventStore, span: TimeSpan | None, where: Filter | None) -> pl.LazyFrame:
    # The fixed columns are there also while no event has them: a script need not know.
    wanted = dict.fromkeys([*FIXED, *store.column_types()])
    events = store.events(span, where.document() if where else None, wanted).drop(PART)
    names = events.collect_schema().names()
    odd = {name: ATTRIBUTE_PREFIX + name for name in names if name[:1] == "^" or name == "*"}
    if not odd:
        return events
    return events.select(column(name).alias(odd.get(name, name)) for name in names)


def _context(events: pl.LazyFrame) -> "pl.SQLContext[pl.LazyFrame]":
    """The tables over all columns; the optimiser leaves what is not asked for unread."""
    kind = pl.col("event_type")
    return pl.SQLContext(
        {
            name: events if value is None else events.filter(kind == value)
            for name, value in TABLES.items()
        },
        eager=False,
    )


def _batches(found: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    return iter(found.collect_batches(chunk_size=BATCH_ROWS, engine="streaming"))


def _chained(
    first: pl.DataFrame, rest: Iterator[pl.DataFrame], text: str
) -> Iterator[pl.DataFrame]:
    yield first
    try:
        yield from rest
    except FileNotFoundError as error:
        said = "parts were merged while the answer was read"
        raise StoreError("sql", said, next_step="ask again") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        if _is_of_a_part(error):
            step = "see eventdeck check; a running collector sets it aside"
            raise StoreError("sql", "a part cannot be read", next_step=step) from error
        raise sentence(error, text, (), {}, tuple(TABLES)) from None


def _is_of_a_part(error: BaseException) -> bool:
    """Whether it is the bytes of a file that are wrong, and not the question."""
    return "parquet" in str(error)


def _gone(store: EventStore, error: Exception | None) -> StoreError:
    return StoreError(
        "sql",
        f"parts vanish while they are read ({error})",
        place=str(store.folder.root),
        next_step="does something else delete files there?",
    )
