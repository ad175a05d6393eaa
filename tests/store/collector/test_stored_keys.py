from datetime import date, timedelta

import pytest

from store.collector.sinks.parts import StoredKeys
from store.maintenance.merging import merge
from store.parts.catalog import Catalog
from store.parts.compaction import covers_of
from store.parts.disk import DISK
from store.parts.layout import PartName
from store.parts.writer import PartWriter
from store.tally import Tally

DAY = date(2026, 11, 22)


@pytest.fixture
def merged(folder, events, clock):
    """Two commits that became one part; their own files have gone."""
    writer = PartWriter(folder, now=clock.now, writer="w")
    sources = [*writer.commit(events("a", "b"), Tally()), *writer.commit(events("c"), Tally())]
    merge(folder, DISK, sources, PartName(1, "m", 0), covers_of(sources, ()))
    for part in sources:
        part.path.unlink()
    return [part.key for part in sources]


def test_an_id_is_found_in_the_part_that_its_own_was_merged_into(folder, merged, events):
    keys = StoredKeys(folder, Catalog(folder))
    assert keys(merged[:1], events("b", "x")) == {("b", DAY)}


def test_it_is_found_when_it_comes_again_with_another_time(folder, merged, events, clock):
    keys = StoredKeys(folder, Catalog(folder))
    later = events("c", "x", at=clock.now() + timedelta(hours=3))
    assert keys(merged, later) == {("c", DAY)}
    assert keys(merged, events("c", at=clock.now() + timedelta(days=1))) == set()
