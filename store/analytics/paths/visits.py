"""Visits: the events of each session in their order, a row for every node of it.

A node is a run of events of one name; its time is that of the last of them. Sessions are those of
store.analytics.sessions: by id, else by the gap.
"""

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

import polars as pl

from store.analytics.breakdown import key_texts
from store.analytics.links import Links, is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.order import in_order
from store.analytics.ordered.rows import SAMPLED, TIME, sampled
from store.analytics.ordered.subjects import WHO
from store.analytics.paths.markers import told_name
from store.analytics.paths.walks import Ends, marks
from store.analytics.sessions.owners import OWNER, owner_of
from store.schema import PART
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("event_time", "event_id", "event_name", "session_id", "sample_rate"),
    *subjects.columns(subjects.USER, link=True),
)
"""What `events_in_short` reads."""
_SESSION_ID: Final = "session_id"
_USER: Final = "\0user"
_ROW: Final = "\0number"
_ANY: Final[Ends] = MappingProxyType({})
_LEFT_OUT: Final = "\0left out"
"""There where names were asked for, and true of an event that is no node: its session goes on."""


def events_in_short(
    events: pl.LazyFrame,
    *,
    by_id: bool = True,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    with_ids: bool = False,
    by: Sequence[str] = (),
    ends: Ends = _ANY,
) -> pl.LazyFrame:
    """The rows and columns of a part that visits are made of: PART, TIME, WHO and DEVICE of the
    subject, `session_id` where one holds it (and `by_id`), `node` (the name), `id` (of events that
    may share an instant, or of all, `with_ids`), SAMPLED, the values of `by`, and `marks` of the `ends`. Events with
    neither a session id nor a subject are not there.
    """
    kinds = events.collect_schema()
    name = pl.col("event_name")
    is_named = is_given(_SESSION_ID) if by_id else pl.lit(value=False)
    left_out = [~name.is_in(only)] if only else []
    left_out += [name.is_in(without)] if without else []
    has_ids = by_id and kinds[_SESSION_ID] != pl.Null
    kept = (
        is_named | subjects.is_known(subjects.USER) if has_ids else subjects.is_known(subjects.USER)
    )
    return events.filter(kept).select(
        PART,
        pl.col("event_time").alias(TIME),
        *subjects.subject(kinds, subjects.USER, link=True),
        *([pl.when(is_named).then(_SESSION_ID).alias(_SESSION_ID)] if has_ids else []),
        name.cast(pl.Categorical).alias("node"),
        (pl.col("event_id") if with_ids else _id_of_ties()).alias("id"),
        *([pl.any_horizontal(left_out).alias(_LEFT_OUT)] if left_out else []),
        *sampled(kinds),
        *key_texts(by, kinds),
        *marks(ends, kinds),
    )


def _id_of_ties() -> pl.Expr:
    """Ids are the largest of all columns: kept where they are likely to be needed."""
    time = pl.col("event_time")
    is_tied = (time == time.shift()) | (time == time.shift(-1))
    # Written anew, so that they do not hold on to the pages that they were read from.
    return pl.format("{}", pl.when(is_tied).then("event_id"))


class Visits(NamedTuple):
    """The nodes of all sessions that start in a span."""

    nodes: pl.DataFrame
    """Session by session and in order: `session` (a number), WHO (the subject of its first event
    that has one), `node` (as `told_name` has it), TIME, `events` (how many the run
    has), and whether any of them is an end that `marks` tell of."""
    is_tied: bool
    """True when events of one session that differ share an instant, and an id was not at hand: in
    which order they come is not told."""
    is_sampled: bool
    """Whether some of their events stood for more than one."""
    values: pl.DataFrame
    """`session`, and the breakdown values of each: of each attribute the first that is given among
    its events, "" where none is. Without attributes, empty."""


def visits(
    short: pl.DataFrame, gap: timedelta, span: TimeSpan, links: Links, *, owned: bool = False
) -> Visits:
    """What `events_in_short` kept, in order and split into sessions; `owned`, with OWNER and
    `start` of the session in every row.
    """
    settled = subjects.settled(short, links, nobody=True)
    # Ids are twice as wide as all else, and looked at where events share an instant: the row's
    # number stands for them while rows are put in order, and for what else is not needed there.
    ids = settled["id"]
    flags = settled[SAMPLED] if SAMPLED in settled.columns else None
    keys = settled.select(name for name in settled.columns if name.startswith("key."))
    ends = settled.select(name for name in settled.columns if name.startswith("is."))
    bare = settled.drop("id", SAMPLED, *keys.columns, *ends.columns, strict=False)
    rows = _ordered(bare.with_row_index(_ROW), span, ids)
    late = ~pl.col("is_named") & (pl.col(TIME).diff() > gap)
    begins = (late | (pl.col(WHO) != pl.col(WHO).shift())).fill_null(value=True)
    start = pl.when(begins).then(TIME).forward_fill()
    rows = rows.with_columns(begins.cum_sum().alias("session"), start.alias("start"))
    counts = rows.select(
        pl.col("start").is_between(span.start, span.end, closed="left")
    ).to_series()
    rows = rows if counts.all() else rows.filter(counts)
    rows = rows.with_columns(pl.col(WHO).alias(OWNER)) if owned else rows.drop("start")
    is_tied, values = _is_tied(rows, ids, keys), _first_values(rows, keys)
    rows = _shown(_with_user(rows))
    follows = pl.col("session") == pl.col("session").shift()
    moved = pl.col("node").to_physical() != pl.col("node").to_physical().shift()
    new = rows.select((~follows | moved).fill_null(value=True)).to_series()
    first = new.arg_true()
    last = first.shift(-1, fill_value=rows.height) - 1
    nodes = rows.select(
        pl.col("session", WHO, "node", *((OWNER, "start") if owned else ())).gather(first),
        pl.col(TIME).gather(last),
        (last - first + 1).cast(pl.Int64).alias("events"),
        *(_any(each.gather(rows[_ROW]), first, last) for each in ends),
    )
    is_sampled = flags is not None and bool(flags.gather(rows[_ROW]).any())
    return Visits(_told(nodes), is_tied, is_sampled, values)


def _any(flag: pl.Series, first: pl.Series, last: pl.Series) -> pl.Series:
    """Whether it is there in any row of each run."""
    running = flag.cast(pl.Int64).cum_sum()
    return (running.gather(last) - running.gather(first) > 0) | flag.gather(first)


def _told(nodes: pl.DataFrame) -> pl.DataFrame:
    """With names as `told_name` has them; there is hardly ever one that reads otherwise."""
    names = nodes["node"].unique().cast(pl.String).to_list()
    told = {name: told_name(name) for name in names if told_name(name) != name}
    renamed = pl.col("node").cast(pl.String).replace(told).cast(pl.Categorical)
    return nodes.with_columns(renamed) if told else nodes


def _first_values(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    # The rows of a session stand together.
    begins = (pl.col("session") != pl.col("session").shift()).fill_null(value=True)
    sessions = rows.select("session", _ROW) if keys.width else rows.select("session", _ROW).clear()
    found = sessions.select("session").filter(begins)
    for name in keys.columns:
        values = sessions.select("session", keys[name].gather(sessions[_ROW])).drop_nulls()
        found = found.join(values.filter(begins), on="session", how="left")
    return found.with_columns(pl.col(keys.columns).fill_null(""))


def _is_tied(rows: pl.DataFrame, ids: pl.Series, keys: pl.DataFrame) -> bool:
    follows = (pl.col("session") == pl.col("session").shift()) & (
        pl.col(TIME) == pl.col(TIME).shift()
    )
    told = ["node", *([_USER] if _USER in rows.columns else [])]
    marked = rows.select(follows.fill_null(value=False).alias("follows"), _ROW, *told)
    together = marked.with_columns(instant=(~pl.col("follows")).cum_sum()).filter(
        pl.col("follows") | pl.col("follows").shift(-1, fill_value=False)
    )
    differ = pl.any_horizontal(
        *(pl.col(name).n_unique() > 1 for name in told),
        *(pl.col(name).drop_nulls().n_unique() > 1 for name in keys.columns),
    )
    beside = [series.gather(together[_ROW]) for series in (ids, *keys)]
    named = together.with_columns(beside)
    found = named.group_by("instant").agg((differ & pl.col("id").is_null().any()).alias("is_tied"))
    return bool(found["is_tied"].any())


def _ordered(rows: pl.DataFrame, span: TimeSpan, ids: pl.Series) -> pl.DataFrame:
    """By time within what holds a session together: an id, or else a subject. Where there are ids,
    that is the WHO, and the subject is put aside.
    """
    by_id = [pl.lit(ids).gather(pl.col(_ROW)).alias("id")]
    if _SESSION_ID not in rows.columns:
        present = _present(rows, span)
        return in_order(present, by_id).with_columns(is_named=pl.lit(value=False))
    is_named = pl.col(_SESSION_ID).is_not_null()
    owned = rows.with_columns(
        pl.col(WHO).alias(_USER), owner_of(is_named).alias(WHO), is_named.alias("is_named")
    )
    return in_order(_present(owned.drop(_SESSION_ID), span), by_id)


def _present(rows: pl.DataFrame, span: TimeSpan) -> pl.DataFrame:
    """Those of whom something happened in the span: nobody else has a session that starts in it,
    and of a short span they are far fewer than its surroundings hold, which are read as well.
    """
    within = rows.select(pl.col(TIME).is_between(span.start, span.end, closed="left")).to_series()
    if within.all():
        return rows
    return rows.join(rows.filter(within).select(pl.col(WHO).unique()), on=WHO, how="semi")


def _with_user(rows: pl.DataFrame) -> pl.DataFrame:
    """With the session's subject as WHO."""
    if _USER not in rows.columns:
        return rows
    return rows.with_columns(pl.col(_USER).drop_nulls().first().over("session").alias(WHO))


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Without what was left out; what it held together stays one session."""
    return rows.filter(~pl.col(_LEFT_OUT)) if _LEFT_OUT in rows.columns else rows
