"""From parts to combined partials, reading only what was never read before.

What is missing for all questions is read together: events once for each filter, in batches that
fit in memory, and every reduction works on the batch. What comes out is kept part by part, and
group by group once all parts of a group are there.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from store.analytics.analysis import Reduction
from store.analytics.cache import PartialCache
from store.analytics.cut import Cut
from store.analytics.filters import Filter
from store.analytics.intervals import cut_of
from store.analytics.plan import Node, Plan, key_of, planned
from store.analytics.query import Query
from store.parts.part import Part
from store.parts.scan import scan
from store.schema import FIXED, PART
from store.timespan import TimeSpan

BATCH_ROWS: Final = 500_000
"""Read at once: large enough for both cores, small enough for memory and for giving up."""
BATCH_PARTS: Final = 512
STREAMING_ROWS: Final = 20_000
"""From here Polars' streaming engine is the faster one; below, setting it up costs more."""


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Task:
    """One reduction of the filtered events in a span."""

    reduction: Reduction
    query: Query
    where: Filter
    horizon: TimeSpan | None
    """None is all history."""

    @property
    def key(self) -> Hashable:
        """What its partials depend on, beside the part and the cut."""
        return self.reduction.name, self.reduction.version, self.query.key()


@dataclass(slots=True)
class _Work:
    """A task under way."""

    task: Task
    key: Hashable
    cut: Cut | None
    pending: list[Node]
    frames: list[pl.DataFrame] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
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
        rows = sum(leaf.parts[0].rows for leaf in self.leaves.values())
        return rows >= BATCH_ROWS or len(self.leaves) >= BATCH_PARTS


class Reading:
    """One pass over a snapshot's parts; made for one use."""

    def __init__(
        self,
        parts: Sequence[Part],
        types: Mapping[str, pl.DataType],
        cache: PartialCache,
        cancelled: Callable[[], bool],
    ) -> None:
        """`types` are the columns of `parts`; `cancelled` is asked before every batch."""
        self._parts = parts
        self._types = types
        self._cache = cache
        self._cancelled = cancelled
        self._plans: dict[TimeSpan | None, Plan] = {}
        self._frames: dict[Hashable, pl.DataFrame] = {}
        self._users: Counter[Hashable] = Counter()
        """How many pending nodes need a frame: it is let go after the last."""

    def combined(self, tasks: Sequence[Task]) -> list[pl.DataFrame]:
        """Each task's partials as one frame. Raises Cancelled; FileNotFoundError: a part is gone,
        the snapshot is out of date.
        """
        works = [self._begun(task) for task in tasks]
        for batch in self._batches(works):
            if self._cancelled():
                raise Cancelled
            self._read(batch)
            for work in works:
                self._advance(work)
        return [self._whole(work) for work in works]

    def _begun(self, task: Task) -> _Work:
        horizon = task.horizon
        if horizon not in self._plans:
            self._plans[horizon] = planned(self._parts, horizon)
        plan = self._plans[horizon]
        cut = cut_of(task.query, horizon) if horizon and plan.cut else None
        at_edges = [Node((key_of(part), cut), (part,), cut=cut) for part in plan.cut]
        work = _Work(task, task.key, cut, [*plan.nodes, *at_edges])
        for node in work.pending:
            self._look_up(work.key, node)
        self._advance(work)
        return work

    def _look_up(self, key: Hashable, node: Node) -> None:
        """Takes what is kept of a node, or of its members."""
        name = (key, node.key)
        self._users[name] += 1
        kept = self._frames[name] if name in self._frames else self._cache.get(name)
        if kept is not None:
            self._frames[name] = kept
            return
        for member in node.nodes:
            self._look_up(key, member)

    def _batches(self, works: Sequence[_Work]) -> Iterator[_Batch]:
        """What is missing; parts that follow each other together, so that groups fill up."""
        leaves: dict[tuple[Filter, Cut | None], dict[Hashable, Node]] = defaultdict(dict)
        tasks: dict[Hashable, dict[Hashable, Task]] = defaultdict(dict)
        for work in works:
            for leaf in self._missing(work):
                leaves[work.task.where, leaf.cut][leaf.key] = leaf
                tasks[work.task.where, leaf.key][work.key] = work.task
        for (where, cut), found in leaves.items():
            batch = _Batch(where, cut)
            for leaf in found.values():
                batch.add(leaf, tasks[where, leaf.key])
                if batch.is_full:
                    yield batch
                    batch = _Batch(where, cut)
            if batch.leaves:
                yield batch

    def _missing(self, work: _Work) -> Iterator[Node]:
        nodes = list(reversed(work.pending))
        while nodes:
            node = nodes.pop()
            if (work.key, node.key) not in self._frames:
                nodes.extend(reversed(node.nodes))
                if not node.nodes:
                    yield node

    def _read(self, batch: _Batch) -> None:
        leaves = list(batch.leaves.values())
        parts = [leaf.parts[0] for leaf in leaves]
        events = self._events(parts, batch)
        for key, task in batch.tasks.items():
            missing = batch.missing[key]
            places = [at for at, leaf in enumerate(leaves) if leaf.key in missing]
            chosen = events.lazy()
            if len(places) < len(leaves):
                chosen = chosen.filter(pl.col(PART).is_in(places))
            found = collected(task.reduction.partial(chosen, task.query, batch.cut), events.height)
            by_part = found.partition_by(PART, as_dict=True, include_key=False)
            nothing = found.clear().drop(PART)
            for at in places:
                name = (key, leaves[at].key)
                self._frames[name] = by_part.get((at,), nothing)
                self._cache.put(name, self._frames[name])

    def _events(self, parts: Sequence[Part], batch: _Batch) -> pl.DataFrame:
        """The columns that somebody wants, of the events that pass the filter."""
        wanted = {
            name for task in batch.tasks.values() for name in task.reduction.columns(task.query)
        }
        span = batch.cut.span if batch.cut else None
        if not batch.where:
            return collected(scan(parts, sorted(wanted), span), sum(p.rows for p in parts))
        tested = batch.where.columns(self._types)
        events = scan(parts, sorted(wanted | tested), span)
        events = events.filter(batch.where.expr(events.collect_schema()))
        return collected(events.select(*sorted(wanted), PART), sum(part.rows for part in parts))

    def _advance(self, work: _Work) -> None:
        """Moves the nodes of which everything is there from pending to frames."""
        waiting = []
        for node in work.pending:
            frame = self._folded(work, node)
            if frame is None:
                waiting.append(node)
            else:
                work.frames.append(_inside(frame, work) if node.cut else frame)
                self._release(work.key, node)
        work.pending = waiting

    def _folded(self, work: _Work, node: Node) -> pl.DataFrame | None:
        name = (work.key, node.key)
        if name in self._frames or not node.nodes:
            return self._frames.get(name)
        members = [self._folded(work, member) for member in node.nodes]
        frames = [frame for frame in members if frame is not None]
        if len(frames) < len(members):
            return None
        self._frames[name] = work.task.reduction.combine(
            pl.concat(frames, how="diagonal"), work.task.query
        )
        self._cache.put(name, self._frames[name])
        for member in node.nodes:
            self._release(work.key, member)
        return self._frames[name]

    def _release(self, key: Hashable, node: Node) -> None:
        name = (key, node.key)
        self._users[name] -= 1
        if self._users[name] <= 0:
            self._frames.pop(name, None)

    def _whole(self, work: _Work) -> pl.DataFrame:
        frames = work.frames or [self._nothing(work)]
        return work.task.reduction.combine(pl.concat(frames, how="diagonal"), work.task.query)

    def _nothing(self, work: _Work) -> pl.DataFrame:
        """The partial of no events, for its columns."""
        names = work.task.reduction.columns(work.task.query)
        types = {name: self._types.get(name) or FIXED.get(name, pl.String()) for name in names}
        events = pl.LazyFrame(schema={**types, PART: pl.UInt32()})
        return work.task.reduction.partial(events, work.task.query, None).collect().drop(PART)


def collected(frame: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """The frame, by the engine that is faster for about so many rows."""
    return frame.collect(engine="streaming" if rows >= STREAMING_ROWS else "in-memory")


def _inside(cells: pl.DataFrame, work: _Work) -> pl.DataFrame:
    """The cells of a cut part that lie in the horizon; a cut made for it has no others."""
    horizon, cut = work.task.horizon, work.cut
    if horizon is None or cut is None or cut.span == horizon:
        return cells
    time = pl.col("time")
    return cells.filter((time >= horizon.start) & (time < horizon.end))
