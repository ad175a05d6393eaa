"""Rollups that became days, weeks and months tell of every measure what the events did."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.names import Names
from store.analytics.percentiles import Percentiles
from store.analytics.registry import ANALYSES
from store.analytics.releases import Releases
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.expiry import Expiry
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import RETENTION_PRESETS, Settings
from store.tally import Tally
from store.testing import FrozenClock, events_of
from store.timespan import TimeSpan
from tests.store.analytics.reference import same

DAY = timedelta(days=1)
START = datetime(2026, 6, 1, tzinfo=UTC)
"""A Monday, and the first of a month."""
LENGTH = 61 * DAY
WEEKS = TimeSpan(START, START + 8 * 7 * DAY)
MONTHS = TimeSpan(START, START + LENGTH)
MEASURES = (
    *("count", "users", "sessions", "sum:duration_ms", "mean:duration_ms"),
    *("min:duration_ms", "max:duration_ms"),
)
BY_NAME = {analysis.name: analysis.load() for analysis in ANALYSES}
TIERS = ("day", "week", "month")
AGES = {"day": 100, "week": 200, "month": 400}
"""Days after the last event came in, by the coarsest tier that is left then."""


def happened():
    chance = random.Random(9)
    for day in range(0, LENGTH.days, 2):
        yield [
            {
                "event_id": f"{day}-{number}",
                "event_time": START + day * DAY + timedelta(minutes=chance.randrange(1_440)),
                "event_name": chance.choice(["load", "save", "pay"]),
                "user_id": chance.choice([None, "", "ada", "bob", "eve", f"guest-{day % 9}"]),
                "install_id": chance.choice([None, "phone", "laptop"]),
                "session_id": chance.choice([None, "", f"s{day // 3}", f"t{number}"]),
                "severity": chance.choice([None, 9, 13, 17, 21]),
                "service_name": chance.choice([None, "api", "shop"]),
                "service_version": chance.choice([None, "1", "2" if day > 30 else "1"]),
                "duration_ms": chance.choice([None, 0.0, -3.5, 7.1, chance.lognormvariate(3, 1)]),
                "sample_rate": chance.choice([None, 1.0, 10.0]),
            }
            for number in range(7)
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = StoreFolder.open(tmp_path_factory.mktemp("old") / "s", create=True)
    writer = PartWriter(folder, now=lambda: MONTHS.end)
    for rows in happened():
        writer.commit(events_of(rows), Tally({"stored": len(rows)}))
    return folder


def questions(tier):
    over = MONTHS if tier == "month" else WEEKS
    for link in (True, False):
        common = {"span": over, "link": link}
        for measure in MEASURES:
            yield Top(by=("event_name",), measure=measure, **common)
            yield Top(by=(), measure=measure, where="service_name=api", **common)
        yield Percentiles(by=("event_name",), **common)
        if tier != "month":
            width = DAY if tier == "day" else 7 * DAY
            yield Names(interval=width, **common)
            yield Names(by=("service_name", "severity_class"), interval=width, **common)
            yield Trends(measures=MEASURES, interval=width, **common)
            yield Trends(measures=("count",), by=("severity_class",), interval=width, **common)
    if tier != "month":
        yield Releases(span=WEEKS)


def told(folder, tier):
    store = EventStore(folder.root, now=FrozenClock(MONTHS.end + DAY), counted_max=0)
    return store.run_all(list(questions(tier)))


def test_every_measure_outlives_its_events_as_days_weeks_and_months(folder):
    raw = {tier: told(folder, tier) for tier in AGES}
    for tier, age in AGES.items():
        settings = Settings(store=folder.root, retention=RETENTION_PRESETS["production"])
        now = FrozenClock(MONTHS.end + age * DAY)
        with Maintainer(folder, settings, now=now, eager=True) as maintainer:
            for _ in range(2):
                assert maintainer.round((Rollups(), Expiry())).faults == ()
        assert not list(folder.events.glob("*/*"))
        for found, before in zip(told(folder, tier), raw[tier], strict=True):
            # `raw` is where nothing ever was.
            tiers = {each.tier for each in found.coverage} - {"raw"}
            assert tiers, found.query
            assert tiers <= set(TIERS[TIERS.index(tier) :]), found.query
            assert found.events_scanned == before.events_scanned
            assert nearly(document(found), document(before)), found.query


def document(answer):
    return BY_NAME[answer.analysis].as_json(answer.result)


def nearly(found, expected):
    """Alike, but for percentiles: those are estimates within 1 % of each other's bound."""
    rows, others = found.get("rows", ()), expected.get("rows", ())
    for row, other in zip(rows, others, strict=True):
        for name in [name for name in row if name[0] == "p" and name[1:].isdigit()]:
            assert row.pop(name) == pytest.approx(other.pop(name), rel=0.021), name
    return same(found, expected)
