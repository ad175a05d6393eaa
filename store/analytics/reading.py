"""From parts to combined partials, reading only what was never read before.

What comes out of parts is kept part by part, and group by group once all parts of a group are
there; what is missing for all questions is read together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import polars as pl

from store.analytics.batches import Batch, Task, read_all
from store.analytics.cache import PartialCache
from store.analytics.combining import combined
from store.analytics.cut import Cut
from store.analytics.edges import at_edge, inside
from store.analytics.filters import Filter
from store.analytics.heritage import Sources, inherited
from store.analytics.intervals import cut_of
from store.analytics.plan import Node, Plan, Planner, Tree, is_few
from store.analytics.rollups.extracting import Piece, extracted
from store.analytics.rollups.shelf import Shelf, Told, Use
from store.parts.part import Part
from store.schema import FIXED, PART
from store.timespan import TimeSpan

UNIT_ROWS: Final = 1_500_000
"""Groups of parts up to here are read as if they were one part: with a part a second, partials of
each by itself would cost a hundred times the reading. Once an edge cuts the group, its parts are."""

FEW_ROWS: Final = 1_000
"""Of an edge, up to here they are added up with all others in the end: to do so for each edge by
itself takes 5 to 15 ms of every first answer."""
_NO_ROLLUPS: Final = Shelf()
_NO_MERGES: Final = Sources()
Planners = defaultdict[frozenset[str], Planner]
"""By the columns that parts need."""


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Combined:
    """A task's partials as one frame."""

    frame: pl.DataFrame
    key: Hashable
    """Equal when the frame is: the task, and the parts that it is made of."""
    told: Sequence[Told] = ()
    """What comes out of rollups, and what is missing."""


@dataclass(slots=True)
class _Work:
    """A task under way."""

    task: Task
    key: Hashable
    whole_key: Hashable
    cut: Cut | None
    pending: list[Node]
    use: Use
    frames: list[pl.DataFrame] = field(default_factory=list)
    are_combined: bool = True
    """True while all frames were added up, each from several."""


class Reading:
    """One pass over a snapshot's parts; made for one use."""

    def __init__(
        self,
        parts: Sequence[Part],
        types: Mapping[str, pl.DataType],
        planners: Planners,
        cache: PartialCache,
        cancelled: Callable[[], bool],
        shelf: Shelf = _NO_ROLLUPS,
        sources: Sources = _NO_MERGES,
    ) -> None:
        """`types` are the columns of `parts`; `cancelled` is asked before every batch. The events
        of parts that are `gone` from the shelf are told by their rollups alone. `sources` are those
        of merged parts, whose partials were perhaps kept.
        """
        self._parts = parts
        self._types = types
        self._planners = planners
        self._cache = cache
        self._cancelled = cancelled
        self._shelf = shelf
        self._sources = sources
        self._trees: dict[frozenset[str], Tree] = {}
        self._plans: dict[Hashable, Plan] = {}
        self._frames: dict[Hashable, pl.DataFrame] = {}
        self._added: set[Hashable] = set()
        """The frames that were combined here: a group that was read as if it were one part is not."""
        self._users: Counter[Hashable] = Counter()
        """How many pending nodes need a frame: it is let go after the last."""

    def combined(self, tasks: Sequence[Task]) -> list[Combined]:
        """Each task's partials as one frame. Raises Cancelled; FileNotFoundError: a part is gone,
        the snapshot is out of date.
        """
        works = [self._begun(task) for task in tasks]
        self._take_from_rollups(works)
        for partials in read_all(list(self._batches(works)), self._types, self._go_on):
            for task, unit, frame in partials:
                self._keep((task, unit), frame)
            for work in works:
                self._advance(work)
        return [
            Combined(self._whole(work), work.whole_key, work.use.told(work.task.horizon))
            for work in works
        ]

    def _go_on(self) -> None:
        if self._cancelled():
            raise Cancelled

    def _begun(self, task: Task) -> _Work:
        horizon = task.horizon
        plan = self._plan(task.needs, horizon)
        cut = cut_of(task.query, horizon) if horizon and plan.cut else None
        use = self._shelf.use(task.reduction, task.query, task.where, task.key)
        nodes = list(use.apart(plan.nodes, self._trees[task.needs].as_one))
        if cut and horizon:
            nodes += (at_edge(part, cut, horizon, use) for part in plan.cut)
        key = (task.key, tuple(node.key for node in nodes))
        work = _Work(task, task.key, key, cut, nodes, use)
        kept = self._kept(work.whole_key)
        if kept is None:
            for node in nodes:
                self._look_up(work, node)
            self._advance(work)
        else:
            work.pending = []
        return work

    def _plan(self, needs: frozenset[str], horizon: TimeSpan | None) -> Plan:
        if needs not in self._trees:
            parts = [part for part in self._parts if needs <= part.columns.keys()]
            whole = parts if needs else self._parts
            self._trees[needs] = self._planners[needs].tree(whole, self._sources.heritage(needs))
        if (needs, horizon) not in self._plans:
            self._plans[needs, horizon] = self._trees[needs].planned(horizon)
        return self._plans[needs, horizon]

    def _kept(self, name: Hashable) -> pl.DataFrame | None:
        """A frame that is at hand, or still in the cache; taken, so that it cannot go meanwhile."""
        found = self._frames.get(name)
        if found is None:
            found = self._cache.get(name)
            if found is not None:
                self._frames[name] = found
        return found

    def _keep(self, name: Hashable, frame: pl.DataFrame) -> pl.DataFrame:
        self._frames[name] = frame
        self._cache.put(name, frame)
        return frame

    def _look_up(self, work: _Work, node: Node) -> None:
        """Takes what is kept of a node, of its members, or of what it was merged from."""
        name = (work.key, node.key)
        self._users[name] += 1
        if self._kept(name) is not None:
            return
        for member in node.nodes:
            self._look_up(work, member)
        if node.heritage and not node.cut:
            found = inherited(
                node,
                lambda key: self._cache.get((work.key, key)),
                lambda frames: combined(work.task, frames),
            )
            if found is not None:
                self._keep(name, found)

    def _take_from_rollups(self, works: Sequence[_Work]) -> None:
        """All that rollups can tell, in one reading of them."""
        units: dict[Hashable, dict[Hashable, list[Piece]]] = defaultdict(dict)
        for work in works:
            for node in self._missing(work, rolled=True):
                known = units[work.key]
                if node.key not in known:
                    known[node.key] = list(work.use.pieces(node, len(known)))
        wanted = {key: list(chain(*known.values())) for key, known in units.items()}
        for key, found in extracted(wanted, self._shelf.bound):
            by_unit = found.partition_by(PART, as_dict=True, include_key=False)
            nothing = found.clear().drop(PART)
            for at, unit in enumerate(units[key]):
                self._keep((key, unit), by_unit.get((at,), nothing))
        for work in works:
            self._advance(work)

    def _batches(self, works: Sequence[_Work]) -> Iterator[Batch]:
        """What is missing; parts that follow each other together, so that groups fill up."""
        units: dict[tuple[Filter, Cut | None], dict[Hashable, Node]] = defaultdict(dict)
        tasks: dict[Hashable, dict[Hashable, Task]] = defaultdict(dict)
        for work in works:
            for unit in self._missing(work):
                units[work.task.where, unit.cut][unit.key] = unit
                tasks[work.task.where, unit.key][work.key] = work.task
        for (where, cut), found in units.items():
            batch = Batch(where, cut)
            for unit in found.values():
                if not batch.has_room(unit):
                    yield batch
                    batch = Batch(where, cut)
                batch.add(unit, tasks[where, unit.key])
            if batch.units:
                yield batch

    def _missing(self, work: _Work, *, rolled: bool = False) -> Iterator[Node]:
        """The parts to read, or to take from rollups; groups of which nothing is at hand as a whole
        where they are small, or all of their rollups are there.
        """
        nodes = list(reversed(work.pending))
        while nodes:
            node = nodes.pop()
            if (work.key, node.key) in self._frames:
                continue
            is_served = work.use.serves(node)
            stands = node.lasts or (is_served and not node.inside and all(map(is_few, node.nodes)))
            may_be_one = stands and not node.cut and not self._any_at_hand(work.key, node)
            is_small = node.rows <= UNIT_ROWS and not work.use.is_gone(node)
            if is_served and (not node.nodes or may_be_one):
                if rolled:
                    yield node
            elif not node.nodes or (may_be_one and is_small):
                if not rolled and work.use.is_gone(node):
                    self._frames[work.key, node.key] = self._nothing(work)
                elif not rolled:
                    yield node
            else:
                nodes.extend(reversed(node.nodes))

    def _any_at_hand(self, key: Hashable, node: Node) -> bool:
        return any((key, member.key) in self._frames for member in node.nodes)

    def _advance(self, work: _Work) -> None:
        """Moves the nodes of which everything is there from pending to frames."""
        waiting = []
        for node in work.pending:
            frame = self._folded(work, node)
            if frame is None:
                waiting.append(node)
            else:
                work.frames.append(frame)
                work.are_combined &= (work.key, node.key) in self._added
                self._release(work.key, node)
        work.pending = waiting

    def _folded(self, work: _Work, node: Node) -> pl.DataFrame | None:
        """What the node's members add up to; None while one of them is missing."""
        name = (work.key, node.key)
        if name in self._frames or not node.nodes:
            return self._frames.get(name)
        members = [self._folded(work, member) for member in node.nodes]
        frames = [frame for frame in members if frame is not None]
        if len(frames) < len(members):
            return None
        if node.inside:
            frames = [inside(frame, node.inside) for frame in frames]
        if node.inside and sum(frame.height for frame in frames) <= FEW_ROWS:
            self._keep(name, pl.concat(frames, how="diagonal"))
        else:
            self._keep(name, combined(work.task, frames))
            self._added.add(name)
        for member in node.nodes:
            self._release(work.key, member)
        return self._frames[name]

    def _release(self, key: Hashable, node: Node) -> None:
        name = (key, node.key)
        self._users[name] -= 1
        if self._users[name] <= 0:
            self._frames.pop(name, None)

    def _whole(self, work: _Work) -> pl.DataFrame:
        kept = self._frames.get(work.whole_key)
        if kept is not None:
            return kept
        frames = work.frames or [self._nothing(work)]
        is_whole = len(work.frames) == 1 and work.are_combined
        whole = frames[0] if is_whole else combined(work.task, frames)
        self._frames[work.whole_key] = whole
        self._cache.put(work.whole_key, whole, place=(work.key, work.task.horizon))
        return whole

    def _nothing(self, work: _Work) -> pl.DataFrame:
        """The partial of no events, for its columns."""
        names = work.task.reduction.columns(work.task.query)
        types = {name: self._types.get(name) or FIXED.get(name, pl.String()) for name in names}
        events = pl.LazyFrame(schema={**types, PART: pl.UInt32()})
        return work.task.reduction.partial(events, work.task.query, None).collect().drop(PART)
