"""Events to cells, by as few groupings as there can be: each costs more than the reading."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from store import schema
from store.analytics import distinct, sketch
from store.analytics.cells import (
    CELL,
    FINE,
    SEVERITY_CLASS,
    SKETCH,
    STATISTICS,
    WHOLE,
    Spec,
    added_up,
    most_kept,
    most_of_all,
    stored_in,
)
from store.analytics.cut import Cut
from store.analytics.intervals import cell_start
from store.analytics.links import is_given
from store.analytics.query import Query
from store.schema import INSTANT, PART, SEVERITIES, as_text

_TIME: Final = pl.col("event_time")
# Columns beside those of the events, under names that no attribute has.
_CELL: Final = "\0cell"
_WEIGHT: Final = "\0weight"

Keys = Sequence[str | pl.Expr]


def partial(
    events: pl.LazyFrame, spec: Spec, query: Query, cut: Cut | None, at: datetime | None = None
) -> pl.LazyFrame:
    """The cells of each part, with PART as a key when there are several. With `at`, the point that
    all events are in, they need not have a time.
    """
    return pl.concat(_Reducing(events, spec, query, cut, at).frames(), how="diagonal")


def needs_time(spec: Spec) -> bool:
    """Whether more is asked of the events' times than which point they are in."""
    named = {*spec.by, *spec.numbers}
    return spec.seen or not spec.is_timed or bool(spec.sketches) or "event_time" in named


def finite(name: str) -> pl.Expr:
    """The values that can be reckoned with; text, NaN and infinities are none."""
    value = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


class _Reducing:
    """One reduction of events, and the keys that it groups them by."""

    def __init__(
        self,
        events: pl.LazyFrame,
        spec: Spec,
        query: Query,
        cut: Cut | None,
        at: datetime | None,
    ) -> None:
        columns = events.collect_schema()
        self._spec = spec
        self._at = at
        self._is_cut = cut is not None
        self._is_timed = (spec.is_timed or cut is not None) and not at
        self._spread_timed = self._is_timed and (spec.sketches_timed or cut is not None)
        # Weights make it twice as slow, and most events stand for themselves.
        self._is_weighted = columns["sample_rate"] != pl.Null
        of_several = columns[PART] != pl.Null
        self._parts = [PART] if of_several or not (spec.by or self._is_timed) else []
        time = _TIME.dt.truncate(cut.width) if cut else cell_start(query, _TIME)
        weight = pl.col("sample_rate").fill_null(1.0).clip(1.0)
        self._events = events.with_columns(
            *(finite(name).alias(_value(name)) for name in spec.numbers),
            *([weight.alias(_WEIGHT)] if self._is_weighted else []),
            *([time.alias(_CELL)] if self._is_timed else []),
        )

    def frames(self) -> Iterator[pl.LazyFrame]:
        """The cells by kind."""
        spec = self._spec
        fine = FINE if self._is_cut else 0
        cells, sketches = self._from_buckets() if self._is_spread_alone() else self._apart()
        if spec.users and not spec.link:
            cells = cells.with_columns(devices=pl.lit([], pl.List(pl.UInt64)))
        most = most_of_all(spec) if self._is_cut else most_kept(spec)
        if self._at:
            placed = cells.with_columns(schema.instant(self._at).alias("time"))
            yield _labelled(placed, spec, CELL, most)
        else:
            yield _labelled(cells, spec, fine + CELL, most)
        has_whole = spec.is_timed and not self._is_cut
        if spec.sets and has_whole:
            # Out of the cells' sets: they are a tenth of the events.
            unions = [pl.col(name).list.explode().unique() for name in spec.sets]
            names = [*self._names(), *spec.sets]
            whole = cells.select(names) if self._at else self._over_all_time(cells, unions)
            yield _labelled(whole, spec, WHOLE, most_of_all(spec))
        for at, buckets in enumerate(sketches):
            yield _labelled(self._listed(buckets), spec, fine + SKETCH + at, 0)
            if has_whole and self._spread_timed:
                whole = buckets.group_by(*self._names(), "bucket").agg(sketch.added())
                whole = self._over_all_time(whole, sketch.listed())
                yield _labelled(whole, spec, SKETCH + at, 0)

    def _keys(self, *, timed: bool) -> Keys:
        by = enumerate(self._spec.by)
        keys = [pl.col(stored_in(name)).alias(f"key.{at}") for at, name in by]
        return [*self._parts, *keys, *([pl.col(_CELL).alias("time")] if timed else [])]

    def _names(self, *, timed: bool = False) -> list[str]:
        """What the keys are called in the groups."""
        return [*self._parts, *self._spec.keys, *(["time"] if timed else [])]

    def _over_all_time(self, rows: pl.LazyFrame, numbers: Sequence[pl.Expr]) -> pl.LazyFrame:
        # Without a key there would be a group also where there is nothing.
        rows = rows.with_columns(pl.lit(0).alias(_CELL))
        return rows.group_by(_CELL, *self._names()).agg(numbers).drop(_CELL)

    def _is_spread_alone(self) -> bool:
        """Whether all that is counted can be added up from the buckets of one attribute."""
        spec = self._spec
        is_one = len(spec.sketches) == 1 and {*spec.stats} <= {*spec.sketches} and not spec.sets
        return is_one and self._spread_timed == self._is_timed and not self._keeps_values()

    def _keeps_values(self) -> bool:
        return self._spec.is_exact and not self._is_weighted

    def _from_buckets(self) -> tuple[pl.LazyFrame, Sequence[pl.LazyFrame]]:
        """Grouped once, finely: adding up the groups is nothing beside grouping events again."""
        (name,) = self._spec.sketches
        names = self._names(timed=self._is_timed)
        _, *stats = self._stats([name])
        is_valued = pl.col("bucket").is_not_null()
        fine = self._weighed(self._grouped(name, self._events, [*self._counts(), *stats]))
        fine = fine.with_columns(pl.when(is_valued).then("weight").otherwise(0.0).alias("weight.0"))
        numbers = [name for name in fine.collect_schema() if name not in (*names, "bucket")]
        kept = [name for name in numbers if self._spec.stats or "." not in name]
        buckets = fine.filter(is_valued).rename(
            {"weight.0": "weights", "low.0": "lows", "high.0": "highs"}
        )
        return fine.group_by(names).agg(map(added_up, kept)), [buckets]

    def _apart(self) -> tuple[pl.LazyFrame, Sequence[pl.LazyFrame]]:
        spec = self._spec
        held = spec.sketches if self._keeps_values() else ()
        numbers = [*self._counts(), *self._stats(spec.stats, without=held), *_sets(spec)]
        numbers += (pl.col(_value(name)).drop_nulls() for name in held)
        keys = self._keys(timed=self._is_timed)
        is_bare = len(keys) == len(numbers) == 1 and self._is_timed
        cells = self._runs() if is_bare else self._events.group_by(*keys).agg(numbers)
        cells = self._weighed(cells)
        if held:
            names, lists = self._names(timed=self._is_timed), [_value(name) for name in held]
            stats = _stats_of_lists(spec.stats, held)
            return (
                cells.with_columns(stats).drop(lists),
                [cells.select(*names, bucket=name) for name in lists],
            )
        return cells, [self._bucketed(name) for name in spec.sketches]

    def _runs(self) -> pl.LazyFrame:
        """How many events each point has. Events of a part are in the order of time, so those of a
        point stand together: adding up their runs costs a third of grouping them.
        """
        runs = self._events.select(pl.col(_CELL).rle().alias(_CELL)).unnest(_CELL)
        count = pl.col("len").sum().cast(pl.Int64).alias("n")
        return runs.group_by(pl.col("value").alias("time")).agg(count)

    def _bucketed(self, name: str) -> pl.LazyFrame:
        value = pl.col(_value(name))
        events = self._events.filter(value.is_not_null())
        return self._grouped(name, events, sketch.counted(self._weight(), value))

    def _grouped(self, name: str, events: pl.LazyFrame, numbers: Sequence[pl.Expr]) -> pl.LazyFrame:
        """The events by the bucket of their value."""
        value = pl.col(_value(name))
        bucket = value if self._spec.is_exact else sketch.bucket(value)
        keys = self._keys(timed=self._spread_timed)
        return events.group_by(*keys, bucket.alias("bucket")).agg(numbers)

    def _listed(self, buckets: pl.LazyFrame) -> pl.LazyFrame:
        """A row for each sketch."""
        if self._keeps_values():
            return buckets.filter(pl.col("bucket").list.len() > 0)
        return buckets.group_by(self._names(timed=self._spread_timed)).agg(sketch.listed())

    def _weighed(self, groups: pl.LazyFrame) -> pl.LazyFrame:
        """With the column `weight`; where nothing was sampled it need not be counted apart."""
        if self._is_weighted:
            return groups
        return groups.with_columns(pl.col("n").cast(pl.Float64).alias("weight"))

    def _weight(self, where: pl.Expr | None = None) -> pl.Expr:
        """In a group: what the events stand for, or those of which `where` is true."""
        if self._is_weighted:
            weight = pl.col(_WEIGHT)
            return (weight if where is None else weight.filter(where)).sum()
        return (pl.len() if where is None else where.sum()).cast(pl.Float64)

    def _counts(self) -> list[pl.Expr]:
        found = [pl.len().cast(pl.Int64).alias("n")]
        if self._is_weighted:
            found.append(self._weight().alias("weight"))
        if self._spec.errors:
            severity = pl.col("severity")
            found += [
                self._weight(severity >= SEVERITIES["error"]).alias("errors"),
                self._weight(severity.is_not_null()).alias("severities"),
            ]
        if self._spec.seen:
            found += [_TIME.min().alias("first"), _TIME.max().alias("last")]
        return found

    def _stats(self, names: Sequence[str], without: Sequence[str] = ()) -> Iterator[pl.Expr]:
        for at, name in enumerate(names):
            if name in without:
                continue
            value = pl.col(_value(name))
            weighed = value * pl.col(_WEIGHT) if self._is_weighted else value
            found = (self._weight(value.is_not_null()), weighed.sum(), value.min(), value.max())
            # A sketch has all of them at hand.
            kept = STATISTICS if name in self._spec.sketches else self._spec.kept
            for statistic, number in zip(STATISTICS, found, strict=True):
                if statistic in kept:
                    yield number.alias(f"{statistic}.{at}")


def _stats_of_lists(names: Sequence[str], held: Sequence[str]) -> Iterator[pl.Expr]:
    """The same out of all values: a third of finding them while events are grouped."""
    for at, name in enumerate(names):
        if name in held:
            values = pl.col(_value(name)).list
            yield values.len().cast(pl.Float64).alias(f"weight.{at}")
            yield values.sum().alias(f"sum.{at}")
            yield values.min().alias(f"low.{at}")
            yield values.max().alias(f"high.{at}")


def _value(name: str) -> str:
    """The column of an attribute's finite values."""
    return f"\0value {name}"


def _sets(spec: Spec) -> Iterator[pl.Expr]:
    subject = pl.col("subject_hash")
    if spec.users and spec.link:
        is_user = is_given("user_id")
        yield pl.when(is_user).then(subject).unique().alias("subjects")
        yield pl.when(~is_user).then(subject).unique().alias("devices")
    elif spec.users:
        yield subject.unique().alias("subjects")
    if spec.sessions:
        yield distinct.hashes_of("session_id").unique().alias("sessions")


def _labelled(cells: pl.LazyFrame, spec: Spec, kind: int, most: int) -> pl.LazyFrame:
    """Cells with their kind, their keys as text, and their sets cut to what is kept."""
    found = cells.collect_schema()
    texts = [_text(*pair, found).alias(pair[0]) for pair in zip(spec.keys, spec.by, strict=True)]
    absent = [pl.lit(None, INSTANT).alias("time")] if "time" not in found else []
    sets = [distinct.smallest(pl.col(name), most) for name in spec.sets if name in found]
    return cells.with_columns(pl.lit(kind, pl.UInt8).alias("kind"), *absent, *texts, *sets)


def _text(key: str, name: str, found: pl.Schema) -> pl.Expr:
    if name == SEVERITY_CLASS:
        return schema.severity_class(key).fill_null("")
    return as_text(key, found[key]).fill_null("")
