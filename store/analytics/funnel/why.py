"""Why somebody is where he is in a funnel: the attempt that counts, and what ended it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, cast

import polars as pl
import xxhash

from store.analytics.cut import Cut
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import DEPTH, LAST, OPEN, SPOILED, attempts
from store.analytics.funnel.choosing import best
from store.analytics.funnel.definition import Stepped, horizon
from store.analytics.funnel.journeys import END, LIMIT, Journeys
from store.analytics.funnel.matching import EXCLUDES, STEPS, columns, matched
from store.analytics.funnel.shares import timed
from store.analytics.funnel.timely import last_repeat
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import USER, WHO, settled
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.timespan import EPOCH, UNITS, TimeSpan, duration_text, iso

COLUMNS: Final = ("at", "step", "time", "seconds", "event_name", "event_id", "until")


@dataclass(frozen=True, kw_only=True, slots=True)
class Why(Stepped):
    """How far somebody came in a funnel, and what ended it."""

    analysis: ClassVar[str] = "why"
    breaks_down: ClassVar[bool] = False
    compares: ClassVar[bool] = False

    user: str = option("", "a user, a device, or a value of --per", hidden=True)

    def key(self) -> tuple[Any, ...]:
        return (*super(Why, self).key(), self.user)


class WhyAnalysis:
    """A row for each step of the attempt that counts, `until` when it had to come where it has a
    time of its own, and a summary: `outcome` (converted, still possible, spoiled, broken, too late,
    stopped, never began), when the window ends and the time of the step that did not come, and the
    event that ended it, where there is one.
    """

    name = "why"
    version = 1
    query_type = Why
    rows_max = kept.ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        return horizon(cast(Stepped, query))

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Why, query)
        return list(dict.fromkeys([*columns(asked), "event_id", "event_name"]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = cast(Why, query)
        kinds = events.collect_schema()
        has_devices = asked.link and kinds.get("install_id", pl.Null()) != pl.Null
        if asked.per == USER and not has_devices:
            events = events.filter(pl.col("subject_hash") == _hash(asked.user))
        named = [pl.col("event_name").alias("name"), pl.col("event_id").alias("event_id")]
        return matched(events, asked, beside=named)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        why = cast(Why, query)
        who = _who(why, links)
        mine = settled(combined, links).filter(pl.col(WHO) == who)
        asked = asked_of(mine, why, links)
        found = attempts(asked.journeys, **asked.bounds)
        chosen = best(found)
        if not chosen.height:
            chosen = best(found.with_columns(pl.lit(value=False).alias(SPOILED)))
        made = asked.journeys.made
        if not chosen.height:
            told = {"user": why.user, "level": 0, "of": len(made.steps), "outcome": "never began"}
            return Finished(Table(COLUMNS, [], told), mine.height, kept.is_sampled(mine))
        rows = _rows(timed(chosen, asked.journeys), asked.journeys)
        told = {"user": why.user, **_ending(chosen, found, asked)}
        return Finished(Table(COLUMNS, rows, told), mine.height, kept.is_sampled(mine))

    def as_json(self, result: Result) -> Mapping[str, Any]:
        told = dict(flat_rows_json(result))
        summary = cast(Mapping[str, Any], told.pop("summary"))
        return {**summary, "steps": told["rows"]}


def _hash(name: str) -> pl.Expr:
    return pl.lit(xxhash.xxh3_64_intdigest(name.encode()), pl.UInt64)


def _who(query: Why, links: Links) -> int:
    """The hash by which rows are told apart."""
    if query.per != USER:
        return int(pl.Series([query.user]).hash(seed=7).item())
    own = xxhash.xxh3_64_intdigest(query.user.encode())
    linked = links.of(pl.Series([own], dtype=pl.UInt64)) if query.link else None
    return int(linked["user"].item(0)) if linked is not None and linked.height else own


def _rows(chosen: pl.DataFrame, journeys: Journeys) -> list[Row]:
    rows = []
    for at, name in enumerate(journeys.made.names):
        row = chosen[f"row.{at}"].item()
        values: tuple[Any, ...] = (None,) * 4
        if row is not None:
            event = journeys.rows.row(row, named=True)
            seconds = chosen[f"seconds.{at}"].item() if at else None
            values = (_instant(event[kept.TIME]), seconds, event["name"], event["event_id"])
        told = (at + 1, name, *values, _until(at, chosen, journeys))
        rows.append(Row({}, dict(zip(COLUMNS, told, strict=True))))
    return rows


def _until(at: int, chosen: pl.DataFrame, journeys: Journeys) -> datetime | None:
    """Until when a step with a time of its own had to come; one that did not, by the last repeat of
    the step before that might have led on.
    """
    made = journeys.made
    within, before = made.within(at), made.before(at)
    came = chosen[f"row.{before}"].item()
    if within is None or came is None:
        return None
    if chosen[f"row.{at}"].item() is None:
        end = chosen[END].item()
        if made.is_strict:
            end = min(end, chosen[LIMIT].fill_null(end).item())
        came = last_repeat(journeys, chosen["row.0"].item(), before, end)
    until: int = journeys.rows[kept.TIME][came] + within
    if made.window is not None:
        until = min(until, chosen[kept.TIME].item() + made.window)
    return _instant(until)


def _ending(chosen: pl.DataFrame, found: pl.DataFrame, asked: Asked) -> Mapping[str, Any]:
    """How far he came, and the event that ended it."""
    made, journeys = asked.journeys.made, asked.journeys
    one = chosen.row(0, named=True)
    until = None if made.window is None else _instant(one[kept.TIME] + made.window)
    outcome, row = _outcome(one, found, journeys)
    waits = (step for step in made.required if one[f"row.{step}"] is None)
    step_ends = _until(next(waits, 0), chosen, journeys)
    event = None if row is None else journeys.rows.row(row, named=True)
    return {
        "level": one[DEPTH],
        "of": len(made.steps),
        "outcome": outcome,
        "window": "none" if made.window is None else duration_text(made.window * UNITS["us"]),
        "window_ends": None if until is None else iso(until),
        "step_ends": None if step_ends is None else iso(step_ends),
        "attempts": found.height,
        "ended_by": event and event["name"],
        "ended_by_id": event and event["event_id"],
        "ended_at": event and iso(_instant(event[kept.TIME])),
    }


def _outcome(
    one: Mapping[str, Any], found: pl.DataFrame, journeys: Journeys
) -> tuple[str, int | None]:
    made = journeys.made
    mine = found.filter(pl.col("row.0") == one["row.0"])
    if mine[SPOILED].any() or found[SPOILED].all():
        return "spoiled", _excluded(one, journeys)
    if one[f"row.{made.required[-1]}"] is not None:
        return "converted", None
    if found[OPEN].any():
        return "still possible", None
    if made.is_unordered:
        return "stopped", None
    wanted = next(step for step in made.required if one[f"row.{step}"] is None)
    if made.is_strict and one[LIMIT] is not None and one[LIMIT] < one[END]:
        is_late = journeys.rows[STEPS][one[LIMIT]] & (1 << wanted)
        return "too late" if is_late else "broken", one[LIMIT]
    later = journeys.rows[f"next.{wanted}"][one[LAST]]
    return ("too late", later) if later is not None and later < one[END] else ("stopped", None)


def _excluded(one: Mapping[str, Any], journeys: Journeys) -> int | None:
    """The first row after the start that is excluded in its place."""
    made = journeys.made
    alone = journeys.rows.with_row_index("place")
    for number, exclusion in enumerate(made.exclusions):
        begin = one[f"row.{exclusion.after - 1}"]
        if begin is None:
            continue
        hit = (pl.col(EXCLUDES) & (1 << number) != 0) & (
            pl.col(kept.TIME) > journeys.rows[kept.TIME][begin]
        )
        rows = alone.filter(hit)["place"]
        if rows.len():
            return int(rows.item(0))
    return None


def _instant(micros: int) -> datetime:
    return EPOCH + micros * UNITS["us"]
