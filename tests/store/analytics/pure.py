"""An analysis's pure functions by themselves: a thousand random cases in the time of a few stores."""

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.links import Links
from store.analytics.registry import HELPERS, find
from store.analytics.shapes import Answer
from store.schema import FIXED, PART
from store.testing import NOON, events_of
from tests.store.analytics.reference import hashed, links


def answer(analysis, query, parts):
    """What `analysis` makes of parts (lists of rows as events_of takes them); combined in two
    halves, the later one first. `query` has its span, and no filter. One that asks others is told
    what those make of all events, of whatever span.
    """
    if hasattr(analysis, "steps"):
        return _derived(analysis, query, parts)
    rows = [
        {"event_id": f"{part:03}.{at:03}", PART: part, **row}
        for part, held in enumerate(parts)
        for at, row in enumerate(held)
    ]
    events = events_of(rows).with_columns(pl.col(PART).cast(pl.UInt32))
    absent = [name for name in analysis.columns(query) if name not in events.columns]
    nulls = (pl.lit(None, FIXED.get(name, pl.String())).alias(name) for name in absent)
    partials = analysis.partial(events.lazy().with_columns(nulls), query, None).collect()
    is_late = partials[PART] >= len(parts) // 2
    halves = [partials.filter(is_late), partials.filter(~is_late)]
    added = [analysis.combine(half.drop(PART), query) for half in halves if half.height]
    none = partials.clear().drop(PART)
    combined = analysis.combine(pl.concat(added) if added else none, query)
    try:
        return analysis.finish(combined, query, _links(rows, query))
    except AskAgainError as more:
        return answer(analysis, more.query, parts)


def _derived(analysis, query, parts):
    steps = analysis.steps(query, FIXED)
    wants = next(steps)
    try:
        while True:
            told = [answer(find(each.analysis, HELPERS), each, parts) for each in wants]
            wants = steps.send([_answer(*pair) for pair in zip(wants, told, strict=True)])
    except StopIteration as stop:
        (found,) = stop.value
        return found


def _answer(query, told):
    return Answer(
        analysis=query.analysis,
        query=query,
        as_of=NOON,
        span=query.span,
        result=told.result,
        events_scanned=told.events,
        truncated=told.truncated,
    )


def _links(rows, query):
    known = links(rows) if query.link else {}
    pairs = [(hashed(device), hashed(user)) for device, user in known.items()]
    frame = pl.DataFrame(pairs, schema={"device": pl.UInt64, "user": pl.UInt64}, orient="row")
    return Links(lambda: frame)
