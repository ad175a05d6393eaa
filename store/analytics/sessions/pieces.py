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
_PACKED: Final = "\0packed"
_IS_FIRST: Final = (pl.col(_RUN) != pl.col(_RUN).shift()).fill_null(value=True)
"""Of a person."""


def pieces(
    events: pl.LazyFrame, gap: timedelta, *, cell: pl.Expr | None = None, by_id: bool = True
) -> pl.LazyFrame:
    """A row for each piece, part by part (PART stays a key), and by `cell` (as `time`) when one is
    given: `session_id` (null, or the id that holds the piece together), WHO and DEVICE (the
    subject), `user_id` and `install_id`, `start`, `end`, `events`, `errors`, `interactions`,
    `components` (each once). Events with neither session id nor subject are in none. `by_id` false:
    session ids count for nothing.
    """
    kinds = events.collect_schema()
    held = [*([PART] if kinds[PART] != pl.Null else []), *([] if cell is None else ["time"])]
    rows = events.select(
        *held[: int(PART in held)],
        *([] if cell is None else [cell.alias("time")]),
        (_text("session_id") if by_id else pl.lit(None, pl.String)).alias("session_id"),
        pl.col("subject_hash").alias(WHO),
        (~is_given("user_id") & pl.col("subject_hash").is_not_null()).alias(DEVICE),
        *(_text(name).alias(name) for name in (*_TEXTS, "component")),
        pl.col("event_time").alias("start"),
        (pl.col("severity") >= SEVERITIES["error"]).fill_null(value=False).alias("errors"),
        pl.col("event_type").is_in(INTERACTIONS).alias("interactions"),
    )
    alone = rows.filter(pl.col("session_id").is_null())
    silent = _silent(alone, held, gap, has_components=kinds["component"] != pl.Null)
    if not by_id or kinds["session_id"] == pl.Null:
        return silent
    return pl.concat([_named(rows, held), silent], how="diagonal")


def _named(rows: pl.LazyFrame, held: Sequence[str]) -> pl.LazyFrame:
    """A piece for each session id and subject: no silence ends it."""
    return (
        rows.filter(pl.col("session_id").is_not_null())
        .group_by(*held, *_KEYS)
        .agg(
            pl.col(*_TEXTS).first(),
            pl.col("start").min(),
            pl.col("start").max().alias("end"),
            pl.len().cast(pl.Int64).alias("events"),
            pl.col("errors", "interactions").sum().cast(pl.Int64),
            pl.col("component").drop_nulls().unique().alias("components"),
        )
    )


def _silent(
    rows: pl.LazyFrame, held: Sequence[str], gap: timedelta, *, has_components: bool
) -> pl.LazyFrame:
    """A piece for each run of a subject's events without a silence. Grouping what is sorted by time
    (as parts are, nearly) takes a quarter of sorting by subject and time.
    """
    keys = [*held, WHO]
    kinds = rows.collect_schema()
    # One number for time and flags: it sorts by time, and is one list to take apart.
    packed = pl.col("start").to_physical() * 4 + pl.col("errors") * 2 + pl.col("interactions")
    lists = [_PACKED, *(["component"] if has_components else [])]
    known = rows.filter(pl.col(WHO).is_not_null()).with_columns(packed.alias(_PACKED))
    grouped = known.sort(_PACKED).group_by(keys)
    people = grouped.agg(pl.col(DEVICE).all(), pl.col(*_TEXTS).first(), *lists)
    found = people.with_row_index(_RUN).explode(lists)
    schema = {name: kinds[name] for name in (*keys, DEVICE, *_TEXTS, "start")} | {
        "end": INSTANT,
        **{name: pl.Int64() for name in SUMS},
        "components": pl.List(pl.String()),
    }
    runs = found.map_batches(
        lambda frame: _runs(frame, [*keys, DEVICE, *_TEXTS], gap), schema=schema
    )
    return runs.with_columns(pl.lit(None, pl.String).alias("session_id"))


def merged(found: pl.DataFrame, gap: timedelta, links: Links) -> pl.DataFrame:
    """Pieces as whole sessions, in no order: `session_id`, `user_id` (of the first user in it, else of
    the one that its device was linked to, else the device), `start`, `end`, `events`, `errors`,
    `interactions`, `components` (how many), and WHO, the subject, where no id holds it together.
    Devices that were linked count for their users.
    """
    rows = subjects.settled(found, links, nobody=True)
    silent = _joined(rows.filter(pl.col("session_id").is_null()), gap)
    if silent.height == rows.height:
        return silent
    names = rows.filter(pl.col("user_id").is_not_null()).unique(WHO, keep="any")
    names = names.select(WHO, pl.col("user_id").alias("named"))
    held = rows.filter(pl.col("session_id").is_not_null()).join(names, on=WHO, how="left")
    user = pl.coalesce("user_id", "named").alias("user_id")
    held = (
        held.with_columns(user)
        .sort("start")
        .group_by("session_id")
        .agg(
            pl.coalesce(pl.col(*_TEXTS).drop_nulls().first()).alias("user_id"),
            pl.col("start").min(),
            pl.col("end").max(),
            pl.col(*SUMS).sum(),
            pl.col("components").list.explode().drop_nulls().n_unique().cast(pl.Int64),
        )
    )
    return pl.concat([held, silent], how="diagonal")


def _joined(rows: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """Runs of runs: those of a subject that no silence divides."""
    lists = ["start", "end", *SUMS, "components"]
    people = (
        rows.sort("start")
        .group_by(WHO)
        .agg(
            pl.coalesce(pl.col(*_TEXTS).drop_nulls().first()).alias("user_id"),
            *(pl.col(name).cum_max() if name == "end" else pl.col(name) for name in lists),
        )
    )
    rows = people.with_row_index(_RUN).explode(lists)
    silence = pl.col("start") - pl.col("end").shift()
    new = rows.select(_IS_FIRST | (silence > gap).fill_null(value=False))[:, 0]
    begins, ends = _bounds(new)
    return rows.select(
        pl.lit(None, pl.String).alias("session_id"),
        pl.col(WHO, "user_id", "start").gather(begins),
        pl.col("end").gather(ends),
        *(_added(name, begins, ends) for name in SUMS),
        _components(rows["components"], new).list.len().fill_null(0).cast(pl.Int64),
    )


def _text(column: str) -> pl.Expr:
    return pl.when(is_given(column)).then(column).cast(pl.String)


def _runs(rows: pl.DataFrame, kept: Sequence[str], gap: timedelta) -> pl.DataFrame:
    """The runs of each person (a number, _RUN), whose events stand together and in order."""
    rows = rows.with_columns(
        (pl.col(_PACKED) // 4).cast(INSTANT).alias("start"),
        (pl.col(_PACKED) // 2 % 2).alias("errors"),
        (pl.col(_PACKED) % 2).alias("interactions"),
    )
    late = (pl.col("start").diff() > gap).fill_null(value=False)
    new = rows.select(_IS_FIRST | late)[:, 0]
    begins, ends = _bounds(new)
    return rows.select(
        pl.col(*kept, "start").gather(begins),
        pl.col("start").gather(ends).alias("end"),
        (ends - begins + 1).cast(pl.Int64).alias("events"),
        *(_added(name, begins, ends) for name in ("errors", "interactions")),
        _components(rows["component"].alias("components"), new)
        if "component" in rows.columns
        else pl.lit(None, pl.List(pl.String())).alias("components"),
    )


def _bounds(new: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Where each run begins, and its last row."""
    begins = new.arg_true()
    return begins, begins.shift(-1, fill_value=new.len()) - 1


def _added(name: str, begins: pl.Series, ends: pl.Series) -> pl.Expr:
    """The sum over each run: a difference of running sums."""
    number = pl.col(name).cast(pl.Int64)
    running = number.cum_sum()
    return running.gather(ends) - running.gather(begins) + number.gather(begins)


def _components(components: pl.Series, new: pl.Series) -> pl.Series:
    """The different components of each run, as a list; null where there are none."""
    run = (new.cum_sum() - 1).cast(pl.UInt32).alias("run")
    given = pl.DataFrame([run, components]).drop_nulls()
    if components.dtype == pl.List:
        given = given.explode("components").drop_nulls()
    lists = given.group_by("run").agg(pl.col("components").unique().sort())
    places = pl.DataFrame({"run": pl.int_range(int(new.sum()), dtype=pl.UInt32, eager=True)})
    return places.join(lists, on="run", how="left", maintain_order="left")["components"]
