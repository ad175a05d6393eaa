"""From questions to answers about one instant of the store."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, cast

import polars as pl

from store.analytics.analysis import Analysis, AnyAnalysis, AskAgainError, Derived
from store.analytics.asking import check_columns, complete, named, running_since
from store.analytics.batches import Task
from store.analytics.cache import FinishedCache, PartialCache
from store.analytics.coverage import coverage, without_missing
from store.analytics.filters import Filter, parse_filter
from store.analytics.heritage import Sources
from store.analytics.intervals import checked_zone
from store.analytics.linking import LinksQuery, LinksReduction
from store.analytics.links import Links, no_links
from store.analytics.query import Query
from store.analytics.reading import Combined, Planners, Reading
from store.analytics.registry import Known
from store.analytics.rolling import told_short
from store.analytics.rollups.shelf import Shelf
from store.analytics.shapes import Answer, Coverage, Finished
from store.parts.lost import lost
from store.parts.part import Part
from store.timespan import WEEKDAYS, TimeSpan

IDENTITIES: Final = frozenset({"install_id", "user_id"})
LINKS: Final = Task(LinksReduction(), LinksQuery(), Filter(), None, needs=IDENTITIES)
"""Over all history, whatever is asked."""
Steps = Generator[Sequence[Query], Sequence[Answer], Finished | Sequence[Finished]]


@dataclass(frozen=True)
class Moment:
    """What is stored at one instant, and how to read it."""

    parts: Sequence[Part]
    """Those that are gone too; the shelf tells which."""
    shelf: Shelf
    types: Mapping[str, pl.DataType]
    stored: TimeSpan | None
    now: datetime
    generation: str
    has_few: bool
    """Whether so few events are stored that distinct counts may keep all they count."""
    unreadable: Sequence[str]
    """The date of each part that is missing from `parts` because it cannot be read."""
    analyses: Sequence[Known]
    planners: Planners
    sources: Sources
    """Of merged parts."""
    cache: PartialCache
    finished: FinishedCache
    cancelled: Callable[[], bool]
    week_start: str = WEEKDAYS[0]

    @cached_property
    def links(self) -> Links:
        """Which device belongs to which user; put together when the first answer needs it."""
        return Links(lambda: self.reading().combined([LINKS])[0].frame)

    def reading(self) -> Reading:
        return Reading(
            self.parts,
            self.types,
            self.planners,
            self.cache,
            self.cancelled,
            self.shelf,
            self.sources,
        )


@dataclass
class _Asked:
    """A question under way."""

    analysis: AnyAnalysis
    query: Query
    wants: Sequence[Query]
    """The questions that must be answered next: itself, or those that its analysis asks."""
    steps: Steps | None = None
    answer: Answer | None = None
    coverage: Sequence[Coverage] = ()
    """Of the first answer that it is made of."""


def answers(moment: Moment, queries: Sequence[Query]) -> list[Answer]:
    """The answers in the order of the questions. What is missing for all of them is read in one
    pass; analyses that ask others take one more for each of their steps.
    """
    asked = [_begun(moment, query) for query in queries]
    while waiting := [each for each in asked if each.answer is None]:
        told = iter(_direct(moment, [query for each in waiting for query in each.wants]))
        for each in waiting:
            _advance(moment, each, [next(told) for _ in each.wants])
    return [each.answer for each in asked if each.answer is not None]


def _begun(moment: Moment, query: Query) -> _Asked:
    analysis = named(query.analysis, moment.analyses)
    whole = complete(query, moment.stored, moment.now, moment.week_start)
    if not hasattr(analysis, "steps"):
        return _Asked(analysis, whole, (whole,))
    steps = cast(Derived, analysis).steps(whole, moment.types)
    return _Asked(analysis, whole, next(steps), steps)


def _advance(moment: Moment, each: _Asked, told: Sequence[Answer]) -> None:
    if each.steps is None:
        each.answer = told[0]
        return
    each.coverage = each.coverage or told[0].coverage
    try:
        each.wants = each.steps.send(told)
    except StopIteration as stop:
        covered = _within(each.coverage, each.query)
        found = [stop.value] if isinstance(stop.value, Finished) else stop.value
        each.answer = _answer(moment, each.query, found, covered)


def _within(covered: Sequence[Coverage], query: Query) -> Sequence[Coverage]:
    """What covers the span, of a question that was about more: its history, say."""
    span = query.span
    if span is None or not span.length:
        return covered
    return [
        Coverage(
            TimeSpan(max(each.span.start, span.start), min(each.span.end, span.end)), each.tier
        )
        for each in covered
        if each.span.overlaps(span)
    ]


def _direct(moment: Moment, queries: Sequence[Query]) -> list[Answer]:
    """Answers out of partials."""
    tasks = [_tasks(moment, query) for query in queries]
    flat = [task for pair in tasks for task in pair]
    # Links come in the same pass when they will be needed: half of their columns are read anyway.
    asked = [*flat, LINKS] if _wants_links(moment, flat) else flat
    combined = iter(moment.reading().combined(asked))
    found = [[(task, next(combined)) for task in pair] for pair in tasks]
    return [_of_partials(moment, pair) for pair in found]


def _of_partials(moment: Moment, found: Sequence[tuple[Task, Combined]]) -> Answer:
    """The answer about a span, and the one before it when they are compared."""
    finished = [_finished(moment, task, each) for task, each in found]
    (task, combined), *_ = found
    assert task.query.span is not None
    return _answer(moment, task.query, finished, coverage(task.query.span, combined.told))


def _tasks(moment: Moment, query: Query) -> Sequence[Task]:
    """What must be reduced: the span, and the one before it when they are compared."""
    analysis = cast(Analysis, named(query.analysis, moment.analyses))
    whole = complete(query, moment.stored, moment.now, moment.week_start).informed(moment.types)
    if not moment.types.keys() >= IDENTITIES:
        # Nobody can be linked: without asking who is a user, one set of subjects is enough.
        whole = replace(whole, link=False)
    # Not in the keys of others, whose partials would be lost when the store grows past few.
    whole = replace(whole, whole_sets=moment.has_few and whole.keeps_sets)
    check_columns(analysis, whole, moment.types)
    where = parse_filter(whole.where, zone=checked_zone(whole.tz))
    assert whole.span is not None
    spans = [whole.span, whole.span.previous()] if whole.compare else [whole.span]
    asked = [whole.with_span(span) for span in spans]
    return [Task(analysis, each, where, analysis.horizon(each)) for each in asked]


def _wants_links(moment: Moment, tasks: Sequence[Task]) -> bool:
    """Whether somebody counts subjects, and there are devices beside users."""
    counts = any("subject_hash" in each.reduction.columns(each.query) for each in tasks)
    return counts and moment.types.keys() >= IDENTITIES


def _finished(moment: Moment, task: Task, combined: Combined) -> Finished:
    """Out of what is kept when the same was made of the same before, as is that of a span before
    the live one.
    """
    key = (combined.key, repr(task.query))
    kept = moment.finished.get(key, moment.links)
    if kept is None:
        # Its own, so that it shows which were needed.
        links = Links(lambda: moment.links.frame) if task.query.link else no_links()
        kept = _finish(moment, task, combined, links)
        moment.finished.put(key, kept, links)
    return without_missing(kept, combined.told)


def _finish(moment: Moment, task: Task, combined: Combined, links: Links) -> Finished:
    analysis = cast(Analysis, task.reduction)
    try:
        return analysis.finish(combined.frame, task.query, links)
    except AskAgainError as more:
        other = replace(task, query=more.query, horizon=analysis.horizon(more.query))
        (again,) = moment.reading().combined([other])
        return analysis.finish(again.frame, more.query, links)


def _answer(
    moment: Moment, query: Query, found: Sequence[Finished], covered: Sequence[Coverage]
) -> Answer:
    current = found[0]
    assert query.span is not None
    is_all = query.span == moment.stored or moment.stored is None
    return Answer(
        analysis=query.analysis,
        query=query,
        as_of=moment.now,
        span=query.span,
        result=told_short(current.result, moment.stored),
        previous=told_short(found[1].result, moment.stored) if len(found) > 1 else None,
        events_scanned=current.events,
        sampled=any(each.sampled for each in found),
        truncated=any(each.truncated for each in found),
        exact=all(each.exact for each in found),
        incomplete_from=running_since(query, moment.now),
        coverage=covered,
        # What is stored ends where the readable parts do: all of it is more than that.
        unreadable_parts=lost(moment.unreadable, None if is_all else query.span),
        generation=moment.generation,
    )
