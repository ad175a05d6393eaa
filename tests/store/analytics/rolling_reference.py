"""Rolling windows from the text of their rule, one point and one event after the other."""

from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.store.analytics import cohort_reference
from tests.store.analytics.reference import linear, links

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEP = timedelta(minutes=15)
LONG_AGO = -1_000_000


@lru_cache(maxsize=1)
def numbered(query):
    """A function: the number of the point that holds an instant; neighbours are neighbours."""
    if query.interval >= DAY:
        return lambda time: cohort_reference.period(time, query)
    # Shorter ones: every quarter of an hour of the time in question says which point it is in.
    at, end = query.span.start - query.rolling - 3 * DAY, query.span.end + DAY
    labels = {}
    while at < end:
        labels.setdefault(_label(at, query), len(labels))
        at += STEP
    return lambda time: labels.get(_label(time, query), LONG_AGO)


def _label(time, query):
    local = time.astimezone(ZoneInfo(query.tz))
    naive = local.replace(tzinfo=None)
    midnight = naive.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (naive - midnight) // query.interval * query.interval
    # Hours are plain durations: of the hour that comes twice, each is one.
    return (start - local.utcoffset()) if query.interval <= HOUR else start


def windows(rows, query):
    """The rows of each window, a window for each point of the span."""
    number, size = numbered(query), query.rolling // query.interval
    assert query.rolling % query.interval == timedelta()
    last = number(query.span.end - timedelta.resolution)
    return [
        [
            row
            for row in rows
            if row["event_time"] < query.span.end
            and point - size < number(row["event_time"]) <= point
        ]
        for point in range(number(query.span.start), last + 1)
    ]


def values(rows, query):
    """measure -> its values, one for each point."""
    linked = links(rows) if query.link else {}
    found = {measure: [] for measure in query.measures}
    for window in windows(rows, query):
        for measure, told in found.items():
            told.append(_value(window, measure, linked))
    return found


def _value(window, measure, linked):
    if measure == "count":
        return len(window)
    if measure == "users":
        devices = (row.get("install_id") for row in window)
        people = (row.get("user_id") for row in window)
        pairs = zip(people, devices, strict=True)
        return len({user or linked.get(device) or device for user, device in pairs} - {None, ""})
    if measure == "sessions":
        return len({row.get("session_id") for row in window} - {None, ""})
    kind, _, name = measure.partition(":")
    numbers = [row[name] for row in window if row.get(name) is not None]
    if kind == "sum":
        return sum(numbers)
    if not numbers:
        return None
    return {"min": min, "max": max, "p50": lambda of: linear(of, 0.5)}[kind](numbers)
