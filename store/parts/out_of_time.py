"""Events whose time cannot be true: kept, counted, and left out of "all that is stored"."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan
from store.timespan import AHEAD_MAX, OLDEST, TimeSpan


def out_of_time(parts: Sequence[Part], now: datetime) -> int:
    """How many events are from before 1990, or more than two days ahead of `now`.

    By the footers; only a part that such a bound cuts through is read. FileNotFoundError when it
    is gone by then.
    """
    true = TimeSpan(OLDEST, now + AHEAD_MAX)
    filled = [part for part in parts if part.rows]
    outside = sum(part.rows for part in filled if not part.span.overlaps(true))
    cut = [part for part in filled if part.span.overlaps(true) and not true.covers(part.span)]
    if not cut:
        return outside
    time = pl.col("event_time")
    wrong = (time < true.start) | (time >= true.end)
    found = scan(cut, ["event_time"], None).select(wrong.sum()).collect(engine="streaming")
    return outside + int(found.item())
