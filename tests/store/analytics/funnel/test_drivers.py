"""Drivers of events against a slow reference, over random people with devices and ties."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.funnel.drivers import Drivers
from store.analytics.query_json import answer_json
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.reference import links

MINUTE = timedelta(minutes=1)
WINDOW = 3 * MINUTE
TOWN = 8
"""People whose cases are one question."""
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, 8).map(lambda at: NOON + at * MINUTE),
            "event_name": st.sampled_from(["a", "b", "x", "y"]),
            "user_id": st.sampled_from([None, "ada", "bob"]),
            "install_id": st.sampled_from([None, "phone", "ada"]),
        }
    ),
    max_size=12,
)


def of_case(rows, number):
    """With people of its own."""
    names = ("user_id", "install_id")
    return [
        {**row, **{name: row[name] and f"{row[name]}{number}" for name in names}} for row in rows
    ]


def reference(rows, span, *, link):
    """(name, converted or not) for everybody and each other name while under way, each once."""
    linked, people = links(rows) if link else {}, {}
    for row in rows:
        who = row["user_id"] or linked.get(row["install_id"]) or row["install_id"]
        if who:
            people.setdefault(who, []).append(row)
    found, sizes = [], [0, 0]
    for events in people.values():
        starts = sorted(e["event_time"] for e in events if e["event_name"] == "a")
        starts = [at for at in starts if span.contains(at)]
        if not starts:
            continue
        ways = [
            (end["event_time"], max(at for at in starts if at <= end["event_time"]))
            for end in events
            if end["event_name"] == "b" and starts[0] <= end["event_time"]
        ]
        ways = sorted(way for way in ways if way[0] - way[1] <= WINDOW)
        ended, begun = ways[0] if ways else (starts[0] + WINDOW, starts[0])
        sizes[not ways] += 1
        names = {e["event_name"] for e in events if begun < e["event_time"] <= ended} - {"a", "b"}
        found += [(name, bool(ways)) for name in names]
    return found, sizes


@settings(deadline=None, max_examples=max(1, cases(1_000) // TOWN))
@given(
    towns=st.lists(ROWS, min_size=TOWN, max_size=TOWN),
    cuts=st.lists(st.integers(0, 3), min_size=96, max_size=96),
    first=st.integers(0, 4),
    link=st.booleans(),
)
def test_they_are_those_of_the_reference_however_events_are_split(
    tmp_path_factory, towns, cuts, first, link
):
    span = TimeSpan(NOON + first * MINUTE, NOON + 7 * MINUTE)
    told = [reference(of_case(rows, at), span, link=link) for at, rows in enumerate(towns)]
    rows = [row for at, rows in enumerate(towns) for row in of_case(rows, at)]
    parts = [
        [{"event_id": f"{at}", **row} for at, row in enumerate(rows) if cuts[at] == part]
        for part in range(4)
    ]
    root = tmp_path_factory.mktemp("d") / "s"
    commits = [events_of(part) for part in parts if part]
    store = store_of(root, *commits, clock=FrozenClock(NOON + timedelta(days=1)))
    query = Drivers(steps=("a", "b"), window=WINDOW, span=span, link=link, limit=100)
    result = answer_json(store.run(query))["result"]
    found = [pair for pairs, _ in told for pair in pairs]
    sizes = [sum(each) for each in zip(*(sizes for _, sizes in told), strict=True)]
    assert result["summary"] == {"converted": sizes[0], "not_converted": sizes[1]}
    least = min(25, 0.02 * sum(sizes))
    expected = {
        name: (found.count((name, True)), found.count((name, False))) for name, _ in set(found)
    }
    assert {
        row["event_name"]: (row["converted"], row["not_converted"]) for row in result["rows"]
    } == {name: counts for name, counts in expected.items() if sum(counts) >= least}
