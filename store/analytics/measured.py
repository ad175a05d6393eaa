"""Cells to numbers: the measures of each cell, and of each key over the whole span."""

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from store.analytics import adding, distinct, sketch
from store.analytics.cells import (
    CELL,
    SKETCH,
    STATISTICS,
    WHOLE,
    Spec,
    most_kept,
    most_of_all,
)
from store.analytics.links import Links
from store.analytics.measures import Measure
from store.analytics.sums import steady

KEPT: Final = ("errors", "severities", "first", "last")
"""What `measured` hands on as it is."""


_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "values": ("weight",),
    "sum": ("sum",),
    "mean": ("weight", "sum"),
    "min": ("low",),
    "max": ("high",),
}
"""Which statistics of its attribute a measure is made of."""


class Group(NamedTuple):
    """The breakdown values of a row, in the order of `by`."""

    key: tuple[str, ...]
    folded: bool = False


class Measured(NamedTuple):
    """Rows with the measures as columns m0, m1, … (Float64; null where there is nothing to tell; a
    rate is still a count), `few.0`, … (whether a percentile rests on too few numbers), `n`,
    `weight`, `is_exact`, and what else the spec keeps; the greatest m0 first, what is folded last.
    """

    points: pl.DataFrame
    """A row for each cell; none without an interval."""
    totals: pl.DataFrame
    """A row for each key."""


_LAST: Final[deque[tuple[pl.DataFrame, Hashable, Measured]]] = deque(maxlen=4)
"""What was ranked last: `changes` asks what the table of names does, now and before."""


def groups(
    rows: pl.DataFrame, measures: int
) -> Iterator[tuple[Group, datetime | None, Sequence[float | None]]]:
    """The rows of `measured`: whose they are, the point's start, and the values."""
    keys = [name for name in rows.columns if name.startswith("key.")]
    values = rows.select(f"m{at}" for at in range(measures)).iter_rows()
    is_folded = rows["folded"].to_list() if "folded" in rows.columns else [False] * rows.height
    names = rows.select(keys).rows() if keys else [()] * rows.height
    times = rows["time"].to_list()
    for key, folded, time, row in zip(names, is_folded, times, values, strict=True):
        yield Group(key, folded), time, row


def few(rows: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Of the rows of `measured`: those of `names`, one for each measure, whose percentiles rest on
    too few numbers.
    """
    marks = [(name, f"few.{at}") for at, name in enumerate(names) if f"few.{at}" in rows.columns]
    for row in rows.select(mark for _, mark in marks).rows() if marks else [()] * rows.height:
        yield tuple(name for (name, _), is_few in zip(marks, row, strict=True) if is_few)


def spec_of(
    measures: Sequence[Measure],
    by: Sequence[str],
    *,
    is_timed: bool,
    link: bool,
    is_exact: bool = False,
    whole_sets: bool = False,
) -> Spec:
    """What cells must hold for these measures."""
    kinds = {measure.kind for measure in measures}
    stats = [m.of for m in measures if m.kind in _NEEDED]
    sketches = [m.of for m in measures if m.kind == "percentile"]
    return Spec(
        by=tuple(by),
        is_timed=is_timed,
        stats=tuple(dict.fromkeys(stats)),
        kept=tuple(name for name in STATISTICS if any(name in _NEEDED.get(k, ()) for k in kinds)),
        sketches=tuple(dict.fromkeys(sketches)),
        is_exact=is_exact,
        users="users" in kinds,
        sessions="sessions" in kinds,
        link=link,
        whole_sets=whole_sets,
    )


def ranked(
    combined: pl.DataFrame, spec: Spec, measures: Sequence[Measure], links: Links, limit: int
) -> Measured:
    """The `measured` rows, with all keys past the `limit` greatest folded into one. Without users,
    whom links may change, it is kept for who asks about the very same cells next.
    """
    key = (spec, tuple(measures), limit)
    for cells, asked, kept in tuple(_LAST):
        if cells is combined and asked == key:
            return kept
    found = _ranked(combined, spec, measures, links, limit)
    if not spec.users:
        _LAST.append((combined, key, found))
    return found


def _ranked(
    combined: pl.DataFrame, spec: Spec, measures: Sequence[Measure], links: Links, limit: int
) -> Measured:
    found = measured(combined, spec, measures, links)
    if found.totals.height > limit and spec.by:
        folded = adding.folded(combined, spec, found.totals.head(limit))
        found = measured(folded, spec, measures, links)
    return found


def is_sampled(totals: pl.DataFrame) -> bool:
    """Whether some events stood for more than one."""
    return bool((totals["weight"] > totals["n"]).any())


def measured(
    combined: pl.DataFrame, spec: Spec, measures: Sequence[Measure], links: Links
) -> Measured:
    """The measures of each cell, and of each key over the whole span."""
    keys = list(adding.key_columns(combined, spec))
    totals = adding.with_totals(combined, spec)
    names = totals.columns
    if spec.users:
        totals = distinct.users(totals, _most(spec), links)
    rows = totals.lazy().with_columns(is_exact=_sets_exact(spec, names))
    for at, name in enumerate(spec.sketches):
        quantiles = [m.quantile for m in measures if m.kind == "percentile" and m.of == name]
        # Ranks are looked up in one running sum over all rows: in one order, whatever came first.
        sketches = combined.filter(pl.col("kind") == SKETCH + at).sort(keys)
        spread = sketch.percentiles(sketches, quantiles)
        spread = spread.rename({f"q{i}": _quantile(name, q) for i, q in enumerate(quantiles)})
        spread = spread.with_columns(sketch.held(sketches).alias(_held(name)))
        found = pl.concat([sketches.select(keys), spread], how="horizontal").lazy()
        rows = rows.join(found, on=keys, how="left", nulls_equal=True, suffix=":sketch")
        known = pl.col("is_exact:sketch").fill_null(value=True)
        rows = rows.with_columns(pl.col("is_exact") & known).drop("is_exact:sketch")
    if spec.sessions:
        rows = rows.with_columns(_sessions=distinct.size("sessions", _most(spec), names))
    values = [_value(measure, spec).alias(f"m{at}") for at, measure in enumerate(measures)]
    kept = [name for name in ("n", "weight", *KEPT) if name in names]
    order = list(dict.fromkeys(name for name in ("folded", "m0", *keys) if name in (*keys, "m0")))
    descending = [name == "m0" for name in order]
    told = rows.select("kind", *keys, *kept, *values, *_few(measures), "is_exact")
    if "errors" in kept:
        told = told.with_columns(steady(pl.col("errors")))
    ordered = told.sort(order, descending=descending, nulls_last=True).collect()
    is_whole = ordered["kind"] == WHOLE
    return Measured(ordered.filter(~is_whole), ordered.filter(is_whole))


def _few(measures: Sequence[Measure]) -> Iterator[pl.Expr]:
    """Whether percentiles rest on too few numbers: events that were seen, however many they stood
    for. Nobody counted which of the numbers stood for how many: as many as of all the events.
    """
    for at, measure in enumerate(measures):
        if measure.kind == "percentile":
            seen = pl.col(_held(measure.of)) * pl.col("n") / pl.col("weight")
            is_few = seen.round(6) < measure.needs
            yield is_few.fill_null(value=False).alias(f"few.{at}")


def _quantile(name: str, quantile: float) -> str:
    return f"{name}:{quantile}"


def _held(name: str) -> str:
    return f"{name}:held"


def _most(spec: Spec) -> pl.Expr:
    is_point = (pl.col("kind") == CELL) & spec.is_timed
    return pl.when(is_point).then(most_kept(spec)).otherwise(most_of_all(spec))


def _sets_exact(spec: Spec, columns: Collection[str]) -> pl.Expr:
    full = [distinct.is_full(name, _most(spec), columns) for name in spec.sets]
    return ~pl.any_horizontal(*full, pl.lit(value=False))


def _value(measure: Measure, spec: Spec) -> pl.Expr:
    match measure.kind:
        case "count" | "rate":
            return steady(pl.col("weight"))
        case "users":
            return pl.col("users")
        case "sessions":
            return pl.col("_sessions")
        case "percentile":
            return pl.col(_quantile(measure.of, measure.quantile))
    at = spec.stats.index(measure.of)
    weight = pl.col(f"weight.{at}")
    match measure.kind:
        case "values":
            return steady(weight.fill_null(0.0))
        case "sum":
            return steady(pl.col(f"sum.{at}").fill_null(0.0))
        case "mean":
            return pl.when(weight > 0).then(steady(pl.col(f"sum.{at}")) / steady(weight))
    return pl.col(f"{'low' if measure.kind == 'min' else 'high'}.{at}")
