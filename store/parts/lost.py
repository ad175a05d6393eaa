"""Parts that cannot be read, seen from a question: whose answer lacks them."""

from collections.abc import Sequence

from store.timespan import TimeSpan, iso


def lost(days: Sequence[str], span: TimeSpan | None) -> int:
    """How many of the parts that cannot be read, by their UTC dates, may hold events of a span, or
    of any time; those of an unknown date may.
    """
    if span is None:
        return len(days)
    first, last = iso(span.start)[:10], iso(span.end)[:10]
    return sum(not day or first <= day <= last for day in days)
