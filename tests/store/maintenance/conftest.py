"""A store, its maintainer with clocks that stand still, and parts told in a line."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from store.maintenance.maintainer import Maintainer
from store.parts.catalog import Catalog
from store.parts.layout import PartName, StoreFolder, folder_of
from store.parts.part import Part
from store.parts.scan import scan
from store.parts.writer import PartWriter, encoded
from store.schema import FIXED, REQUIRED
from store.settings import Settings
from store.testing import NOON, FrozenClock, events_of
from store.timespan import TimeSpan

DAY = "2026-11-22"


class Ticks:
    """Seconds since the system started, moved by hand."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds

    def pass_seconds(self, seconds):
        self.seconds += seconds


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def folder(tmp_path):
    return StoreFolder.open(tmp_path / "store", create=True)


@pytest.fixture
def writer(folder, clock):
    return PartWriter(folder, now=clock, writer="w")


@pytest.fixture
def catalog(folder):
    return Catalog(folder)


@pytest.fixture
def round_of(folder, clock, ticks):
    """round_of(*jobs): the report of one round by a maintainer of its own."""

    def run(*jobs, **options):
        settings = Settings(store=folder.root)
        with Maintainer(folder, settings, now=clock, ticks=ticks, **options) as maintainer:
            return maintainer.round(jobs) if jobs else maintainer.round()

    return run


@pytest.fixture
def ids(catalog):
    """All ids that a reader counts, in order."""

    def read():
        events = scan(catalog.snapshot().parts, ["event_id"], None).collect()
        return sorted(events["event_id"])

    return read


@pytest.fixture
def put(folder):
    """put(1, "m", 0, ids="a b", covers=[Cover("w", 0, 2)]): one part, straight to its name."""

    def make(level, writer, sequence, ids="", covers=()):
        name = PartName(level, writer, sequence)
        names = ids.split() or [f"{name.file}"]
        start = datetime.combine(NOON.date(), datetime.min.time(), NOON.tzinfo)
        frame = events_of({"event_id": each, "event_time": start} for each in names)
        frame = frame.select(pl.col(each).cast(FIXED[each]) for each in REQUIRED)
        part = Part(
            path=folder.events / folder_of(DAY) / name.file,
            date=DAY,
            level=level,
            writer=writer,
            sequence=sequence,
            rows=frame.height,
            size_bytes=0,
            span=TimeSpan(start, start + timedelta(microseconds=1)),
            newest_received=start,
            columns=dict(frame.schema),
            covers=tuple(covers),
        )
        part.path.parent.mkdir(exist_ok=True)
        part.path.write_bytes(encoded(frame, part))
        return replace(part, size_bytes=part.path.stat().st_size)

    return make
