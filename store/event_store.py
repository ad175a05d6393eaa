"""EventStore: the one door to what is stored."""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from store.analytics.answering import Moment, answers
from store.analytics.cache import FinishedCache, PartialCache
from store.analytics.filters import parse_filter
from store.analytics.heritage import Heritage
from store.analytics.plan import Planner
from store.analytics.query import Query
from store.analytics.reading import Cancelled, Planners
from store.analytics.registry import ANALYSES, HELPERS, Known
from store.analytics.rollups.shelf import Shelf
from store.analytics.shapes import Answer
from store.errors import StoreError, UsageError
from store.parts.catalog import Catalog, Snapshot
from store.parts.layout import StoreFolder
from store.parts.lost import lost
from store.parts.out_of_time import out_of_time
from store.parts.part import Part
from store.parts.rollups import with_gone
from store.parts.scan import OF_A_PART, column_types, scan
from store.tally import Tally
from store.timespan import AHEAD_MAX, OLDEST, WEEKDAYS, TimeSpan

__all__ = ["Cancelled", "EventStore"]

ATTEMPTS_MAX: Final = 5
"""A part that is gone when it is opened means a merge just now: look again, so many times."""


COUNTED_MAX: Final = 1_000_000
"""Events, so few that a set of all that happened to anybody is a few megabytes."""


class EventStore:
    """What is stored, and answers about it. Safe across threads.

    An answer is made of the partials of the parts; those are kept, so that asking again costs
    what is new. All doors see each acknowledged event exactly once.
    """

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        create: bool = False,
        cache_bytes_max: int = 40 * 2**20,
        analyses: Sequence[Known] = ANALYSES,
        week_start: str = WEEKDAYS[0],
        counted_max: int = COUNTED_MAX,
    ) -> None:
        """A missing folder holds no events; `create` makes it. `week_start` is the first day of a
        week in questions that do not say. Up to `counted_max` events, users and sessions are counted
        one by one. NotAStoreError, NewerFormatError: it cannot be read.
        """
        self.folder = StoreFolder.open(root, create=create)
        self._now = now
        self._week_start = week_start
        self._catalog = Catalog(self.folder)
        self._planners: Planners = defaultdict(Planner)
        self._heritage = Heritage()
        self._cache = PartialCache(cache_bytes_max)
        self._finished = FinishedCache()
        self._analyses = (*analyses, *HELPERS)
        self._lock = threading.Lock()
        self._shelf: tuple[tuple[Sequence[Any], ...], Shelf] = ((), Shelf())
        self._types: tuple[str, Mapping[str, pl.DataType]] = ("", {})
        self._counted_max = counted_max

    @property
    def analyses(self) -> Sequence[Known]:
        """What people may ask here: ours, and those from outside that it was opened with."""
        return self._analyses[: -len(HELPERS)]

    def generation(self) -> str:
        """Changes when the visible parts do; cheap enough to be polled."""
        return self._catalog.generation()

    def snapshot(self) -> Snapshot:
        """The parts that count now."""
        return self._catalog.snapshot()

    def column_types(self) -> Mapping[str, pl.DataType]:
        """All columns that some event has, with the types that they are read as."""
        return self._types_of(self.snapshot())

    def span(self) -> TimeSpan | None:
        """From the first event to just after the last, without those that are out of time (before
        1990, or more than two days ahead); None without events.
        """
        return self._span_of(self.snapshot())

    def out_of_time(self) -> int:
        """How many events `span` leaves out; they are stored, and answers about their time count
        them. FileNotFoundError when a part was merged meanwhile: ask again.
        """
        return out_of_time(self.snapshot().parts, self._now())

    def unreadable(self, span: TimeSpan | None = None) -> int:
        """How many parts that may hold events of a span (None: of any time) cannot be read."""
        return lost(self.snapshot().unreadable, span)

    def distrust(self) -> bool:
        """After a read failed: looks at all bytes that were not looked at yet. True when parts turned
        out to be broken; they do not count any more, so that reading again may do.
        """
        return bool(self._catalog.verify(self._all_files()))

    def tally(self) -> Tally:
        """What became of all events that ever came to this store."""
        return Tally.total(part.tally for part in self.snapshot().told)

    def events(
        self,
        span: TimeSpan | None = None,
        where: str | Mapping[str, Any] | None = None,
        columns: Collection[str] | None = None,
    ) -> pl.LazyFrame:
        """The events of a span that pass a filter, in no particular order, with these columns (or
        all) and schema.PART. Its collect fails with FileNotFoundError after a merge: ask again.
        """
        snapshot = self.snapshot()
        types = self._types_of(snapshot)
        keep = parse_filter(where)
        wanted = list(dict.fromkeys(types if columns is None else columns))
        tested = sorted(keep.columns(types) - set(wanted)) if keep else []
        found = scan(snapshot.parts, [*wanted, *tested], span)
        return found.filter(keep.expr(found.collect_schema())).drop(tested) if keep else found

    def run(self, query: Query, *, cancelled: Callable[[], bool] = lambda: False) -> Answer:
        """The answer to one question; see `run_all`."""
        return self.run_all([query], cancelled=cancelled)[0]

    def run_all(
        self, queries: Sequence[Query], *, cancelled: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """The answers to all of them about one instant, in their order. Parts that are new are
        read once for all. UsageError: a question makes no sense here; Cancelled: `cancelled`, asked
        now and then, was true.
        """
        gone: Exception | None = None
        for _ in range(ATTEMPTS_MAX):
            try:
                return answers(self._moment(cancelled), queries)
            except FileNotFoundError as error:
                gone = error
            except OverflowError as error:
                fault = "with what is read around it, it goes past the years 1 to 9999"
                raise UsageError("span", fault, next_step="take less time") from error
            except OF_A_PART as error:
                # A part whose bytes changed must not take the answers about all others with it.
                volumes = self._catalog.volumes
                if not (self._catalog.verify(self._all_files()) or volumes.verify()):
                    raise
                gone = error
        raise StoreError(
            "store",
            f"parts vanish while they are read ({gone})",
            place=str(self.folder.root),
            next_step="does something else delete files there?",
        )

    def _moment(self, cancelled: Callable[[], bool]) -> Moment:
        snapshot = self.snapshot()
        return Moment(
            parts=with_gone(snapshot.parts, snapshot.gone),
            shelf=self._shelf_of(snapshot),
            types=self._types_of(snapshot),
            stored=self._span_of(snapshot),
            now=self._now(),
            generation=snapshot.generation,
            has_few=self._has_few(snapshot),
            unreadable=snapshot.unreadable,
            analyses=self._analyses,
            planners=self._planners,
            sources=self._heritage.sources(snapshot.parts),
            cache=self._cache,
            finished=self._finished,
            cancelled=cancelled,
            week_start=self._week_start,
        )

    def _has_few(self, snapshot: Snapshot) -> bool:
        # Of what is gone, rollups hold no more than the sets of many.
        return not snapshot.gone and sum(part.rows for part in snapshot.parts) <= self._counted_max

    def _all_files(self) -> Sequence[Part]:
        snapshot = self.snapshot()
        return (*snapshot.told, *snapshot.rollups)

    def _shelf_of(self, snapshot: Snapshot) -> Shelf:
        """The same for as long as the rollups are: it keeps what questions found out."""
        with self._lock:
            seen, shelf = self._shelf
            rollups = (snapshot.rollups, snapshot.gone, snapshot.volumes)
            if seen != rollups:
                shelf = Shelf.of(*rollups)
                self._shelf = (rollups, shelf)
            return shelf

    def _types_of(self, snapshot: Snapshot) -> Mapping[str, pl.DataType]:
        with self._lock:
            generation, types = self._types
            if generation != snapshot.generation:
                types = column_types(snapshot.told)
                self._types = (snapshot.generation, types)
            return types

    def _span_of(self, snapshot: Snapshot) -> TimeSpan | None:
        true = TimeSpan(OLDEST, self._now() + AHEAD_MAX)
        # One event of 1970 must not stretch the span of all others.
        spans = [part.span for part in snapshot.told if part.rows and true.overlaps(part.span)]
        if not spans:
            return None
        start, end = min(span.start for span in spans), max(span.end for span in spans)
        return TimeSpan(max(start, true.start), min(end, true.end))
