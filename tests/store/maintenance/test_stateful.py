"""A store that lives: written, written late and twice, merged, unlinked, expired, cut off at any
call to the disk, and read after each against a plain dictionary.
"""

import shutil
import tempfile
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.compaction import Compaction
from store.maintenance.covered import CoveredParts
from store.maintenance.duplicates import Duplicates
from store.maintenance.expiry import Expiry
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.maintenance.staged import StagedLeftovers
from store.parts.catalog import Catalog
from store.parts.disk import Disk
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.parts.writer import PartWriter
from store.settings import CompactionSettings, RetentionSettings, Settings
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of

JOBS = (StagedLeftovers(), CoveredParts(), Compaction(), Duplicates())
IDS = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)


class CutError(BaseException):
    """Nothing runs after it, not even a handler."""


class Fragile(Disk):
    """Ends the process at one of its calls; never waits for the medium, which is not the point."""

    def __init__(self, calls=None):
        self.calls = calls

    def _call(self):
        if self.calls is not None:
            self.calls -= 1
            if self.calls < 0:
                raise CutError

    def create(self, path):
        self._call()
        return super().create(path)

    def write(self, descriptor, data):
        self._call()
        return super().write(descriptor, data)

    def sync(self, descriptor):
        self._call()

    def rename(self, source, target):
        self._call()
        super().rename(source, target)

    def remove(self, path):
        self._call()
        super().remove(path)


class LivingStore(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp()) / "store"
        self.folder = StoreFolder.open(self.root, create=True, disk=Fragile())
        self.clock = FrozenClock(NOON + timedelta(hours=3))
        self.ticks = 1_000.0
        self.writers = [
            PartWriter(self.folder, now=self.clock, writer=name, disk=Fragile()) for name in "vw"
        ]
        self.catalog = Catalog(self.folder)
        self.store = EventStore(self.root, now=self.clock, counted_max=0)
        self.written = defaultdict(list)
        """(date, id) -> the values that came with it."""
        self.values = 0
        self.gone = Counter()
        """(date, id) -> how many events expired: rollups alone tell of them."""

    def teardown(self):
        if hasattr(self, "root"):
            shutil.rmtree(self.root.parent)

    @rule(ids=IDS, writer=st.sampled_from([0, 1]), hours=st.sampled_from([0, 1, -14, -15]))
    def write(self, ids, writer, hours):
        """A late one goes to the day before; an id that was there is a duplicate."""
        rows = []
        for number in ids:
            self.values += 1
            time = NOON + timedelta(hours=hours, seconds=number % 3)
            rows.append({"event_id": f"e{number}", "event_time": time, "value": self.values})
            self.written[time.date(), f"e{number}"].append(self.values)
        events = events_of(rows)
        self.writers[writer].commit(events, Tally({"stored": events.height}))

    @rule(count=st.integers(1, 3))
    def refuse(self, count):
        self.writers[0].commit(events_of([]), Tally({"rejected": count}))

    @rule(
        eager=st.booleans(), cut=st.none() | st.integers(0, 12), large=st.sampled_from([1, 10**9])
    )
    def maintain(self, eager, cut, large):
        """Hours of a large day are merged apart."""
        limits = CompactionSettings(commits_max=3, fan_in=2, large_day_bytes=large)
        settings = Settings(store=self.root, compaction=limits)
        is_done = self.round(settings, JOBS, cut, eager=eager)
        if is_done and eager:
            assert all(n == 1 for n in self.counted().values())

    @rule(share=st.sampled_from([0.0, 0.5]), cut=st.none() | st.integers(0, 20))
    def expire(self, share, cut):
        """The oldest arrivals go, until so much of the store is left."""
        before = Counter(self.counted())
        size = sum(part.size_bytes for part in self.catalog.snapshot().parts)
        keep = RetentionSettings(max_bytes=max(1, int(size * share)))
        jobs = (StagedLeftovers(), Rollups(), Expiry())
        self.round(Settings(store=self.root, retention=keep), jobs, cut, eager=False)
        self.gone += before - Counter(self.counted())

    def round(self, settings, jobs, cut, *, eager):
        """Whether it came to its end."""
        maintainer = Maintainer(
            self.folder,
            settings,
            now=self.clock,
            ticks=lambda: self.ticks,
            disk=Fragile(cut),
            eager=eager,
        )
        try:
            with maintainer:
                assert maintainer.round(jobs).faults == ()
        except CutError:
            assert cut is not None
            return False
        return True

    @rule(seconds=st.sampled_from([1, 60]))
    def wait(self, seconds):
        self.ticks += seconds
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def restart_the_reader(self):
        self.catalog = Catalog(self.folder)
        self.store = EventStore(self.root, now=self.clock, counted_max=0)

    @invariant()
    def every_event_is_there_as_often_as_it_may_be(self):
        if not hasattr(self, "root"):
            return
        told = Counter(self.counted()) + self.gone
        assert told.keys() == self.written.keys()
        assert all(n <= len(self.written[key]) for key, n in told.items())

    @invariant()
    def the_tally_and_the_answers_agree(self):
        if not hasattr(self, "root"):
            return
        rows, gone = sum(self.counted().values()), sum(self.gone.values())
        tally = self.store.tally().as_json()
        assert tally["stored"] == rows + gone
        assert tally["stored"] + tally["duplicate"] == self.values
        everything = self.store.run(Top(by=()))
        assert everything.events_scanned == rows + gone
        assert sum(row.values["value"] for row in everything.result.rows) == rows + gone
        if not gone:
            points = self.store.run(Trends()).result.series
            assert sum(point for series in points for point in series.values) == rows

    def counted(self):
        """How often each event is read; each time with a value that it was written with."""
        parts = self.catalog.snapshot().parts
        found = defaultdict(int)
        events = scan(parts, ["event_id", "event_time", "value"], None).collect()
        for event_id, time, value in events.select("event_id", "event_time", "value").iter_rows():
            found[time.date(), event_id] += 1
            assert value in self.written[time.date(), event_id]
        return found


LivingStore.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=18,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
TestLivingStore = LivingStore.TestCase
