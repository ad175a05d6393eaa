"""How an answer comes out of rollups: what an analysis wants of them, and which tiers have it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol, runtime_checkable

import polars as pl

from store.analytics.cells import SEVERITY_CLASS, Spec
from store.analytics.filters import Filter
from store.analytics.filters.nodes import Bare, leaves
from store.analytics.intervals import divisible
from store.analytics.query import Query
from store.analytics.rollups.tiers import DAY, HASHES, KEYS, MEASURED, TIERS, WEEK, Tier
from store.parts.part import Part
from store.timespan import TimeSpan

_ZERO: Final = timedelta()
# Offsets of all zones in use are multiples of this, so finer cells are the same in every zone.
_SAME_EVERYWHERE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the partial of an analysis comes out of cells."""

    spec: Spec | None
    """The cells; None: the links of devices to users, as they are."""
    names: tuple[str, ...] = ()
    """Only the events of these names, if any are given."""
    made: Callable[[pl.DataFrame], pl.DataFrame] = lambda cells: cells
    """The partial out of the cells."""


@runtime_checkable
class FromRollups(Protocol):
    """A reduction whose partials may come out of rollups. What adds up exactly is the same then."""

    def recipe(self, query: Query) -> Recipe | None:
        """None: not those of this query."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe, and the tiers that have what it wants, coarse ones first."""

    recipe: Recipe
    query: Query
    where: Filter
    points: tuple[Tier, ...] = ()
    """For counts, sums, extremes and sets."""
    sketches: tuple[Tier, ...] = ()
    """For percentiles; none are wanted when the spec has none."""
    keys: frozenset[str] = frozenset()
    """The keys whose values it tells apart."""

    def of(self, rollup: Part) -> "Choice | None":
        """What of it this rollup has; None when it cannot answer."""
        rolled, spec = rollup.rolled, self.recipe.spec
        if rolled is None or not rolled.tiers:
            return None
        if spec is None:
            return self
        has = [tuple(t for t in tiers if t.name in rolled.tiers) for tiers in self._tiers]
        if not has[0] or (spec.sketches and not has[1]):
            return None
        if spec.sessions and rolled.hashes != HASHES:
            return None
        return replace(self, points=has[0], sketches=has[1])

    def is_whole(self, rollup: Part) -> bool:
        """Whether it tells apart all values that are asked for."""
        folded = rollup.rolled.folded if rollup.rolled else frozenset()
        return not folded & self.keys

    @property
    def step(self) -> Tier | None:
        """What is not a whole cell of it must come from elsewhere; None: it is never cut."""
        finest = [tiers[-1] for tiers in self._tiers if tiers]
        return max(finest, key=lambda tier: tier.width, default=None)

    @property
    def _tiers(self) -> tuple[tuple[Tier, ...], tuple[Tier, ...]]:
        return self.points, self.sketches


def choice(recipe: Recipe, query: Query, where: Filter) -> Choice | None:
    """The tiers that can answer; None when none does."""
    spec = recipe.spec
    if spec is None:
        return None if where else Choice(recipe, query, where)
    is_exact = spec.is_exact or (spec.whole_sets and spec.sets)
    if is_exact or not {*spec.stats, *spec.sketches} <= {MEASURED} or not _is_by_key(where):
        return None
    keys = _keys(recipe, where)
    fitting = [tier for tier in reversed(TIERS) if keys <= set(tier.keys)]
    timed = [tier for tier in fitting if _divides(tier, query)] if spec.is_timed else fitting
    points = [tier for tier in timed if tier.set_max or not spec.sets]
    sketches = (timed if spec.sketches_timed else fitting) if spec.sketches else []
    if not points or (spec.sketches and not sketches):
        return None
    return Choice(recipe, query, where, tuple(points), tuple(sketches), keys)


def tiles(tiers: Sequence[Tier], span: TimeSpan) -> list[tuple[Tier, TimeSpan]]:
    """`span` in whole cells: the coarsest inside, finer ones around; the ends may be left over."""
    if not tiers:
        return []
    tier, finer = tiers[0], tiers[1:]
    start, end = tier.ceil(span.start), tier.floor(span.end)
    if start >= end:
        return tiles(finer, span)
    before, after = TimeSpan(span.start, start), TimeSpan(end, span.end)
    return [*tiles(finer, before), (tier, TimeSpan(start, end)), *tiles(finer, after)]


def inside(step: Tier, span: TimeSpan) -> TimeSpan | None:
    """The whole cells of `step` within `span`."""
    start, end = step.ceil(span.start), step.floor(span.end)
    return TimeSpan(start, end) if start < end else None


def _divides(tier: Tier, query: Query) -> bool:
    """Whether the points of a query are made of whole cells of the tier."""
    if query.interval is None:
        return True
    width = divisible(query.interval)
    if tier.width <= _SAME_EVERYWHERE:
        return width % tier.width == _ZERO
    if query.tz != "UTC":
        return False
    if tier is WEEK:
        return query.week_start in (None, "monday") and width == WEEK.width
    return tier.width <= DAY.width and width % tier.width == _ZERO


def _is_by_key(where: Filter) -> bool:
    """Whether a filter asks for keys alone, and not for single severities of a class."""
    fields = set(where.fields())
    is_bare = any(isinstance(leaf, Bare) for leaf in leaves(where.root))
    return not is_bare and fields <= set(KEYS) - {SEVERITY_CLASS}


def _keys(recipe: Recipe, where: Filter) -> frozenset[str]:
    by = recipe.spec.by if recipe.spec else ()
    return frozenset({*by, *where.fields(), *(["event_name"] if recipe.names else [])})
