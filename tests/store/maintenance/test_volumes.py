"""Volumes are shortcuts: answers are the same with them, without them, and when they are broken."""

from datetime import timedelta

import pytest

from store.analytics.names import Names
from store.analytics.rollups import extracting
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance import rollups, volumes
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.maintenance.volumes import BoundVolumes
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import Settings
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of
from store.timespan import TimeSpan
from tests.power import Medium, RecordingDisk, laid_out, moments

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SPAN = TimeSpan(NOON - DAY, NOON + DAY)
ASKED = (
    Trends(span=SPAN, interval=HOUR, measures=("count", "users", "p95:duration_ms")),
    Names(span=SPAN),
)


def written(folder, hour, parts=1):
    writer = PartWriter(folder, now=lambda: NOON, writer=f"w{hour}")
    for number in range(parts):
        rows = [
            {
                "event_id": f"{hour}-{number}-{row}",
                "event_time": NOON - (hour + number) * HOUR + timedelta(minutes=row),
                "event_name": f"n{row % 2}",
                "user_id": f"user-{row}",
                "duration_ms": float(row),
            }
            for row in range(9)
        ]
        writer.commit(events_of(rows), Tally({"stored": 9}))


def maintained(folder, *, disk=None, jobs=None):
    how = {"disk": disk} if disk else {}
    settings, now = Settings(store=folder.root), FrozenClock(NOON)
    with Maintainer(folder, settings, now=now, ticks=lambda: 1.0, **how) as maintainer:
        report = maintainer.round(jobs or (Rollups(), BoundVolumes()))
    assert report.faults == ()
    return [done.text for job, done in report.done if job == "volumes"]


def answers(root):
    return [
        answer.result
        for answer in EventStore(root, now=FrozenClock(NOON), counted_max=0).run_all(ASKED)
    ]


def files(folder):
    return sorted(folder.volumes.glob("*"))


@pytest.fixture(autouse=True)
def _small_parts_are_rolled_up(monkeypatch):
    monkeypatch.setattr(rollups, "ROWS_MIN", 1)


@pytest.fixture
def folder(tmp_path):
    made = StoreFolder.open(tmp_path / "s", create=True)
    written(made, 0, parts=5)
    return made


def test_rollups_of_a_date_are_bound_once_enough_are_loose_and_then_again(folder):
    maintained(folder, jobs=[Rollups()])
    plain = answers(folder.root)
    assert maintained(folder) == ["bind 5 rollups of 2026-11-22"]
    assert answers(folder.root) == plain
    (first,) = files(folder)
    assert maintained(folder) == [f"verify {first.name}"]
    written(folder, 6, parts=3)
    assert maintained(folder) == []
    written(folder, 9)
    assert maintained(folder) == ["bind 9 rollups of 2026-11-22"]
    assert f"remove {first.name}: its rollups stand elsewhere" in maintained(folder)
    assert len(files(folder)) == 1


def test_a_question_opens_the_volume_and_not_its_rollups(folder, monkeypatch):
    maintained(folder)
    opened = []
    read = extracting.read

    def watched(sections, columns, bound):
        opened.extend(each.volume for paths in sections.values() for each in map(bound.get, paths))
        for path in folder.rollups.glob("*/*"):
            path.unlink()
        return read(sections, columns, bound)

    monkeypatch.setattr(extracting, "read", watched)
    found = EventStore(folder.root, now=FrozenClock(NOON), counted_max=0).run(ASKED[1])
    assert set(opened) == set(files(folder))
    assert found.events_scanned == 45


def test_a_rollup_that_was_made_anew_is_not_taken_from_the_volume(folder):
    maintained(folder)
    plain = answers(folder.root)
    events = sorted(folder.events.glob("*/*"))
    # Two parts, and their rollups, of other bytes under the same names.
    for path in events[:2]:
        path.unlink()
    for path in folder.rollups.glob("*/*"):
        if path.name in {each.name for each in events[:2]}:
            path.unlink()
    writer = PartWriter(folder, now=lambda: NOON, writer="w0")
    for _ in range(2):
        row = {"event_id": "x", "event_time": NOON, "event_name": "other", "duration_ms": 1.0}
        writer.commit(events_of([row]), Tally({"stored": 1}))
    maintained(folder, jobs=[Rollups()])
    assert Catalog(folder).snapshot().volumes
    with_volume = answers(folder.root)
    assert with_volume != plain
    for path in files(folder):
        path.unlink()
    assert answers(folder.root) == with_volume


def test_what_is_no_sound_volume_is_none(folder):
    maintained(folder)
    plain, (path,) = answers(folder.root), files(folder)
    sound = path.read_bytes()
    for length in (0, 3, 100, len(sound) // 2, len(sound) - 1):
        path.write_bytes(sound[:length])
        assert Catalog(folder).snapshot().volumes == ()
        assert answers(folder.root) == plain
    path.with_name("2026-11-22-0123456789abcdef.parquet").write_bytes(sound)
    assert Catalog(folder).snapshot().volumes == ()


def test_a_volume_with_a_flipped_bit_goes_when_it_is_verified(folder):
    maintained(folder)
    (path,) = files(folder)
    spoiled = bytearray(path.read_bytes())
    spoiled[2_000] ^= 1
    path.write_bytes(spoiled)
    assert "checksum" in maintained(folder)[0]
    assert files(folder) == []
    assert maintained(folder) == ["bind 5 rollups of 2026-11-22"]


def test_a_volume_that_goes_while_it_is_read_is_done_without(folder, monkeypatch):
    maintained(folder)
    plain, read = answers(folder.root), extracting.read

    def late(sections, columns, bound):
        for path in files(folder):
            path.unlink()
        return read(sections, columns, bound)

    monkeypatch.setattr(extracting, "read", late)
    assert answers(folder.root) == plain


@pytest.mark.parametrize("way", [Medium.after_cut, Medium.after_death])
def test_a_kill_or_a_cut_at_any_call_changes_no_answer(tmp_path, folder, way):
    maintained(folder, jobs=[Rollups()])
    plain = answers(folder.root)
    before, disk = Medium.of(folder.root.parent), RecordingDisk()
    maintained(folder, disk=disk)
    written(folder, 20, parts=0)
    maintained(folder, disk=disk)
    medium, seen = Medium(before.root, dict(before.names), dict(before.durable)), set()
    for at in moments(medium, disk):
        content = way(at)
        key = frozenset(content.items())
        if key in seen:
            continue
        seen.add(key)
        root = laid_out(content, tmp_path / f"after-{len(seen)}") / "s"
        assert answers(root) == plain
    assert len(seen) > 5


def test_dates_of_huge_rollups_stay_as_they_are(folder, monkeypatch):
    monkeypatch.setattr(volumes, "BYTES_MAX", 1_000)
    assert maintained(folder) == []
