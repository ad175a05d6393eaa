"""Sessions that add up: each part gives pieces of sessions, and pieces that touch are one session.

A piece is a run of a subject's events (or of a session id's) in which none follows the one before
it by more than the gap. Within a piece no event is farther than the gap from a neighbour, so two
pieces belong together exactly when the later one begins no more than a gap after the earlier one
has ended, however the events were spread over parts and in whatever order they came.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from store.analytics.links import Links, is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.subjects import DEVICE, WHO
from store.schema import INSTANT, PART, SEVERITIES

COLUMNS: Final = (
    *("event_time", "event_type", "severity", "component"),
    *("subject_hash", "user_id", "install_id", "session_id"),
)
"""What `pieces` reads."""
INTERACTIONS: Final = ("user_interaction", "input_change", "behavioral")
"""The event types of what a person does."""
SUMS: Final = ("events", "errors", "interactions")
_KEYS: Final = ("session_id", WHO, DEVICE)
_TEXTS: Final = ("user_id", "install_id")
_RUN: Final = "\0run"


def pieces(
    events: pl.LazyFrame, gap: timedelta, *, cell: pl.Expr | None = None, by_id: bool = True
) -> pl.LazyFrame:
    """A row for each piece, part by part (PART stays a key), and by `cell` (as `time`) when one is
    given: `session_id` (null, or the id that holds the piece together), WHO and DEVICE (the
    subject), `user_id` and `install_id`, `start`, `end`, `events`, `errors`, `interactions`,
    `components` (each once). Events with neither session id nor subject are in none. `by_id` false:
    session ids count for nothing.
    """
    has_part = events.collect_schema()[PART] != pl.Null
    held = [*([PART] if has_part else []), *([] if cell is None else ["time"])]
    session = _text("session_id") if by_id else pl.lit(None, pl.String)
    rows = events.select(
        *([PART] if has_part else []),
        *([] if cell is None else [cell.alias("time")]),
        session.alias("session_id"),
        pl.col("subject_hash").alias(WHO),
        (~is_given("user_id") & pl.col("subject_hash").is_not_null()).alias(DEVICE),
        _text("user_id").alias("user_id"),
        _text("install_id").alias("install_id"),
        pl.col("event_time").alias("start"),
        (pl.col("severity") >= SEVERITIES["error"]).fill_null(value=False).alias("errors"),
        pl.col("event_type").is_in(INTERACTIONS).alias("interactions"),
        _text("component").alias("component"),
    )
    known = rows.filter(pl.col("session_id").is_not_null() | pl.col(WHO).is_not_null())
    return known.map_batches(lambda frame: _runs(frame, held, gap), schema=_schema(rows, held))


def merged(found: pl.DataFrame, gap: timedelta, links: Links) -> pl.DataFrame:
    """Pieces as whole sessions, in no order: `session_id`, `user_id` (of the first user in it, else of
    the one that its device was linked to, else the device), `start`, `end`,
    `events`, `errors`, `interactions`, `components` (how many). Devices that were linked count for
    their users.
    """
    owner = pl.when(pl.col("session_id").is_null()).then(WHO).alias(WHO)
    rows = _named(subjects.settled(found, links, nobody=True)).with_columns(owner)
    rows = rows.sort("session_id", WHO, "start", nulls_last=True)
    ended = pl.col("end").cum_max().shift().over("session_id", WHO)
    apart = pl.col("session_id").is_null() & (pl.col("start") - ended > gap)
    rows = rows.with_columns((ended.is_null() | apart).cum_sum().alias(_RUN))
    used = rows.select(_RUN, "components").explode("components").drop_nulls()
    whole = rows.group_by(_RUN).agg(
        pl.col("session_id").first(),
        pl.coalesce(pl.col(*_TEXTS).drop_nulls().first()).alias("user_id"),
        pl.col("start").min(),
        pl.col("end").max(),
        *(pl.col(name).sum() for name in SUMS),
    )
    counts = used.group_by(_RUN).agg(pl.col("components").n_unique())
    return (
        whole.join(counts, on=_RUN, how="left")
        .drop(_RUN)
        .with_columns(pl.col("components").fill_null(0).cast(pl.Int64))
    )


def _text(column: str) -> pl.Expr:
    return pl.when(is_given(column)).then(column).cast(pl.String)


def _schema(rows: pl.LazyFrame, held: Sequence[str]) -> dict[str, pl.DataType]:
    known = rows.collect_schema()
    names = [*held, *_KEYS, *_TEXTS, "start"]
    return {
        **{name: known[name] for name in names},
        "end": INSTANT,
        **{name: pl.Int64() for name in SUMS},
        "components": pl.List(pl.String()),
    }


def _runs(rows: pl.DataFrame, held: Sequence[str], gap: timedelta) -> pl.DataFrame:
    """Sorted once; a run is told by where it begins, its sums by differences of running sums."""
    keys = [*held, *_KEYS]
    rows = rows.sort(*keys, "start")
    other = (pl.col(name).ne_missing(pl.col(name).shift()) for name in keys)
    late = pl.col("session_id").is_null() & (pl.col("start").diff() > gap)
    is_first = pl.int_range(pl.len()) == 0
    new = rows.select(pl.any_horizontal(is_first, *other, late.fill_null(value=False))).to_series()
    begins = new.arg_true()
    ends = begins.shift(-1, fill_value=rows.height) - 1
    return rows.select(
        pl.col(*keys, *_TEXTS, "start").gather(begins),
        pl.col("start").gather(ends).alias("end"),
        (ends - begins + 1).cast(pl.Int64).alias("events"),
        *(_added(name, begins, ends) for name in ("errors", "interactions")),
        _components(rows["component"], new),
    )


def _added(name: str, begins: pl.Series, ends: pl.Series) -> pl.Expr:
    """How many of a run's events have the flag."""
    flag = pl.col(name).cast(pl.Int64)
    running = flag.cum_sum()
    return running.gather(ends) - running.gather(begins) + flag.gather(begins)


def _components(component: pl.Series, new: pl.Series) -> pl.Series:
    """The different components of each run; null where there are none."""
    run = (new.cum_sum() - 1).cast(pl.UInt32).alias("run")
    given = pl.DataFrame([run, component]).drop_nulls()
    lists = given.group_by("run").agg(pl.col("component").unique().sort())
    places = pl.DataFrame({"run": pl.int_range(int(new.sum()), dtype=pl.UInt32, eager=True)})
    found = places.join(lists, on="run", how="left", maintain_order="left")
    return found["component"].alias("components")


def _named(found: pl.DataFrame) -> pl.DataFrame:
    """With the user's id also where only the device's was seen."""
    names = found.filter(pl.col("user_id").is_not_null()).unique(WHO, keep="any")
    names = names.select(WHO, pl.col("user_id").alias("named"))
    joined = found.join(names, on=WHO, how="left")
    return joined.with_columns(pl.coalesce("user_id", "named").alias("user_id")).drop("named")
