"""What the Overview asks of a store of 48 hours; imports no more than a dashboard does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from store.analytics.changes import Changes
from store.analytics.names import Names
from store.analytics.query import Query
from store.analytics.releases import Releases
from store.analytics.trends import Trends
from store.timespan import TimeSpan, ceil, round_width

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
STORED = timedelta(hours=48)
SPAN = timedelta(hours=24)


def questions(now: datetime) -> Sequence[Query]:
    """What the Overview asks of the last 24 hours, against those before."""
    durations = ("p50:duration_ms", "p95:duration_ms", "p99:duration_ms")
    end = ceil(now, round_width(SPAN, 900))
    common = {"span": TimeSpan(end - SPAN, end), "compare": "previous"}
    interval = timedelta(minutes=20)
    return (
        Trends(measures=("count", "users", "sessions", *durations), interval=interval, **common),
        Trends(by=("severity_class",), interval=interval, **common),
        Names(**common, limit=1_000),
        Releases(**common),
        Changes(**common),
    )
