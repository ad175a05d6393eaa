"""The power goes, or the maintainer is killed, at each call that its jobs make."""

import random
from collections import Counter
from datetime import timedelta
from itertools import islice

import pytest

from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.maintainer import Maintainer
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import Settings
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of
from store.timespan import TimeSpan
from tests.power import Medium, RecordingDisk, laid_out, moments

PARTS = 45
"""Enough in one folder for them to be merged at once."""
TWICE = "twice"
"""An id that stands in two parts until they are merged."""
LONG_AGO = NOON - timedelta(days=100)
"""Longer than events are kept by default, and less than their rollups."""
OLD = {f"old-{row}" for row in range(6)}
WEEK = timedelta(days=7)
"""Rollups of so long ago know no shorter intervals."""
EVER = TimeSpan(LONG_AGO - 10 * WEEK, NOON + WEEK)
IDS = {*(f"{part}-{row}" for part in range(PARTS) for row in range(2)), TWICE}


def filled(root):
    """Today's many parts, one of them broken; some of the day before; a dead writer's leftover."""
    folder = StoreFolder.open(root, create=True)
    writer = PartWriter(folder, now=lambda: NOON, writer="w")
    for number in range(PARTS):
        at = NOON - timedelta(days=number % 6 == 0, seconds=number)
        rows = [{"event_id": f"{number}-{row}", "event_time": at} for row in range(2)]
        twice = [{"event_id": TWICE, "event_time": NOON}] if number in (4, 5) else []
        writer.commit(events_of([*rows, *twice]), Tally({"stored": len(rows) + len(twice)}))
    for number in range(2):
        long_ago = [{"event_id": each, "event_time": LONG_AGO} for each in sorted(OLD)[number::2]]
        writer.commit(events_of(long_ago), Tally({"stored": len(long_ago)}))
    (broken,) = writer.commit(events_of([{"event_id": "lost"}]), Tally({"stored": 1}))
    broken.path.write_bytes(b"")
    (folder.staging / "0-x-1.parquet.staged").write_bytes(b"half")
    return folder


def rounds(folder, disk, *, ticks=0.0):
    """Rounds a minute apart, and one after the date has ended: all that a store goes through."""
    clock = FrozenClock()
    for number in range(4):
        disk.tell(number)
        now, later = FrozenClock(clock.now + timedelta(days=number // 2)), ticks + 61.0 * number
        settings = Settings(store=folder.root)
        with Maintainer(
            folder, settings, now=now, ticks=lambda at=later: at, disk=disk
        ) as maintainer:
            assert maintainer.round().faults == ()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded")
    folder = filled(root)
    before = Medium.of(root)
    disk = RecordingDisk()
    rounds(folder, disk)
    assert len(disk.calls) > 20
    return before, disk


def assert_whole(root):
    store = EventStore(root)
    ids = Counter(store.events(columns=["event_id"]).collect()["event_id"])
    assert IDS <= ids.keys() <= IDS | OLD
    assert {name for name, times in ids.items() if times > 1} <= {TWICE}
    # What has expired is counted by its rollups.
    counted = store.run(Trends(span=EVER, interval=WEEK)).events_scanned
    assert counted == sum(times for name, times in ids.items() if name in IDS) + len(OLD)


def fresh(medium):
    """The record can be gone through again."""
    return Medium(medium.root, dict(medium.names), dict(medium.durable))


@pytest.mark.parametrize("way", [Medium.after_cut, Medium.after_death])
def test_all_events_are_there_once_after_a_cut_or_a_kill_at_any_call(recorded, tmp_path, way):
    before, disk = recorded
    seen = set()
    for medium in moments(fresh(before), disk):
        content = way(medium)
        # What is staged is read by nobody, however much of it was written.
        state = frozenset(each for each in content.items() if each[0].suffix != ".staged")
        if state not in seen:
            seen.add(state)
            assert_whole(laid_out(content, tmp_path / f"{len(seen)}"))
    assert len(seen) > 5


@pytest.mark.parametrize("seed", range(3))
def test_whatever_else_survived_a_cut_loses_nothing(recorded, tmp_path, seed):
    before, disk = recorded
    luck = random.Random(seed)
    for number, medium in enumerate(moments(fresh(before), disk)):
        if luck.random() < 0.1:
            assert_whole(laid_out(medium.after_lucky_cut(luck), tmp_path / f"{number}"))


@pytest.mark.parametrize("seed", range(6))
def test_the_next_rounds_finish_what_a_cut_has_left(recorded, tmp_path, seed):
    before, disk = recorded
    luck = random.Random(seed)
    stop = luck.randrange(len(disk.calls))
    medium = next(islice(moments(fresh(before), disk), stop, None))
    root = laid_out(medium.after_lucky_cut(luck), tmp_path / "after")
    rounds(StoreFolder.open(root), RecordingDisk(), ticks=1_000.0)
    assert_whole(root)
    assert list(StoreFolder.open(root).staging.iterdir()) == []
    # The broken one may be lost between two folders: nobody could read it.
    assert len(list((root / "quarantine").rglob("*.parquet"))) <= 1
