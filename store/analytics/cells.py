"""What additive analyses keep of events: one row a cell (point in time and breakdown values), with
counts, sums, extremes, sets of hashes, and sketches of values; all of it adds up.

A frame of cells has rows of several kinds (`kind`): CELL for a point in time, WHOLE for the sets
over all time, SKETCH + i for the sketch of `spec.sketches[i]`, of a point or (`time` is null) of
all time; from FINE on, the same for the cells of a cut part's grid. Without an interval there is
one cell a part, and `time` is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from store import schema
from store.analytics import distinct, sketch
from store.analytics.cut import Cut
from store.analytics.intervals import cell_start
from store.analytics.links import is_given
from store.analytics.query import Query
from store.schema import INSTANT, PART, SEVERITIES, as_text

CELL: Final = 0
WHOLE: Final = 1
SKETCH: Final = 2
FINE: Final = 128
SETS: Final = ("subjects", "devices", "sessions")
SEVERITY_CLASS: Final = "severity_class"
"""A breakdown by the class's name; stored is only the number."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Which numbers the cells hold."""

    by: tuple[str, ...] = ()
    is_timed: bool = True
    """False: one cell for all time."""
    stats: tuple[str, ...] = ()
    """Attributes of which sum, least and greatest are kept."""
    sketches: tuple[str, ...] = ()
    """Attributes of which percentiles can be told."""
    sketches_timed: bool = True
    """False: percentiles over all time only."""
    is_exact: bool = False
    """True: the values themselves instead of buckets."""
    users: bool = False
    sessions: bool = False
    link: bool = True
    errors: bool = False
    """Events of severity error and above (`errors`), and of any severity (`severities`)."""
    seen: bool = False
    """The first and last instant are kept (`first`, `last`)."""

    @property
    def keys(self) -> list[str]:
        """The columns of the breakdown values, in the order of `by`."""
        return [f"key.{at}" for at in range(len(self.by))]

    @property
    def sets(self) -> list[str]:
        wanted = (self.users, self.users, self.sessions)
        return [name for name, is_wanted in zip(SETS, wanted, strict=True) if is_wanted]

    @property
    def numbers(self) -> list[str]:
        """The attributes that are reckoned with."""
        return list(dict.fromkeys(self.stats + self.sketches))

    def columns(self) -> list[str]:
        """The columns that `partial` reads."""
        found = ["event_time", "sample_rate", *map(_stored, self.by), *self.stats, *self.sketches]
        found += ["subject_hash"] * self.users + ["user_id"] * (self.users and self.link)
        found += ["session_id"] * self.sessions + ["severity"] * self.errors
        return list(dict.fromkeys(found))


def partial(events: pl.LazyFrame, spec: Spec, query: Query, cut: Cut | None) -> pl.LazyFrame:
    """The cells of each part, with PART as a key."""
    time = _TIME.dt.truncate(cut.width) if cut else cell_start(query, _TIME)
    is_timed = spec.is_timed or cut is not None
    events = events.with_columns(*_weights(events), *([time.alias(_CELL)] if is_timed else []))
    times: list[str | pl.Expr] = [pl.col(_CELL).alias("time")] if is_timed else []
    keys: list[str | pl.Expr] = [PART]
    keys += (pl.col(_stored(name)).alias(f"key.{at}") for at, name in enumerate(spec.by))
    is_weighted = _WEIGHT in events.collect_schema()
    cells = events.group_by(*keys, *times).agg(*_numbers(spec, is_weighted), *_sets(spec))
    fine = FINE if cut else 0
    frames = [_labelled(cells, spec, fine + CELL, distinct.WHOLE_MAX if cut else most_kept(spec))]
    has_whole = spec.is_timed and not cut
    if spec.sets and has_whole:
        # Out of the cells' sets: they are a tenth of the events.
        unions = [pl.col(name).list.explode().unique() for name in spec.sets]
        whole = cells.group_by(PART, *spec.keys).agg(unions)
        frames.append(_labelled(whole, spec, WHOLE, distinct.WHOLE_MAX))
    times = times if spec.sketches_timed or cut else []
    for at, name in enumerate(spec.sketches):
        buckets = _buckets(events, name, [*keys, *times], spec)
        named = [PART, *spec.keys]
        timed = buckets.group_by(*named, *(["time"] if times else [])).agg(sketch.listed())
        frames.append(_labelled(timed, spec, fine + SKETCH + at, 0))
        if has_whole and times:
            whole = buckets.group_by(*named, "bucket").agg(sketch.added())
            whole = whole.group_by(named).agg(sketch.listed())
            frames.append(_labelled(whole, spec, SKETCH + at, 0))
    return pl.concat(frames, how="diagonal")


_TIME: Final = pl.col("event_time")
# Columns beside those of the events, under names that no attribute has.
_CELL: Final = "\0cell"
_WEIGHT: Final = "\0weight"
_VALUE: Final = "\0value"


def _stored(name: str) -> str:
    return "severity" if name == SEVERITY_CLASS else name


def _weights(events: pl.LazyFrame) -> list[pl.Expr]:
    """How many events each stands for; nothing when none was sampled, which is twice as fast."""
    if events.collect_schema()["sample_rate"] == pl.Null:
        return []
    return [pl.col("sample_rate").fill_null(1.0).clip(1.0).alias(_WEIGHT)]


def most_kept(spec: Spec) -> int:
    """Hashes kept in a set of a row of the kind CELL."""
    return distinct.CELL_MAX if spec.is_timed else distinct.WHOLE_MAX


def finite(name: str) -> pl.Expr:
    """The values that can be reckoned with; text, NaN and infinities are none."""
    value = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _numbers(spec: Spec, is_weighted: bool) -> list[pl.Expr]:
    def weight(where: pl.Expr) -> pl.Expr:
        """What the events stand for of which that is true."""
        counted = pl.col(_WEIGHT).filter(where) if is_weighted else where
        return counted.sum().cast(pl.Float64)

    found = [pl.len().cast(pl.Int64).alias("n"), _weight(is_weighted)]
    for at, name in enumerate(spec.stats):
        value = finite(name)
        found += [
            weight(value.is_not_null()).alias(f"weight.{at}"),
            (value * pl.col(_WEIGHT) if is_weighted else value).sum().alias(f"sum.{at}"),
            value.min().alias(f"low.{at}"),
            value.max().alias(f"high.{at}"),
        ]
    if spec.errors:
        severity = pl.col("severity")
        found += [
            weight(severity >= SEVERITIES["error"]).alias("errors"),
            weight(severity.is_not_null()).alias("severities"),
        ]
    if spec.seen:
        found += [_TIME.min().alias("first"), _TIME.max().alias("last")]
    return found


def _weight(is_weighted: bool) -> pl.Expr:
    weight = pl.col(_WEIGHT).sum() if is_weighted else pl.len().cast(pl.Float64)
    return weight.alias("weight")


def _sets(spec: Spec) -> list[pl.Expr]:
    found = []
    if spec.users:
        subject = pl.col("subject_hash")
        is_user = is_given("user_id") if spec.link else pl.lit(value=True)
        found += [
            pl.when(is_user).then(subject).unique().alias("subjects"),
            pl.when(~is_user).then(subject).unique().alias("devices"),
        ]
    if spec.sessions:
        found.append(distinct.hashes_of("session_id").unique().alias("sessions"))
    return found


def _buckets(
    events: pl.LazyFrame, name: str, keys: Sequence[str | pl.Expr], spec: Spec
) -> pl.LazyFrame:
    value = pl.col(_VALUE)
    code = value if spec.is_exact else sketch.bucket(value)
    values = events.with_columns(finite(name).alias(_VALUE)).filter(value.is_not_null())
    weight = _weight(_WEIGHT in events.collect_schema())
    return values.group_by(*keys, code.alias("bucket")).agg(sketch.counted(weight, value))


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
