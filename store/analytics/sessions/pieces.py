"""Sessions that add up: each part gives pieces of sessions, and pieces that touch are one session.

Time is cut into lengths of the gap, and a piece is what a subject (or a session id) did in one of
them: no two of its events are farther apart than the gap. So two pieces belong together exactly
when the later one begins no more than a gap after the earlier one has ended, however the events
were spread over parts and in whatever order they came; and nothing need be sorted to find pieces.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from store.analytics.breakdown import key_columns
from store.analytics.links import Links, is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.order import together
from store.analytics.ordered.rows import SAMPLED, sampled
from store.analytics.ordered.shares import by_shares
from store.analytics.ordered.subjects import DEVICE, WHO
from store.analytics.sessions import values
from store.schema import INSTANT, PART, SEVERITIES
from store.timespan import UNITS

COLUMNS: Final = (
    *("event_time", "event_type", "severity", "component", "sample_rate"),
    *("subject_hash", "user_id", "install_id", "session_id"),
)
"""What `pieces` reads."""
INTERACTIONS: Final = ("user_interaction", "input_change", "behavioral")
"""The event types of what a person does."""
SUMS: Final = ("events", "errors", "interactions")
_KEYS: Final = ("session_id", WHO, DEVICE)
_TEXTS: Final = ("user_id", "install_id")
_FIRST: Final = ("start", *_TEXTS)
_LENGTH: Final = "\0length"
_SPREAD: Final = 1 << 64
"""More than there are instants."""


def length_of(time: pl.Expr, gap: timedelta) -> pl.Expr:
    """The number of the length of time that an event is in."""
    return time.to_physical() // (gap // UNITS["us"])


def pieces(
    events: pl.LazyFrame,
    gap: timedelta,
    *,
    cell: pl.Expr | None = None,
    by_id: bool = True,
    by: Sequence[str] = (),
) -> pl.LazyFrame:
    """A row for each piece, part by part (PART stays a key), and by `cell` (as `time`) when one is
    given: `session_id` (null, or the id that holds the piece together), WHO and DEVICE (the
    subject), `user_id` and `install_id`, `start`, `end`, `events`, `errors`, `interactions`,
    `components` (each once), SAMPLED where there are rates, and the first values of `by`. Events with
    neither session id nor subject are in none. `by_id` false: session ids count for nothing.
    """
    kinds = events.collect_schema()
    held = [*([PART] if kinds[PART] != pl.Null else []), *([] if cell is None else ["time"])]
    is_known = pl.col("subject_hash").is_not_null()
    rows = events.select(
        *held[: int(PART in held)],
        *([] if cell is None else [cell.alias("time")]),
        (text("session_id") if by_id else pl.lit(None, pl.String)).alias("session_id"),
        pl.col("subject_hash").alias(WHO),
        (~is_given("user_id") & is_known).alias(DEVICE),
        *(text(name).alias(name) for name in (*_TEXTS, "component")),
        pl.col("event_time").alias("start"),
        *counted(kinds),
        *values.given(by, kinds),
    )
    is_silent = pl.col("session_id").is_null()
    number = pl.when(is_silent).then(length_of(pl.col("start"), gap)).alias(_LENGTH)
    told = pl.col("component").drop_nulls().unique()
    nothing = pl.lit(None, pl.List(pl.String()))
    return (
        rows.filter(~is_silent | pl.col(WHO).is_not_null())
        .group_by(*held, *_KEYS, number)
        .agg(
            pl.col(*_TEXTS).first(),
            *extent(pl.col("start"), kinds),
            *([told.alias("components")] if kinds["component"] != pl.Null else []),
            *values.firsts(key_columns(by)),
        )
        .with_columns([nothing.alias("components")] if kinds["component"] == pl.Null else [])
        .drop(_LENGTH)
    )


def counted(kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Of an event: whether it is an error, and whether something that a person does; SAMPLED."""
    return [
        (pl.col("severity") >= SEVERITIES["error"]).fill_null(value=False).alias("errors"),
        pl.col("event_type").is_in(INTERACTIONS).alias("interactions"),
        *sampled(kinds),
    ]


def extent(time: pl.Expr, kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Of a piece: `start`, `end`, SUMS and SAMPLED, where `counted` are columns."""
    return [
        time.min().alias("start"),
        time.max().alias("end"),
        pl.len().cast(pl.Int64).alias("events"),
        pl.col("errors", "interactions").sum().cast(pl.Int64),
        *(pl.col(SAMPLED).any() for _ in sampled(kinds)),
    ]


def held_together(pieces: pl.DataFrame) -> list[pl.Expr]:
    """Of the pieces that an id holds together: `start`, `end`, SUMS, SAMPLED and first values."""
    return [
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col(*SUMS).sum(),
        *([pl.col(SAMPLED).any()] if SAMPLED in pieces.columns else []),
        *values.firsts(pieces.columns),
    ]


def merged(found: pl.DataFrame, gap: timedelta, links: Links) -> pl.DataFrame:
    """Pieces as whole sessions, in no order: `session_id`, `user_id` (of the first user in it, else of
    the one that its device was linked to, else the device; of several that begin at one instant, the
    first by name), `start`, `end`, `events`, `errors`, `interactions`, `components` (how many), and
    WHO, the subject, where no id holds it together. Devices that were linked count for their users.
    """
    rows = subjects.settled(found, links, nobody=True)
    is_held = rows["session_id"].is_not_null()
    silent = _named(joined(rows.filter(~is_held), gap), rows.filter(~is_held))
    if not is_held.any():
        return silent
    names = rows.filter(pl.col("user_id").is_not_null()).unique(WHO, keep="any")
    names = names.select(WHO, pl.col("user_id").alias("named"))
    held = rows.filter(is_held).join(names, on=WHO, how="left")
    user = pl.coalesce("user_id", "named").alias("user_id")
    held = (
        held.with_columns(user)
        .sort(_FIRST)
        .group_by("session_id")
        .agg(
            pl.coalesce(pl.col(*_TEXTS).drop_nulls().first()).alias("user_id"),
            *held_together(held),
            pl.col("components").list.explode().drop_nulls().n_unique().cast(pl.Int64),
        )
    )
    return pl.concat([held, silent], how="diagonal")


def _named(sessions: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Sessions of subjects with the name that each has in some piece."""
    name = pl.coalesce(pl.col(*_TEXTS).drop_nulls().first()).alias("user_id")
    names = rows.sort(_FIRST).group_by(WHO).agg(name)
    none = pl.lit(None, pl.String).alias("session_id")
    return sessions.join(names, on=WHO, how="left").with_columns(none)


def joined(rows: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """Pieces of subjects as sessions: WHO, `start`, `end` and SUMS of each; SAMPLED, first values,
    and how many different `components`, where pieces tell them.
    """
    return by_shares(rows, lambda share: _joined(share, gap))


def _joined(rows: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    # Each part's rows are a chunk of their own, and finding a row among chunks takes five times.
    rows = rows.with_columns(length_of(pl.col("start"), gap).alias(_LENGTH)).rechunk()
    ordered = _overlapping(rows[together(rows[WHO], rows[_LENGTH])])
    is_first = (pl.col(WHO) != pl.col(WHO).shift()).fill_null(value=True)
    silence = pl.col("start") - pl.col("end").shift()
    new = ordered.select(is_first | (silence > gap).fill_null(value=False)).to_series()
    begins = new.arg_true()
    ends = begins.shift(-1, fill_value=new.len()) - 1
    found = ordered.select(
        pl.col(WHO, "start").gather(begins),
        pl.col("end").gather(ends),
        *(_added(name, begins, ends) for name in SUMS),
        *([_added(SAMPLED, begins, ends) > 0] if SAMPLED in rows.columns else []),
        *values.firsts_of_runs(ordered, new),
    )
    if "components" not in rows.columns:
        return found
    return found.with_columns(_components(ordered["components"], new))


def _overlapping(rows: pl.DataFrame) -> pl.DataFrame:
    """Where parts tell of the same length of time, the first piece with the least `start` of them,
    and the last one with the greatest `end`.
    """
    is_new = (pl.col(WHO) != pl.col(WHO).shift()) | (pl.col(_LENGTH) != pl.col(_LENGTH).shift())
    begins = rows.select(is_new.fill_null(value=True)).to_series()
    if begins.all():
        return rows
    several = (~begins | ~begins.shift(-1, fill_value=True)).arg_true()
    spread = pl.lit(begins.gather(several).cum_sum()).cast(pl.Int128) * pl.lit(_SPREAD, pl.Int128())
    start, end = (spread + pl.col(name).to_physical() for name in ("start", "end"))
    least = (start.cum_min(reverse=True) - spread).cast(pl.Int64).cast(INSTANT)
    greatest = (end.cum_max() - spread).cast(pl.Int64).cast(INSTANT)
    told = rows.select("start", "end")[several].select(least.alias("start"), greatest.alias("end"))
    return rows.with_columns(rows[name].scatter(several, told[name]) for name in told.columns)


def _added(name: str, begins: pl.Series, ends: pl.Series) -> pl.Expr:
    """The sum over each run: a difference of running sums."""
    number = pl.col(name).cast(pl.Int64).fill_null(0)
    running = number.cum_sum()
    return running.gather(ends) - running.gather(begins) + number.gather(begins)


def _components(components: pl.Series, new: pl.Series) -> pl.Series:
    """How many different components each run has."""
    run = (new.cum_sum() - 1).cast(pl.UInt32).alias("run")
    given = pl.DataFrame([run, components]).drop_nulls().explode("components").drop_nulls()
    counts = given.group_by("run").agg(pl.col("components").n_unique())
    places = pl.DataFrame({"run": pl.int_range(int(new.sum()), dtype=pl.UInt32, eager=True)})
    joined = places.join(counts, on="run", how="left", maintain_order="left")
    return joined["components"].fill_null(0).cast(pl.Int64)


def text(column: str) -> pl.Expr:
    """The texts that are given; an empty one is none."""
    return pl.when(is_given(column)).then(column).cast(pl.String)
