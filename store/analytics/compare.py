"""Compare: what is different about these events?"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.breakdown import Group, broken_down, broken_down_json
from store.analytics.cells import SEVERITY_CLASS
from store.analytics.differences import (
    ID_SHARE,
    SURE_ID_SHARE,
    Difference,
    differences,
    differences_of,
    identifiers,
)
from store.analytics.filters import Filter, nearest, parse_filter
from store.analytics.filters.nodes import negated
from store.analytics.filters.values import SEVERITY_FIELDS
from store.analytics.intervals import checked_zone
from store.analytics.profile import Profile, Profiled
from store.analytics.query import Query, option
from store.analytics.shapes import Answer, Finished, Key, Result, Row, Table
from store.analytics.shares import wilson
from store.analytics.table_json import flat_rows_json
from store.analytics.top import Top
from store.errors import UsageError
from store.schema import FIXED
from store.timespan import TimeSpan

PREVIOUS: Final = "previous"
BEFORE: Final = "before"
LAST_WEEK: Final = "last-week"
REST: Final = "rest"
COLUMNS: Final = (
    *("value", "share", "share_against", "lift", "score", "n", "n_against"),
    *("p_value", "low", "high", "median", "median_against"),
)
EXACT_MAX: Final = 250_000
"""Of more events, one in 2, 4, 8, … is looked at: shares are then within 0.3 points (95 %)."""
SCREENED: Final = 500
"""One in so many of the span, its end, is where identifiers are looked for first."""
ATTRIBUTES_MAX: Final = 200
# What names one event, says when it was, or repeats another column.
_NO_REASON: Final = frozenset(
    {
        *("event_id", "event_time", "received_time", "subject_hash", "severity", "severity_text"),
        *("trace_id", "span_id", "parent_span_id", "sample_rate"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare(Query):
    """What sets events apart from others."""

    analysis: ClassVar[str] = "compare"
    compares: ClassVar[bool] = False

    against: str | Mapping[str, Any] | None = option(
        None,
        "a filter, or rest, previous (the same filter in the span before), before (four times that "
        "long), last-week",
        metavar="FILTER",
    )
    attributes: tuple[str, ...] = option(
        (), "only these; all that may tell something unless told", metavar="ATTR", flag="attribute"
    )
    exact: bool = option(default=False, help_text="look at every event, however many there are")

    def filters(self) -> tuple[Filter, ...]:
        """Of the selection, and of the baseline unless a word stands for it."""
        words = (PREVIOUS, BEFORE, LAST_WEEK, REST)
        texts = [self.where, None if self.against in words else self.against]
        zone = checked_zone(self.tz)
        return tuple(parse_filter(text, zone=zone) for text in texts)


class CompareAnalysis:
    """The events of the span that pass `where` (the selection) against others (the baseline): those
    that pass `against` and not `where`; without it, the same filter in the span before.

    A row for each attribute that differs more than chance explains (`p_value`, Benjamini and
    Hochberg at 0.05 over all tests made), the most telling first: the `value` whose `share` differs
    most from `share_against`, `lift`, their quotient, and `score`, their difference. For a measure
    the value is where the distributions are furthest apart, which makes `score` the distance of
    Kolmogorov and Smirnov; `median` and `median_against` stand beside. `n` and `n_against` are the
    events that the shares are of, `low` to `high` the 95 % interval of `share` (Wilson).

    `summary`: `tried` tests, `selection` and `baseline` (events), `against` in words, and what was
    `left_out`: identifiers, and attributes that the filters name. Broken down, the same within each
    value, the largest selection first; what is chance is judged over the tests of all of them.
    """

    name = "compare"
    query_type = Compare

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished]:
        asked = replace(cast(Compare, query), by=tuple(dict.fromkeys(query.by)))
        sides = _sides(asked)
        used = _used(asked)
        texts, measures = _attributes(asked, types, used)
        counts = [Top(**_common(asked, *side), by=(), measure="count") for side in sides]
        by = [Top(**_common(asked, *sides[0]), by=asked.by, limit=asked.limit)] if asked.by else []
        *counted, screened = yield [*counts, *by, _screening(asked, sides[0], texts)]
        sizes = [answer.events_scanned for answer in counted[:2]]
        values, has_more = _values(counted[2]) if asked.by else ([], False)
        ids = _ids(screened, SURE_ID_SHARE)
        profiles = yield [
            Profile(
                **_common(asked, *side),
                texts=tuple(name for name in texts if name not in ids),
                measures=measures,
                by=asked.by,
                values=tuple(tuple(key.values()) for key in values),
                one_in=1 if asked.exact else _one_in(size),
            )
            for side, size in zip(sides, sizes, strict=True)
        ]
        told = _finished(asked, profiles, sizes, sorted(ids), sorted(used), counted)
        if not asked.by:
            return told
        keys = [*values, *([None] if has_more else [])]
        return _broken_down(told, asked, profiles, keys)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return broken_down_json(result, flat_rows_json)


def _common(asked: Compare, where: Filter, span: TimeSpan) -> dict[str, Any]:
    same = {name: getattr(asked, name) for name in ("tz", "week_start", "link")}
    return {**same, "span": span, "where": where.document() if where else None}


def _sides(asked: Compare) -> tuple[tuple[Filter, TimeSpan], tuple[Filter, TimeSpan]]:
    """The selection and the baseline: which events of which span."""
    zone = checked_zone(asked.tz)
    where, span = parse_filter(asked.where, zone=zone), asked.span
    assert span is not None
    weeks = timedelta(weeks=1)
    spans = {
        PREVIOUS: span.previous(),
        BEFORE: TimeSpan(span.start - 4 * span.length, span.start),
        LAST_WEEK: span.shifted(-weeks * max(1, -(-span.length // weeks))),
    }
    against = asked.against or PREVIOUS
    if isinstance(against, str) and against in spans:
        return (where, span), (where, spans[against])
    others = Filter() if against == REST else parse_filter(against, zone=zone)
    if not where:
        return (Filter(negated(others.root)), span), (others, span)
    return (where, span), (others.and_(Filter(negated(where.root))), span)


def _used(asked: Compare) -> set[str]:
    """The attributes that the filters name."""
    named = {name for each in asked.filters() for name in each.fields()}
    return {SEVERITY_CLASS if name in SEVERITY_FIELDS else name for name in named}


def _attributes(
    asked: Compare, types: Mapping[str, pl.DataType], used: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to compare: value by value, and as measures."""
    all_known = {**types, **({SEVERITY_CLASS: pl.String()} if "severity" in types else {})}
    for name in asked.attributes:
        if types and name not in all_known:
            near = nearest(name, types)
            hint = f"did you mean {near}?" if near else "see inspect for the names there are"
            raise UsageError("attribute", f"no event has {name!r}", next_step=hint)
    wanted = set(asked.attributes or all_known)
    wanted -= used | _NO_REASON | set(asked.by)
    known = {n: kind for n, kind in all_known.items() if n in wanted}
    first = (SEVERITY_CLASS, *FIXED)
    fixed_first = sorted(known, key=lambda name: name not in first)[:ATTRIBUTES_MAX]
    texts = [name for name in fixed_first if known[name] in (pl.String, pl.Boolean)]
    measures = [name for name in fixed_first if known[name].is_numeric()]
    return tuple(texts), tuple(measures)


def _screening(asked: Compare, side: tuple[Filter, TimeSpan], texts: Sequence[str]) -> Profile:
    """The last of the selection's events, in which identifiers show."""
    where, span = side
    latest = TimeSpan(span.end - span.length / SCREENED, span.end)
    return Profile(**_common(asked, where, latest), texts=tuple(texts))


def _one_in(size: int) -> int:
    return 1 << max(0, (size - 1) // EXACT_MAX).bit_length()


def _ids(answer: Answer, share: float = ID_SHARE) -> set[str]:
    told = cast(Profiled, answer.result)
    return identifiers(told.summary["distinct"], told.frame, share)


def _finished(
    asked: Compare,
    profiles: Sequence[Answer],
    sizes: Sequence[int],
    ids: Sequence[str],
    used: Sequence[str],
    counts: Sequence[Answer],
) -> Finished:
    selection, baseline = (cast(Profiled, each.result).frame for each in profiles)
    ids = sorted({*ids, *(_ids(profiles[0]) & _ids(profiles[1]))})
    told = pl.col("attribute").is_in(ids).not_()
    found, tried = differences(selection.filter(told), baseline.filter(told))
    summary = {
        "selection": sizes[0],
        "baseline": sizes[1],
        "against": "the same in the span before" if not asked.against else str(asked.against),
        "tried": tried,
        "left_out": {"identifiers": list(ids), "in_filters": list(used)},
    }
    return Finished(
        Table(COLUMNS, [_row(each) for each in found[: asked.limit]], summary),
        events=sum(sizes),
        sampled=any(each.sampled for each in counts),
        exact=all(cast(Profile, each.query).one_in == 1 for each in profiles),
        truncated=len(found) > asked.limit,
    )


def _values(answer: Answer) -> tuple[list[Key], bool]:
    """The breakdown values with the most events of the selection, and whether there are more."""
    rows = cast(Table, answer.result).rows
    return [row.key for row in rows if not row.folded], any(row.folded for row in rows)


def _broken_down(
    told: Finished, asked: Compare, profiles: Sequence[Answer], keys: Sequence[Key | None]
) -> Finished:
    """With what differs within each of the values (None: of all others)."""
    whole = cast(Table, told.result)
    is_told = ~pl.col("attribute").is_in(whole.summary["left_out"]["identifiers"])
    groups = [[each.filter(is_told) for each in _groups(answer)] for answer in profiles]
    sides = list(zip(*groups, strict=True))[: len(keys)]
    found, tried = differences_of(sides)
    one_in = [cast(Profile, answer.query).one_in for answer in profiles]
    named = ("selection", "baseline")
    tables = [
        Table(
            COLUMNS,
            [_row(each) for each in differ[: asked.limit]],
            {
                name: _events(frame) * times
                for name, frame, times in zip(named, pair, one_in, strict=True)
            },
        )
        for differ, pair in zip(found, sides, strict=True)
    ]
    others = dict.fromkeys(asked.by, "")
    told_of = [
        Group(others if key is None else key, table, folded=key is None)
        for key, table in zip(keys, tables, strict=True)
    ]
    summary = {**whole.summary, "tried_within": tried}
    return replace(told, result=broken_down(replace(whole, summary=summary), told_of))


def _groups(answer: Answer) -> Sequence[pl.DataFrame]:
    return cast(Profiled, answer.result).groups


def _events(frame: pl.DataFrame) -> int:
    """Each of them is counted once for every attribute."""
    counts = frame.group_by("attribute").agg(pl.col("n").sum())["n"]
    return int(cast(int, counts.max() or 0))


def _row(found: Difference) -> Row:
    interval = wilson(found.share * found.n, found.n)
    lift = found.share / found.share_against if found.share_against else None
    shares = (found.value, found.share, found.share_against, lift, found.score)
    counts = (found.n, found.n_against, found.p, interval.low, interval.high)
    values = (*shares, *counts, found.median, found.median_against)
    return Row({"attribute": found.attribute}, dict(zip(COLUMNS, values, strict=True)))
