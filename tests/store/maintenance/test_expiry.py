"""Events go when they are old, their rollups tell of them, and the tally never changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.analytics.rollups.tiers import HOUR
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.compaction import Compaction
from store.maintenance.expiry import Expiry
from store.maintenance.maintainer import Maintainer
from store.maintenance.quarantine import Quarantine
from store.maintenance.rollups import Rollups
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.part import Rolled
from store.parts.rollup_file import publish
from store.parts.writer import PartWriter
from store.settings import RetentionSettings, Settings
from store.tally import Receipt, Tally
from store.testing import NOON, FrozenClock, events_of
from store.timespan import TimeSpan
from tests.power import Medium, RecordingDisk, laid_out, moments

DAY = timedelta(days=1)
TALLY = {"stored": 9, "rejected": 3}
AGES = (1, 31, 31.1, 92, 92.1, 190, 190.1, 370, 370.1)
"""Days after which a round is run: raw, then by the hour, by the day, by the week, by the month."""


def filled(root, parts=3):
    """Parts of two dates, the last of them with events of both."""
    folder = StoreFolder.open(root, create=True)
    writer = PartWriter(folder, now=lambda: NOON, writer="w")
    for number in range(parts):
        rows = [
            {
                "event_id": f"{number}-{row}",
                "event_time": NOON - DAY * (row % 2) + timedelta(minutes=20 * number),
                "event_name": f"n{row}",
                "user_id": f"user-{number}-{row}",
                "received_time": NOON,
            }
            for row in range(3)
        ]
        writer.commit(events_of(rows), Tally.of(Receipt(stored=3, rejected=1), intake="test"))
    return folder


def run(folder, age, disk=None, *, asked=False, **keep):
    now = FrozenClock(NOON + age * DAY)
    how = {"disk": disk} if disk else {}
    how["eager"] = asked
    settings = Settings(store=folder.root, retention=RetentionSettings(**keep))
    with Maintainer(folder, settings, now=now, ticks=lambda: age * 86_400, **how) as maintainer:
        report = maintainer.round((Rollups(), Expiry()))
    assert report.faults == ()
    return report


def counted(root, age=0.0):
    """How many events an answer is made of, and whether some are missing."""
    found = EventStore(root, now=FrozenClock(NOON + age * DAY)).run(Top(by=()))
    return found.events_scanned, {each.tier for each in found.coverage}


def tally(root):
    return EventStore(root).tally()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded") / "s"
    folder = filled(root)
    before, disk = Medium.of(root.parent), RecordingDisk()
    for age in AGES:
        disk.tell(age)
        run(folder, age, disk)
    return before, disk, root


@pytest.mark.parametrize("way", [Medium.after_cut, Medium.after_death])
def test_a_kill_or_a_cut_at_any_call_leaves_every_event_told_of_once(recorded, tmp_path, way):
    before, disk, _ = recorded
    medium = Medium(before.root, dict(before.names), dict(before.durable))
    seen = set()
    for at in moments(medium, disk):
        content = way(at)
        key = frozenset(content.items())
        if key in seen:
            continue
        seen.add(key)
        root = laid_out(content, tmp_path / f"{len(seen)}") / "s"
        assert dict(tally(root).fates) == TALLY
        if at.told and at.told[-1] < AGES[-2]:
            assert counted(root, at.told[-1])[0] == 9
    assert len(seen) > 20


def test_in_the_end_nothing_is_left_but_the_tally(recorded):
    *_, root = recorded
    events, tiers = counted(root)
    assert (events, tiers) == (0, {"missing"})
    assert dict(tally(root).fates) == TALLY
    assert list(root.glob("events/*/*")) == []
    assert len(list(root.glob("rollups/*/*"))) <= 2


def test_raw_events_wait_for_their_rollup(tmp_path):
    folder = filled(tmp_path / "s")
    settings = Settings(store=folder.root)
    with Maintainer(folder, settings, now=FrozenClock(NOON + 31 * DAY), eager=True) as maintainer:
        report = maintainer.round((Expiry(),))
    assert {fault.rpartition(": ")[2] for fault in report.faults} == {"it has no rollup yet"}
    assert counted(folder.root)[0] == 9


def test_a_spoiled_rollup_keeps_its_events_and_is_made_again(tmp_path):
    folder = filled(tmp_path / "s", parts=1)
    keep = {"raw": timedelta(), "max_bytes": 0}
    run(folder, 1, **keep)
    settings = Settings(store=folder.root)
    with Maintainer(folder, settings, now=FrozenClock(NOON + 31 * DAY), eager=True) as maintainer:
        maintainer.round((Rollups(),))
        for rollup in folder.rollups.glob("*/*"):
            spoiled = bytearray(rollup.read_bytes())
            spoiled[20] ^= 1
            rollup.write_bytes(spoiled)
        report = maintainer.round((Expiry(),))
        assert all("checksum" in fault for fault in report.faults)
        assert counted(folder.root)[0] == 3
        assert maintainer.round((Rollups(), Expiry())).faults == ()
    assert counted(folder.root, 31)[0] == 3
    assert not list(folder.events.glob("*/*"))


def test_late_events_add_to_what_a_rollup_tells_of_their_time(tmp_path):
    folder = filled(tmp_path / "s")
    run(folder, 31, asked=True, hourly=100 * DAY)
    late = [{"event_id": "late", "event_time": NOON, "user_id": "user-0-0"}]
    PartWriter(folder, now=lambda: NOON + 31 * DAY).commit(events_of(late), Tally({"stored": 1}))
    assert counted(folder.root, 31) == (10, {"raw", "day"})
    users = EventStore(folder.root).run(Top(by=(), measure="users")).result.rows[0]
    assert users.values["value"] == 9


def test_what_nobody_can_tell_any_more_is_null_and_missing_never_zero(tmp_path):
    folder = filled(tmp_path / "s")
    run(folder, 31, asked=True, hourly=100 * DAY)
    store = EventStore(folder.root, now=FrozenClock(NOON + 31 * DAY))
    day = TimeSpan(NOON - DAY / 2, NOON + DAY / 2)
    by_hour = store.run(Trends(span=day, interval=HOUR.width))
    values = by_hour.result.series[0].values
    assert (sum(values), len(values)) == (6, 24)
    assert {each.tier for each in by_hour.coverage} == {"raw", "hour"}
    by_plan = store.run(Trends(span=day, interval=HOUR.width, where="message=hello"))
    assert by_plan.result.series[0].values[12] is None
    assert by_plan.result.series[0].values[0] == 0
    assert {each.tier for each in by_plan.coverage} == {"raw", "missing"}


def test_imported_parts_and_young_ones_stay(tmp_path):
    folder = filled(tmp_path / "s")
    rows = [{"event_id": "old", "event_time": NOON - 900 * DAY}]
    PartWriter(folder, now=lambda: NOON).commit(
        events_of(rows), Tally({"stored": 1}), imported=True
    )
    run(folder, 29, asked=True)
    assert len(Catalog(folder).snapshot().parts) == 7
    run(folder, 60, asked=True)
    assert [part.imported for part in Catalog(folder).snapshot().parts] == [True]


def test_a_merge_of_what_stayed_never_hides_what_tells_of_a_part_between(tmp_path):
    folder = StoreFolder.open(tmp_path / "s", create=True)
    writer = PartWriter(folder, now=lambda: NOON, writer="w")
    for number in range(3):
        row = {"event_id": f"e{number}", "event_time": NOON}
        (part,) = writer.commit(events_of([row]), Tally({"stored": 1}))
        if number == 1:
            publish(folder, replace(part, rolled=Rolled(())), {})
            part.path.unlink()
    settings = Settings(store=folder.root)
    with Maintainer(folder, settings, now=FrozenClock(NOON + DAY), eager=True) as maintainer:
        assert maintainer.round((Compaction(),)).done
    assert counted(folder.root, 1) == (2, {"missing"})
    assert dict(tally(folder.root).fates) == {"stored": 3}


def test_a_spoiled_rollup_beside_its_part_is_found_once_and_made_anew(tmp_path):
    folder = filled(tmp_path / "s", parts=1)
    settings = Settings(store=folder.root, retention=RetentionSettings(max_bytes=1))
    with Maintainer(folder, settings, now=FrozenClock(NOON)) as maintainer:
        maintainer.round((Rollups(),))
        first, *_ = sorted(folder.rollups.glob("*/*"))
        sound = first.read_bytes()
        first.write_bytes(sound[:20] + bytes([sound[20] ^ 1]) + sound[21:])
        assert "made anew" in maintainer.round((Quarantine(),)).done[0][1].text
        assert not first.exists()
        assert list(folder.quarantine.glob("*/*")) == []
        maintainer.round((Rollups(),))
    assert first.read_bytes() == sound


def one_round(folder, now, ticks):
    with Maintainer(folder, Settings(store=folder.root), now=lambda: now, ticks=lambda: ticks) as m:
        assert m.round((Rollups(), Expiry())).faults == ()
    return len(Catalog(folder).snapshot().parts)


def test_a_clock_that_jumps_ahead_and_back_costs_no_event(tmp_path):
    folder = filled(tmp_path / "s")
    assert one_round(folder, NOON + DAY, 100) == 6
    for hour in range(1, 24):
        assert one_round(folder, NOON + 4_000 * DAY, 100 + hour * 3_600) == 6
    assert one_round(folder, NOON + 2 * DAY, 100 + 24 * 3_600) == 6
    assert one_round(folder, NOON - 4_000 * DAY, 100 + 25 * 3_600) == 6
    assert one_round(folder, NOON + 2 * DAY, 100 + 26 * 3_600) == 6
    assert counted(folder.root, 2)[0] == 9


def test_a_time_that_lasts_for_a_day_of_running_is_true(tmp_path):
    folder = filled(tmp_path / "s")
    assert one_round(folder, NOON + 60 * DAY, 5_000) == 6
    for restart in range(3):
        later = NOON + (61 + restart) * DAY
        assert one_round(folder, later, 10) == 6
        assert one_round(folder, later, 10 + 7 * 3_600) == 6
    assert one_round(folder, NOON + 64 * DAY, 3 * 3_600) == 6
    assert one_round(folder, NOON + 64 * DAY, 6 * 3_600) == 0
    assert counted(folder.root, 64)[0] == 9
