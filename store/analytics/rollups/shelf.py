"""The rollups at hand: which nodes of a plan an answer may take from them."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from store.analytics.cut import Cut
from store.analytics.filters import Filter
from store.analytics.plan import Node, PartKey, is_few, key_of
from store.analytics.query import Query
from store.analytics.rollups.extracting import Piece
from store.analytics.rollups.recipe import Choice, FromRollups, choice, inside, tiles
from store.analytics.rollups.sections import Bound
from store.analytics.rollups.tiers import Tier
from store.parts.part import Part
from store.parts.volumes import Volume
from store.timespan import TimeSpan

AsOne = Callable[[Sequence[Node]], Sequence[Node]]
MISSING: Final = "missing"
USES_MAX: Final = 256
"""Questions whose ways through the rollups are kept."""


class Told(NamedTuple):
    """A span, and the tier that tells of it."""

    span: TimeSpan
    tier: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The rollups of a snapshot, by the parts that they stand for."""

    rollups: Mapping[PartKey, Part] = field(default_factory=dict)
    gone: frozenset[PartKey] = frozenset()
    """Those whose events are there no more."""
    bound: Mapping[Path, Bound] = field(default_factory=dict)
    """By the path of a rollup, where else its rows are."""
    _uses: dict[Hashable, "Use"] = field(default_factory=dict)

    @classmethod
    def of(
        cls, beside: Sequence[Part], gone: Sequence[Part], volumes: Sequence[Volume] = ()
    ) -> "Shelf":
        found = {key_of(each): each for each in (*beside, *gone)}
        places = {
            seal: Bound(each.path, place, len(each.places))
            for each in volumes
            for seal, place in each.places.items()
        }
        seals = {each.path: each.rolled.seal for each in found.values() if each.rolled}
        bound = {path: places[seal] for path, seal in seals.items() if seal in places}
        return cls(found, frozenset(map(key_of, gone)), bound)

    def use(self, reduction: object, query: Query, where: Filter, key: Hashable) -> "Use":
        """What of it serves a question; the same for all questions of that key."""
        if not self.rollups:
            return Use(self, None)
        found = self._uses.get((key, where))
        if found is None:
            if len(self._uses) >= USES_MAX:
                self._uses.clear()
            recipe = reduction.recipe(query) if isinstance(reduction, FromRollups) else None
            chosen = choice(recipe, query, where) if recipe else None
            found = self._uses[key, where] = Use(self, chosen)
        return found


@dataclass(slots=True)
class Use:
    """What one question takes from the rollups; what was found out is kept for the next time."""

    shelf: Shelf
    choice: Choice | None
    _chosen: dict[PartKey, Choice | None] = field(default_factory=dict)
    _served: dict[Hashable, bool] = field(default_factory=dict)
    _told_whole: dict[PartKey, Sequence[Told]] = field(default_factory=dict)

    def of(self, part: Part) -> Choice | None:
        """How the cells of a part come out of its rollup; None: not at all."""
        key = key_of(part)
        if key not in self._chosen:
            self._chosen[key] = self._found(key)
        return self._chosen[key]

    def _found(self, key: PartKey) -> Choice | None:
        rollup = self.shelf.rollups.get(key)
        found = self.choice.of(rollup) if self.choice and rollup else None
        # Where the events are there still, they tell more than a rollup that folded some keys.
        is_enough = found and rollup and (key in self.shelf.gone or found.is_whole(rollup))
        return found if is_enough else None

    def is_gone(self, node: Node) -> bool:
        """Whether some of the events below are there no more."""
        gone = self.shelf.gone
        return bool(gone) and any(
            leaf.part is not None and key_of(leaf.part) in gone for leaf in node.leaves()
        )

    def serves(self, node: Node) -> bool:
        """Whether all that is below a node can be taken from rollups."""
        if self.choice is None or node.cut is not None:
            return False
        if node.key not in self._served:
            self._served[node.key] = (
                all(map(self.serves, node.nodes))
                if node.nodes
                else node.part is not None and self.of(node.part) is not None
            )
        return self._served[node.key]

    def apart(self, nodes: Sequence[Node], as_one: AsOne) -> Iterator[Node]:
        """Of what was made one for a span, the parts and eights that are served, and the others:
        the former are taken at once, and again when one more has a rollup, which is less work than
        to add them up one by one.
        """
        for node in nodes:
            served = [each for each in node.nodes if is_few(each) and self.serves(each)]
            if node.lasts or not 1 < len(served) < len(node.nodes):
                yield node
                continue
            yield from as_one(served)
            yield from as_one([each for each in node.nodes if each not in served])

    def pieces(self, node: Node, unit: int) -> Iterator[Piece]:
        """The cells of a node that is served."""
        for leaf in node.leaves():
            found = self.of(leaf.part) if leaf.part else None
            if leaf.part and found:
                yield Piece(unit, self.shelf.rollups[key_of(leaf.part)].path, found, leaf.within)

    def at_edge(self, leaf: Node, cut: Cut, horizon: TimeSpan) -> Node | None:
        """A part that an edge cuts, made of whole cells of its rollup, and of events around them.
        None: there are no such cells.
        """
        part = leaf.part
        found = self.of(part) if part else None
        step = found.step if found else None
        span = _reached(leaf, step, horizon) if step else None
        whole = inside(step, span) if step and span else None
        if part is None or span is None or step is None or whole is None:
            return None
        rolled = replace(leaf, key=(leaf.key, "rolled", whole), within=whole)
        is_gone = key_of(part) in self.shelf.gone
        on_grid = cut.span != horizon
        rest = (
            []
            if is_gone
            else [_raw(leaf, cut, edge, step if on_grid else None) for edge in _around(whole, span)]
        )
        nodes = (rolled, *rest)
        key = (leaf.key, tuple(node.key for node in nodes), span)
        limits = horizon if on_grid else None
        return replace(leaf, key=key, part=None, nodes=nodes, inside=limits, lasts=False)

    def told(self, horizon: TimeSpan | None) -> list[Told]:
        """Which spans, in the horizon or reaching over its edges, come out of rollups, and which
        are missing; all others are told by events.
        """
        found: list[Told] = []
        for key, part in self.shelf.rollups.items():
            if not part.rows or not (horizon is None or horizon.overlaps(part.span)):
                continue
            if horizon is None or horizon.covers(part.span):
                if key not in self._told_whole:
                    self._told_whole[key] = self._of_whole(key, part)
                found += self._told_whole[key]
            else:
                found += self._of_cut(key, part, horizon)
        return found

    def _of_whole(self, key: PartKey, part: Part) -> Sequence[Told]:
        found = self.of(part)
        if found is None:
            return [Told(part.span, MISSING)] if key in self.shelf.gone else []
        points = found.points  # links have none
        return [Told(_snapped(part.span, points[-1]), points[0].name)] if points else []

    def _of_cut(self, key: PartKey, part: Part, horizon: TimeSpan) -> list[Told]:
        found, is_gone = self.of(part), key in self.shelf.gone
        step = found.step if found else None
        if found is None or step is None:
            return [Told(_within(part.span, horizon), MISSING)] if is_gone else []
        span = _within(_snapped(part.span, step), horizon)
        whole = inside(step, span)
        rest = _around(whole, span) if whole else [span]
        missing = [Told(each, MISSING) for each in rest] if is_gone else []
        told = tiles(found.points, whole) if whole else []
        return [*missing, *(Told(each, tier.name) for tier, each in told)]


def _reached(leaf: Node, step: Tier, horizon: TimeSpan) -> TimeSpan:
    """What of the horizon the part reaches into, in whole cells where no edge cuts it."""
    start, end = step.floor(leaf.start), step.ceil(leaf.end)
    return TimeSpan(max(horizon.start, start), min(horizon.end, end))


def _around(whole: TimeSpan, span: TimeSpan) -> list[TimeSpan]:
    edges = TimeSpan(span.start, whole.start), TimeSpan(whole.end, span.end)
    return [edge for edge in edges if edge.start < edge.end]


def _raw(leaf: Node, cut: Cut, edge: TimeSpan, step: Tier | None) -> Node:
    """The events at an edge; of the whole cell of `step`, so that they stay of use while the edge
    moves within it.
    """
    span = TimeSpan(step.floor(edge.start), step.ceil(edge.end)) if step else edge
    ragged = Cut(cut.width, span)
    return replace(leaf, key=(leaf.key, ragged), cut=ragged)


def _snapped(span: TimeSpan, tier: Tier) -> TimeSpan:
    return TimeSpan(tier.floor(span.start), tier.ceil(span.end))


def _within(span: TimeSpan, limits: TimeSpan) -> TimeSpan:
    return TimeSpan(max(span.start, limits.start), min(span.end, limits.end))
