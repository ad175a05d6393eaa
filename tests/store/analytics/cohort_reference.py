"""Retention, lifecycle and stickiness from the text of their rules, one user and one event after
the other: slow and obvious.
"""

from collections import defaultdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from store.timespan import MONTH
from tests.store.analytics.reference import links

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def period(time, query):
    """The number of the period that holds an instant; neighbours have neighbouring numbers."""
    local = time.astimezone(ZoneInfo(query.tz))
    if query.interval % MONTH == timedelta():
        return (local.year * 12 + local.month - 1) // (query.interval // MONTH)
    width = query.interval // timedelta(days=1)
    assert query.interval == timedelta(days=width)
    if width % 7:
        return (local.date() - date(1970, 1, 1)).days // width
    days = local.date() - date(1970, 1, 5)
    return (days.days - WEEKDAYS.index(query.week_start or "monday")) // width


def by_user(rows, query):
    """The rows of each user, in the order of time."""
    found, linked = defaultdict(list), links(rows) if query.link else {}
    for row in sorted(rows, key=lambda row: row["event_time"]):
        device = row.get("install_id")
        user = row.get("user_id") or linked.get(device) or device
        if getattr(query, "per", "user_id") != "user_id":
            user = row.get(query.per)
        if user:
            found[user].append(row)
    return found


def fits(what, row):
    """Whether a row is of the event that was named, with the plan that was."""
    if not isinstance(what, dict):
        return what in (None, row["event_name"])
    return what["name"] in ("*", row["event_name"]) and what["where"] == f"plan={row['plan']}"


def started(starts, query):
    """period -> (when its first start was, the least plan of that instant)."""
    found = {}
    for row in starts:
        number = period(row["event_time"], query)
        time, plan = found.get(number, (row["event_time"], None))
        if time == row["event_time"]:
            mine = row.get("plan") or ""
            found[number] = (time, mine if plan is None else min(plan, mine))
    return dict(list(found.items())[:1]) if query.mode == "first-time" else found


def retention(rows, query, plan=None):
    """(the cohort's period, its users, [how many are retained in 0, 1, …]) for each period of the
    span, whether it is over or not; with a plan, of those who had it when they began.
    """
    first, last = (
        period(t, query) for t in (query.span.start, query.span.end - timedelta.resolution)
    )
    cohorts = {number: defaultdict(set) for number in range(first, last + 1)}
    for user, events in by_user(rows, query).items():
        starts = [row for row in events if fits(query.start_event, row)]
        returns = [row for row in events if fits(query.return_event, row)]
        for number, (start, his) in started(starts, query).items():
            if number not in cohorts or plan not in (None, his):
                continue
            cohorts[number][0].add(user)
            back = defaultdict(int)
            for row in returns:
                if query.clock == "own":
                    back[(row["event_time"] - start) // query.interval] += 1
                else:
                    back[period(row["event_time"], query) - number] += 1
            enough = {k for k, count in back.items() if count >= query.min_returns}
            for k in range(1, query.periods + 1):
                later = any(other >= k for other in enough)
                if later if query.on == "on-or-after" else k in enough:
                    cohorts[number][k].add(user)
    return [
        (number, [len(found[k]) for k in range(query.periods + 1)])
        for number, found in cohorts.items()
    ]


def lifecycle(rows, query):
    """(the period, new, returning, resurrecting, -dormant) for each period of the span."""
    first, last = (
        period(t, query) for t in (query.span.start, query.span.end - timedelta.resolution)
    )
    found = []
    active = {
        user: {period(row["event_time"], query) for row in events if _counts(row, query)}
        for user, events in by_user(rows, query).items()
    }
    for number in range(first, last + 1):
        states = [0, 0, 0, 0]
        for periods in active.values():
            if number in periods and number == min(periods):
                states[0] += 1
            elif number in periods and number - 1 in periods:
                states[1] += 1
            elif number in periods:
                states[2] += 1
            elif number - 1 in periods:
                states[3] -= 1
        found.append((number, *states))
    return found


def stickiness(rows, query):
    """How many users were active in 1, 2, … of the periods that overlap the span."""
    first, last = (
        period(t, query) for t in (query.span.start, query.span.end - timedelta.resolution)
    )
    counts = [0] * (last - first + 1)
    for events in by_user(rows, query).values():
        inside = [row for row in events if query.span.contains(row["event_time"])]
        periods = {period(row["event_time"], query) for row in inside if _counts(row, query)}
        if periods:
            counts[len(periods) - 1] += 1
    return counts


def _counts(row, query):
    return query.event in (None, row["event_name"])
