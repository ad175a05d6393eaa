"""A store in a private folder, events told in a line, and one collector for all rude senders."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.parts.layout import StoreFolder
from store.schema import INSTANT
from tests.collecting import collecting, settings
from tests.store.collector.running import Running

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def frame(*ids, at=NOON, **columns):
    """Events with these ids, all at one time."""
    count = len(ids)
    required = {
        "event_id": list(ids),
        "event_time": [at] * count,
        "event_type": ["log"] * count,
        "event_name": ["visit"] * count,
    }
    overrides = {"event_time": INSTANT, "event_id": pl.String}
    return pl.DataFrame({**required, **columns}, schema_overrides=overrides)


@pytest.fixture(scope="session")
def events():
    return frame


@pytest.fixture
def folder(tmp_path):
    return StoreFolder.open(tmp_path / "store", create=True)


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.time = NOON

    def now(self):
        return self.time

    def ticks(self):
        return self.time.timestamp()

    def pass_by(self, **parts):
        self.time += timedelta(**parts)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def collector(tmp_path_factory):
    """Shared by tests that only ask and send; it knows one web origin."""
    store = tmp_path_factory.mktemp("collector") / "store"
    with collecting(settings(store, origins=("http://shop.example",))) as running:
        yield running


@pytest.fixture
async def run(clock):
    running = []

    def start(*processors, **settings):
        running.append(Running(clock, processors, **settings))
        return running[-1]

    yield start
    for each in running:
        await each.close()
