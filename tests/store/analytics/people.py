"""Journeys told by days, and the way from events to an answer without a store."""

from datetime import datetime, timedelta
from functools import reduce

import polars as pl
from hypothesis import strategies as st

from store.analytics.asking import complete
from store.analytics.linking import LinksQuery, LinksReduction
from store.analytics.links import Links, no_links
from store.schema import FIXED, PART
from store.testing import NOON, events_of
from store.timespan import MONTH, TimeSpan

DAY = timedelta(days=1)
MONDAY = datetime.fromisoformat("2026-11-02T00:00:00+00:00")


def days(*, start=MONDAY, step=DAY, **people):
    """`days(ada="open - open,pay")`: a word a day, `-` for none, several with commas between."""
    return events_of(
        {"event_time": start + at * step + step / 4, "event_name": name, "user_id": person}
        for person, words in people.items()
        for at, word in enumerate(words.split())
        for name in word.split(",")
        if name != "-"
    )


def first_days(count, start=MONDAY):
    return TimeSpan(start, start + count * DAY)


def frame_of(found):
    """Events with all columns that somebody reads, also when there are none."""
    return events_of(found or [dict.fromkeys(FIXED)]).filter(pl.col("event_time").is_not_null())


ZONES = st.sampled_from(
    [
        *["UTC", "UTC", "Asia/Kathmandu", "Europe/Zurich", "America/New_York"],
        # The clock goes forward at midnight; by half an hour.
        *["America/Santiago", "Australia/Lord_Howe"],
    ]
)
WIDTHS = st.sampled_from([DAY, DAY, 7 * DAY, 3 * DAY, 14 * DAY, MONTH, 3 * MONTH])
# Mondays of weeks in which clocks change in one of ZONES, and of one in which none do.
MONDAYS = st.sampled_from(
    [
        datetime.fromisoformat(f"{day}T00:00:00+00:00")
        for day in ("2026-11-02", "2026-10-19", "2026-03-23", "2026-10-26", "2026-03-30")
    ]
)
# Few instants, so that many events share one; also the last one before a day of some zone.
INSTANTS = st.one_of(
    st.integers(0, 32).map(lambda at: at * DAY / 4),
    st.integers(0, 8 * 96).map(lambda at: at * DAY / 96),
    st.integers(1, 8 * 96).map(lambda at: at * DAY / 96 - timedelta(microseconds=1)),
)
VALUES = {
    "event_name": "ab",
    "user_id": (None, "", "ada", "bob", "eve"),
    "install_id": (None, "", "phone", "ada"),
    "plan": (None, "u", "v"),
}
TOWN = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": INSTANTS,
            **{name: st.sampled_from(values) for name, values in VALUES.items()},
        }
    ),
    max_size=16,
)
CROWD = 40
"""Cases at once where they are not drawn one value after the other."""


@st.composite
def crowds(draw):
    """CROWD towns."""
    dice = draw(st.randoms(use_true_random=True))
    return [[_row(dice) for _ in range(dice.randint(0, 12))] for _ in range(CROWD)]


def _row(dice):
    at = dice.randint(0, 8 * 96) // dice.choice((1, 24)) * dice.choice((1, 24))
    less = timedelta(microseconds=dice.choice((0, 0, 1)))
    time = at * DAY / 96 - less
    return {"event_time": time, **{name: dice.choice(of) for name, of in VALUES.items()}}


SPANS = st.tuples(st.integers(0, 24), st.integers(1, 16)).map(
    lambda at: (at[0] * DAY / 4, sum(at) * DAY / 4)
)


def begun(monday, town):
    """A town whose times are told since a Monday."""
    return [{**row, "event_time": monday + row["event_time"]} for row in town]


def span_since(monday, span):
    """The same of a span."""
    return TimeSpan(*(monday + edge for edge in span))


def moved(town, number):
    """The people of a town under names of their own: several cases in one question."""
    names = ("user_id", "install_id")
    own = [{name: row[name] and f"{row[name]}{number}" for name in names} for row in town]
    return [{**row, **who, "town": f"{number}"} for row, who in zip(town, own, strict=True)]


def told(analysis, query, events, parts=None, groups=(0,), now=NOON):
    """The answer's JSON: `events` split into `parts` (a number for each), whose partials are put
    together in `groups` (a number for each) first. Links are told by all of them, the rest by those
    that its horizon has.
    """
    numbers = parts or [0] * events.height
    absent = [pl.lit(None, kind).alias(name) for name, kind in FIXED.items() if name not in events]
    placed = events.with_columns(pl.Series(PART, numbers, dtype=pl.UInt32), *absent)
    asked = complete(query, None, now)
    finding, links = LinksReduction(), LinksQuery()
    linked = _combined(finding, links, placed, groups)
    of_links = Links(lambda: finding.combine(linked, links)) if query.link else no_links()
    if horizon := analysis.horizon(asked):
        time = pl.col("event_time")
        placed = placed.filter((time >= horizon.start) & (time < horizon.end))
    whole = analysis.combine(_combined(analysis, asked, placed, groups), asked)
    return analysis.as_json(analysis.finish(whole, asked, of_links).result)


def _combined(reduction, query, events, groups):
    found = reduction.partial(events.lazy(), query, None).collect()
    frames = found.partition_by(PART, include_key=False) or [found.drop(PART)]
    by_group = {}
    for at, frame in enumerate(frames):
        by_group.setdefault(groups[at % len(groups)], []).append(frame)

    def both(one, other):
        return reduction.combine(pl.concat([one, other], how="diagonal"), query)

    return reduce(both, [reduce(both, frames) for _, frames in sorted(by_group.items())])
