"""What was computed from parts need not be computed again because they were merged."""

from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl
import pytest

from store.analytics import batches
from store.analytics.heritage import sources_of
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import Settings
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of


@dataclass
class Kept:
    """A store that is written, merged and asked; `reads` are the parts that a question opened."""

    root: object
    reads: list

    def __post_init__(self):
        self.clock = FrozenClock(NOON + timedelta(days=3))
        self.folder = StoreFolder.open(self.root, create=True)
        self.writer = PartWriter(self.folder, now=self.clock)
        self.store = EventStore(self.root, now=self.clock, counted_max=0)
        self.count = 0

    def write(self, *rows):
        events = events_of({"event_id": f"e{self.count + n}", **row} for n, row in enumerate(rows))
        self.count += len(rows)
        self.writer.commit(events, Tally({"stored": events.height}))

    def merge(self):
        settings = Settings(store=self.folder.root)
        with Maintainer(self.folder, settings, now=self.clock, eager=True) as maintainer:
            assert not maintainer.round((Compaction(),)).faults

    def ask(self, *queries):
        """The answers, which those of a new store are equal to; and how many parts were read."""
        self.reads.clear()
        answers = self.store.run_all(queries)
        read = len(self.reads)
        fresh = EventStore(self.root, now=self.clock, counted_max=0).run_all(queries)
        assert [a.result for a in answers] == [a.result for a in fresh]
        return answers, read


@pytest.fixture
def kept(tmp_path, monkeypatch):
    reads = []
    real = batches.scan

    def told(parts, columns, span, **how):
        reads.extend(part.key for part in parts)
        return real(parts, columns, span, **how)

    monkeypatch.setattr(batches, "scan", told)
    return Kept(tmp_path / "store", reads)


COUNT, BY_PLAN = Trends(), Trends(by=("plan",))


def test_a_merge_of_known_parts_is_not_read(kept):
    for number in range(20):
        kept.write({"plan": "pro", "n": number}, {"plan": "free", "n": number})
    before, read = kept.ask(COUNT, BY_PLAN)
    assert read > 0
    kept.merge()
    after, read = kept.ask(COUNT, BY_PLAN)
    assert read == 0
    assert [a.result for a in after] == [b.result for b in before]


def test_what_came_after_the_merge_is_all_that_is_read(kept):
    for _ in range(9):
        kept.write({"plan": "pro"})
    kept.ask(COUNT)
    kept.merge()
    kept.write({"plan": "free"})
    _, read = kept.ask(COUNT)
    assert read == 1
    kept.merge()
    _, read = kept.ask(COUNT)
    assert read == 0


def test_a_merge_that_took_duplicates_out_is_read(kept):
    kept.write({"event_id": "a"}, {"event_id": "b"})
    kept.write({"event_id": "a"})
    kept.ask(COUNT)
    kept.merge()
    _, read = kept.ask(COUNT)
    assert read == 1


def test_a_merge_with_a_part_that_was_never_seen_is_read(kept):
    kept.write({"plan": "pro"})
    kept.write({"plan": "pro"})
    kept.ask(COUNT)
    kept.write({"plan": "pro"})
    kept.merge()
    _, read = kept.ask(COUNT)
    assert read == 1


def test_a_question_that_was_asked_only_before_the_last_part_came_reads(kept):
    kept.write({"plan": "pro"})
    kept.write({"plan": "pro"})
    kept.ask(BY_PLAN)
    kept.write({"plan": "pro"})
    kept.ask(COUNT)
    kept.merge()
    _, read = kept.ask(BY_PLAN)
    assert read == 1
    _, read = kept.ask(COUNT)
    assert read == 0


def test_only_parts_that_hold_the_same_events_are_sources(kept):
    for _ in range(3):
        kept.write({"plan": "pro"})
    before = Catalog(kept.folder).snapshot().parts
    kept.merge()
    (merged,) = Catalog(kept.folder).snapshot().parts
    key = ("2026-11-22", 1, merged.writer, merged.sequence)
    assert sources_of(before, [merged]) == {key: list(before)}
    assert sources_of([*before, merged], [merged]) == {}
    assert sources_of(before[:2], [merged]) == {}
    assert sources_of(before, [replace(merged, removed=1)]) == {}
    assert sources_of(before, [replace(merged, rows=2, removed=1)]) == {}
    assert sources_of(before, before) == {}


def test_what_merges_of_merges_inherit_does_not_pile_up(kept):
    for _ in range(6):
        kept.write({"plan": "pro"})
        kept.write({"plan": "pro"})
        kept.ask(COUNT)
        kept.merge()
        kept.ask(COUNT)

    def depth(node):
        below = [*node.nodes, *node.heritage]
        return 1 + max(map(depth, below), default=0)

    (planner,) = kept.store._planners.values()
    tops = [node for day in planner._days.values() for node in day.top]
    assert max(map(depth, tops)) <= 4
    assert pl.Series([node.rows for node in tops]).sum() == 12
