"""What an answer is made of: which tier told of which span, and what nobody could tell."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from store.analytics.rollups.shelf import MISSING, Told
from store.analytics.rollups.tiers import TIERS
from store.analytics.shapes import Coverage, Finished, Timeline
from store.timespan import TimeSpan

RAW: Final = "raw"
_RANKS: Final = (RAW, *(tier.name for tier in TIERS), MISSING)
"""Where several tell of the same span, it counts as the last of them."""


def coverage(span: TimeSpan, told: Iterable[Told]) -> tuple[Coverage, ...]:
    """`span` in pieces, each with the tier that told of it: events themselves, but for `told`."""
    changes: dict[datetime, Counter[int]] = {span.start: Counter({0: 1}), span.end: Counter()}
    for each in told:
        start, end = max(each.span.start, span.start), min(each.span.end, span.end)
        if start < end:
            rank = _RANKS.index(each.tier)
            changes.setdefault(start, Counter())[rank] += 1
            changes.setdefault(end, Counter())[rank] -= 1
    found: list[Coverage] = []
    open_: Counter[int] = Counter()
    for start, end in pairwise(sorted(changes)):
        open_.update(changes[start])
        tier = _RANKS[max(rank for rank, count in open_.items() if count > 0)]
        joined = found.pop().span.start if found and found[-1].tier == tier else start
        found.append(Coverage(TimeSpan(joined, end), tier))
    return tuple(found) or (Coverage(span),)


def without_missing(found: Finished, told: Iterable[Told]) -> Finished:
    """Points of which something is missing are null: what was, nobody knows. `found` without."""
    missing = [each.span for each in told if each.tier == MISSING]
    if not missing or not isinstance(found.result, Timeline):
        return found
    line = found.result
    width = timedelta(seconds=line.interval_seconds)
    ends = [*line.starts[1:], line.starts[-1] + width] if line.starts else []
    told_of = zip(line.windows or line.starts, ends, strict=True)
    unknown = [_overlaps(start, end, missing) for start, end in told_of]
    series = [
        replace(
            each,
            values=[
                None if gone else value for gone, value in zip(unknown, each.values, strict=True)
            ],
            total=None if all(unknown) else each.total,
        )
        for each in line.series
    ]
    return replace(found, result=replace(line, series=series))


def _overlaps(start: datetime, end: datetime, spans: Sequence[TimeSpan]) -> bool:
    return any(span.start < end and start < span.end for span in spans)
