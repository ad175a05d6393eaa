"""From the events of a part to its rollup; from rollups of days to those of weeks and months."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import polars as pl

from store.analytics import distinct, sketch
from store.analytics.adding import added
from store.analytics.cells import FINE as CUT
from store.analytics.cells import SETS
from store.analytics.cut import Cut
from store.analytics.linking import LINK_COLUMNS, LinksQuery, LinksReduction
from store.analytics.query import Query
from store.analytics.reducing import partial
from store.analytics.rollups.tiers import (
    DAY,
    FINE,
    FOLDED,
    HASHES,
    HOUR,
    KEYS,
    LINK_TIER,
    TIERS,
    VALUES_MAX,
    Tier,
)
from store.parts.part import Part, Rolled
from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.parts.rollups import covers_of
from store.parts.scan import scan
from store.parts.slices import slices
from store.schema import PART
from store.timespan import TimeSpan

SLICE_ROWS: Final = 250_000
"""Read at once: with four times as many, a round takes 80 MB more and a sixth less time."""
NULL_KEY: Final = "\0"
"""No key: told apart from an empty one, since a filter may ask."""
_TEXT_KEYS: Final = ("event_type", "event_name", "service_name", "service_version")
_COLUMNS: Final = (
    *("event_time", "sample_rate", "severity", "duration_ms", "user_id", "session_id"),
    *("subject_hash", "install_id", *_TEXT_KEYS),
)
Tables = dict[int, pl.DataFrame]
"""Rows of a rollup, by the code of their tier."""


def rollup_of(part: Part) -> tuple[Rolled, Tables]:
    """All tiers of a part that is there. FileNotFoundError: it is gone."""
    if not part.rows:
        return Rolled((), hashes=HASHES), {}
    kept = _kept_values(part)
    found = [_reduced(events, part.span) for events in _slices(part, kept)]
    tables = {tier.code: _added([each[tier.code] for each in found], tier) for tier in FINE}
    tables[DAY.code] = coarser(tables[HOUR.code], DAY)
    written = {tier.code: _written(tables[tier.code], tier) for tier in (*FINE, DAY)}
    written[LINK_TIER] = _linked([each[LINK_TIER] for each in found])
    names = tuple(tier.name for tier in (*FINE, DAY))
    return Rolled(names, folded=frozenset(kept), hashes=HASHES), written


def merged(sources: Sequence[Part], tiers: Sequence[str]) -> tuple[Rolled, Tables]:
    """Rollups as one, with these tiers alone. FileNotFoundError: one is gone."""
    found: Tables = {}
    for tier in (tier for tier in TIERS if tier.name in tiers):
        frames = [_coarsened(source, tier) for source in sources]
        found[tier.code] = _written(_added(frames, tier), tier)
    if not tiers:
        return Rolled((), covers_of(sources)), {}
    found[LINK_TIER] = _linked(
        [_table(source, LINK_TIER, ("device", "user", "time")) for source in sources]
    )
    rolled = [source.rolled for source in sources if source.rolled]
    hashes = {each.hashes for each in rolled}
    return Rolled(
        tuple(tiers),
        covers_of(sources),
        frozenset(chain.from_iterable(each.folded for each in rolled)),
        hashes.pop() if len(hashes) == 1 else "several",
    ), found


def _coarsened(source: Part, tier: Tier) -> pl.DataFrame:
    """The cells of a tier out of a rollup: its own, or made of days."""
    held = source.rolled.tiers if source.rolled else ()
    finer = tier if tier.name in held else DAY
    names = [name for name in ROLLUP_SCHEMA if name not in ("tier", "device", "user")]
    cells = _table(source, finer.code, names).with_columns(
        pl.col("kind") + CUT,
        *(
            pl.col(name).fill_null(NULL_KEY).alias(key)
            for key, name in zip(tier.spec.keys, tier.keys, strict=True)
        ),
        *sketch.without_extremes(),
    )
    return coarser(cells.drop(KEYS), tier)


def _table(source: Part, tier: int, names: Sequence[str]) -> pl.DataFrame:
    rows = pl.scan_parquet(source.path, schema=pl.Schema(ROLLUP_SCHEMA), glob=False, cache=False)
    return rows.filter(pl.col("tier") == tier).select(names).collect()


def coarser(cells: pl.DataFrame, tier: Tier) -> pl.DataFrame:
    """The cells of `tier` out of those of a finer one."""
    timed = cells.with_columns(tier.start(pl.col("time")).alias("time"))
    return added(timed, tier.spec)


def _added(cells: Sequence[pl.DataFrame], tier: Tier) -> pl.DataFrame:
    return added(pl.concat(cells, how="diagonal"), tier.spec)


def _linked(links: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return LinksReduction().combine(pl.concat(links), LinksQuery()).sort("device")


def _slices(part: Part, kept: dict[str, pl.Series]) -> Iterator[pl.LazyFrame]:
    """The events, so many at once: whatever the edges cut is added up in the end."""
    for each in slices([part], SLICE_ROWS):
        events = each.of(scan([part], [*_COLUMNS, "event_id"], each.span))
        found = events.drop("event_id").collect(engine="streaming")
        if "sample_rate" not in part.columns:
            found = found.with_columns(pl.lit(None).alias("sample_rate"))
        yield found.lazy().with_columns(_folded(name, kept.get(name)) for name in _TEXT_KEYS)


def _kept_values(part: Part) -> dict[str, pl.Series]:
    """By key that has more than VALUES_MAX values in the part: the most frequent ones."""
    found: dict[str, pl.Series] = {}
    for name in _TEXT_KEYS:
        if name in part.columns:
            # One after the other: all at once take five times the memory, and no less time.
            counts = scan([part], [name], None).group_by(name).len().collect(engine="streaming")
            if counts.height > VALUES_MAX:
                ordered = counts.sort("len", name, descending=[True, False])
                found[name] = ordered[name].drop_nulls().head(VALUES_MAX)
    return found


def _folded(name: str, kept: pl.Series | None) -> pl.Expr:
    value = pl.col(name)
    if kept is not None:
        is_kept = value.is_null() | value.is_in(kept.implode())
        value = pl.when(is_kept).then(value).otherwise(pl.lit(FOLDED))
    return value.fill_null(NULL_KEY).alias(name)


def _reduced(events: pl.LazyFrame, span: TimeSpan) -> Tables:
    found = {}
    for tier in FINE:
        reduced = partial(events, tier.spec, Query(), Cut(tier.width, span))
        cells = reduced.collect(engine="streaming")
        # Days are made of the cells of hours, so those are as large as theirs until then.
        found[tier.code] = cells.drop(PART).with_columns(_sets_cut(cells, DAY.set_max))
    links = LinksReduction().partial(events.select(PART, *LINK_COLUMNS), LinksQuery(), None)
    found[LINK_TIER] = links.drop(PART).collect()
    return found


def _written(cells: pl.DataFrame, tier: Tier) -> pl.DataFrame:
    """Cells as files hold them: sets cut, keys under their names, in the order of time."""
    keys = zip(tier.spec.keys, tier.keys, strict=True)
    named = [pl.when(pl.col(key) != NULL_KEY).then(key).alias(name) for key, name in keys]
    return (
        cells.with_columns(pl.col("kind") - CUT, *_sets_cut(cells, tier.set_max), *named)
        .drop(tier.spec.keys)
        .sort("kind", "time", *tier.keys)
    )


def _sets_cut(cells: pl.DataFrame, most: int) -> list[pl.Expr]:
    sets = [name for name in SETS if name in cells.columns]
    return [column for name in sets for column in distinct.cut(name, most, cells.columns)]
