"""Events read in batches: once for all that want them, reduced by each, told apart by part."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from store.analytics.analysis import Partials, Reduction
from store.analytics.cut import Cut
from store.analytics.filters import Filter
from store.analytics.plan import Node
from store.analytics.query import Query
from store.parts.scan import scan
from store.schema import PART
from store.timespan import TimeSpan

BATCH_ROWS: Final = 1_500_000
"""Read at once: large enough for both cores, small enough for memory and for giving up."""
BATCH_UNITS: Final = 512
ALONE_ROWS: Final = 200_000
"""Units from here are read alone: telling large ones apart costs more than a reading of their own,
and groups of several at once would be too many for the caches of the processor."""
AT_ONCE: Final = 4
"""Batches read at a time: within one, a core is idle while files are opened, while groups are put
together, and wherever Polars does not share the work."""
LONG_ROWS: Final = 2 * BATCH_ROWS
"""From here that is worth the memory, which is that of so many rows."""
STREAMING_ROWS: Final = 20_000
"""From here Polars' streaming engine is the faster one; below, setting it up costs more."""
_NULL_WHEN_ABSENT: Final = frozenset({"sample_rate", "install_id", "component"})
"""Of the type Null where no part has them: what nobody sent need not be weighed, nor linked."""


@dataclass(frozen=True, slots=True)
class Task:
    """One reduction of the filtered events in a span."""

    reduction: Reduction
    query: Query
    where: Filter
    horizon: TimeSpan | None
    """None is all history."""
    needs: frozenset[str] = frozenset()
    """Parts that lack one of these columns have nothing to tell, and are not read."""

    @property
    def key(self) -> Hashable:
        """What its partials depend on, beside the part and the cut."""
        return self.reduction.name, self.reduction.version, self.query.key()


@dataclass(slots=True)
class Batch:
    """Parts to read at once, the same way, and who misses which of them."""

    where: Filter
    cut: Cut | None
    units: dict[Hashable, Node] = field(default_factory=dict)
    """Parts, or groups of small ones that are read as if they were one part."""
    tasks: dict[Hashable, Task] = field(default_factory=dict)
    missing: dict[Hashable, set[Hashable]] = field(default_factory=dict)
    """By the tasks' keys: the units' keys."""
    rows: int = 0
    largest: int = 0
    """The rows of its largest unit."""

    def add(self, unit: Node, tasks: Mapping[Hashable, Task]) -> None:
        self.units[unit.key] = unit
        self.tasks.update(tasks)
        self.rows += unit.rows
        self.largest = max(self.largest, unit.rows)
        for key in tasks:
            self.missing.setdefault(key, set()).add(unit.key)

    def places(self, task: Hashable) -> Sequence[int]:
        """Where among the units those are that a task misses."""
        return [at for at, unit in enumerate(self.units) if unit in self.missing[task]]

    def has_room(self, unit: Node) -> bool:
        """Whether it may come on top."""
        fits = self.rows + unit.rows <= BATCH_ROWS and len(self.units) < BATCH_UNITS
        return not self.units or (fits and max(self.largest, unit.rows) < ALONE_ROWS)


Partial = tuple[Hashable, Hashable, pl.DataFrame]
"""A task's key, a unit's key, and what comes out of it."""


def read_all(
    batches: Sequence[Batch], types: Mapping[str, pl.DataType], go_on: Callable[[], None]
) -> Iterator[Sequence[Partial]]:
    """What `read` gives, batch by batch in their order; those to come are read meanwhile. `go_on` is
    called before each is begun: what it raises ends the reading.
    """
    is_long = sum(batch.rows for batch in batches) >= LONG_ROWS
    largest = max((batch.rows for batch in batches), default=1)
    at_once = max(2, min(AT_ONCE, LONG_ROWS // largest)) if is_long else 1
    waiting = deque[Future[Sequence[Partial]]]()
    with ThreadPoolExecutor(at_once, "read") as pool:
        for batch in batches:
            if len(waiting) == at_once:
                yield waiting.popleft().result()
            go_on()
            waiting.append(pool.submit(lambda batch: list(read(batch, types)), batch))
        while waiting:
            yield waiting.popleft().result()


def read(batch: Batch, types: Mapping[str, pl.DataType]) -> Iterator[Partial]:
    """The partials of the batch: the task's key, the unit's key, and the frame without PART.

    `types` are the stored columns. Raises FileNotFoundError when a part is gone.
    """
    units = list(batch.units.values())
    reductions = {key: _reduction(task, batch) for key, task in batch.tasks.items()}
    events = _events(units, batch, types, reductions)
    # Many events flow past all tasks at once; few are quicker to hold.
    flows = batch.rows >= STREAMING_ROWS
    if not flows and len(batch.tasks) > 1:
        events = events.collect(engine="in-memory").lazy()
    partials = []
    for key, task in batch.tasks.items():
        places = batch.places(key)
        chosen = events.filter(pl.col(PART).is_in(places)) if len(places) < len(units) else events
        partials.append(reductions[key].partial(chosen, task.query, batch.cut))
    told = pl.collect_all(partials, engine="streaming" if flows else "in-memory")
    for key, found in zip(batch.tasks, told, strict=True):
        if len(units) == 1:
            yield key, units[0].key, found.drop(PART, strict=False)
            continue
        by_part = found.partition_by(PART, as_dict=True, include_key=False)
        nothing = found.clear().drop(PART)
        for at in batch.places(key):
            yield key, units[at].key, by_part.get((at,), nothing)


def _reduction(task: Task, batch: Batch) -> Partials:
    """How the task reduces the batch: by what reads less, where all of it lies in one place."""
    narrow = getattr(task.reduction, "narrow", None)
    if narrow is None or batch.cut:
        return task.reduction
    starts, ends = zip(*((unit.start, unit.end) for unit in batch.units.values()), strict=True)
    found: Partials | None = narrow(task.query, TimeSpan(min(starts), max(ends)))
    return found or task.reduction


def _events(
    units: Sequence[Node],
    batch: Batch,
    types: Mapping[str, pl.DataType],
    reductions: Mapping[Hashable, Partials],
) -> pl.LazyFrame:
    """The columns that somebody wants, of the events that pass the filter; PART is the place
    of their unit, or of the type Null when there is but one.
    """
    placed = [(leaf.part, at) for at, unit in enumerate(units) for leaf in unit.leaves()]
    parts = [part for part, _ in placed if part]
    asked = ((reductions[key], task.query) for key, task in batch.tasks.items())
    wanted = {name for reduction, query in asked for name in reduction.columns(query)}
    absent = {
        name for name in wanted & _NULL_WHEN_ABSENT if not any(name in p.columns for p in parts)
    }
    tested = batch.where.columns(types) if batch.where else set()
    names = sorted((wanted | tested) - absent)
    span = batch.cut.span if batch.cut else None
    events = scan(parts, names, span, apart=len(units) > 1)
    if batch.where:
        kept = batch.where.expr(events.collect_schema())
        events = events.filter(kept).select(*sorted(wanted - absent), PART)
    if len(parts) > len(units) > 1:
        # Not by gather: what is not elementwise keeps later filters from reaching the files.
        places = [at for _, at in placed]
        unit = pl.col(PART).replace_strict(range(len(placed)), places, return_dtype=pl.UInt32)
        events = events.with_columns(unit.alias(PART))
    return events.with_columns(pl.lit(None).alias(name) for name in absent)
