"""Events read in batches: once for all that want them, reduced by each, told apart by part."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from store.analytics.analysis import Reduction
from store.analytics.cut import Cut
from store.analytics.filters import Filter
from store.analytics.plan import Node
from store.analytics.query import Query
from store.parts.part import Part
from store.parts.scan import scan
from store.schema import PART
from store.timespan import TimeSpan

BATCH_ROWS: Final = 1_000_000
"""Read at once: large enough for both cores, small enough for memory and for giving up."""
BATCH_PARTS: Final = 512
STREAMING_ROWS: Final = 20_000
"""From here Polars' streaming engine is the faster one; below, setting it up costs more."""
_RATE: Final = "sample_rate"


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
    leaves: dict[Hashable, Node] = field(default_factory=dict)
    tasks: dict[Hashable, Task] = field(default_factory=dict)
    missing: dict[Hashable, set[Hashable]] = field(default_factory=dict)
    """By the tasks' keys: the leaves' keys."""

    def add(self, leaf: Node, tasks: Mapping[Hashable, Task]) -> None:
        self.leaves[leaf.key] = leaf
        self.tasks.update(tasks)
        for key in tasks:
            self.missing.setdefault(key, set()).add(leaf.key)

    @property
    def is_full(self) -> bool:
        rows = sum(leaf.part.rows for leaf in self.leaves.values() if leaf.part)
        return rows >= BATCH_ROWS or len(self.leaves) >= BATCH_PARTS


def read(
    batch: Batch, types: Mapping[str, pl.DataType]
) -> Iterator[tuple[Hashable, Hashable, pl.DataFrame]]:
    """The partials of the batch: the task's key, the leaf's key, and the frame without PART.

    `types` are the stored columns. Raises FileNotFoundError when a part is gone.
    """
    leaves = list(batch.leaves.values())
    events, rows = _events([leaf.part for leaf in leaves if leaf.part], batch, types)
    for key, task in batch.tasks.items():
        missing = batch.missing[key]
        places = [at for at, leaf in enumerate(leaves) if leaf.key in missing]
        chosen = events
        if len(places) < len(leaves):
            chosen = chosen.filter(pl.col(PART).is_in(places))
        found = _collected(task.reduction.partial(chosen, task.query, batch.cut), rows)
        by_part = found.partition_by(PART, as_dict=True, include_key=False)
        nothing = found.clear().drop(PART)
        for at in places:
            yield key, leaves[at].key, by_part.get((at,), nothing)


def _events(
    parts: Sequence[Part], batch: Batch, types: Mapping[str, pl.DataType]
) -> tuple[pl.LazyFrame, int]:
    """The columns that somebody wants, of the events that pass the filter; and how many."""
    wanted = {name for task in batch.tasks.values() for name in task.reduction.columns(task.query)}
    absent = wanted & {_RATE} if not any(_RATE in part.columns for part in parts) else set()
    tested = batch.where.columns(types) if batch.where else set()
    names = sorted((wanted | tested) - absent)
    events = scan(parts, names, batch.cut.span if batch.cut else None)
    if batch.where:
        kept = batch.where.expr(events.collect_schema())
        events = events.filter(kept).select(*sorted(wanted - absent), PART)
    found = _collected(events, sum(part.rows for part in parts))
    return found.lazy().with_columns(pl.lit(None).alias(name) for name in absent), found.height


def _collected(frame: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """The frame, by the engine that is faster for about so many rows."""
    return frame.collect(engine="streaming" if rows >= STREAMING_ROWS else "in-memory")
