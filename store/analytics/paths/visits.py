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
from store.analytics.ordered.order import Ordered, Tied, ordered
from store.analytics.ordered.rows import SAMPLED, TIME, sampled
from store.analytics.ordered.shares import AT_ONCE, of_shares
from store.analytics.ordered.subjects import WHO
from store.analytics.paths.markers import told_name
from store.analytics.paths.walks import Ends, marks
from store.analytics.sessions.owners import OWNER, session_hash
from store.schema import PART
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("event_time", "event_id", "event_name", "session_id", "sample_rate"),
    *subjects.columns(subjects.USER, link=True),
)
"""What `events_in_short` reads."""
_SESSION_ID: Final = "session_id"
_IS_NAMED: Final = "\0is named"
_ROW: Final = "\0number"
_COUNTS: Final = "\0counts"
_SHARE_ROWS: Final = 1_000_000
"""Of a share: smaller ones cost more than they save, larger ones hold much memory at once."""
_BEGINS: Final = (pl.col("session") != pl.col("session").shift()).fill_null(value=True)
"""In whichever rows of sessions that are left: those of one stand together."""
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
    subject, `session_id` (its hash) where one holds it (and `by_id`), `node` (the name), `id` (of events that
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
        *([session_hash(is_named).alias(_SESSION_ID)] if has_ids else []),
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
    sessions: int
    """More than the number of any."""


def visits(
    short: pl.DataFrame, gap: timedelta, span: TimeSpan, links: Links, *, owned: bool = False
) -> Visits:
    """What `events_in_short` kept, in order and split into sessions; `owned`, with OWNER and
    `start` of the session in every row.
    """
    rows = _present(_owned(subjects.settled(short, links, nobody=True)), span)
    count = max(AT_ONCE, rows.height // _SHARE_ROWS)
    found = of_shares(rows, lambda each: _of(each, gap, span, owned), who=OWNER, shares=count)
    return _all_of(found)


def _all_of(shares: Sequence[Visits]) -> Visits:
    """Sessions of different shares get numbers of their own."""
    nodes, values = [], []
    before = 0
    for share in shares:
        number = pl.col("session") + before
        nodes.append(share.nodes.with_columns(number))
        values.append(share.values.with_columns(number))
        before += share.sessions
    return Visits(
        pl.concat(nodes),
        any(share.is_tied for share in shares),
        any(share.is_sampled for share in shares),
        pl.concat(values),
        before,
    )


def _of(rows: pl.DataFrame, gap: timedelta, span: TimeSpan, owned: bool) -> Visits:
    """The visits of all whose events `rows` are."""
    # What is needed of few rows (where a session begins, where a node ends) is taken there: the
    # places of rows are put in order, not the rows.
    found = ordered(rows[OWNER], rows[TIME], rows["id"])
    events, sessions = _sessions(rows, found, gap, span)
    is_tied = _is_tied(rows, events, found.tied, sessions)
    events = _that_count(events, sessions)
    whose, values = _whose(rows, events, sessions), _first_values(rows, events)
    events = _shown(rows, events)
    row, names = events[_ROW], _gathered(rows, "node", events[_ROW])
    moved = names.to_physical() != names.to_physical().shift()
    new = moved | (events["session"] != events["session"].shift())
    first = new.fill_null(value=True).arg_true()
    last = first.shift(-1, fill_value=events.height) - 1
    session = events["session"].gather(first)
    nodes = pl.DataFrame(
        [
            session,
            whose.gather(session),
            names.gather(first),
            *(sessions[name].gather(session) for name in ((OWNER, "start") if owned else ())),
            events[TIME].gather(last),
            (last - first + 1).cast(pl.Int64).alias("events"),
            *(_any(_gathered(rows, name, row), first, last) for name in _named(rows, "is.")),
        ]
    )
    is_sampled = SAMPLED in rows.columns and bool(_gathered(rows, SAMPLED, row).any())
    return Visits(_told(nodes), is_tied, is_sampled, values, sessions.height)


def _owned(rows: pl.DataFrame) -> pl.DataFrame:
    """With OWNER, what holds a session together: an id (_IS_NAMED then), or else a subject."""
    if _SESSION_ID not in rows.columns:
        return rows.with_columns(pl.col(WHO).alias(OWNER))
    owned = rows.with_columns(
        pl.coalesce(_SESSION_ID, WHO).alias(OWNER),
        pl.col(_SESSION_ID).is_not_null().alias(_IS_NAMED),
    )
    return owned.drop(_SESSION_ID)


def _gathered(rows: pl.DataFrame, name: str, places: pl.Series) -> pl.Series:
    # Each part's rows are a chunk of their own, and finding a row among chunks takes five times.
    return rows[name].rechunk().gather(places)


def _present(rows: pl.DataFrame, span: TimeSpan) -> pl.DataFrame:
    """Those of whom something happened in the span: nobody else has a session that starts in it,
    and of a short span they are far fewer than its surroundings hold, which are read as well.
    """
    within = rows.select(pl.col(TIME).is_between(span.start, span.end, closed="left")).to_series()
    if within.all():
        return rows
    return rows.join(rows.filter(within).select(pl.col(OWNER).unique()), on=OWNER, how="semi")


def _sessions(
    rows: pl.DataFrame, found: Ordered, gap: timedelta, span: TimeSpan
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """_ROW (its place in `rows`), TIME and `session` of each event in order; and OWNER, `start`,
    _ROW of the first event and _COUNTS (whether that is in the span) of each session: `session` is
    its place there.
    """
    begins = found.who != found.who.shift()
    late = found.at.diff() > gap
    if _IS_NAMED in rows.columns:
        late &= ~_gathered(rows, _IS_NAMED, found.row)
    begins = (begins | late).fill_null(value=True)
    first = begins.arg_true()
    start = found.at.gather(first).alias("start")
    sessions = pl.DataFrame(
        [found.who.gather(first).alias(OWNER), start, found.row.gather(first).alias(_ROW)]
    )
    counts = pl.col("start").is_between(span.start, span.end, closed="left")
    number = (begins.cum_sum() - 1).alias("session")
    return (
        pl.DataFrame([found.row.alias(_ROW), found.at, number]),
        sessions.with_columns(counts.alias(_COUNTS)),
    )


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


def _that_count(events: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    if sessions[_COUNTS].all():
        return events
    return events.filter(sessions[_COUNTS].gather(events["session"]))


def _whose(rows: pl.DataFrame, events: pl.DataFrame, sessions: pl.DataFrame) -> pl.Series:
    """WHO of each session: the subject of its first event that has one."""
    if _IS_NAMED not in rows.columns:
        return sessions[OWNER].alias(WHO)
    whose = _gathered(rows, WHO, sessions[_ROW])
    if not whose.null_count():
        return whose
    later = _firsts(rows, events.filter(whose.is_null().gather(events["session"])), WHO)
    return whose.scatter(later["session"], later[WHO])


def _first_values(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    keys = _named(rows, "key.")
    found = events.select("session") if keys else events.select("session").clear()
    found = found.filter(_BEGINS)
    for name in keys:
        found = found.join(_firsts(rows, events, name), on="session", how="left")
    return found.with_columns(pl.col(keys).fill_null(""))


def _firsts(rows: pl.DataFrame, events: pl.DataFrame, name: str) -> pl.DataFrame:
    """Of each session that has one, the first value: `session`, and `name`."""
    told = events.select("session", _gathered(rows, name, events[_ROW]))
    return told.filter(told[name].is_not_null()).filter(_BEGINS)


def _is_tied(rows: pl.DataFrame, events: pl.DataFrame, tied: Tied, sessions: pl.DataFrame) -> bool:
    """Whether events of one instant in a session that counts differ, of which one has no id."""
    here = events[tied.at].with_columns(tied.instant.alias("instant"))
    here = _that_count(here, sessions)
    keys = _named(rows, "key.")
    differ = pl.any_horizontal(
        *(pl.col(name).n_unique() > 1 for name in ("node", WHO)),
        *(pl.col(name).drop_nulls().n_unique() > 1 for name in keys),
    )
    told = rows.select(pl.col("node", WHO, "id", *keys).gather(here[_ROW]))
    found = told.group_by(here["instant"]).agg(
        (differ & pl.col("id").is_null().any()).alias("is_tied")
    )
    return bool(found["is_tied"].any())


def _shown(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Without what was left out; what it held together stays one session."""
    if _LEFT_OUT not in rows.columns:
        return events
    return events.filter(~_gathered(rows, _LEFT_OUT, events[_ROW]))


def _named(rows: pl.DataFrame, prefix: str) -> list[str]:
    return [name for name in rows.columns if name.startswith(prefix)]
