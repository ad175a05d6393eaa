"""Funnels held against a slow reference over random journeys, with many ties and equal names.

A case is a journey; an example asks one question about a dozen of them. EVENTDECK_CASES=100000 in
the environment asks for more.
"""

from datetime import timedelta
from functools import reduce
from statistics import mean, median

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.analytics.analysis import AskAgainError
from store.analytics.funnel.analysis import Funnel, FunnelAnalysis
from store.analytics.funnel.definition import definition_of
from store.analytics.links import no_links
from store.schema import PART
from store.testing import NOON, events_of
from store.timespan import TimeSpan, parse_instant
from tests.cases import cases
from tests.store.analytics.funnel import reference
from tests.store.analytics.funnel.waiting import waiting

SECOND = timedelta(seconds=1)
CASES = cases(1_000)
JOURNEYS = 12
names = st.sampled_from("aabbcx")
steps = st.fixed_dictionaries(
    {
        "name": st.sampled_from("aabbcc*"),
        "where": st.sampled_from([None, None, None, "plan=u"]),
        "optional": st.sampled_from([False, False, False, True]),
        "first_time": st.sampled_from([False, False, False, False, True]),
        "within": st.sampled_from([None, None, None, 1, 2, 3]),
    }
)
events = st.fixed_dictionaries(
    {"at": st.integers(0, 7), "event_name": names, "plan": st.sampled_from(["", "u", "v"])}
)
journeys = st.lists(st.lists(events, max_size=8), min_size=JOURNEYS, max_size=JOURNEYS)


@st.composite
def questions(draw):
    order = draw(st.sampled_from(["ordered", "ordered", "strict", "unordered"]))
    chosen = draw(st.lists(steps, min_size=1, max_size=4))
    chosen[0] = {**chosen[0], "optional": False}
    if order == "unordered":
        chosen = [{**each, "optional": False} for each in chosen]
    window = draw(st.sampled_from([None, 1, 2, 3, 5]))
    chosen = [with_time(each, at, order, window) for at, each in enumerate(chosen)]
    if order == "strict" and any(each["within"] for each in chosen):
        chosen = [{**each, "optional": False} for each in chosen]
    exclude = []
    if len(chosen) > 1 and draw(st.integers(0, 2)) == 0:
        exclude = [{"name": draw(st.sampled_from("xc"))}]
        if order != "unordered":
            after = draw(st.integers(1, len(chosen) - 1))
            before = draw(st.integers(after + 1, len(chosen)))
            exclude[0] |= {"after": after, "before": before}
    attribution = draw(st.sampled_from(["first", "last", "all", f"step:{len(chosen)}", "step:1"]))
    by_attempt = draw(st.integers(0, 3)) == 0
    if by_attempt and attribution.startswith("step"):
        attribution = "first"
    return Funnel(
        span=TimeSpan(NOON + draw(st.integers(0, 2)) * SECOND, NOON + 6 * SECOND),
        steps=tuple(chosen),
        window=None if window is None else window * SECOND,
        order=order,
        exclude=tuple(exclude),
        break_on=draw(st.sampled_from([None, None, "event_name=x,b"]))
        if order == "strict"
        else None,
        attribution=attribution,
        count="attempts" if by_attempt else "users",
        users=True,
        by=("plan",),
        limit=99,
        link=False,
        as_of=NOON + draw(st.integers(7, 11)) * SECOND,
    )


def with_time(step, at, order, window):
    within = step["within"] if at and order != "unordered" else None
    return {**step, "within": min(within, window) if within and window else within}


def plain(rows, query):
    """What the reference is told of the events, and of the funnel."""
    made = definition_of(query)

    def fits(what, row):
        where = what.where
        return what.name in ("*", row["event_name"]) and (not where or row["plan"] == "u")

    told = [
        {
            "who": row["user_id"],
            "time": (row["event_time"] - NOON) // SECOND,
            "steps": {at for at, step in enumerate(made.steps) if fits(step, row)},
            "excludes": {at for at, each in enumerate(made.exclusions) if fits(each, row)},
            "breaks": made.breakers is None or row["event_name"] in "xb",
            "value": row["plan"],
            "id": row["event_id"],
        }
        for row in rows
    ]
    funnel = {
        "count": len(made.steps),
        "optional": {at for at, step in enumerate(made.steps) if step.optional},
        "first_time": {at for at, step in enumerate(made.steps) if step.first_time},
        "window": None if query.window is None else query.window // SECOND,
        "within": {at: each.within // SECOND for at, each in enumerate(made.steps) if each.within},
        "limited": made.longest is not None,
        "order": query.order,
        "exclusions": [(each.after - 1, each.before - 1) for each in made.exclusions],
        "span": [(each - NOON) // SECOND for each in (query.span.start, query.span.end)],
        "attempts": query.count == "attempts",
    }
    return told, funnel


def answer(frame, query, places=None, groups=None):
    """Through partials of parts, put together in groups."""
    analysis, everything = FunnelAnalysis(), frame
    frame = frame.with_columns(install_id=pl.lit(None))
    part = pl.Series(PART, places or [0] * frame.height, dtype=pl.UInt32)
    within = analysis.horizon(query)
    if within:
        time = pl.col("event_time")
        frame = frame.with_columns(part).filter((time >= within.start) & (time < within.end))
    else:
        frame = frame.with_columns(part)
    found = analysis.partial(frame.lazy(), query, None).collect()
    frames = found.partition_by(PART, include_key=False) or [found.drop(PART)]
    by_group = {}
    for at, each in enumerate(frames):
        by_group.setdefault((groups or [0] * 99)[at], []).append(each)

    def both(one, other):
        return analysis.combine(pl.concat([one, other], how="diagonal"), query)

    whole = reduce(both, [reduce(both, each) for _, each in sorted(by_group.items())])
    try:
        return analysis.as_json(analysis.finish(whole, query, no_links()).result)
    except AskAgainError as more:
        assert not query.with_ids
        return answer(everything, more.query, places, groups)


def shares(chosen, funnel):
    """The steps' count, median and mean out of the times of the attempts that count."""
    rows = []
    for at in range(funnel["count"]):
        reached = [one for one in chosen if at in one]
        seconds = [one[at] - max(one[b] for b in one if b < at) for one in reached if at]
        rows.append(
            (
                len(reached),
                median(seconds) if seconds else None,
                mean(seconds) if seconds else None,
            )
        )
    return rows


def flat(chosen):
    return [one for his in chosen.values() for one in his]


def seen(told):
    return [(each["count"], each["median_seconds"], each["mean_seconds"]) for each in told]


def same(one, other):
    return all(
        a[:2] == b[:2] and (a[2] == b[2] or abs(a[2] - b[2]) < 1e-9)
        for a, b in zip(one, other, strict=True)
    )


def rows_of(people):
    rows = [
        {
            "event_time": NOON + each["at"] * SECOND,
            "event_name": each["event_name"],
            "plan": each["plan"],
            "user_id": f"u{who}",
        }
        for who, journey in enumerate(people)
        for each in journey
    ]
    return [{"event_id": f"e{at:04}", **row} for at, row in enumerate(rows)]


@settings(
    max_examples=max(CASES // JOURNEYS, 1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(people=journeys, query=questions(), data=st.data())
def test_every_funnel_is_what_the_reference_says(people, query, data):
    rows = rows_of(people)
    if not rows:
        return
    frame = events_of(rows).with_columns(pl.col("plan").replace("", None))
    seed = data.draw(st.integers(0, 3))
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    places = [hash((seed, at)) % 4 for at in range(frame.height)]
    told = answer(shuffled, query, places, [seed % 2, 1, 0, 1])

    events, funnel = plain(rows, query)
    within = FunnelAnalysis().horizon(query)
    if within:
        limits = [(each - NOON) / SECOND for each in (within.start, within.end)]
        events = [each for each in events if limits[0] <= each["time"] < limits[1]]
    people = reference.people(events, funnel)
    assert same(seen(told["steps"]), shares(flat(people), funnel))
    if not funnel["attempts"]:
        if funnel["order"] != "unordered":
            now = (query.as_of - NOON) // SECOND
            open_ = [each["still_possible"] for each in told["steps"]]
            assert open_ == waiting(events, funnel, now)
        levels = {
            who: (
                max(one) + 1,
                [one.get(at) for at in range(max(one) + 1)],
            )
            for who, (one,) in people.items()
        }
        assert levels == {
            who: (each["level"], [seconds(time) for time in each["step_times"]])
            for who, each in told["users"].items()
        }
    by_value = reference.groups(events, funnel, query.attribution)
    assert {
        value: [row[0] for row in shares(flat(chosen), funnel)]
        for value, chosen in by_value.items()
        if chosen
    } == {
        group["key"]["plan"]: [step["count"] for step in group["steps"]]
        for group in told.get("breakdown", [])
    }
    for group in told.get("breakdown", []):
        chosen = flat(by_value[group["key"]["plan"]])
        assert same(seen(group["steps"]), shares(chosen, funnel))


def seconds(time):
    return None if time is None else (parse_instant(time, now=NOON) - NOON) // SECOND


# Most of them come far, so that it matters by which of the repeats.
busy = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 9),
            "event_name": st.sampled_from("abbbcc"),
            "plan": st.just(""),
        }
    ),
    min_size=5,
    max_size=9,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=st.lists(busy, min_size=8, max_size=8), data=st.data())
def test_and_what_the_rule_says_as_it_is_written(people, data):
    chosen = tuple(data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=4)))
    window = data.draw(st.sampled_from([None, 3, 5]))
    times = data.draw(st.lists(st.sampled_from([None, 1, 2, 3]), min_size=4, max_size=4))
    within = {at: times[at] for at in range(1, len(chosen)) if times[at]}
    query = Funnel(
        span=TimeSpan(NOON, NOON + 60 * SECOND),
        steps=tuple({"name": name, "within": within.get(at)} for at, name in enumerate(chosen)),
        window=None if window is None else window * SECOND,
        users=True,
        link=False,
    )
    rows = rows_of(people)
    if not rows:
        return
    told = answer(events_of(rows), query).get("users", {})
    events, funnel = plain(rows, query)
    for who, his in reference.by_person(events).items():
        expected = reference.adopted_rule(his, funnel["count"], funnel["window"], within)
        found = [seconds(time) for time in told.get(who, {"step_times": []})["step_times"]]
        if within:
            # The newest chain has not the earliest events in the middle.
            assert (len(found), found[:1], found[-1:]) == (
                len(expected),
                expected[:1],
                expected[-1:],
            )
        else:
            assert found == expected
