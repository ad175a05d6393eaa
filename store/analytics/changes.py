"""Changes: the few things that are not as they were in the span before, and what explains them."""

import math
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.explain import Explain
from store.analytics.filters import parse_filter, term
from store.analytics.findings import Finding, findings, in_eighths
from store.analytics.names import Names
from store.analytics.query import Query, option
from store.analytics.reasons import Reason, told_apart
from store.analytics.shapes import Answer, Finished, Result, Row, Table
from store.analytics.table_json import rows_json
from store.analytics.top import Top
from store.schema import FIXED
from store.timespan import TimeSpan, round_width

COLUMNS: Final = (
    *("kind", "factor", "now", "before", "since", "severity", "count", "trend", "attributes"),
)
POINTS: Final = 64
"""The counts in which a turning point is looked for: eight for each point of the trend."""
EVENTS_MAX: Final = 20_000
"""More events than these are explained by the newest of them."""
ATTRIBUTES_MAX: Final = 40
DETAILS_MAX: Final = 4
# What names one event, or repeats what the finding says already.
_NO_REASON: Final = frozenset(FIXED) - {
    *("service_name", "service_version", "is_dev", "user_id", "component", "message"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes(Query):
    """What is new, gone, more, less, slower or failing."""

    analysis: ClassVar[str] = "changes"
    is_timed: ClassVar[bool] = True
    compares: ClassVar[bool] = False
    breaks_down: ClassVar[bool] = False
    instead_of_by: ClassVar[str] = (
        "it names the values behind each finding itself: filter with where, or ask names --by"
    )

    limit: int = option(6, "tell so many findings", metavar="N")


class ChangesAnalysis:
    """Made out of `names` of both spans; then `explain` looks at the events of what stood out.

    A row for each finding, keyed by `event_name`: `kind`, `factor` (now over before), `now` and
    `before` (events, shares of errors, or ms), `since`, `severity`, `count`, `trend` (8 points),
    and `attributes`: `attribute`, `value`, `share`, or for a single user `count` and `of`.
    """

    name = "changes"
    query_type = Changes

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished]:
        common = {
            name: getattr(query, name) for name in ("span", "where", "tz", "week_start", "link")
        }
        names = Names(
            **common, interval=query.interval, compare="previous", limit=1_000, points=POINTS
        )
        (told,) = yield [names]
        found = _findings(told)[: query.limit]
        questions = _questions(query, found, types)
        answers = yield [each for pair in questions for each in pair]
        reasons = {
            name: reason
            for now, before in zip(answers[::2], answers[1::2], strict=True)
            for name, reason in told_apart(found, now, before).items()
        }
        of_users = 0
        if any(reason.only_user for reason in reasons.values()):
            (everyone,) = yield [Top(**common, by=(), measure="users")]
            of_users = cast(Table, everyone.result).rows[0].values["value"]
        rows = [_row(finding, reasons.get(finding.name), of_users) for finding in found]
        return Finished(Table(COLUMNS, rows), told.events_scanned, told.sampled, told.exact)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _findings(told: Answer) -> list[Finding]:
    now, before = cast(Table, told.result), cast(Table, told.previous)
    firsts = [row.values["first_seen"] for row in before.rows]
    if not firsts:
        return []
    seconds = (told.span.start - min(firsts)).total_seconds()
    return findings(now, before, told.span, seconds)


def _questions(
    query: Query, found: Sequence[Finding], types: Mapping[str, pl.DataType]
) -> list[tuple[Explain, Explain]]:
    """What to explain, now and before. Rare names share a question about the whole span, frequent
    ones are asked about its end alone.
    """
    span = query.span
    assert span is not None
    alike: dict[int, list[Finding]] = defaultdict(list)
    for finding in found:
        if finding.kind != "gone":
            alike[(finding.count // EVENTS_MAX).bit_length()].append(finding)
    questions = []
    for halvings, group in sorted(alike.items()):
        length = span.length / 2**halvings
        now = _question(query, group, types, TimeSpan(span.end - length, span.end))
        questions.append((now, replace(now, span=TimeSpan(span.start - length, span.start))))
    return questions


def _question(
    query: Query, group: Sequence[Finding], types: Mapping[str, pl.DataType], span: TimeSpan
) -> Explain:
    names = term("event_name", "=", *(each.name for each in group))
    return Explain(
        span=span,
        where=parse_filter(query.where).and_(names).text(),
        attributes=telling_attributes(types),
        errors_of=tuple(each.name for each in group if each.kind == "errors"),
        slower_than=tuple((each.name, _round(each.before)) for each in group if each.kind == "p95"),
        cell=round_width(span.length, POINTS),
    )


def _round(milliseconds: float) -> float:
    """Up to a power of 1.25, so that the question, and what is kept for it, stays while it wavers."""
    return float(1.25 ** math.ceil(math.log(milliseconds, 1.25)))


def telling_attributes(types: Mapping[str, pl.DataType]) -> tuple[str, ...]:
    """The columns whose values may be a reason: not measures, not names of single things."""
    telling = [
        name
        for name, kind in types.items()
        if name not in _NO_REASON and (kind in (pl.String, pl.Boolean) or kind.is_integer())
    ]
    return tuple(sorted(telling, key=lambda name: name not in FIXED)[:ATTRIBUTES_MAX])


def _row(finding: Finding, reason: Reason | None, of_users: int) -> Row:
    attributes = list(reason.attributes) if reason else []
    if reason and reason.only_user and of_users > 1:
        user = {"attribute": "user_id", "value": reason.only_user, "count": 1, "of": of_users}
        attributes = [each for each in attributes if each["attribute"] != "user_id"]
        attributes.insert(min(2, len(attributes)), user)
    since = (reason and reason.since) or finding.since
    trend = in_eighths(finding.trend)
    values = (finding.kind, finding.factor, finding.now, finding.before, since, finding.severity)
    found = (*values, finding.count, trend, attributes[:DETAILS_MAX])
    return Row({"event_name": finding.name}, dict(zip(COLUMNS, found, strict=True)))
